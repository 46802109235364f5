"""What a plan says is what the loop then does: tried on hosts in which anything may have happened.

A daemon has lived for a while with files that people write, and ends at some moment, in the middle of its work or not;
files change, and people meddle. Then a plan is made, and then a daemon comes back and does as `pnr apply` has it do.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.controller.clock import LoopClock
from reconciler.controller.recorder import Restored
from reconciler.daemon.rehearsal.ground import Ground
from reconciler.daemon.rehearsal.rehearse import Rehearsed, rehearse
from reconciler.daemon.verdict import finished_applying
from reconciler.engine.protocol import EngineInfo
from reconciler.engine.simulated import SimulatedEngine
from reconciler.intent.judgement import InForce
from reconciler.planner.actions import EnsureImage, Plan, UpdateContainer
from reconciler.planner.observed import Container
from reconciler.sources.protocol import FileSeen, Scan
from tests.simulation.seeds import seeds
from tests.simulation.test_random_stories import BAD_IMAGES, DOMAINS, GOOD_IMAGES, Author, meddle, push
from tests.simulation.virtual_time import run
from tests.simulation.world import Documents, Texts, World, chunk, domain, judge_files

LIVED_SECONDS = 60.0


class Neighbours(Author):
    """Writes domains in which nothing is bad, and containers share their namespaces now and then."""

    # A domain whose file gives another name is kept whole until its removal is judged; a plan leaves that out.
    renames = 0.0

    def document(self, name: str, *, foolish: float = 0.0) -> dict[str, Any]:
        document = super().document(name)
        chunks = document["cpuxs"]["main"]["design_chunks"]
        for made in chunks:
            alone = made.get("replicas", 1) == 1 and "ports" not in made["container"] and made.get("kind") != "job"
            others = [c for c in chunks if c is not made and c.get("replicas", 1) == 1 and c.get("kind") != "job"]
            if alone and others and self._rng.random() < 0.2:
                other = self._rng.choice(others)
                if "network_mode" not in other["container"]:
                    made["container"]["network_mode"] = f"service:{other['name']}"
        return document


async def lived(w: World, rng: random.Random, author: Neighbours) -> None:
    """Let a while pass, and end the daemon; then something happens that it does not see."""
    for name in rng.sample(DOMAINS, rng.randint(1, 3)):
        author.write(w.files, name)
    await asyncio.sleep(rng.choice([rng.uniform(0.0, LIVED_SECONDS), LIVED_SECONDS]))
    if rng.random() < 0.6:
        author.write(w.files, rng.choice(DOMAINS))
        await asyncio.sleep(rng.choice([0.3, rng.uniform(0.0, 20.0)]))
    await w.kill()
    await asyncio.sleep(rng.choice([2.0, 30.0]))  # what was under way ends: a plan is of what it has seen
    for _ in range(rng.randint(0, 3)):
        match rng.choice(["write", "write", "remove", "meddle", "meddle", "push", "network"]):
            case "write":
                author.write(w.files, rng.choice(DOMAINS))
            case "remove":
                if len(w.files.texts) > 1:
                    w.files.remove(rng.choice(sorted(w.files.texts)).removesuffix(".json"))
            case "meddle":
                meddle(w.engine, rng)
            case "push":
                push(w.engine, rng)
                for image in GOOD_IMAGES:
                    w.engine.fate(w.engine.newest_id(image)).exit_code = None  # all goes well, as a plan supposes
            case "network":
                ours = sorted(n.name for n in w.engine.networks.values() if n.domain is not None)
                if ours:
                    w.engine.remove_network_by_hand(rng.choice(ours))


async def looked(w: World) -> Ground:
    """What `pnr plan` reads of this."""
    files = {n: FileSeen(n, t, None, str(hash(t))) for n, t in w.files.texts.items()}
    intents = Texts(w.stores).load_all()
    last = judge_files.recall(intents)
    before = [InForce(name, one.file, one) for name, one in last.items()]
    judged = await judge_files(files, before)
    chunks = [chunk for one in (*last.values(), *judged.domains.values()) for chunk in one.chunks()]
    names = {chunk.container.image for chunk in chunks}
    followed = {chunk.container.image for chunk in chunks if chunk.auto_update is not None}
    images = {name: seen for name in names if (seen := w.engine._image(name)) is not None}
    return Ground(
        scan=Scan(files, False, None, w.files.place),
        judged=judged,
        restored=Restored(Documents(w.stores).load_all()[0], tuple(intents), w.stores.folder),
        last=last,
        info=EngineInfo("simulated", "1"),
        observed=await w.engine.observe(),
        images=images,
        digests={name: w.engine._registry_digest(name) for name in followed},
        at=LoopClock().now(),
        now=1_000_000.0,
    )


def plan_beside(ground: Ground) -> Rehearsed:
    """A plan, while another virtual time stands still."""
    made: list[Rehearsed] = []
    thread = threading.Thread(target=lambda: made.append(rehearse(ground)))
    thread.start()
    thread.join()
    return made[0]


def counted(actions: list[Any], there: set[str]) -> Counter[str]:
    """The actions, without looks whether an image is there that is there."""
    return Counter(
        action.describe()
        for action in actions
        if not (isinstance(action, EnsureImage) and action.image in there and not action.digest)
    )


def in_an_order_that_it_allows(plan: Plan, done: list[str]) -> None:
    places: dict[str, list[int]] = {}
    for place, text in enumerate(done):
        places.setdefault(text, []).append(place)
    at: dict[int, int] = {}
    # Which of several looks at one image was for whom can't be told.
    for step in (step for step in plan if not isinstance(step.action, EnsureImage)):
        found = places.get(step.action.describe())
        if found:
            at[step.number] = found.pop(0)
    for step in plan:
        for before in step.after:
            if before in at and step.number in at:
                assert at[before] < at[step.number], f"#{step.number} was done before #{before}:\n{plan}\n{done}"


async def apply(w: World) -> None:
    """What `pnr apply` does, to its end."""
    w.start()
    controller = w.controller
    assert controller is not None
    while not controller.first_pass_done:
        await controller.changed(controller.version)
    await controller.look_now(())
    await w.until(lambda: controller.idle and finished_applying(controller.view()), limit=900)


async def story(seed: int) -> None:
    rng = random.Random(f"plan {seed}")
    author = Neighbours(rng)
    engine = SimulatedEngine(seed=seed, start_seconds=(0.2, 0.2), stop_seconds=(0.2, 0.2), pull_seconds=(0.2, 0.2))
    engine.replace_file("/srv/app.conf", "content 1")
    assert not set(GOOD_IMAGES) & set(BAD_IMAGES)
    async with World(engine, seed=seed) as w:
        await lived(w, rng, author)
        await is_done_as_planned(w)


async def is_done_as_planned(w: World) -> Plan:
    """Plan, apply, and compare; the plan. No daemon runs before."""
    plan = plan_beside(await looked(w)).plan
    there, begun = set(w.engine.images), len(w.engine.calls)
    await apply(w)
    done = [call.action for call in w.engine.calls[begun:]]
    assert counted([step.action for step in plan], there) == counted(done, there), str(plan)
    in_an_order_that_it_allows(plan, [action.describe() for action in done])
    await w.kill()
    again = plan_beside(await looked(w)).plan
    assert not counted([step.action for step in again], set(w.engine.images)), str(again)
    return plan


@pytest.mark.parametrize("seed", seeds(100))
async def test_what_a_plan_says_is_what_is_done(seed: int) -> None:
    await story(seed)


def planned(before: dict[str, Any], after: dict[str, Any], meddle: Callable[[World], None] = lambda w: None) -> str:
    """The plan of an edit, as text; it is what is done."""
    plans: list[Plan] = []

    async def story() -> None:
        async with World() as w:
            w.files.write("shop", before)
            await w.until_settled()
            await w.kill()
            meddle(w)
            w.files.write("shop", after)
            plans.append(await is_done_as_planned(w))

    run(story())
    return str(plans[0])


def test_two_that_exchange_their_names_step_aside_first() -> None:
    def shop(one: str, other: str) -> dict[str, Any]:
        return domain(chunk("a", container={"name": one}), chunk("b", container={"name": other}))

    text = planned(shop("first", "second"), shop("second", "first"))
    assert text.count("RenameContainer") == 4
    assert "CreateContainer" not in text


def test_who_shares_the_network_of_a_dead_one_is_started_again_after_it() -> None:
    shop = domain(chunk("a"), chunk("b", "a", container={"network_mode": "service:a"}))
    text = planned(shop, shop, lambda w: w.engine.die("shop_a"))
    started = text.index("StartContainer shop_a,")
    assert text.index("StartContainer shop_b,") > started


class Stubborn(SimulatedEngine):
    """Says yes to a change of settings, and leaves them as they are."""

    def update(self, action: UpdateContainer) -> Container:
        return self.named(action.name)


async def test_a_difference_that_could_not_be_cured_is_not_planned_again() -> None:
    def shop(limit: str) -> dict[str, Any]:
        return domain(chunk("a", container={"mem_limit": limit}))

    async with World(Stubborn()) as w:
        w.files.write("shop", shop("64m"))
        await w.until_settled()
        w.files.write("shop", shop("128m"))
        await w.until(lambda: "left as it is: mem_limit" in w.chunk("a")["message"])
        await w.kill()
        assert str(await is_done_as_planned(w)) == ""


def test_what_follows_once_a_new_image_is_there_is_planned_too() -> None:
    shop = domain(chunk("a", container={"image": "a:1"}, auto_update="registry"))
    text = planned(shop, shop, lambda w: w.engine.release("a:1"))
    assert "EnsureImage a:1, the registry has another image under the tag" in text
    assert "RemoveContainer shop_a.pnr-previous, the new container is up" in text
