"""What of a snapshot this version can make something of: each value is looked at alone, the unknown ones left out.

A snapshot may be of another version, or edited by hand. Whatever is in it is no reason not to start. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from reconciler.controller.records import SNAPSHOT_VERSION
from reconciler.planner.criteria import from_document
from reconciler.planner.removal import Hold
from reconciler.planner.retry_state import Remedy
from reconciler.states import Reason, State

_MOST = 1 << 53
_LONGEST_SHOWN = 60


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _hash(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]+", value) is not None


def _truth(value: Any) -> bool:
    return isinstance(value, bool)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST


def _positive(value: Any) -> bool:
    return _count(value) and value > 0


def _moment(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).tzinfo is not None
    except (ValueError, TypeError, AttributeError):
        return False


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _one_of(words: type[State] | type[Reason] | type[Remedy] | type[Hold]) -> Callable[[Any], bool]:
    known = {word.value for word in words}
    return lambda value: isinstance(value, str) and value in known


def _failure(value: Any) -> bool:
    known = isinstance(value, dict) and _one_of(Reason)(value.get("reason")) and _text(value.get("message"))
    return known and _text(value.get("container", ""))


def _seconds(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _MOST


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MOST


def _table_of(known: Mapping[str, Callable[[Any], bool]], needed: str = "") -> Callable[[Any], bool]:
    def is_known(value: Any) -> bool:
        if not isinstance(value, dict) or (needed and needed not in value):
            return False
        return all(key not in known or known[key](entry) for key, entry in value.items())

    return is_known


def _tables_of(known: Mapping[str, Callable[[Any], bool]], needed: str = "") -> Callable[[Any], bool]:
    is_known = _table_of(known, needed)
    return lambda value: isinstance(value, list) and all(is_known(one) for one in value)


def _criteria(value: Any) -> bool:
    if not _tables_of({"spec": _text, "fixed": _text, "as_json": _text}, needed="as_json")(value):
        return False
    try:
        return all(from_document(one) for one in value)
    except (ValueError, TypeError, LookupError, AttributeError):
        return False


_OF_DOMAIN: Mapping[str, Callable[[Any], bool]] = {
    "version": lambda value: value == SNAPSHOT_VERSION and not isinstance(value, bool),
    "domain": _text,
    "file": _text,
    "generation": _positive,
    "intent": _hash,
    "digest": _hash,
    "commit": _text,
    "down": _truth,
    "gone": _truth,
    "held": _text,
    "held_reason": _one_of(Hold),
    "held_since": _moment,
    "cpux": lambda value: isinstance(value, list),
    "network": lambda value: isinstance(value, list),
}
_OF_CPUX: Mapping[str, Callable[[Any], bool]] = {"name": _text, "chunk": lambda value: isinstance(value, list)}
_OF_CHUNK: Mapping[str, Callable[[Any], bool]] = {
    "name": _text,
    "number": _positive,
    "state": _one_of(State),
    "reason": _one_of(Reason),
    "message": _text,
    "since": _moment,
    "attempts": _count,
    "starts": _count,
    "restarts": _count,
    "last_error": _text,
    "not_before": _moment,
    "failure": _failure,
    "remedy": _one_of(Remedy),
    "tolerated": _texts,
    "warnings": _texts,
    "job_generation": _count,
    "retry_at": _moment,
    "retries": _count,
    "leftover": _tables_of({"id": _text, "attempts": _count, "not_before": _moment, "error": _text}, needed="id"),
    "kept_endpoint": _tables_of(
        {"network": _text, "was": _table_of({}), "failure": _text, "attempts": _count, "not_before": _moment},
        needed="network",
    ),
    "crashes": _count,
    "looping": _truth,
    "restarts_seen": _count,
    "run": _tables_of({"ended": _moment, "lasted": _seconds, "code": _whole, "oom": _truth}),
    "judged_by": _criteria,
    "exit": _table_of({"run": _text, "code": _whole, "oom": _truth, "output": _text}),
    **dict.fromkeys(
        (
            "counted_run",
            "proven_run",
            "rejected_spec",
            "paused_spec",
            "warned_of",
            "aimed_image",
            "aimed_from",
            "beside",
            "judged_run",
            "stopped_run",
            "replaced_files",
            "runs_of",
        ),
        _text,
    ),
}


def known_values(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The snapshot without what this version does not know; and of each such value where it stands, and what it is."""
    unknown: list[str] = []
    sane = _known(document, _OF_DOMAIN, "", unknown)
    cpuxs = []
    for cpux_place, cpux in _tables(sane.get("cpux", []), "cpux", unknown):
        known_cpux = _known(cpux, _OF_CPUX, f"{cpux_place}.", unknown)
        chunks = []
        for place, chunk in _tables(known_cpux.get("chunk", []), f"{cpux_place}.chunk", unknown):
            known_chunk = _known(chunk, _OF_CHUNK, f"{place}.", unknown)
            if "name" in known_chunk:
                chunks.append(known_chunk)
        if "name" in known_cpux:
            cpuxs.append({**known_cpux, "chunk": chunks})
    sane["cpux"] = cpuxs
    if "generation" not in sane:
        # A generation that was had before is never given again where it can be helped: jobs run once a generation.
        done = [chunk.get("job_generation", 0) for cpux in cpuxs for chunk in cpux["chunk"]]
        sane["generation"] = max([1, *done])
    return sane, unknown


def _known(
    table: Mapping[str, Any], known: Mapping[str, Callable[[Any], bool]], where: str, unknown: list[str]
) -> dict[str, Any]:
    found = {}
    for key, value in table.items():
        if key in known and not known[key](value):
            unknown.append(f"{where}{key} = {_shown(value)}")
        else:
            found[key] = value
    return found


def _tables(values: list[Any], where: str, unknown: list[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, value in enumerate(values):
        if isinstance(value, dict):
            name = value.get("name")
            yield f"{where}.{name}" if isinstance(name, str) else f"{where}[{number}]", value
        else:
            unknown.append(f"{where}[{number}] = {_shown(value)}")


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
