"""What pydantic says of a domain file, in words for people. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from reconciler.diagnostics import Diagnostics, Path
from reconciler.intent.document import DomainFile
from reconciler.intent.interpolation import FromVariables, found
from reconciler.intent.locating import MOST_CONSIDERED
from reconciler.intent.positions import KEY
from reconciler.intent.settings import faults

_CODES = {"extra_forbidden": "UnknownKey", "missing": "MissingKey", "invalid_setting": "InvalidValue"}
_SHORTEST_SECRET = 3
_QUOTED = re.compile(r"'([^']{3,})'|\"([^\"]{3,})\"")


def report_errors(error: ValidationError, tree: Any, report: Diagnostics) -> int:
    """Report pydantic's errors about ``tree``, each with a path that exists in it. Of very many only the first: gives
    how many there are besides."""
    keys: dict[tuple[type[BaseModel], ...], tuple[str, ...]] = {}
    lines = error.errors(include_url=False, include_context=False)
    for line in lines[:MOST_CONSIDERED]:
        kind, loc, value = line["type"], line["loc"], line["input"]
        path = real_path(loc, tree)
        code = _CODES.get(kind) or (_camel(kind) if kind in _OURS else "WrongType")
        if kind == "extra_forbidden":
            models = tuple(_models_at(path[:-1]))
            if models not in keys:
                keys[models] = tuple(_known_keys(models))
            hint = report.nearest(str(path[-1]), keys[models])
            report.error((*path, KEY), code, f"unknown key {faults.shown(path[-1])}{hint}")
        elif kind == "missing":
            report.error(path, code, f"the key {faults.shown(loc[-1])} is missing")
        elif kind in ("model_type", "dict_type"):
            report.error(path, code, f"expected an object, found {found(value)}")
        elif kind == "list_type":
            report.error(path, code, f"expected a list, found {found(value)}")
        else:
            of_key = (KEY,) if loc[-1:] == ("[key]",) else ()
            report.error((*path, *of_key), code, without_secrets(line["msg"], value))
    return max(0, len(lines) - MOST_CONSIDERED)


_OURS = {"wrong_type", "invalid_value", "bad_name", "out_of_range"}


def _camel(kind: str) -> str:
    return "".join(word.capitalize() for word in kind.split("_"))


def real_path(loc: Iterable[str | int], tree: Any) -> Path:
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


def without_secrets(message: str, value: Any) -> str:
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
