"""What ``pnr apply`` would do now: the whole plan, from the files, the engine and what the state directory remembers.

The files are taken in as the daemon takes them in: a domain whose file is gone is to go, of one whose file is not valid
the last good intent stays in force, and a job that was done for this generation is done. Nothing is written: a daemon
may be at work with the same directory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.controller.clock import SystemClock
from reconciler.controller.intake import Intake
from reconciler.controller.known_values import known_values
from reconciler.controller.recorder import Recorder, Restored
from reconciler.controller.records import DomainRecord
from reconciler.controller.snapshots import restore_chunks
from reconciler.daemon import address
from reconciler.daemon.images import news
from reconciler.daemon.parts import make_contents, make_engine, make_judge, offload
from reconciler.daemon.policy import make_policy
from reconciler.daemon.protocol import ServiceOptions
from reconciler.errors import PnrError
from reconciler.intent.model import Problem
from reconciler.planner.memory import Memory
from reconciler.planner.plan import WholePlan, Wish, plan_all
from reconciler.planner.support import Connected
from reconciler.sources.directory import DirectorySource
from reconciler.state.folder import FolderStore
from reconciler.state.intents import IntentStore
from reconciler.state.journal import Journal
from reconciler.state.snapshot import SnapshotStore

CONNECT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Planned:
    """What ``apply`` would do now and what stands in the way of the rest, what is wrong with the files, and by domain
    why its removal is held: the reason and its words. ``notes`` are what is to be known of the files besides."""

    whole: WholePlan
    problems: Sequence[Problem]
    held: Mapping[str, tuple[str, str]]
    notes: Sequence[str] = ()


class FilesHeld(PnrError):
    """Nothing can be taken from the domains directory for now."""

    code = "FilesHeld"


async def make_plan(options: ServiceOptions) -> Planned:
    """Plan from what there is now. Changes nothing."""
    policy = make_policy(options)
    contents = make_contents(options, policy, make_key=False)
    engine, _, _ = make_engine(options, contents, policy)
    try:
        source = DirectorySource(options.domains, polling=True)
        scans = source.scans()
        scan = await anext(scans)
        await source.close()
        if scan.waits:
            raise FilesHeld(f"no plan can be made now: {scan.waits}")
        snapshots, intents = SnapshotStore(options.state), IntentStore(options.state)
        documents = {name: known_values(found)[0] for name, found in snapshots.load_all(mending=False)[0].items()}
        restored = Restored(documents, intents.load_all(mending=False), FolderStore(options.state).load())
        clock = SystemClock()
        # It is never run, so that what it is told goes nowhere.
        recorder = Recorder(
            snapshots=snapshots,
            intents=intents,
            journal=Journal(options.state / "events.jsonl"),
            clock=clock,
            offload=offload,
        )
        records: dict[str, DomainRecord] = {}
        judge = make_judge(options, contents, policy)
        stirred_at = source.stirred_at
        intake = Intake(domains=records, judge=judge, recorder=recorder, clock=clock, stirred_at=stirred_at)
        intake.restore(restored)
        if _daemon_runs(options):
            # Then a file that is not there was there before: it went under the daemon's eyes.
            for record in records.values():
                record.seen = True
        intake.take(scan, None if scan.root_missing else await judge(scan.files, intake.in_force()))
        intake.judge_removals()
        info = await engine.connect()
        observed = await engine.observe()
        wishes = [_wish(record) for record in records.values() if not record.unknown]
        wanted = [wish.domain for wish in wishes if wish.domain is not None]
        file_of = {domain.name: domain.file for domain in wanted}
        found = await news(engine, wanted, policy.asking(file_of.get).may_take_up)
        memories = {
            record.id: Memory(job_generation=record.memory.job_generation) for record in restore_chunks(restored, clock)
        }
        files, _ = await engine.file_news([c for c in observed.containers.values() if c.owner is not None and c.run])
        connected = Connected(str(info), info.api_version, info.system)
        whole = plan_all(wishes, observed, memories=memories, images=found, connected=connected, files=files)
        problems = [problem for file in sorted(_problems(intake, records).items()) for problem in file[1]]
        held = {name: (str(one.hold), one.held) for name, one in sorted(records.items()) if one.hold is not None}
        meant = [one.domain for _, one in sorted(records.items()) if one.domain is not None and not one.gone]
        notes = [f"{domain.file}: {note}" for domain in meant for note in domain.notes]
        return Planned(whole, problems, held, notes)
    finally:
        await engine.close()


def _daemon_runs(options: ServiceOptions) -> bool:
    try:
        connection, _ = address.connect(options.state, CONNECT_SECONDS)
    except OSError:
        return False
    connection.close()
    return True


def _wish(record: DomainRecord) -> Wish:
    """A domain that a person took down comes back with ``apply``."""
    wanted = None if record.gone else record.domain
    return Wish(record.name, wanted, record.generation, last=record.domain)


def _problems(intake: Intake, records: dict[str, DomainRecord]) -> dict[str, tuple[Problem, ...]]:
    of_domains = {record.file: record.problems for record in records.values() if record.problems}
    return {**intake.file_problems, **of_domains}
