"""What the loop knows as snapshots, and back again after a restart. Reads only."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from datetime import datetime
from typing import Any

from reconciler.controller.clock import Clock, iso, wall
from reconciler.controller.loop_state import LoopState
from reconciler.controller.recorder import Restored, stamp
from reconciler.controller.records import SNAPSHOT_VERSION, ChunkRecord, DomainRecord, Ending
from reconciler.controller.stalls import Stalled, is_stalled, stalled_chunks
from reconciler.controller.status_view import is_settled
from reconciler.controller.work import ENTRIES_A_CHUNK
from reconciler.intent.model import ChunkId
from reconciler.planner import network_changes
from reconciler.planner.back_off import ATTEMPTS, NETWORKS, UPDATES, BackOff, spread
from reconciler.planner.kept_endpoints import KeptEndpoint
from reconciler.planner.network_changes import NetworkChange
from reconciler.planner.retry_state import (
    EndedRun,
    Failure,
    Leftover,
    Remedy,
    RetryState,
)
from reconciler.sentences import shortened
from reconciler.states import Reason, State

log = logging.getLogger("pnr.state")

MOST_OUTPUT = 2000
CHUNKS_A_STEP = 10
FACTS_A_STEP = 200


def snapshot_document(c: LoopState, name: str) -> Generator[int, None, dict[str, Any] | None]:
    """The snapshot of a domain (documented in docs/state-format.md), made step by step; None when the domain is not
    known. What is said of the domain as a whole is found first: no chunk is then told as it was before an intent that
    the document names."""
    record = c.domains.get(name)
    if record is None:
        return None
    cpuxs: dict[str, dict[str, Any]] = {}
    for cpux in record.domain.cpuxs if record.domain is not None else ():
        cpuxs[cpux.name] = {"name": cpux.name, "facts": {}, "chunk": []}
    stalled = yield from stalled_chunks(c, record)
    document = _domain_document(c, record, stalled)
    yield 1 + len(c.chunks_of(name)) // ENTRIES_A_CHUNK
    for number, (ref, state) in enumerate(c.facts.in_order(name), start=1):
        if ref.cpux in cpuxs:
            cpuxs[ref.cpux]["facts"][ref.key] = state.document
        if number % FACTS_A_STEP == 0:
            yield 1
    for number, (id, chunk) in enumerate(list(c.chunks_of(name).items())):
        entry = cpuxs.setdefault(id.cpux, {"name": id.cpux, "facts": {}, "chunk": []})
        entry["chunk"].append(_chunk_document(c, chunk))
        if number % CHUNKS_A_STEP == 0:
            yield 1
    return {**document, "cpux": list(cpuxs.values())}


def _domain_document(c: LoopState, record: DomainRecord, stalled: Stalled) -> dict[str, Any]:
    """What is said of the domain as a whole."""
    return {
        "version": SNAPSHOT_VERSION,
        "domain": record.name,
        "file": record.file,
        "generation": record.generation,
        "intent": record.intent,
        "digest": record.domain.digest if record.domain is not None else None,
        "commit": record.commit,
        "written_at": stamp(c.clock),
        "settled": is_settled(c, record),
        "stalled": is_stalled(c, record, stalled),
        "down": record.down,
        "gone": record.gone,
        "held": record.held or None,
        "held_reason": record.hold.value if record.hold is not None else None,
        "held_since": iso(record.held_since) if record.held_since is not None else None,
        "errors": [error.as_dict() for error in record.errors] or None,
        "network": _networks_document(c, record) or None,
    }


def _networks_document(c: LoopState, record: DomainRecord) -> list[dict[str, Any]]:
    """What is remembered of the domain's networks that are recreated."""
    found = []
    for spec in record.domain.networks if record.domain is not None else ():
        change = c.network_changes.get(spec.name)
        if change is not None and (change.previous is not None or change.attachments or change.refused):
            due = wall(c.clock, change.not_before)
            found.append({"name": spec.name, **network_changes.to_document(change), "not_before": due})
    return found


