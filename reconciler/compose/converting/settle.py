"""Hands a converted domain to the loader, and takes out what that refuses, until nothing is left to refuse. Pure.

So whatever is in a Compose file, what comes out is a valid domain, and all that is not in it is told with the reason
that the loader gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from reconciler.compose.converting.draft import Draft
from reconciler.compose.converting.layout import encoded
from reconciler.compose.converting.remarks import NO_COUNTERPART, Remarks
from reconciler.intent.model import Loaded, Problem
from reconciler.intent.positions import Path, render

Judge = Callable[[bytes], Loaded]
"""The loader, with all that it needs besides the text."""

_CHUNKS = ("cpuxs", "main", "design_chunks")
_CONTENTS = ("secrets", "configs")
_NOTHING: tuple[Any, ...] = (None, 0, "0", "", False, [], {})
_WORDS = {"UnknownKey": "pnr has no such setting"}


def settle(draft: Draft, judge: Judge, remarks: Remarks) -> None:
    """Bring ``draft`` to where ``judge`` finds no fault with it; what is taken out is told."""
    draft.remember_items()
    while True:
        problems = judge(encoded(draft.tree)).problems
        if not problems or not draft.tree["cpuxs"]["main"]["design_chunks"]:
            return
        paths = {render(path): path for path in _paths(draft.tree)}
        found: dict[Path, Problem] = {}
        for problem in problems:
            path = _to_take_out(draft, paths.get(problem.place.path, ()))
            found.setdefault(path, problem)
        for path in sorted(_outermost(found), key=_backwards):
            _take_out(draft, path, found[path], remarks)


def _paths(node: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, part in parts:
        yield from _paths(part, (*path, key))


def _to_take_out(draft: Draft, path: Path) -> Path:
    """What must go for the complaint about ``path`` to go: a setting or an entry, or the chunk that can't be without
    it."""
    if path[:1] in [(kind,) for kind in _CONTENTS] and len(path) > 1:
        return path[:2]
    if path[:3] == _CHUNKS and len(path) > 3:
        inside = path[4:]
        if inside[:1] == ("container",) and len(inside) > 1 and inside[1] != "image":
            return path
        if inside[:1] in (("replicas",), ("kind",), ("on_gate_close",), ("adopt",)):
            return path
        return path[:4]
    if path[:1] in (("networks",), ("volumes",)) and len(path) > 1:
        # The name is what keeps the data; what has to go with it is whatever else was said.
        return path if path[2:3] not in ((), ("name",)) else path[:2]
    raise UnsettledError(f"the converted domain is not valid at {render(path) or 'its top'}: {draft.tree.get('name')}")


class UnsettledError(AssertionError):
    """The conversion itself has made something that can't stand: an error in it, not in the Compose file."""


def _outermost(paths: Iterable[Path]) -> list[Path]:
    every = set(paths)
    return [path for path in every if not any(path[:end] in every for end in range(1, len(path)))]


def _backwards(path: Path) -> tuple[tuple[bool, Any], ...]:
    """The last of a list first, so that the places of the others stay right."""
    return tuple((isinstance(part, int), -part if isinstance(part, int) else part) for part in path)


def _take_out(draft: Draft, path: Path, problem: Problem, remarks: Remarks) -> None:
    value, origin = draft.at(path), draft.origin(path)
    code = NO_COUNTERPART if problem.code in ("UnknownKey", "InvalidValue", "WrongType") else problem.code
    message = _WORDS.get(problem.code, problem.message)
    if path[:3] == _CHUNKS and len(path) == 4:
        _take_out_chunk(draft, path, f"{message}: the service is left out", code, remarks)
        return
    if value not in _NOTHING:
        remarks.loss(origin, message, code)
    if path[0] in _CONTENTS:
        _take_out_uses(draft, str(path[0]), str(path[1]), remarks)
    draft.remove(path)
    _take_out_empty(draft, path[:-1])


def _take_out_empty(draft: Draft, path: Path) -> None:
    """A list or an object of which nothing is left says nothing any more."""
    if len(path) > 4 and draft.at(path) in ([], {}):
        draft.remove(path)


def _take_out_chunk(draft: Draft, path: Path, message: str, code: str, remarks: Remarks) -> None:
    chunk = draft.at(path)
    origin = draft.origin(path)
    remarks.loss(origin, message, code)
    draft.remove(path)
    for index, other in enumerate(draft.at(_CHUNKS)):
        gate = other.get("gatekeeper", {})
        for key in [key for key in gate if key in chunk["flowout"]]:
            where = (*_CHUNKS, index, "gatekeeper", key)
            said = f"{chunk['name']} is not part of the domain, so {other['name']} does not wait for it"
            remarks.note(draft.origin(where[:4]), said, "NotWaitedFor")
            draft.remove(where)
        if "gatekeeper" in other and not gate:
            draft.remove((*_CHUNKS, index, "gatekeeper"))
            other.pop("on_gate_close", None)


def _take_out_uses(draft: Draft, kind: str, name: str, remarks: Remarks) -> None:
    for index, chunk in enumerate(draft.at(_CHUNKS)):
        uses = chunk["container"].get(kind, [])
        for number in reversed(range(len(uses))):
            use = uses[number]
            if (use.get("source") if isinstance(use, dict) else use) == name:
                where = (*_CHUNKS, index, "container", kind, number)
                remarks.loss(draft.origin(where), f"{kind.removesuffix('s')} {name} is left out", "NotThere")
                draft.remove(where)
        if kind in chunk["container"] and not uses:
            draft.remove((*_CHUNKS, index, "container", kind))
