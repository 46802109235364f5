"""Puts the parts together: engine, source, stores, probes, controller. The one place that knows them all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.controller.clock import SystemClock
from reconciler.controller.loop import Controller
from reconciler.controller.protocols import ProbeMaker, RuntimeReader
from reconciler.controller.recorder import Recorder
from reconciler.controller.shared_objects import SharedObjects
from reconciler.daemon.folder_safety import see_to_folders
from reconciler.daemon.guarded_judging import GuardedJudge
from reconciler.daemon.judging import FileJudge
from reconciler.daemon.judging_messages import Setup
from reconciler.daemon.owners import Owners
from reconciler.daemon.policy import files_roots, make_policy, runtime_root
from reconciler.daemon.protocol import ServiceOptions
from reconciler.daemon.reading_contents import contents_with
from reconciler.daemon.references import WithReferences
from reconciler.engine.protocol import Engine
from reconciler.errors import PnrError
from reconciler.intent.contents import Source
from reconciler.intent.model import ChunkId
from reconciler.policy import Judge, Policy
from reconciler.probes import registry
from reconciler.sources.contents import LocalContents
from reconciler.sources.directory import DirectorySource
from reconciler.sources.runtime import RuntimeFacts
from reconciler.state import adopted as adopted_state
from reconciler.state import folder as folder_state
from reconciler.state import image_records as images_state
from reconciler.state import journal as journal_state
from reconciler.state import key as key_state
from reconciler.state.adopted import AdoptedStore
from reconciler.state.aside import put_away_folder
from reconciler.state.folder import FolderStore
from reconciler.state.image_records import ImageStore
from reconciler.state.intents import IntentStore
from reconciler.state.journal import Journal
from reconciler.state.key import InstallationKey
from reconciler.state.lease import Leases
from reconciler.state.lock import StateLock
from reconciler.state.snapshot import SnapshotStore

if TYPE_CHECKING:
    from reconciler.engine.docker.mounted_files import MountedFiles

log = logging.getLogger("pnr.daemon")

FILES = (
    journal_state.NAME,
    adopted_state.FILE,
    folder_state.FILE,
    images_state.FILE,
    key_state.NAME,
    folder_state.FILE,
)
"""What of the state directory is a file, whatever stands in its place."""


JUDGING_BYTES = 2 << 30
"""Of memory, for the process that judges files."""


class UnknownEngine(PnrError):
    """``--engine`` names no engine that there is."""

    code = "UnknownEngine"


@dataclass(slots=True)
class Records:
    """What else is kept in the state directory: what was wrong with it, and how each is rewritten."""

    problems: list[str] = field(default_factory=list)
    write_again: list[Callable[[], None]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service needs once all is put together."""

    controller: Controller
    engine: Engine
    lock: StateLock
    records: Records
    policy: Policy


def make_contents(
    options: ServiceOptions, policy: Judge, *, make_key: bool, records: Records | None = None
) -> LocalContents:
    """What reads secrets and other files that domain files refer to. ``make_key``: see InstallationKey."""
    key = InstallationKey(options.state, make=make_key)
    if records is not None:
        records.write_again.append(key.write_again)
    return contents_with(key, options.allowed_env, policy)


def make_judge(
    options: ServiceOptions, contents: LocalContents, policy: Judge, owners: Owners | None = None
) -> FileJudge:
    """The judge of files: it loads, interpolates and checks them, with the probe types that are installed; ``owners``
    is told whose the names of domains are."""
    check_types = registry.known_types()
    for problem in registry.problems():
        log.warning("%s", problem)
    allowed = frozenset(options.allowed_env)
    env = {name: value for name, value in os.environ.items() if name in allowed}
    base = str(options.domains.absolute())
    return FileJudge(
        base_dir=base,
        env=env,
        allowed_env=allowed,
        check_types=check_types,
        contents=contents,
        policy=policy,
        owners=owners,
    )


def make_guarded_judge(
    options: ServiceOptions, contents: LocalContents, policy: Judge, owners: Owners | None = None
) -> GuardedJudge:
    """The same in a process of its own, for who goes on where a file can't be judged."""
    for problem in registry.problems():
        log.warning("%s", problem)
    allowed = frozenset(options.allowed_env)
    env = {name: value for name, value in os.environ.items() if name in allowed}
    setup = Setup(options.state.absolute(), str(options.domains.absolute()), env, allowed, policy, JUDGING_BYTES)

    def judged(used: Collection[Source]) -> None:
        contents.forget_others(used)
        if used:
            with contextlib.suppress(PnrError):  # told where it is wanted
                contents.fingerprint_of(b"")  # so that the key is known here, and can be put back where it is lost

    return GuardedJudge(setup, on_judged=judged, owners=owners)