def _chunk_document(c: LoopState, record: ChunkRecord) -> dict[str, Any]:
    m = record.memory
    return {
        "name": record.id.chunk,
        "number": record.id.replica if record.id.replica > 1 else None,
        "state": record.state,
        "reason": record.reason.value,
        "message": record.message,
        "since": iso(record.since),
        "attempts": m.attempts,
        "starts": record.attempts_total,
        "restarts": record.restarts,
        "last_error": m.last_error or None,
        "not_before": wall(c.clock, m.not_before),
        "failure": {"reason": m.failure.reason.value, "message": m.failure.message} if m.failure else None,
        "remedy": m.remedy.value,
        "counted_run": m.counted_run or None,
        "proven_run": m.proven_run or None,
        "rejected_spec": m.rejected or None,
        "paused_spec": m.paused or None,
        "retry_at": wall(c.clock, m.retry_at),
        "retries": m.retries or None,
        "leftover": [_leftover_document(c, one) for one in m.leftovers] or None,
        "kept_endpoint": [_kept_document(c, one) for one in m.kept] or None,
        "stopped_run": m.stopped_run or None,
        "tolerated": list(m.tolerated) or None,
        "warnings": list(m.warnings) or None,
        "warned_of": m.warned_of or None,
        "aimed_image": m.aimed_image or None,
        "aimed_from": m.aimed_from or None,
        "job_generation": m.job_generation or None,
        "beside": m.beside or None,
        "judged_run": m.judged_run or None,
        "replaced_files": m.files or None,
        "runs_of": m.runs_of or None,
        "crashes": m.crashes or None,
        "looping": m.looping or None,
        "restarts_seen": m.restarts_seen or None,
        "run": [
            {"ended": wall(c.clock, run.at), "lasted": round(run.lasted, 3), "code": run.code, "oom": run.oom or None}
            for run in m.runs
        ],
        "exit": _exit_document(record),
        "replica": [
            {"container": x.name, "id": x.id, "image": x.image_id, "spec": x.spec} for x in c.world.of(record.id)
        ],
    }


def _exit_document(record: ChunkRecord) -> dict[str, Any] | None:
    e = record.ending
    if e is None:
        return None
    output = None if e.output is None else e.output[-MOST_OUTPUT:]
    return {"run": e.run, "code": e.code, "oom": e.oom or None, "output": output}


def restore_chunks(restored: Restored, clock: Clock) -> list[ChunkRecord]:
    """The records of chunks as the snapshots tell them. Facts are not restored: they are asked again."""
    found = []
    for domain, document in restored.documents.items():
        for cpux in document.get("cpux", ()):
            for entry in cpux.get("chunk", ()):
                id = ChunkId(domain, str(cpux["name"]), str(entry["name"]), int(entry.get("number", 1)))
                found.append(_restore_what_can_be(id, entry, clock))
    return found


def restore_networks(restored: Restored, clock: Clock) -> dict[str, NetworkChange]:
    """What the snapshots tell of networks that were being recreated."""
    found = {}
    for domain, document in restored.documents.items():
        for entry in document.get("network", ()):
            try:
                due = _restored_time(entry.get("not_before"), clock, NETWORKS)
                found[str(entry["name"])] = network_changes.from_document(str(entry["name"]), entry, due)
            except _NOT_RESTORED:
                _tell_left_out(f"a network of domain {domain}", entry)
    return found


_NOT_RESTORED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
_MOST_SHOWN = 80  # of a value that means nothing here


def _tell_left_out(of: str, value: object) -> None:
    shown = shortened(repr(value), _MOST_SHOWN)
    log.warning("the snapshot says of %s what this version does not know, and it is left out: %s", of, shown)


def _restore_what_can_be(id: ChunkId, entry: Mapping[str, Any], clock: Clock) -> ChunkRecord:
    """Whatever a snapshot holds, it is no reason not to start: what can't be taken up is left out."""
    try:
        return _restore_chunk(id, entry, clock)
    except _NOT_RESTORED:
        return _restore_chunk(
            id, {key: value for key, value in entry.items() if _is_restorable(id, key, value, clock)}, clock
        )


def _is_restorable(id: ChunkId, key: str, value: Any, clock: Clock) -> bool:
    try:
        _restore_chunk(id, {key: value}, clock)
    except _NOT_RESTORED:
        _tell_left_out(f"{key} of chunk {id}", value)
        return False
    return True


