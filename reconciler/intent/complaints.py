"""What is wrong with a file, before it is known where in the text that is: collected, explained, put in order. Pure.

Pydantic's errors become complaints here, in words for people; all complaints of a file become problems with line and
column, sorted by place, and never more than a person can read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from reconciler.diagnostics import Diagnostic, Path, Place
from reconciler.intent.document import DomainFile
from reconciler.intent.interpolation import FromVariables
from reconciler.intent.positions import KEY, locate
from reconciler.intent.settings import faults

MAX_PROBLEMS = 100
MAX_CONSIDERED = 2000
_LONGEST_MESSAGE = 600

_CODES = {"extra_forbidden": "UnknownKey", "missing": "MissingKey", "invalid_setting": "InvalidValue"}
_SHORTEST_SECRET = 3
_QUOTED = re.compile(r"'([^']{3,})'|\"([^\"]{3,})\"")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong. ``at_key``: the place is the key's, not the value's. ``known``: what would have been right, of
    which the one nearest to ``word`` (else to the path's end) is named when the complaint is told."""

    path: Path
    code: str
    message: str
    at_key: bool = False
    known: Sequence[str] = ()
    word: str | None = None


def unknown_key(path: Path, known: Iterable[str]) -> Complaint:
    """The complaint about a key that nobody knows."""
    return Complaint(path, "UnknownKey", f"unknown key {faults.shown(path[-1])}", at_key=True, known=tuple(known))


def found(value: Any) -> str:
    """A value for a message; of one that came from variables only the template."""
    return faults.shown(value.source if isinstance(value, FromVariables) else value)


def from_pydantic(error: ValidationError, tree: Any) -> Iterator[Complaint]:
    """Pydantic's errors about ``tree``, each with a path that exists in it; of very many only the first."""
    keys: dict[tuple[type[BaseModel], ...], tuple[str, ...]] = {}
    for line in islice(error.errors(include_url=False, include_context=False), MAX_CONSIDERED):
        kind, loc, value = line["type"], line["loc"], line["input"]
        path = _real_path(loc, tree)
        code = _CODES.get(kind) or (_camel(kind) if kind in _OURS else "WrongType")
        if kind == "extra_forbidden":
            models = tuple(_models_at(path[:-1]))
            if models not in keys:
                keys[models] = tuple(_known_keys(models))
            yield unknown_key(path, keys[models])
        elif kind == "missing":
            yield Complaint(path, code, f"the key {faults.shown(loc[-1])} is missing")
        elif kind in ("model_type", "dict_type"):
            yield Complaint(path, code, f"expected an object, found {found(value)}")
        elif kind == "list_type":
            yield Complaint(path, code, f"expected a list, found {found(value)}")
        else:
            message = _without_secrets(line["msg"], value)
            yield Complaint(path, code, message, at_key=loc[-1:] == ("[key]",))


_OURS = {"wrong_type", "invalid_value", "bad_name", "out_of_range"}


def _camel(kind: str) -> str:
    return "".join(word.capitalize() for word in kind.split("_"))


def _real_path(loc: Iterable[str | int], tree: Any) -> Path:
    """The parts of pydantic's path that lead through ``tree``: tags of unions and the like are left out."""
    path: list[str | int] = []
    for part in loc:
        if (isinstance(tree, dict) and part in tree) or (
            isinstance(tree, list) and isinstance(part, int) and part < len(tree)
        ):
            path.append(part)
            tree = tree[part]  # type: ignore[index]
    return tuple(path)


def _models_at(path: Path) -> list[type[BaseModel]]:
    """The models that describe the object at ``path``."""
    annotations: list[Any] = [DomainFile]
    for part in path:
        models = [m for annotation in annotations for m in _models_in(annotation)]
        if isinstance(part, int):
            continue  # the models in a list's annotation are those of its items
        fields = [m.model_fields[part].annotation for m in models if part in m.model_fields]
        annotations = fields or annotations  # else a key of a map, whose values the annotation names
    return [m for annotation in annotations for m in _models_in(annotation)]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]


def _known_keys(models: Iterable[type[BaseModel]]) -> Iterable[str]:
    for model in models:
        for name, field in model.model_fields.items():
            yield field.alias or name


def _without_secrets(message: str, value: Any) -> str:
    """Take out of ``message`` what it quotes from values of variables."""
    if not isinstance(value, FromVariables):
        return message
    message = message.replace(faults.shown(str(value)), faults.shown(value.source))
    for secret in sorted(value.values, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET and secret not in value.source:
            message = message.replace(secret, "…")

    def hide(match: re.Match[str]) -> str:
        quoted = (match[1] or match[2]).rstrip("…")
        return match[0] if quoted in value.source or quoted not in value else "'…'"

    return _QUOTED.sub(hide, message)


def problems(complaints: Iterable[Complaint], text: str, file: str, *, beyond: int = 0) -> tuple[Diagnostic, ...]:
    """The complaints with their places, in the order of the file, cut off at a readable number.

    ``beyond`` counts those that were not even looked at.
    """
    unique = tuple(dict.fromkeys(complaints))
    considered = unique[:MAX_CONSIDERED]
    places: Mapping[Path, tuple[int, int]] = locate(text, {c.path for c in considered})

    def place(complaint: Complaint) -> tuple[int, int]:
        at_value = places.get(complaint.path, (0, 0))
        return places.get((*complaint.path, KEY), at_value) if complaint.at_key else at_value

    ordered = sorted(considered, key=place)
    told = [Diagnostic(c.path, c.code, _message(c), place=Place(file, *place(c))) for c in ordered[:MAX_PROBLEMS]]
    more = len(unique) - len(told) + beyond
    if more:
        told.append(Diagnostic.of_file(file, "MoreProblems", f"… and {more} more problems"))
    return tuple(told)


def _message(complaint: Complaint) -> str:
    message = complaint.message
    if complaint.known:
        message += faults.nearest(complaint.word or str(complaint.path[-1]), complaint.known)
    return message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 1] + "…"
