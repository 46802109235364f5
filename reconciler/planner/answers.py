"""What a chunk answers: its flowout facts, from its container, its health and its own words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.facts import TV, FactRef, Pnr
from reconciler.intent.model import Chunk, FactsMode, Kind
from reconciler.planner.observed import Condition, Container
from reconciler.planner.situation import Cast, ChunkInput, finished
from reconciler.planner.standing import health_of, is_in_doubt


def unknown(declared: Pnr) -> Pnr:
    """The fact while nobody has answered it."""
    return Pnr(declared.prompt, (), TV.U)


def denied(chunk: Chunk, key: str) -> Pnr:
    """The fact when the chunk is down: as its health check says for failure, else N and ``no``."""
    if chunk.health is not None:
        for answer in chunk.health.on_failure:
            if answer.key == key:
                return answer.fact
    return Pnr(chunk.flowout[key].prompt, ("no",), TV.N)


def affirmed(chunk: Chunk, key: str) -> Pnr:
    """The fact when the chunk is up: as its health check says for success, else as declared."""
    if chunk.health is not None:
        for answer in chunk.health.on_success:
            if answer.key == key:
                return answer.fact
    return chunk.flowout[key]


def answers(i: ChunkInput, parts: Cast, own: Mapping[str, Pnr], before: Mapping[FactRef, Pnr]) -> dict[FactRef, Pnr]:
    """All flowout facts of the chunk as they stand now.

    ``own`` is what the container itself wrote in its present run. ``before`` is how the facts stood: one that was
    denied stays so until the next run has proved itself, so that a restart does not look like "unknown".
    """
    chunk = i.chunk
    if chunk is None:
        return {}
    result: dict[FactRef, Pnr] = {}
    for key, declared in chunk.flowout.items():
        ref = chunk.flowout_ref(key)
        result[ref] = _answer(i, chunk, parts, key, declared, own, before.get(ref))
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


def _serving(parts: Cast) -> Container | None:
    """The container that the facts are about: in an update that starts first, the old one goes on serving."""
    main = parts.main
    previous = parts.previous
    if main is parts.current and previous is not None and previous.condition is Condition.RUNNING:
        return previous
    return main


def _answer(
    i: ChunkInput,
    chunk: Chunk,
    parts: Cast,
    key: str,
    declared: Pnr,
    own: Mapping[str, Pnr],
    before: Pnr | None,
) -> Pnr:
    if not i.engine_up:
        return unknown(declared)
    done = chunk.kind is Kind.JOB and i.memory.job_generation == i.generation
    c = _serving(parts)
    if c is None:
        if done:
            return affirmed(chunk, key)
        was_there = before is not None and before.tv is not TV.U
        failed = i.memory.failure is not None
        return denied(chunk, key) if was_there or failed else unknown(declared)
    if finished(i, c) or done:
        return own.get(key) or affirmed(chunk, key)
    if c.condition is not Condition.RUNNING:
        if c.condition in (Condition.PAUSED, Condition.RESTARTING) or c.exit_code is not None:
            return denied(chunk, key)
        if i.memory.failure is not None:
            return denied(chunk, key)  # it could not be started
        return _still_denied(chunk, key, declared, before)
    if chunk.kind is Kind.JOB:
        return own.get(key) or unknown(declared)
    if c is not parts.main:
        return before if before is not None else unknown(declared)
    if chunk.facts is not FactsMode.NONE and key in own:
        in_doubt = own[key].tv is TV.Y and is_in_doubt(i, c)
        return _still_denied(chunk, key, declared, before) if in_doubt else own[key]
    tv = health_of(i, c)
    given_up = i.memory.failure is not None and i.memory.counted_run == c.run
    if tv is not TV.Y and given_up:
        return denied(chunk, key)
    if chunk.facts is FactsMode.OWN:
        return _still_denied(chunk, key, declared, before)
    if tv is TV.Y:
        return affirmed(chunk, key)
    if tv is TV.N:
        return denied(chunk, key)
    if i.memory.proven_run == c.run and before == affirmed(chunk, key):
        return affirmed(chunk, key)  # it served all the time while an update was tried beside it
    return _still_denied(chunk, key, declared, before)


def _still_denied(chunk: Chunk, key: str, declared: Pnr, before: Pnr | None) -> Pnr:
    if before is not None and before.tv is not TV.U and before == denied(chunk, key):
        return before
    return unknown(declared)
