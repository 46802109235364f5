"""Hands a converted domain to the loader, and takes out what that refuses, until nothing is left to refuse. Pure.

So whatever is in a Compose file, what comes out is a valid domain, and all that is not in it is told with the reason
that the loader gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.compose.converting.dependencies import LOOSER, started
from reconciler.compose.converting.draft import CHUNKS, Draft
from reconciler.compose.converting.essentials import lost_by
from reconciler.compose.converting.layout import encoded
from reconciler.compose.converting.remarks import NO_COUNTERPART, NOT_THERE, NOT_WRITTEN, Remarks
from reconciler.diagnostics import Diagnostic, Path, render
from reconciler.intent.model import Loaded

Judge = Callable[[bytes], Loaded]
"""The loader, with all that it needs besides the text."""

_CONTENTS = ("secrets", "configs")
_NOTHING: tuple[Any, ...] = (None, 0, "0", "", False, [], {})
_ESSENTIAL = {"volumes": ("type", "source", "target"), "ports": ("target",)}
"""Without these an entry is none, or another one: it goes with them, and is told of once."""
_WORDS = {"UnknownKey": "pnr has no such setting"}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A service that is not in the domain file: what it would lack, or whom it would wait for in vain, and why."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}" if self.why else self.what


def settle(
    draft: Draft, judge: Judge, remarks: Remarks, model: Mapping[str, Any], *, partial: bool = False
) -> dict[str, LeftOut]:
    """Bring ``draft``, which was made of ``model``, to where ``judge`` finds no fault with it; what is taken out is
    told.

    A chunk that has lost what it must not be without is taken out as well, and so are those that wait for it; with
    ``partial`` it stays, with what is left of it, and nobody waits for one that can't be. Gives the services that are
    left out so.
    """
    settling = _Settling(draft, remarks, model, partial)
    draft.remember_items()
    while draft.chunks:
        errors = judge(encoded(draft.tree)).errors
        if errors:
            settling.take_out(errors)
        elif partial or not settling.leave_out_incomplete():
            break
    return settling.left_out


def incomplete(model: Mapping[str, Any], remarks: Remarks) -> dict[str, LeftOut]:
    """The services that have lost something that they must not be without."""
    lacking: dict[str, dict[str, str]] = {}
    for loss in remarks.of("loss"):
        for service, what in lost_by(model, loss.path) if loss.code != NOT_THERE else ():
            lacking.setdefault(service, {}).setdefault(what, loss.message)
    return {
        service: LeftOut(f"it would run without {', '.join(sorted(lost))}", "; ".join(dict.fromkeys(lost.values())))
        for service, lost in lacking.items()
    }


class _Settling:
    def __init__(self, draft: Draft, remarks: Remarks, model: Mapping[str, Any], partial: bool) -> None:
        self.draft, self.remarks, self.model, self.partial = draft, remarks, model, partial
        self.left_out: dict[str, LeftOut] = {}

    def take_out(self, errors: Iterable[Diagnostic]) -> None:
        found: dict[Path, Diagnostic] = {}
        for error in errors:
            path = _to_take_out(self.draft, error.path if self.draft.has(error.path) else ())
            found.setdefault(path, error)
        chunks: list[tuple[str, Diagnostic]] = []
        for path in sorted(_outermost(found), key=_backwards):
            if path[:3] == CHUNKS and len(path) == 4:
                chunks.append((self._service_at(path), found[path]))  # those behind it would move up
            else:
                _take_out(self.draft, path, found[path], self.remarks)
        for service, error in chunks:
            message = _WORDS.get(error.code, error.message)
            if self._index(service) is not None:
                self._remove(service, LeftOut("it can't be", message), f"{message}: the service is left out", error)

    def leave_out_incomplete(self) -> bool:
        """Whether there was a chunk that lacks something that it must not be without."""
        lacking = {
            name: why for name, why in incomplete(self.model, self.remarks).items() if self._index(name) is not None
        }
        for service, why in lacking.items():
            if self._index(service) is not None:  # else it waits for one that has gone just now
                message = f"{service} is not written, since {why.what}. --partial writes it as it is"
                self._remove(service, why, message)
        return bool(lacking)

    def _service_at(self, path: Path) -> str:
        return str(self.draft.origin(path[:4])[1])

    def _index(self, service: str) -> int | None:
        chunks = self.draft.chunks
        return next((n for n in range(len(chunks)) if self._service_at((*CHUNKS, n)) == service), None)

    def _remove(self, service: str, why: LeftOut, message: str, error: Diagnostic | None = None) -> None:
        """Take the chunk of a service out, and who waits for it."""
        index = self._index(service)
        assert index is not None
        code = NOT_WRITTEN if error is None else _code(error)
        self.remarks.loss(("services", service), code, message)
        self.left_out[service] = why
        chunk = self.draft.at((*CHUNKS, index))
        self.draft.remove((*CHUNKS, index))
        for other in [self._service_at((*CHUNKS, n)) for n in range(len(self.draft.chunks))]:
            number = self._index(other)
            gate = self.draft.at((*CHUNKS, number)).get("gatekeeper", {}) if number is not None else {}
            if not any(key in chunk["flowout"] for key in gate):
                continue
            needed = (self.model["services"][other].get("depends_on") or {}).get(service) or {}
            if not self.partial and needed.get("required") is not False:
                what = f"it waits for {service}, which is not there"
                said = f"{other} is not written, since {what}. --partial writes it as well"
                self._remove(other, LeftOut(what, f"{service}: {why}"), said)
                continue
            self._without_gate(other, chunk["flowout"])
            said = f"{service} is not part of the domain, so {other} does not wait for it"
            self.remarks.note(("services", other, "depends_on", service), "NotWaitedFor", said)

    def _without_gate(self, service: str, keys: Iterable[str]) -> None:
        where = (*CHUNKS, self._index(service) or 0)
        gate = self.draft.at(where)["gatekeeper"]
        for key in [key for key in gate if key in keys]:
            self.draft.remove((*where, "gatekeeper", key))
        if not gate:
            self.draft.remove((*where, "gatekeeper"))
            self.draft.at(where).pop("on_gate_close", None)


def _code(error: Diagnostic) -> str:
    return NO_COUNTERPART if error.code in ("UnknownKey", "InvalidValue", "WrongType") else error.code


def _to_take_out(draft: Draft, path: Path) -> Path:
    """What must go for what is wrong at ``path`` to go: a setting or an entry, or the chunk that can't be without
    it."""
    if path[:1] in [(kind,) for kind in _CONTENTS] and len(path) > 1:
        return path[:2]
    if path[:3] == CHUNKS and len(path) > 3:
        inside = path[4:]
        if len(inside) > 3 and inside[3] in _ESSENTIAL.get(str(inside[1]), ()):
            return path[:7]
        if inside[:1] == ("container",) and len(inside) > 1 and inside[1] != "image":
            return path
        if inside[:1] in (("replicas",), ("kind",), ("on_gate_close",), ("adopt",), ("health_check",)):
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


def _take_out(draft: Draft, path: Path, error: Diagnostic, remarks: Remarks) -> None:
    value, origin = draft.at(path), draft.origin(path)
    if value not in _NOTHING:
        remarks.loss(origin, _code(error), _WORDS.get(error.code, error.message))
    if path[0] in _CONTENTS:
        _take_out_uses(draft, str(path[0]), str(path[1]), remarks)
    check = draft.at(path[:6]) if path[4:6] == ("container", "healthcheck") else {}
    had_test = isinstance(check, dict) and "test" in check
    draft.remove(path)
    _take_out_empty(draft, path[:-1])
    if had_test and not (draft.has((*path[:6], "test"))):
        if draft.has(path[:6]):
            draft.remove(path[:6])  # how often nothing is done
        _without_check(draft, path[:4], remarks)


def _without_check(draft: Draft, path: Path, remarks: Remarks) -> None:
    """The chunk's health check is the one that was taken out: it answers that it runs, and who waits for it waits for
    that."""
    chunk = draft.at(path)
    if chunk.pop("health_check", None) is None:
        return  # work that ends
    service = str(draft.origin(path)[1])
    (old,) = chunk["flowout"]
    taken = {key for other in draft.chunks for key in other["flowout"]}
    answer = started(service, chunk["name"], taken)
    chunk["flowout"] = {answer.key: answer.fact()}
    for index, other in enumerate(draft.chunks):
        gate = other.get("gatekeeper", {})
        if old in gate:
            other["gatekeeper"] = {
                answer.key if key == old else key: answer.fact() if key == old else said for key, said in gate.items()
            }
            waiting = str(draft.origin((*CHUNKS, index))[1])
            said = f"the health check of {service} is lost: {waiting} starts as soon as {service} runs"
            remarks.note(("services", waiting, "depends_on", service), LOOSER, said)


def _take_out_empty(draft: Draft, path: Path) -> None:
    """A list or an object of which nothing is left says nothing any more."""
    if len(path) > 4 and draft.at(path) in ([], {}):
        draft.remove(path)


def _take_out_uses(draft: Draft, kind: str, name: str, remarks: Remarks) -> None:
    for index, chunk in enumerate(draft.chunks):
        uses = chunk["container"].get(kind, [])
        for number in reversed(range(len(uses))):
            use = uses[number]
            if (use.get("source") if isinstance(use, dict) else use) == name:
                where = (*CHUNKS, index, "container", kind, number)
                remarks.loss(draft.origin(where), NOT_THERE, f"the {kind.removesuffix('s')} {name} is left out")
                draft.remove(where)
        if kind in chunk["container"] and not uses:
            draft.remove((*CHUNKS, index, "container", kind))