def _restore_chunk(id: ChunkId, entry: Mapping[str, Any], clock: Clock) -> ChunkRecord:
    failure = entry.get("failure")
    memory = RetryState(
        attempts=int(entry.get("attempts", 0)),
        # What the policy refused is tried at once: another one may be in force now.
        not_before=None if _is_refused(failure) else _restored_time(entry.get("not_before"), clock),
        failure=Failure(Reason(failure["reason"]), str(failure["message"])) if failure else None,
        remedy=Remedy(entry.get("remedy", Remedy.START.value)),
        counted_run=str(entry.get("counted_run", "")),
        proven_run=str(entry.get("proven_run", "")),
        rejected=str(entry.get("rejected_spec", "")),
        paused=str(entry.get("paused_spec", "")),
        retry_at=_restored_time(entry.get("retry_at"), clock, UPDATES),
        retries=int(entry.get("retries", 0)),
        leftovers=tuple(_restore_leftover(one, clock) for one in entry.get("leftover", ())),
        kept=tuple(_restore_kept(one, clock) for one in entry.get("kept_endpoint", ())),
        stopped_run=str(entry.get("stopped_run", "")),
        tolerated=tuple(entry.get("tolerated", ())),
        warnings=tuple(entry.get("warnings", ())),
        warned_of=str(entry.get("warned_of", "")),
        aimed_image=str(entry.get("aimed_image", "")),
        aimed_from=str(entry.get("aimed_from", "")),
        job_generation=int(entry.get("job_generation", 0)),
        last_error=str(entry.get("last_error", "")),
        beside=str(entry.get("beside", "")),
        judged_run=str(entry.get("judged_run", "")),
        files=str(entry.get("replaced_files", "")),
        runs_of=str(entry.get("runs_of", "")),
        crashes=int(entry.get("crashes", 0)),
        looping=bool(entry.get("looping", False)),
        restarts_seen=int(entry.get("restarts_seen", 0)),
        seen_since=clock.monotonic(),
        runs=tuple(_restored_run(run, clock) for run in entry.get("run", ())),
    )
    record = ChunkRecord(id, _moment(str(entry.get("since", "")), clock))
    record.state = State(entry.get("state", State.READY.value)).value
    reason = Reason(entry.get("reason", Reason.NEW.value))
    # Where one of the two was damaged, the other says nothing by itself.
    record.reason = reason if State(record.state) in reason.states else Reason.NEW
    record.message = str(entry.get("message", ""))
    record.memory = memory
    record.restarts = int(entry.get("restarts", 0))
    record.attempts_total = int(entry.get("starts", 0))
    ending = entry.get("exit")
    if ending:
        code = ending.get("code")
        output, oom = ending.get("output"), bool(ending.get("oom", False))
        record.ending = Ending(str(ending.get("run", "")), None if code is None else int(code), oom, output)
    return record


def _restored_run(entry: Mapping[str, Any], clock: Clock) -> EndedRun:
    ago = (clock.now() - _moment(str(entry.get("ended", "")), clock)).total_seconds()
    code = entry.get("code")
    at, lasted = clock.monotonic() - max(ago, 0.0), float(entry.get("lasted", 0.0))
    return EndedRun(at, lasted, None if code is None else int(code), bool(entry.get("oom", False)))


def _moment(text: str, clock: Clock) -> datetime:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return clock.now()


def _leftover_document(c: LoopState, one: Leftover) -> dict[str, Any]:
    not_before = wall(c.clock, one.not_before)
    return {"id": one.id, "attempts": one.attempts, "not_before": not_before, "error": one.error}


def _restore_leftover(entry: Mapping[str, Any], clock: Clock) -> Leftover:
    not_before = _restored_time(entry.get("not_before"), clock) or 0.0
    return Leftover(str(entry["id"]), int(entry.get("attempts", 1)), not_before, str(entry.get("error", "")))


def _kept_document(c: LoopState, one: KeptEndpoint) -> dict[str, Any]:
    return {
        "network": one.network,
        "was": dict(one.was),
        "failure": one.failure or None,
        "attempts": one.attempts or None,
        "not_before": wall(c.clock, one.not_before),
    }


def _restore_kept(entry: Mapping[str, Any], clock: Clock) -> KeptEndpoint:
    due = _restored_time(entry.get("not_before"), clock, NETWORKS)
    was = dict(entry.get("was") or {})
    was["aliases"] = [str(alias) for alias in was.get("aliases", ())]
    failure, attempts = str(entry.get("failure", "")), int(entry.get("attempts", 0))
    return KeptEndpoint(str(entry["network"]), was, failure, attempts, due)


def _restored_time(text: str | None, clock: Clock, back_off: BackOff = ATTEMPTS) -> float | None:
    """A wall-clock time as monotonic seconds; never further away than the longest wait of the ``back_off``."""
    if not text:
        return None
    ahead = (_moment(text, clock) - clock.now()).total_seconds()
    return clock.monotonic() + min(max(ahead, 0.0), back_off.longest * spread(1.0))


def _is_refused(failure: Mapping[str, Any] | None) -> bool:
    return failure is not None and failure["reason"] == Reason.POLICY_REFUSED.value
