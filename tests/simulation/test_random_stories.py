"""Everything at once: people who write, edit, break and remove files, who meddle with containers and push images,
faults, engines of any speed, and a program that is killed.

Whatever the story was, once it is over exactly what is declared runs, and nothing else.
"""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_right
from collections.abc import Set as AbstractSet
from typing import Any

import pytest

from reconciler.engine.protocol import Progress
from reconciler.engine.simulated import SimulatedEngine, schedule
from reconciler.engine.simulated.engine import Call
from reconciler.planner.actions import Action
from reconciler.planner.observed import Condition, Container
from tests.simulation.seeds import seeds
from tests.simulation.test_snapshots_of_other_versions import spoil
from tests.simulation.world import Files, World, chunk, domain

DOMAINS = ("alpha", "beta", "gamma")
STORY_SECONDS = 240.0
MOST_PASSES = 8000  # some 500 are usual, and 2700 the most that was seen in 80 stories
MOST_IN_TEN_SECONDS = 50
GOOD_IMAGES = ["quick:1", "quick:2", "slow:1"]
BAD_IMAGES = ["missing:1", "crashing:1", "sick:1"]
BAD_WORK = "failing-work:1"
BAD_ADDRESS = "10.0.0.9"  # no link-local one
CONF = "/srv/app.conf"
PATHS = ("/", "/v2")
NOWHERE = "/nowhere"
BAD = (*BAD_IMAGES, BAD_WORK, BAD_ADDRESS, NOWHERE)
LACKS = {"quick:1": ("/v2", NOWHERE), "quick:2": (NOWHERE,), "slow:1": ("/v2", NOWHERE)}
SPEEDS = [(0.001, 0.01), (0.2, 0.6), (1.0, 5.0)]


class Strange(SimulatedEngine):
    """Answers now and then in a way that nobody has thought of, to work that is done or that is not.

    The strange answers have random numbers of their own: a story is the same with them and without, up to the first.
    """

    def __init__(self, seed: int, share: float, **more: Any) -> None:
        super().__init__(seed=seed, **more)
        self.share = share
        self.strange = 0
        self._odds = random.Random(f"strange {seed}")

    async def perform(self, action: Action, progress: Progress | None = None) -> Container | None:
        if self._odds.random() >= self.share:
            return await super().perform(action, progress)
        self.strange += 1
        if self._odds.random() < 0.5:
            await super().perform(action, progress)
        raise self._odds.choice([KeyError("State"), AttributeError("no attribute 'get'"), ValueError("no number")])

    def clear_weather(self) -> None:
        super().clear_weather()
        self.share = 0.0