class _ChunkFolders:
    """The directories of chunks on the host: those behind ``/runtime``, and those with their secrets and configs."""

    def __init__(self, runtime: RuntimeFacts, files: MountedFiles) -> None:
        self._files = files
        self._runtime = runtime
        self.read = runtime.read
        self.changes = runtime.changes

    def forget(self, chunk: ChunkId) -> None:
        """The chunk is gone: remove what it had."""
        self._runtime.forget(chunk)
        self._files.sweep(chunk, ())


def make_engine(
    options: ServiceOptions,
    contents: LocalContents,
    policy: Judge,
    records: Records | None = None,
    lending: SharedObjects | None = None,
) -> tuple[Engine, ProbeMaker, RuntimeReader]:
    """The engine by its name, with the probes and the reader of containers' answers that go with it. ``policy`` judges
    what is sent to it, by what domains share (``lending``); ``records`` takes those that it has in the state directory.

    Raises UnknownEngine.
    """
    runtime = runtime_root(options.state)
    if options.engine == "docker":
        from reconciler.engine.docker import DockerEngine
        from reconciler.engine.docker.guarding import Guard
        from reconciler.engine.docker.host_files import HostFiles
        from reconciler.engine.docker.images import ImageKeeper, Logins
        from reconciler.engine.docker.mounted_files import MountedFiles

        root, executable_root = files_roots(options.state)
        adopted, record = AdoptedStore(options.state), ImageStore(options.state)
        if records is not None:
            records.problems += [problem for problem in (adopted.problem, record.problem) if problem]
            records.write_again += [adopted.write_again, record.write_again]
        files = MountedFiles(root, contents, executable_root=executable_root)
        engine = DockerEngine(
            runtime_root=runtime,
            images=ImageKeeper(logins=Logins(contents), record=record, pack=contents.pack),
            adopted=adopted,
            files=files,
            guard=Guard(policy, adopted, record, lending),
            host_files=HostFiles(contents.fingerprint_of),
        )
        return engine, registry.make, _ChunkFolders(RuntimeFacts(Path(runtime)), files)
    if options.engine == "simulated":
        from reconciler.daemon.simulation import SimulatedRuntime, simulated_probe_factory
        from reconciler.engine.simulated import SimulatedEngine

        simulated = SimulatedEngine(pull_seconds=(0.1, 0.5))  # nobody needs to wait for what is not there
        return simulated, simulated_probe_factory(simulated), SimulatedRuntime(simulated)
    raise UnknownEngine(f"there is no engine {options.engine!r}; choose docker or simulated")


async def offload(call: Callable[[], None]) -> None:
    """Run a blocking call in a thread."""
    await asyncio.to_thread(call)


@asynccontextmanager
async def assembled(
    options: ServiceOptions,
    *,
    on_journal: Callable[[Mapping[str, Any]], None] | None = None,
    keep_down: Callable[[str], bool] | None = None,
    lasting: bool = False,
) -> AsyncIterator[Parts]:
    """The parts, holding the lock of the state directory. Raises PnrError where one can't be had.

    ``keep_down`` says of a domain's name that it is to be taken down whatever its file says. ``lasting``: they go on
    whatever the files hold, so that these are judged in a process of their own; who works once may be ended.
    """
    see_to_folders(options)
    lock = StateLock(options.state)
    lock.acquire()
    undone = AsyncExitStack()
    try:
        records = Records([told for name in FILES if (told := put_away_folder(options.state / name))])
        clock = SystemClock()
        policy = make_policy(options)
        records.problems += [policy.policy.caution] if policy.policy.caution else []
        contents = make_contents(options, policy, make_key=True, records=records)
        owners, lending = Owners(), SharedObjects()
        make = make_guarded_judge if lasting else make_judge
        judge = make(options, contents, policy, owners)
        undone.push_async_callback(judge.close)
        starting = asyncio.create_task(judge.start())
        await asyncio.sleep(0)  # so that it starts while the rest is put together
        engine, make_probe, runtime = make_engine(options, contents, policy.asking(owners), records, lending)
        intents = IntentStore(options.state)
        await starting
        await judge.prepare(intents.load_all())
        folder = FolderStore(options.state)
        records.problems += [folder.problem] if folder.problem else []
        recorder = Recorder(
            snapshots=SnapshotStore(options.state),
            intents=intents,
            journal=Journal(options.state / journal_state.NAME),
            clock=clock,
            offload=offload,
            folder=folder,
            on_journal=on_journal,
        )
        for problem in records.problems:
            log.warning("%s", problem)
            recorder.remark(problem)
        leases = Leases()
        controller = Controller(
            engine=engine,
            source=WithReferences(DirectorySource(options.domains, polling=options.polling), judge),
            judge=judge,
            runtime=runtime,
            make_probe=make_probe,
            clock=clock,
            recorder=recorder,
            leases=leases,
            keep_down=keep_down,
            lending=lending,
            may_take_up=policy.asking(owners).may_take_up,
        )
        try:
            yield Parts(controller, engine, lock, records, policy.policy)
        finally:
            await engine.close()
            leases.close()
    finally:
        await undone.aclose()
        lock.release()
