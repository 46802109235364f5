"""By what a container is judged: as it was declared to be, also where another intent is in force by now. Pure.

What an update is to replace serves on until the new version is up, or again once that was given up. A check that came
with the new version says nothing about it: it may ask for what only the new one has.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import Any

from reconciler.facts import TV, Pnr
from reconciler.intent.model import Answer, Chunk, FactsMode, HealthCheck
from reconciler.planner.observed import Container

_ANSWERS = ("on_success", "on_failure")


@dataclass(frozen=True, slots=True)
class Criteria:
    """By what the containers of one intent of a chunk are judged, and what they answer. ``spec`` and ``fixed`` are the
    hashes of that intent which such a container carries."""

    spec: str
    fixed: str
    health: HealthCheck | None
    stable_seconds: float
    facts: FactsMode
    flowout: Mapping[str, Pnr]

    def is_of(self, c: Container) -> bool:
        """Whether a container was made from that intent."""
        return c.spec == self.spec or bool(self.fixed and c.fixed == self.fixed)

    def is_of_same(self, other: Criteria) -> bool:
        """Whether both are for the same containers."""
        return other.spec == self.spec or bool(self.fixed and other.fixed == self.fixed)


def criteria_of(chunk: Chunk) -> Criteria:
    """Those that an intent declares."""
    spec = chunk.container
    return Criteria(spec.digest, spec.fixed, chunk.health, chunk.stable_seconds, chunk.facts, chunk.flowout)


def applied(chunk: Chunk, its: Criteria) -> Chunk:
    """The chunk, judged by these."""
    return replace(
        chunk, health=its.health, stable_seconds=its.stable_seconds, facts=its.facts, flowout=dict(its.flowout)
    )


def superseded(known: tuple[Criteria, ...], before: Chunk, now: Chunk) -> tuple[Criteria, ...]:
    """The criteria of earlier intents once ``now`` is declared in the place of ``before``."""
    old, new = criteria_of(before), criteria_of(now)
    left = tuple(one for one in known if not one.is_of_same(old) and not one.is_of_same(new))
    return left if old.is_of_same(new) else (*left, old)


def in_use(known: tuple[Criteria, ...], containers: Iterable[Container]) -> tuple[Criteria, ...]:
    """Those by which some container is judged."""
    if not known:
        return known
    there = tuple(containers)
    left = tuple(one for one in known if any(one.is_of(c) for c in there))
    return known if len(left) == len(known) else left


def can_be_written(its: Criteria) -> bool:
    """Whether nothing in them can be secret: a value of a variable, or the header of a request."""
    check = its.health
    return check is None or not (check.has_variables or check.options.get("headers"))


def to_document(its: Criteria) -> dict[str, Any]:
    """As snapshots hold them."""
    check = its.health
    health = None
    if check is not None:
        plain = {field.name: getattr(check, field.name) for field in fields(check) if field.name not in _ANSWERS}
        answers = {name: [[one.key, _fact(one.fact)] for one in getattr(check, name)] for name in _ANSWERS}
        health = {**plain, "options": dict(check.options), **answers}
    said = {
        "health": health,
        "stable_seconds": its.stable_seconds,
        "facts": its.facts.value,
        "flowout": {key: _fact(fact) for key, fact in its.flowout.items()},
    }
    return {"spec": its.spec, "fixed": its.fixed, "as_json": json.dumps(said)}


def from_document(entry: Mapping[str, Any]) -> Criteria:
    """Back again. Raises ValueError, TypeError, LookupError or AttributeError for what is none."""
    try:
        said = json.loads(str(entry["as_json"]))
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    return Criteria(
        spec=str(entry["spec"]),
        fixed=str(entry.get("fixed", "")),
        health=_health(said["health"]) if said["health"] is not None else None,
        stable_seconds=_number(said["stable_seconds"]),
        facts=FactsMode(said["facts"]),
        flowout={str(key): _read_fact(fact) for key, fact in said["flowout"].items()},
    )


def _fact(fact: Pnr) -> list[Any]:
    return [fact.prompt, list(fact.response), fact.tv.value]


def _read_fact(said: Any) -> Pnr:
    prompt, response, tv = said
    return Pnr(str(prompt), tuple(str(one) for one in response), TV(tv))


def _health(said: dict[str, Any]) -> HealthCheck:
    given = dict(said)
    for name in _ANSWERS:
        given[name] = tuple(Answer(str(key), _read_fact(fact)) for key, fact in given[name])
    for name in ("type", "port_key", "url_scheme"):
        if not isinstance(given[name], str) and (given[name] is not None or name == "type"):
            raise TypeError(f"{name} is no text")
    for name, value in given.items():
        if name.endswith("_seconds") or name.endswith("_threshold"):
            given[name] = _number(value)
    if not isinstance(given["options"], dict):
        raise TypeError("options are no table")
    return HealthCheck(**given)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise ValueError(f"{value!r} is no number")
    return value