class Author:
    """Writes domain files at random, good ones and foolish ones; the same for the same seed."""

    renames = 0.15  # how often a file gives its domain another name

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        # Random numbers of its own: a story is the same with and without sharing, up to the first that shares.
        self._sharing = random.Random(f"sharing {rng.getstate()[1][:9]}")
        self._joining = random.Random(f"joining {rng.getstate()[1][:9]}")
        self._passing = random.Random(f"passing {rng.getstate()[1][:9]}")  # and of its own as well
        self._checking = random.Random(f"checking {rng.getstate()[1][:9]}")
        self._renaming = random.Random(f"renaming {rng.getstate()[1][:9]}")
        self.written: dict[str, list[dict[str, Any]]] = {name: [] for name in DOMAINS}
        self.renamed: set[str] = set()

    def document(self, name: str, *, foolish: float = 0.0) -> dict[str, Any]:
        """A domain of up to five chunks; each may need those before it. ``foolish``: how often an image is bad."""
        rng = self._rng
        count = rng.randint(1, 5)
        chunks = [self._chunk(name, n, foolish) for n in range(count)]
        if rng.random() < 0.3:
            named = [made["container"] for made in chunks if "name" in made["container"]]
            names = rng.sample([container["name"] for container in named], len(named))
            for container, called in zip(named, names, strict=True):
                container["name"] = called
        self._pass_ports(name, chunks)
        self._ask_for_paths(chunks, foolish)
        self._share(chunks)
        self._join(chunks, foolish)
        rng.shuffle(chunks)
        return domain(*chunks, name=name, **self._networks(name))

    def _pass_ports(self, name: str, chunks: list[dict[str, Any]]) -> None:
        """Let ports pass from one chunk to another between one document and the next, and along equal copies."""
        rng, first = self._passing, 1000 + DOMAINS.index(name) * 100
        publishing = [made["container"] for made in chunks if "ports" in made["container"]]
        if rng.random() < 0.6:
            for container, port in zip(publishing, rng.sample(range(5), len(publishing)), strict=True):
                container["ports"] = {"80": str(first + port)}
        copies = [made for made in chunks if made.get("replicas", 1) > 1]
        for made in copies[:1] if rng.random() < 0.5 else ():
            low = first + 50 + rng.randint(0, 3)
            made["container"]["ports"] = [f"{low}-{low + made['replicas'] - 1}:80"]
            made["strategy"] = "auto"

    def _share(self, chunks: list[dict[str, Any]]) -> None:
        """Let a container have the network, the processes or the volumes of one before it, which may be replaced while
        it starts."""
        rng = self._sharing
        able = [c for c in chunks if "kind" not in c and "replicas" not in c and "name" in c["container"]]
        if len(able) < 2 or rng.random() < 0.6:
            return
        first, second = sorted(rng.sample(range(len(able)), 2))
        owner, sharer = able[first], able[second]["container"]
        match rng.choice(["network_mode", "pid", "volumes_from"]):
            case "network_mode" if "ports" not in sharer:
                sharer["network_mode"] = f"service:{owner['name']}"
            case "volumes_from":
                sharer["volumes_from"] = [f"{owner['name']}:ro"]
            case _:
                sharer["pid"] = f"service:{owner['name']}"

    def _join(self, chunks: list[dict[str, Any]], foolish: float) -> None:
        """Say of some how they are connected to the network, now and then so that the engine refuses it."""
        rng = self._joining
        for made in chunks:
            container = made["container"]
            if "network_mode" in container or made.get("replicas", 1) > 1 or rng.random() < 0.7:
                continue
            address = BAD_ADDRESS if rng.random() < foolish else rng.choice(["169.254.8.8", "169.254.9.9"])
            container["networks"] = {"default": {"link_local_ips": [address]}}

    def _ask_for_paths(self, chunks: list[dict[str, Any]], foolish: float) -> None:
        """Let health checks ask for what only some images have, and fools for what their image has not."""
        rng = self._checking
        for made in chunks:
            if made.get("health_check", {}).get("type") != "tcp" or rng.random() < 0.5:
                continue
            has = [path for path in PATHS if path not in LACKS.get(made["container"]["image"], ())]
            path = NOWHERE if rng.random() < foolish else rng.choice(has)
            made["health_check"].update(type="http", path=path)

    def _networks(self, name: str) -> dict[str, Any]:
        """The domain's own network as the engine chooses it, with a setting, or with a subnet of its own."""
        subnet = {"subnet": f"10.{DOMAINS.index(name)}.0.0/24"}
        mtu = {"driver_opts": {"com.docker.network.driver.mtu": "1400"}}
        choices: list[dict[str, Any]] = [{}, {}, mtu, {"ipam": {"config": [subnet]}}]
        declared = self._rng.choice(choices)
        internal = {"internal": True} if self._rng.random() < 0.3 else {}
        return {"networks": {"default": {**declared, **internal}}} if declared or internal else {}

    def write(self, files: Files, name: str) -> None:
        """Write a new document, or one that was there before, as a revert does."""
        before = self.written[name]
        back = bool(before) and self._rng.random() < 0.4
        document = self._rng.choice(before) if back else self.document(name, foolish=0.2)
        before.append(document)
        is_other = self._renaming.random() < self.renames
        self.renamed -= {name}
        self.renamed |= {name} if is_other else set()
        files.write(name, {**document, "name": f"{name}-b"} if is_other else document)

    def last(self, files: Files, name: str) -> None:
        """Write what is to stand in the end: sensible, and other than what stood there."""
        before = self.written[name]
        sensible = [d for d in before if d != before[-1] and not any(bad in str(d) for bad in BAD)]
        document = self._rng.choice(sensible) if sensible and self._rng.random() < 0.5 else self.document(name)
        while before and document == before[-1]:
            document = self.document(name)
        files.write(name, document)

    def _chunk(self, name: str, n: int, foolish: float) -> dict[str, Any]:
        rng = self._rng
        image = rng.choice(BAD_IMAGES if rng.random() < foolish else GOOD_IMAGES)
        container: dict[str, Any] = {"image": image, "name": f"{name}_c{n}"}
        more: dict[str, Any] = {
            "on_gate_close": rng.choice(["keep", "stop", "restart"]),
            "on_failure": rng.choice(["rollback", "pause"]),
            "container": container,
        }
        if rng.random() < 0.3:
            container["environment"] = {"V": str(rng.randint(1, 3))}
        if rng.random() < 0.2:
            container["volumes"] = [f"{CONF}:/etc/app.conf:ro"]
            more["on_file_change"] = "recreate"
        if rng.random() < 0.3:
            container["restart"] = rng.choice(["always", "unless-stopped", "on-failure"])
        if rng.random() < 0.4:
            container["volumes"] = [*container.get("volumes", []), f"/srv/{name}_{n}:/data"]
        if rng.random() < 0.3:
            container["ports"] = {"80": str(1000 + DOMAINS.index(name) * 100 + n)}
        elif rng.random() < 0.4:
            container["name"] = None
            more["strategy"] = rng.choice(["auto", "stop-first", "start-first"])
            if rng.random() < 0.3:
                more.update(replicas=rng.choice([2, 3]), min_ready=rng.choice([1, 2]))
        if rng.random() < 0.3:
            more["auto_update"] = rng.choice(["local", {"policy": "registry", "interval_seconds": 60}])
        needs = [f"c{m}" for m in range(n) if rng.random() < 0.5] or ["system_ready"]
        made = chunk(f"c{n}", *needs, **more)
        if container["name"] is None:
            del made["container"]["name"]
        if rng.random() < 0.2:
            made["kind"] = "job"
            for none in ("replicas", "min_ready", "auto_update"):
                made.pop(none, None)
            made["container"]["image"] = BAD_WORK if image in BAD_IMAGES else "work:1"
            del made["health_check"]
        elif rng.random() < 0.2:
            made["health_check"] = {"type": "docker", "deadline_seconds": 30}
        else:
            made["health_check"].update(deadline_seconds=30, interval_seconds=rng.choice([1, 5]))
        return made


