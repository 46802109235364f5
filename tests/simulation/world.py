"""A whole pnr in virtual time: the real loop on the simulated engine, with stores that are dictionaries."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from reconciler.controller.clock import LoopClock
from reconciler.controller.loop import Controller
from reconciler.controller.protocols import Leases, StoredIntent
from reconciler.controller.recorder import Recorder
from reconciler.controller.records import ConfirmRemoval, LookNow, TakeDown
from reconciler.controller.status_view import is_settled
from reconciler.daemon import intake
from reconciler.daemon.simulation import SimulatedRuntime, simulated_probe_factory
from reconciler.engine.protocol import NotFound
from reconciler.engine.simulated import SimulatedEngine
from reconciler.facts import Pnr
from reconciler.intent.check_types import CheckType
from reconciler.intent.judgement import InForce
from reconciler.intent.model import ChunkId, Domain, Strategy
from reconciler.planner.observed import Condition, Container
from reconciler.planner.situation import NEXT_SUFFIX
from reconciler.probes import registry
from reconciler.sources.protocol import FileSeen, Scan
from reconciler.states import Reason, State
from tests.simulation.virtual_time import VirtualLoop

CHECK_TYPES = registry.known_types()
LOOK_SECONDS = 0.02
VIEW_SECONDS = 0.2
"""Who waits for something looks so often; what ``pnr status`` would show is put together so often for it."""


class Files:
    """The domains directory: a dictionary. A change is given as a scan."""

    def __init__(self) -> None:
        self.texts: dict[str, bytes] = {}
        self.missing = False
        self.place = "a disk"
        self.commits: dict[str, frozenset[str]] = {}
        self.head: str | None = None
        self.rebasing = False
        self._stirred_at = -inf
        self._changed = asyncio.Event()

    def _change(self) -> None:
        self.stir()
        self._changed.set()

    def stir(self) -> None:
        """Something happens in the directory that is not a file of a domain."""
        self._stirred_at = asyncio.get_running_loop().time()

    def stirred_at(self) -> float:
        """When something happened last."""
        return self._stirred_at

    def write(self, domain: str, document: Mapping[str, Any] | str) -> None:
        """Put a file there."""
        text = document if isinstance(document, str) else json.dumps(document)
        self.texts[f"{domain}.json"] = text.encode()
        self._change()

    def remove(self, *domains: str) -> None:
        """Remove files, all at once."""
        for domain in domains:
            del self.texts[f"{domain}.json"]
        self._change()

    def tell(self) -> None:
        """Something was done to ``texts``."""
        self._change()

    def vanish(self, missing: bool = True) -> None:
        """The directory itself goes, or comes back."""
        self.missing = missing
        self._change()

    def replace(self, place: str, *domains: str) -> None:
        """Another directory stands in its place, with the files of these domains only."""
        self.place = place
        self.texts = {name: text for name, text in self.texts.items() if name.removesuffix(".json") in domains}
        self._change()

    def commit(self, *without: str) -> None:
        """A pull: the new commit has all files but those of these domains, and so has the directory."""
        for domain in without:
            self.texts.pop(f"{domain}.json", None)
        self.head = f"{len(self.commits):040x}"
        self.commits[self.head] = frozenset(self.texts)
        self._change()

    async def scans(self) -> AsyncIterator[Scan]:
        """As a source gives them."""
        while True:
            self._changed.clear()
            files = {n: FileSeen(n, t, None, str(hash(t))) for n, t in self.texts.items()}
            if self.missing:
                yield Scan(root_missing=True)
            else:
                yield Scan(files, False, self.head, self.place, self.rebasing, self.commits.get)
            await self._changed.wait()

    async def look_now(self) -> None:
        """Give one anyway."""
        self._changed.set()

    async def close(self) -> None:
        """Nothing to close."""


@dataclass
class Stored:
    """One stored text."""

    domain: str
    file: str
    data: bytes


@dataclass
class Stores:
    """What lasts, in memory: it outlives a controller."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts: dict[str, Stored] = field(default_factory=dict)
    entries: list[Mapping[str, Any]] = field(default_factory=list)
    aside: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    folder: Mapping[str, Any] = field(default_factory=dict)
    writes: int = 0

    def append(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self.entries.extend(entries)


class Documents:
    def __init__(self, stores: Stores) -> None:
        self._s = stores

    def save(self, domain: str, document: Mapping[str, Any]) -> None:
        self._s.writes += 1
        for cpux in document["cpux"]:
            for chunk in cpux["chunk"]:
                state, reason = State(chunk["state"]), Reason(chunk["reason"])
                assert state in reason.states, (
                    f"{chunk['name']} is {state} and {reason}, which docs/states.md never has"
                )
        self._s.documents[domain] = json.loads(json.dumps(document))

    def load_all(self) -> tuple[dict[str, dict[str, Any]], list[str]]:
        return {d: _no_none(v) for d, v in self._s.documents.items()}, []

    def set_aside(self, domain: str, unknown: Sequence[str]) -> str:
        self._s.aside.append((domain, tuple(unknown)))
        return f"{domain}.toml: {'; '.join(unknown)}"

    def remove(self, domain: str) -> None:
        self._s.documents.pop(domain, None)


class FolderDocument:
    def __init__(self, stores: Stores) -> None:
        self._s = stores

    def save(self, document: Mapping[str, Any]) -> None:
        self._s.folder = json.loads(json.dumps(document))

    def load(self) -> Mapping[str, Any]:
        return self._s.folder


class Texts:
    problems: Sequence[str] = ()

    def __init__(self, stores: Stores) -> None:
        self._s = stores

    def save(self, domain: str, file: str, data: bytes) -> None:
        self._s.texts[domain] = Stored(domain, file, data)

    def load_all(self) -> Sequence[Stored]:
        return list(self._s.texts.values())

    def remove(self, domain: str) -> None:
        self._s.texts.pop(domain, None)


def _no_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _no_none(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_no_none(v) for v in value]
    return value


@dataclass(frozen=True)
class Said:
    answers: Mapping[str, Pnr]
    problems: tuple[str, ...] = ()


class Runtime:
    """What containers write of themselves."""

    def __init__(self) -> None:
        self.said: dict[ChunkId, dict[str, Pnr]] = {}
        self._queue: asyncio.Queue[ChunkId] = asyncio.Queue()

    def say(self, chunk: ChunkId, **facts: Pnr) -> None:
        self.said.setdefault(chunk, {}).update(facts)
        self._queue.put_nowait(chunk)

    def read(self, chunk: ChunkId) -> Said:
        return Said(dict(self.said.get(chunk, {})))

    async def changes(self) -> AsyncIterator[ChunkId]:
        while True:
            yield await self._queue.get()

    def forget(self, chunk: ChunkId) -> None:
        self.said.pop(chunk, None)


async def _direct(call: Callable[[], None]) -> None:
    call()


class Judging:
    """Judges files as the daemon and ``pnr validate`` do."""

    def __init__(self, check_types: Mapping[str, CheckType] = CHECK_TYPES) -> None:
        self.loading = intake.Loading("/domains", {}, frozenset(), check_types)
        self._cache = intake.LoadCache()

    async def __call__(self, files: Mapping[str, Any], in_force: Sequence[InForce]) -> intake.Judged:
        return intake.judge(self.loading, files, in_force=in_force, cache=self._cache)

    def recall(self, stored: Sequence[StoredIntent]) -> Mapping[str, Domain]:
        return intake.recall(self.loading, stored)


judge_files = Judging()


class World:
    """The engine, the files and the stores; ``start`` and ``kill`` a controller as often as wanted."""

    def __init__(
        self,
        engine: SimulatedEngine | None = None,
        *,
        seed: int = 0,
        leases: Leases | None = None,
        check_types: Mapping[str, CheckType] = CHECK_TYPES,
    ) -> None:
        self.leases = leases
        self.check_types = check_types
        self.taken_up: set[str] = set()  # images that the policy lets be taken up although another domain built them
        self.engine = engine or SimulatedEngine(seed=seed, start_seconds=(0.2, 0.6))
        self.files = Files()
        self.stores = Stores()
        self.spoken = Runtime()
        self.runtime: Runtime | SimulatedRuntime = self.spoken
        self.seed = seed
        self.controller: Controller | None = None
        self._viewed: tuple[tuple[object, ...], dict[str, Any]] | None = None
        self._looked: tuple[tuple[object, ...], float, dict[str, bool]] | None = None
        self._again_at = inf
        self._task: asyncio.Task[None] | None = None
        self._passes_of_killed = 0

    @property
    def passes(self) -> int:
        """How often all controllers together have decided."""
        return self._passes_of_killed + (self.controller.passes if self.controller is not None else 0)

    async def __aenter__(self) -> World:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()
        await self.engine.close()
        assert not self.engine.trespasses
        assert not self.engine.double_writers

    def start(self) -> None:
        """Start a controller on what there is."""
        clock = LoopClock()
        self.engine.wall = lambda: clock.now().timestamp()
        self.engine.strategy_now = self._strategy
        self._passes_of_killed = self.passes
        recorder = Recorder(
            snapshots=Documents(self.stores),
            intents=Texts(self.stores),
            journal=self.stores,
            clock=clock,
            offload=_direct,
            folder=FolderDocument(self.stores),
        )
        self.controller = Controller(
            engine=self.engine,
            source=self.files,
            judge=Judging(self.check_types),
            runtime=self.runtime,
            make_probe=simulated_probe_factory(self.engine),
            clock=clock,
            recorder=recorder,
            seed=self.seed,
            leases=self.leases,
            may_take_up=lambda image, _: image in self.taken_up,
            is_of_host=lambda _: False,  # whatever addresses the machine has on which this runs
        )
        self._task = asyncio.get_running_loop().create_task(self.controller.run())

    def _strategy(self, id: ChunkId) -> Strategy | None:
        """How a chunk is to be updated, as its file says now."""
        record = self.controller.known.domains.get(id.domain) if self.controller is not None else None
        chunks = record.wanted.chunks() if record is not None and record.wanted is not None else ()
        return next((chunk.strategy for chunk in chunks if chunk.id == id), None)

    async def kill(self) -> None:
        """End the controller as a signal would, wherever it is. Nothing is written any more."""
        if self._task is not None:
            saved = (dict(self.stores.documents), dict(self.stores.texts), self.stores.folder)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self.stores.documents, self.stores.texts, self.stores.folder = saved
            self._task = None

    def view(self) -> dict[str, Any]:
        """What `pnr status --json` would show. For who asks again and again while nothing happens, as who waits does,
        it is put together five times a second."""
        assert self.controller is not None
        key = self._look()
        if self._viewed is None or self._viewed[0] != key:
            self._viewed = (key, self.controller.view())
        return self._viewed[1]

    def _look(self) -> tuple[object, ...]:
        """Changes where what is shown is put together again; after it, where nothing happens, at ``_again_at``."""
        controller, now = self.controller, asyncio.get_running_loop().time()
        assert controller is not None
        part = int(now / VIEW_SECONDS)
        key = (controller, controller.version, controller.passes, part)
        if self._looked is None or self._looked[0] != key:
            resting = {name: is_settled(controller.known, record) for name, record in controller.known.domains.items()}
            self._looked = (key, now, resting)
        self._again_at = inf if self._looked[1] == now else (part + 1) * VIEW_SECONDS
        return key

    def domain(self, name: str) -> dict[str, Any]:
        """One domain of it."""
        nothing: dict[str, Any] = {"cpuxs": [], "errors": [], "warnings": [], "held": "", "stalled": False}
        return next((d for d in self.view()["domains"] if d["name"] == name), nothing)

    def chunk(self, name: str, domain: str = "shop") -> dict[str, Any]:
        """One chunk of it."""
        for cpux in self.domain(domain)["cpuxs"]:
            for chunk in cpux["chunks"]:
                if chunk["name"] == name:
                    return dict(chunk)
        return {"state": "", "reason": "", "message": ""}

    def fact(self, key: str, domain: str = "shop") -> str:
        """The truth value of a fact."""
        for cpux in self.domain(domain)["cpuxs"]:
            if key in cpux["facts"]:
                return str(cpux["facts"][key]["tv"])
        return "U"

    def container(self, name: str) -> Container:
        """A container, by name."""
        return self.engine.named(name)

    def settled(self, *names: str) -> bool:
        """Whether these domains (or all) are settled."""
        if self._task is not None and self._task.done():
            self._task.result()
        self._look()
        assert self._looked is not None
        if not all(resting for name, resting in self._looked[2].items() if not names or name in names):
            return False  # what else it takes need not be looked at
        domains = [d for d in self.view()["domains"] if not names or d["name"] in names]
        return bool(domains) and all(d["settled"] for d in domains)

    async def until(self, condition: Callable[[], bool], *, limit: float = 600.0) -> None:
        """Let time pass until a condition holds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + limit

        def holds() -> bool:
            try:
                return condition()
            except NotFound:
                return False  # in the middle of an update nobody may have a name

        while not holds():
            if self._task is not None and self._task.done():
                self._task.result()
            if loop.time() > end:
                lines = "\n".join(f"{e.get('at')} {e}" for e in self.stores.entries[-30:])
                raise AssertionError(f"not within {limit} virtual seconds; view: {self.view()}\n{lines}")
            if isinstance(loop, VirtualLoop):
                loop.pass_over(LOOK_SECONDS, min(end, self._again_at))
            await asyncio.sleep(LOOK_SECONDS)

    async def until_settled(self, *names: str, limit: float = 600.0) -> None:
        """Let time pass until these domains (or all) are settled."""
        await self.until(lambda: self.settled(*names), limit=limit)

    def ask_apply(self, *only: str) -> None:
        """What `pnr apply` does."""
        assert self.controller is not None
        self.controller.post(LookNow(only))

    def ask_down(self, *only: str) -> None:
        """What `pnr down` does."""
        assert self.controller is not None
        self.controller.post(TakeDown(only))

    def ask_confirm(self, *only: str) -> None:
        """What `pnr confirm-removal` does."""
        assert self.controller is not None
        self.controller.post(ConfirmRemoval(only))

    def held(self) -> set[str]:
        """The domains of which the removal is held."""
        return {d["name"] for d in self.view()["domains"] if d["held"]}

    def order(self, *prefixes: str) -> list[str]:
        """The changing calls that begin with one of the words, in their order."""
        return [call.text for call in self.engine.calls if call.text.split()[0] in prefixes]

    def made(self, name: str) -> int:
        """How many containers were made that were to have this name."""
        return sum(text.split()[1] in (name, name + NEXT_SUFFIX) for text in self.order("CreateContainer"))

    def running(self) -> set[str]:
        """The names of what runs."""
        return {c.name for c in self.engine.containers.values() if c.condition is Condition.RUNNING}


def chunk(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    """A chunk in a file: it answers NAME_ready, and needs others' (``x`` for x_ready Y, ``x=N`` for N)."""
    gate: dict[str, Any] = {}
    for need in needs:
        key, _, tv = need.partition("=")
        full = key if "/" in key or key == "system_ready" else f"{key}_ready"
        gate[full] = {"prompt": "?", "response": [], "tv": tv or "Y"}
    container = {"name": f"shop_{name}", "image": f"{name}:1", **more.pop("container", {})}
    return {
        "name": name,
        "gatekeeper": gate,
        "flowout": {f"{name}_ready": {"prompt": f"is {name} ready?", "response": ["yes"], "tv": "Y"}},
        "health_check": {"type": "tcp", "port_key": "80"},
        "container": container,
        **more,
    }


def domain(*chunks: dict[str, Any], name: str = "shop", **more: Any) -> dict[str, Any]:
    """A domain of one CPUX."""
    return {"name": name, "cpuxs": {"main": {"design_chunks": list(chunks)}}, **more}


STACK = domain(chunk("db", "system_ready"), chunk("api", "db"), chunk("web", "api"))
