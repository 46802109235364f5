"""What ``pnr apply`` would do now: the whole plan, from the files, the engine and what the state directory remembers.

All is read as the daemon reads it, and then the daemon's own loop does it on a pretended engine
(:mod:`reconciler.daemon.rehearsal`). Nothing is written: a daemon may be at work with the same directory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.controller.intake import Intake, in_force, restored_domains
from reconciler.controller.recorder import Restored
from reconciler.controller.records import DomainRecord
from reconciler.controller.snapshot_values import known_values
from reconciler.daemon import address
from reconciler.daemon.assembly import make_contents, make_engine, make_judge
from reconciler.daemon.image_listing import newest
from reconciler.daemon.policy import make_policy
from reconciler.daemon.protocol import ServiceOptions
from reconciler.daemon.rehearsal.ground import Ground
from reconciler.daemon.rehearsal.rehearse import Blocked, rehearse
from reconciler.diagnostics import Diagnostic
from reconciler.engine.protocol import Engine
from reconciler.errors import PnrError
from reconciler.intent.image_names import parse
from reconciler.intent.model import Adopt, AutoUpdatePolicy, Chunk
from reconciler.planner.actions import ExamineContainer, Plan
from reconciler.planner.observed import Container, ImageSeen, Observed
from reconciler.sources.directory import DirectorySource
from reconciler.state.folder import FolderStore
from reconciler.state.intents import IntentStore
from reconciler.state.snapshot import SnapshotStore

CONNECT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Planned:
    """What ``apply`` would do now and what stands in the way of the rest, what is wrong with the files, and by domain
    why its removal is held: the reason and its words. ``notes`` are what is to be known of the files besides."""

    plan: Plan
    blocked: Sequence[Blocked]
    errors: Sequence[Diagnostic]
    held: Mapping[str, tuple[str, str]]
    notes: Sequence[str] = ()


class FilesHeld(PnrError):
    """Nothing can be taken from the domains directory for now."""

    code = "FilesHeld"


def make_plan(options: ServiceOptions) -> Planned:
    """Plan from what there is now. Changes nothing. Blocking; not from within an event loop."""
    ground = asyncio.run(look_around(options))
    rehearsed = rehearse(ground)
    records, intake = rehearsed.known.domains, rehearsed.intake
    errors = [error for file in sorted(_problems(intake, records).items()) for error in file[1]]
    held = {name: (str(one.hold), one.held) for name, one in sorted(records.items()) if one.hold is not None}
    meant = [one.domain for _, one in sorted(records.items()) if one.domain is not None and not one.gone]
    notes = [note.brief for domain in meant for note in domain.notes]
    return Planned(rehearsed.plan, rehearsed.blocked, errors, held, notes)


async def look_around(options: ServiceOptions) -> Ground:
    """Read the files, the state directory, the engine and the registries. Raises PnrError."""
    policy = make_policy(options)
    contents = make_contents(options, policy, make_key=False)
    engine, _, _ = make_engine(options, contents, policy)
    judge = make_judge(options, contents, policy)
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
        last = judge.recall(restored.intents)
        before = in_force(restored_domains(restored, lambda stored: last).values())
        judged = await judge({} if scan.root_missing else scan.files, before)
        info = await engine.connect()
        observed = await engine.observe()
        wanted = [*last.values(), *judged.domains.values()]
        chunks = [chunk for domain in wanted for chunk in domain.chunks()]
        images, digests = await _images(engine, chunks)
        files, _ = await engine.file_news([c for c in observed.containers.values() if c.owner is not None and c.run])
        return Ground(
            scan=scan,
            judged=judged,
            restored=restored,
            last=last,
            info=info,
            observed=observed,
            images=images,
            digests=digests,
            examined=await _examined(engine, chunks, observed),
            files=files,
            may_take_up=policy.asking({domain.name: domain.file for domain in wanted}.get).may_take_up,
            stirred_at=source.stirred_at(),
            is_watched=_daemon_runs(options),
        )
    finally:
        await judge.close()
        await engine.close()


async def _images(engine: Engine, chunks: Iterable[Chunk]) -> tuple[Mapping[str, ImageSeen], Mapping[str, str]]:
    """What the engine has under the names that chunks have, and what registries have, as far as that is followed."""
    chunks = list(chunks)
    images = await engine.images_named({c.container.image for c in chunks if not parse(c.container.image).is_fixed})
    followed = {
        c.container.image: c for c in chunks if c.auto_update and c.auto_update.policy is AutoUpdatePolicy.REGISTRY
    }
    said = await asyncio.gather(*(newest(engine, chunk) for chunk in followed.values()))
    return images, {name: one.digest for name, one in zip(followed, said, strict=True) if one.digest is not None}


async def _examined(engine: Engine, chunks: Iterable[Chunk], observed: Observed) -> Mapping[str, Container]:
    """The containers of others that may be taken over, with what was asked of them. The engine is only asked."""
    by_name = {c.name: c for c in observed.containers.values() if c.owner is None}
    names = {c.container.name for c in chunks if c.adopt is not Adopt.NO} & by_name.keys()
    found = {}
    for name in sorted(names):
        container = await engine.perform(ExamineContainer(name))
        if container is not None:
            found[container.id] = container
    return found


def _daemon_runs(options: ServiceOptions) -> bool:
    try:
        connection, _ = address.connect(options.state, CONNECT_SECONDS)
    except OSError:
        return False
    connection.close()
    return True


def _problems(intake: Intake, records: dict[str, DomainRecord]) -> dict[str, tuple[Diagnostic, ...]]:
    of_domains = {record.file: record.errors for record in records.values() if record.errors}
    return {**intake.file_errors, **of_domains}