async def live_through(w: World, rng: random.Random, author: Author) -> None:
    """Let four minutes of misfortune pass."""
    loop = asyncio.get_running_loop()
    end = loop.time() + STORY_SECONDS
    while loop.time() < end:
        await asyncio.sleep(rng.choice([0.01, 0.1, 1.0, 10.0]) * rng.uniform(0.0, 2.0))
        name = rng.choice(DOMAINS)
        deeds = [
            "write",
            "write",
            "write",
            "write",
            "break",
            "remove",
            "vanish",
            "kill",
            "down",
            "apply",
            "meddle",
            "push",
            "push",
            "file",
            "copy",
        ]
        match rng.choice(deeds):
            case "write":
                author.write(w.files, name)
            case "break":
                w.files.write(name, '{"name": "' + name)
            case "remove":
                if f"{name}.json" in w.files.texts and len(w.files.texts) > 1:
                    w.files.remove(name)
            case "vanish":
                await vanish(w, rng, author.renamed)
            case "kill":
                # What was declared a blink before and is gone when the program comes back is known to nobody.
                await asyncio.sleep(0.2)
                await w.kill()
                if rng.random() < 0.3:
                    spoil_state(w, rng)
                await asyncio.sleep(rng.choice([0.0, 0.1, 30.0]))
                w.start()
                await asyncio.sleep(0.1)
            case "down":
                w.ask_down(name)
            case "apply":
                w.ask_apply(name)
            case "meddle":
                meddle(w.engine, rng)
            case "push":
                push(w.engine, rng)
            case "file":
                w.engine.replace_file(CONF, f"content {rng.randint(1, 5)}")
            case "copy":
                copy(w.files, rng)


def copy(files: Files, rng: random.Random) -> None:
    """A second file of one name, that sorts before or behind the first, the same or older; or the one that is there
    goes again, or the first one does and it is left alone with the name."""
    copies = [name for name in files.texts if "copy" in name]
    if copies and rng.random() < 0.6:
        files.remove(rng.choice(copies).removesuffix(".json"))
    elif files.texts:
        of = rng.choice(sorted(files.texts))
        name = rng.choice(["a-copy", f"copy-of-{of}", "zz-copy"]).removesuffix(".json")
        files.write(name, files.texts[of].decode())
        if rng.random() < 0.3:
            files.remove(of.removesuffix(".json"))


