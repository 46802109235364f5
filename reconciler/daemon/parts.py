"""Puts the parts together: engine, source, stores, probes, controller. The one place that knows them all."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from reconciler.controller.clock import SystemClock
from reconciler.controller.loop import Controller
from reconciler.controller.protocols import Judge, Judged, ProbeMaker, RuntimeReader
from reconciler.controller.recorder import Recorder
from reconciler.daemon import intake
from reconciler.daemon.protocol import ServiceOptions
from reconciler.engine.protocol import Engine
from reconciler.errors import PnrError
from reconciler.facts import FactRef
from reconciler.probes import registry
from reconciler.sources.directory import DirectorySource
from reconciler.sources.runtime import RuntimeFacts
from reconciler.state.adopted import AdoptedStore
from reconciler.state.intents import IntentStore
from reconciler.state.journal import Journal
from reconciler.state.lock import StateLock
from reconciler.state.snapshot import SnapshotStore

log = logging.getLogger("pnr.daemon")


class UnknownEngine(PnrError):
    """``--engine`` names no engine that there is."""

    code = "UnknownEngine"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service needs once all is put together."""

    controller: Controller
    engine: Engine


def make_judge(options: ServiceOptions) -> Judge:
    """The judge of files: it loads, interpolates and checks them, with the probe types that are installed."""
    check_types = registry.known_types()
    for problem in registry.problems():
        log.warning("%s", problem)
    allowed = frozenset(options.allowed_env)
    env = {name: value for name, value in os.environ.items() if name in allowed}
    base = str(options.domains.absolute())
    cache = intake.LoadCache()

    def judge(files: Mapping[str, Any], known: frozenset[FactRef]) -> Judged:
        return intake.judge(
            files, base_dir=base, env=env, allowed_env=allowed, check_types=check_types, known=known, cache=cache
        )

    return judge


def make_engine(options: ServiceOptions) -> tuple[Engine, ProbeMaker, RuntimeReader]:
    """The engine by its name, with the probes and the reader of containers' answers that go with it.

    Raises UnknownEngine.
    """
    runtime = options.state / "runtime"
    if options.engine == "docker":
        from reconciler.engine.docker import DockerEngine

        # A build_path is relative to the domains folder; in the layout of the original program, whose domain files lie
        # in a folder of their own beside what is built, to the folder above it.
        domains = options.domains.absolute()
        engine = DockerEngine(
            runtime_root=str(runtime.absolute()),
            build_folders=(str(domains), str(domains.parent)),
            adopted=AdoptedStore(options.state),
        )
        return engine, registry.make, RuntimeFacts(runtime)
    if options.engine == "simulated":
        from reconciler.daemon.simulation import SimulatedRuntime, simulated_probe_factory
        from reconciler.engine.simulated import SimulatedEngine

        simulated = SimulatedEngine()
        return simulated, simulated_probe_factory(simulated), SimulatedRuntime(simulated)
    raise UnknownEngine(f"there is no engine {options.engine!r}; choose docker or simulated")


async def _offload(call: Callable[[], None]) -> None:
    await asyncio.to_thread(call)


@asynccontextmanager
async def assembled(
    options: ServiceOptions,
    *,
    on_journal: Callable[[Mapping[str, Any]], None] | None = None,
    keep_down: Callable[[str], bool] | None = None,
) -> AsyncIterator[Parts]:
    """The parts, holding the lock of the state directory. Raises PnrError where one can't be had.

    ``keep_down`` says of a domain's name that it is to be taken down whatever its file says.
    """
    options.state.mkdir(parents=True, exist_ok=True)
    lock = StateLock(options.state)
    lock.acquire()
    try:
        clock = SystemClock()
        engine, make_probe, runtime = make_engine(options)
        recorder = Recorder(
            snapshots=SnapshotStore(options.state),
            intents=IntentStore(options.state),
            journal=Journal(options.state / "events.jsonl"),
            clock=clock,
            offload=_offload,
            on_journal=on_journal,
        )
        controller = Controller(
            engine=engine,
            source=DirectorySource(options.domains, polling=options.polling),
            judge=make_judge(options),
            runtime=runtime,
            make_probe=make_probe,
            clock=clock,
            recorder=recorder,
            keep_down=keep_down,
        )
        try:
            yield Parts(controller, engine)
        finally:
            await engine.close()
    finally:
        lock.release()
