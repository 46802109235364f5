"""What a chunk answers: its flowout facts, from its container, its health and its own words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from reconciler.facts import TV, FactRef, Pnr
from reconciler.intent.model import Chunk, FactsMode, Kind
from reconciler.planner.observed import Condition, Container
from reconciler.planner.situation import ChunkInput, Roles, finished, judged_as
from reconciler.planner.standing import health_of, is_in_doubt


def unknown(declared: Pnr) -> Pnr:
    """The fact while nobody has answered it."""
    return Pnr(declared.prompt, (), TV.U)


def denied(chunk: Chunk, key: str) -> Pnr:
    """The fact when the chunk is down: as its health check says for failure, else N and ``no``."""
    said = chunk.health.said_of_failure.get(key) if chunk.health is not None else None
    return said or Pnr(chunk.flowout[key].prompt, ("no",), TV.N)


def affirmed(chunk: Chunk, key: str) -> Pnr:
    """The fact when the chunk is up: as its health check says for success, else as declared."""
    said = chunk.health.said_of_success.get(key) if chunk.health is not None else None
    return said or chunk.flowout[key]


def answers(i: ChunkInput, parts: Roles, own: Mapping[str, Pnr], before: Mapping[FactRef, Pnr]) -> dict[FactRef, Pnr]:
    """All flowout facts of the chunk as they stand now.

    ``own`` is what the container itself wrote in its present run. ``before`` is how the facts stood: one that was
    denied stays so until the next run has proved itself, so that a restart does not look like "unknown".
    """
    chunk = i.chunk
    if chunk is None:
        return {}
    c = _serving(parts)
    its = judged_as(i, c) if c is not None else chunk
    assert its is not None
    how, unasked = _how(i, its, parts, c), _unanswered(i)
    result: dict[FactRef, Pnr] = {}
    for key, declared in chunk.flowout.items():
        ref = chunk.flowout_ref(key)
        if key in its.flowout:
            result[ref] = how(its, key, its.flowout[key], own.get(key), before.get(ref))
        else:
            # What serves was never declared to answer this: only the new version does.
            result[ref] = unasked(chunk, key, declared, None, before.get(ref))
    return result


def combined(declared: Pnr, least: int, copies: Sequence[Pnr | None]) -> Pnr:
    """What equal copies answer together: as declared where at least ``least`` of them do, otherwise where so many do
    not that it can't be, unknown in between. None: a copy that has not answered yet."""
    said = [copy for copy in copies if copy is not None]
    as_declared = [copy for copy in said if copy.tv is declared.tv]
    if len(as_declared) >= least:
        return as_declared[0]
    otherwise = [copy for copy in said if copy.tv is not declared.tv and copy.tv is not TV.U]
    return otherwise[0] if len(otherwise) > len(copies) - least else unknown(declared)


def _serving(parts: Roles) -> Container | None:
    """The container that the facts are about: in an update that starts first, the old one goes on serving."""
    main = parts.main
    previous = parts.previous
    if main is parts.current and previous is not None and previous.condition is Condition.RUNNING:
        return previous
    return main


_How = Callable[[Chunk, str, Pnr, Pnr | None, Pnr | None], Pnr]
"""The chunk, the fact as it is named and as it is declared, what the container said itself, and what stood before."""


def _unanswered(i: ChunkInput) -> _How:
    """How a fact is answered for which no container is there."""
    if not i.engine_up:
        return lambda chunk, key, declared, own, before: unknown(declared)
    return _deny if i.memory.failure is not None else _deny_if_known


def _how(i: ChunkInput, chunk: Chunk, parts: Roles, c: Container | None) -> _How:
    """How each fact is answered as things stand: a chunk may have thousands. ``c`` is what serves, ``chunk`` as that
    was declared."""
    if not i.engine_up:
        return lambda chunk, key, declared, own, before: unknown(declared)
    done = chunk.kind is Kind.JOB and i.memory.job_generation == i.generation
    if c is None:
        return _affirm if done else _unanswered(i)
    if finished(i, c) or done:
        return lambda chunk, key, declared, own, before: own or affirmed(chunk, key)
    if c.condition is not Condition.RUNNING:
        ended = c.condition in (Condition.PAUSED, Condition.RESTARTING) or c.exit_code is not None
        # Where there was a failure, it could not be started.
        return _deny if ended or i.memory.failure is not None else _stay_denied
    if chunk.kind is Kind.JOB:
        return lambda chunk, key, declared, own, before: own or unknown(declared)
    if c is not parts.main:
        return lambda chunk, key, declared, own, before: before if before is not None else unknown(declared)
    by_health = _by_health(i, chunk, c)
    if chunk.facts is FactsMode.NONE:
        return by_health
    is_doubted = is_in_doubt(i, c)

    def by_its_word(chunk: Chunk, key: str, declared: Pnr, own: Pnr | None, before: Pnr | None) -> Pnr:
        if own is None:
            return by_health(chunk, key, declared, own, before)
        return _stay_denied(chunk, key, declared, own, before) if own.tv is TV.Y and is_doubted else own

    return by_its_word


def _by_health(i: ChunkInput, chunk: Chunk, c: Container) -> _How:
    """How each fact is answered that the container which serves has not answered itself."""
    tv = health_of(i, c)
    given_up = i.memory.failure is not None and i.memory.counted_run == c.run
    if tv is not TV.Y and given_up:
        return _deny
    if chunk.facts is FactsMode.OWN:
        return _stay_denied
    if tv is TV.Y:
        return _affirm
    if tv is TV.N:
        return _deny
    served = i.memory.proven_run == c.run  # all the time while an update was tried beside it

    def still(chunk: Chunk, key: str, declared: Pnr, own: Pnr | None, before: Pnr | None) -> Pnr:
        if served and before == affirmed(chunk, key):
            return affirmed(chunk, key)
        return _still_denied(chunk, key, declared, before)

    return still


def _affirm(chunk: Chunk, key: str, declared: Pnr, own: Pnr | None, before: Pnr | None) -> Pnr:
    return affirmed(chunk, key)


def _deny(chunk: Chunk, key: str, declared: Pnr, own: Pnr | None, before: Pnr | None) -> Pnr:
    return denied(chunk, key)


def _deny_if_known(chunk: Chunk, key: str, declared: Pnr, own: Pnr | None, before: Pnr | None) -> Pnr:
    was_there = before is not None and before.tv is not TV.U
    return denied(chunk, key) if was_there else unknown(declared)


def _stay_denied(chunk: Chunk, key: str, declared: Pnr, own: Pnr | None, before: Pnr | None) -> Pnr:
    return _still_denied(chunk, key, declared, before)


def _still_denied(chunk: Chunk, key: str, declared: Pnr, before: Pnr | None) -> Pnr:
    if before is not None and before.tv is not TV.U and before == denied(chunk, key):
        return before
    return unknown(declared)