def spoil_state(w: World, rng: random.Random) -> None:
    """The program comes back as another version, to which some values mean nothing; or a snapshot is not there any
    more."""
    for name in sorted(w.stores.documents):
        match rng.choice(["spoil", "lose", "leave"]):
            case "spoil":
                spoil(w.stores.documents[name], rng, 0.1)
            case "lose":
                del w.stores.documents[name]


async def vanish(w: World, rng: random.Random, renamed: AbstractSet[str]) -> None:
    """All files go, in some rhythm or with the directory itself, and come back or not: of two or more, none is lost."""
    assert w.controller is not None
    known = w.controller.known.domains
    there = {n for n, r in known.items() if f"{n}.json" in w.files.texts and not r.down and not r.gone}
    before = there - renamed  # what was given another name may go
    texts, place = dict(w.files.texts), w.files.place
    match rng.choice(["loop", "loop", "missing", "replaced"]):
        case "missing":
            w.files.vanish()
        case "replaced":
            w.files.replace("another disk")
        case "loop":
            pause = rng.choice([0.0, 0.005, 0.15, 1.0])
            for name in rng.sample(sorted(texts), len(texts)):
                w.files.remove(name.removesuffix(".json"))
                await asyncio.sleep(pause)
    await asyncio.sleep(rng.choice([1.0, 5.0]))
    if len(before) > 1 or w.files.missing or w.files.place != place:
        assert not {name for name in before if name not in known or known[name].gone}
    held = sorted(w.held())
    if len(held) > 1 and rng.random() < 0.4:
        # Who takes one of them down wants that one to go, and nothing else.
        w.ask_down(held[0])
        await asyncio.sleep(rng.choice([0.0, 1.0]))
        assert set(held[1:]) <= known.keys()
        assert not {name for name in held[1:] if known[name].gone}
    w.files.place = place
    w.files.vanish(False)
    back = list(texts) if rng.random() < 0.7 else rng.sample(sorted(texts), rng.randint(0, len(texts)))
    for name in back:
        w.files.write(name.removesuffix(".json"), texts[name].decode())


def meddle(engine: SimulatedEngine, rng: random.Random) -> None:
    """Somebody does something to a container that runs."""
    ours = sorted(
        c.name for c in engine.containers.values() if c.owner is not None and c.condition is Condition.RUNNING
    )
    if ours:
        name = rng.choice(ours)
        match rng.choice(["stop", "remove", "rename", "pause", "die", "crash", "restart policy"]):
            case "stop":
                engine.stop_by_hand(name)
            case "remove":
                engine.remove_by_hand(name)
            case "rename":
                engine.rename_by_hand(name, f"{name}_by_hand_{rng.randint(1, 1_000_000)}")
            case "pause":
                engine.pause_by_hand(name)
            case "die":
                engine.die(name)
            case "crash":
                engine.crash(name)
            case "restart policy":
                # What is done once must not be done again because its engine was told so by somebody.
                engine.restart_policy_by_hand(name, rng.choice(["always", "on-failure", "no"]))


def push(engine: SimulatedEngine, rng: random.Random) -> None:
    """There is a new image under an old name: in the registry, or on the engine; or an older one is there again."""
    image = rng.choice(GOOD_IMAGES)
    match rng.choice(["registry", "registry", "local", "back"]):
        case "registry":
            engine.release(image)
            if rng.random() < 0.3:
                engine.fate(engine.newest_id(image)).exit_code = 1
        case "local":
            engine.load_by_hand(image)
        case "back":
            engine.tag_by_hand(image, 0)


