"""The stack as it changes, a line a change: what ``pnr run`` prints where there is no terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from reconciler.daemon.clean import clean
from reconciler.daemon.viewing import chunks, held_lines, problem_text

View = Mapping[str, Any]

PROGRESS_EVERY = timedelta(seconds=5)
_PROGRESS = ("PullingImage", "BuildingImage")


def changes(before: View | None, after: View, now: datetime) -> list[str]:
    """The lines that tell how ``after`` differs from ``before`` (None: the first view). Cleaned, no line breaks.

    ``now`` is in local time. A changed message alone makes no line: a pull tells its progress many times a second.
    """
    stamp = now.strftime("%H:%M:%S")
    return [f"{stamp} {clean(line)}" for line in _changes(before, after)]


def _changes(before: View | None, after: View) -> Iterator[str]:
    yield from _daemon(before, after)
    yield from _domains(before, after)
    known = {found.name: found for found in chunks(before["domains"])} if before is not None else {}
    for found in chunks(after["domains"]):
        old = known.pop(found.name, None)
        said = f" {found.message}" if found.message else ""
        if old is None:
            yield f"{found.name} {found.state} ({found.reason}){said}"
        elif old.state != found.state:
            yield f"{found.name} {old.state} -> {found.state} ({found.reason}){said}"
        elif old.reason != found.reason:
            yield f"{found.name} {found.state} ({found.reason}){said}"
        elif (found.chunk.get("restarts") or 0) > (old.chunk.get("restarts") or 0):
            yield f"{found.name} {found.state}, restarted ({found.chunk['restarts']} times so far)"
    yield from (f"{name} removed" for name in known)
    yield from _settled(before, after)


def _daemon(before: View | None, after: View) -> Iterator[str]:
    new = after["daemon"]
    old = before["daemon"] if before is not None else {}
    up, was_up = new.get("engine_up", True), old.get("engine_up", True)
    if not up and (was_up or before is None or old.get("message") != new.get("message")):
        yield f"the engine does not answer: {new.get('message', '')}"
    elif up and new.get("engine") and (not was_up or old.get("engine") != new.get("engine")):
        yield f"the engine answers: {new['engine']}"
    elif up and new.get("message") and old.get("message") != new.get("message"):
        yield f"trouble: {new['message']}"
    yield from (f"note: {note}" for note in new.get("notes") or () if note not in (old.get("notes") or ()))


def _domains(before: View | None, after: View) -> Iterator[str]:
    held: dict[str, str] = {}
    known = {domain["name"]: domain for domain in before["domains"]} if before is not None else {}
    for domain in after["domains"]:
        old = known.get(domain["name"], {})
        if domain["errors"] != old.get("errors", []):
            yield from (f"not valid: {problem_text(problem)}" for problem in domain["errors"])
            if not domain["errors"]:
                yield f"{domain['file']} is valid again"
        if domain.get("held") and (not old.get("held") or domain.get("held_reason") != old.get("held_reason")):
            held[domain["name"]] = domain["held"]
        if domain["stalled"] and not old.get("stalled"):
            yield f"stalled: {domain['name']}; `pnr why CHUNK` says what is missing"
        for warning in domain.get("warnings") or []:
            if warning not in (old.get("warnings") or []):
                yield f"warning: {problem_text(warning)}"
        for note in domain.get("notes") or []:
            if note not in (old.get("notes") or []):
                yield f"{domain['file']}: note: {note}"
    yield from held_lines(held)


def settled_line(view: View) -> str | None:
    """``settled: demo: http://127.0.0.1:8088`` when all domains are, else None. Cleaned."""
    domains = [domain for domain in view["domains"] if not domain.get("suspended")]
    if not domains or not view["daemon"].get("ready", True) or not all(domain["settled"] for domain in domains):
        return None
    named = []
    for domain in domains:
        found = urls(domain)
        named.append(f"{domain['name']}: {' '.join(found)}" if found else str(domain["name"]))
    return clean(f"settled: {', '.join(named)}")


def urls(domain: View) -> list[str]:
    """Where the stack can be reached, each address once. Cleaned."""
    found: dict[str, None] = {}
    for each in chunks([domain]):
        found.update(dict.fromkeys(clean(str(url)) for url in each.chunk.get("urls") or []))
    return list(found)


def _settled(before: View | None, after: View) -> Iterator[str]:
    line = settled_line(after)
    if line is not None and (before is None or settled_line(before) != line):
        yield line


class PlainView:
    """Remembers the last view, to tell what the next one changes, and now and then how far pulls and builds are."""

    def __init__(self) -> None:
        self._last: View | None = None
        self._progress: dict[str, tuple[datetime, str]] = {}

    def lines(self, view: View, now: datetime | None = None) -> list[str]:
        """The lines for a new view."""
        now = now or datetime.now().astimezone()
        found = changes(self._last, view, now)
        self._last = view
        stamp = now.strftime("%H:%M:%S")
        return [*found, *(f"{stamp} {clean(line)}" for line in self._how_far(view, now))]

    def _how_far(self, view: View, now: datetime) -> Iterator[str]:
        at_work = {each.name: each for each in chunks(view["domains"]) if each.reason in _PROGRESS}
        self._progress = {name: told for name, told in self._progress.items() if name in at_work}
        for name, each in at_work.items():
            since, message = self._progress.setdefault(name, (now, each.message))
            if each.message != message and now - since >= PROGRESS_EVERY:
                self._progress[name] = (now, each.message)
                yield f"{name} {each.message}"