def declared_names(w: World, names: list[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    assert w.controller is not None
    for name in names:
        record = w.controller.known.domains[name]
        assert record.wanted is not None
        for c in record.wanted.chunks():
            followed = str(c.auto_update.policy) if c.auto_update is not None else ""
            said = {"fixed": c.container.fixed, "job": c.kind == "job", "image": c.container.image}
            said["restart"] = c.container.settings.get("restart", "no")
            found[c.container.name] = {**said, "followed": followed}
    return found


def spinning(calls: list[Call]) -> dict[str, int]:
    """What was done again and again without a pause: how often, within ten seconds."""
    moments: dict[str, list[float]] = {}
    for call in calls:
        moments.setdefault(call.text, []).append(call.at)
    found = {
        text: max(bisect_right(at, begun + 10.0) - n for n, begun in enumerate(at)) for text, at in moments.items()
    }
    return {text: often for text, often in found.items() if often > MOST_IN_TEN_SECONDS}


async def story(seed: int, strange: float = 0.0) -> list[Action]:
    """One story; ``strange`` is how often the engine's answer to an action is one that nobody has thought of."""
    rng = random.Random(seed)
    author = Author(rng)
    faults = schedule(seed, until=STORY_SECONDS, count=rng.choice([0, 4, 12]))
    speed = rng.choice(SPEEDS)
    engine = Strange(seed, strange, faults=faults, start_seconds=speed, stop_seconds=speed)
    engine.replace_file(CONF, "content 1")
    for image, lacks in LACKS.items():
        engine.fate(image).lacks = lacks
    engine.fate("slow:1").ready_after = rng.uniform(1.0, 20.0)
    if rng.random() < 0.5:
        for image, seconds in (("quick:1", 0.0), ("quick:2", 3.0), ("slow:1", 1000.0)):
            engine.fate(image).stops_after = seconds
    engine.fate("missing:1").missing = True
    engine.fate("crashing:1").exit_code, engine.fate("crashing:1").exit_after = 1, rng.uniform(0.01, 3.0)
    engine.fate("work:1").exit_code, engine.fate("work:1").exit_after = 0, 1.0
    engine.fate(BAD_WORK).exit_code, engine.fate(BAD_WORK).exit_after = 3, 1.0
    engine.fate("sick:1").ready_after = 10_000.0
    foreign = [engine.plant_container("foreign"), engine.plant_container("another", port=9999)]
    async with World(engine, seed=seed) as w:
        await live_through(w, rng, author)
        engine.clear_weather()
        for image in GOOD_IMAGES:
            engine.load_by_hand(image)
        last = rng.sample(DOMAINS, rng.randint(1, 3))
        for name in last:
            author.last(w.files, name)
        kept = {f"{name}.json" for name in last}
        w.files.remove(*[name.removesuffix(".json") for name in w.files.texts if name not in kept])
        await asyncio.sleep(10.0)
        w.ask_confirm()
        await asyncio.sleep(1.0)
        w.ask_apply()
        await w.until(lambda: w.settled() and {d["name"] for d in w.view()["domains"]} == set(last), limit=1500)
        await asyncio.sleep(5.0)
        await w.until_settled()
        wanted = declared_names(w, last)
        there = {c.name: c for c in engine.containers.values() if c.owner is not None}
        jobs = {name for name, said in wanted.items() if said["job"]}
        assert there.keys() - jobs == wanted.keys() - jobs
        assert there.keys() <= wanted.keys()
        for name, c in there.items():
            # A restart policy is all in these stories that is changed as a container runs.
            assert c.fixed == wanted[name]["fixed"]
            assert (c.settings or {}).get("restart", "no") == wanted[name]["restart"]
            newest, local = engine.newest_id(wanted[name]["image"]), engine.image_id(wanted[name]["image"])
            if wanted[name]["followed"]:
                assert c.image_id == (newest if wanted[name]["followed"] == "registry" else local)
            if name not in jobs:
                assert engine.has_file(name, "/etc/app.conf") in ("", engine.host_files[CONF].digest)
                # A job that is done needs its network no more: where that was recreated, it has none.
                own = f"pnr_{c.owner.domain}" if c.owner else ""
                assert set(c.networks) == ({own} if "network_mode" not in (c.settings or {}) else set())
            assert c.condition is (Condition.EXITED if name in jobs else Condition.RUNNING)
        for c in foreign:
            assert engine.containers[c.id] == c
        networks = {n.name for n in engine.networks.values() if n.domain is not None}
        assert networks == {f"pnr_{name}" for name in last}
        assert w.passes < MOST_PASSES
        assert not spinning(engine.calls)
        calls, passes = len(engine.calls), w.passes
        await asyncio.sleep(600)
        assert len(engine.calls) == calls
        assert w.passes - passes < 400
        return [call.action for call in engine.calls]


@pytest.mark.parametrize("seed", seeds(60))
async def test_in_the_end_exactly_what_is_declared_runs(seed: int) -> None:
    await story(seed)


@pytest.mark.parametrize("seed", seeds(20))
async def test_in_the_end_what_is_declared_runs_whatever_strange_answers_an_engine_gave(seed: int) -> None:
    await story(seed, strange=0.1)
