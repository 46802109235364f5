"""What holds for every plan: it converges, it touches nobody else's, its order is safe. Tried on random worlds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.intent.model import Chunk, ChunkId, Domain, Kind, Strategy
from reconciler.planner.actions import CreateContainer, EnsureImage, Plan, RemoveNetwork, Step
from reconciler.planner.memory import Memory
from reconciler.planner.observed import Condition, Container, Network, Observed
from reconciler.planner.ordering import dependencies
from reconciler.planner.plan import WholePlan, Wish, plan_all
from reconciler.planner.situation import PREVIOUS_SUFFIX
from tests.unit.planner.build import chunk, container, domain, gate
from tests.unit.planner.model import apply, container_of

LASTING = (Condition.CREATED, Condition.RUNNING, Condition.PAUSED, Condition.EXITED, Condition.DEAD)
ROUNDS = 8

anywhere = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


class World:
    """What is wanted, what is seen, and what is remembered. Prints short, for the reports of hypothesis."""

    def __init__(self, wishes: list[Wish], observed: Observed) -> None:
        self.wishes = wishes
        self.observed = observed
        self.memories: dict[ChunkId, Memory] = {}
        self._serial = 0

    def __repr__(self) -> str:
        wanted = {of.container.name: [e.ref.key for e in of.gate] for of in self.chunks()}
        seen = [(c.name, c.condition.value, c.spec, c.run, list(c.networks)) for c in self.observed.containers.values()]
        return f"World(wanted={wanted}, seen={seen}, networks={list(self.observed.networks)})"

    def plan(self) -> WholePlan:
        return plan_all(self.wishes, self.observed, memories=self.memories)

    def carry_out(self, steps: Iterable[Step]) -> None:
        """Do the steps, one after the other."""
        images: set[str] = set()
        for step in steps:
            self._serial += 1
            if isinstance(step.action, EnsureImage):
                images.add(step.action.image)
            if isinstance(step.action, CreateContainer):
                assert step.action.chunk.container.image in images
            self.observed = apply(self.observed, step.action, serial=self._serial)

    def prove(self) -> None:
        """Whatever runs as declared is found to be healthy, and every job that runs ends well."""
        wanted = {of.id: of for of in self.chunks()}
        for id, c in list(self.observed.containers.items()):
            of = wanted.get(c.owner) if c.owner is not None else None
            if of is None or c.condition is not Condition.RUNNING or c.spec != of.container.digest:
                continue
            if of.kind is Kind.JOB:
                ended = replace(c, condition=Condition.EXITED, exit_code=0)
                self.observed = replace(self.observed, containers={**self.observed.containers, id: ended})
            else:
                self.memories[of.id] = replace(self.memories.get(of.id, Memory()), proven_run=c.run)

    def chunks(self) -> list[Chunk]:
        return [c for wish in self.wishes if wish.domain is not None for c in wish.domain.chunks()]

    def converge(self) -> None:
        """Plan and carry out until nothing is left to do."""
        for _ in range(ROUNDS):
            self.prove()
            plan = self.plan().plan
            if not plan:
                return
            self.carry_out(plan)
        raise AssertionError(f"after {ROUNDS} rounds there is still something to do:\n{self.plan().plan}")

    def of(self, id: ChunkId) -> list[Container]:
        return [c for c in self.observed.containers.values() if c.owner == id]


@st.composite
def domains(draw: st.DrawFn, name: str = "shop", digest: str = "d1") -> Domain:
    """A domain of up to six chunks; each may need any of those before it, and they stand in any order."""
    chunks = []
    for n in range(draw(st.integers(1, 6))):
        needs = draw(st.sets(st.integers(0, n - 1))) if n else set()
        kind = draw(st.sampled_from([Kind.SERVICE, Kind.SERVICE, Kind.SERVICE, Kind.JOB]))
        more: dict[str, Any] = {"kind": kind, "strategy": draw(st.sampled_from(list(Strategy)))}
        entries = gate(*(f"c{m}_ready" for m in sorted(needs)), domain=name)
        chunks.append(chunk(f"c{n}", needs=entries, domain=name, digest=digest, **more))
    return domain(*draw(st.permutations(chunks)), name=name)


@st.composite
def containers_of(draw: st.DrawFn, of: Chunk) -> list[Container]:
    """Up to three containers of a chunk as they might be found: old, renamed, dead, cut off, left over."""
    names = [of.container.name, of.container.name + PREVIOUS_SUFFIX, f"stray-{of.id.domain}-{of.id.chunk}"]
    found = []
    for n, name in enumerate(draw(st.lists(st.sampled_from(names), max_size=3, unique=True))):
        condition = draw(st.sampled_from(LASTING))
        made = container(of, condition, id=f"{of.id}-{n}", name=name, run="" if condition == "created" else f"run{n}")
        changes: dict[str, Any] = {"spec": draw(st.sampled_from([of.container.digest, "d0"]))}
        if draw(st.booleans()):
            changes["networks"] = {}
        found.append(replace(made, **changes))
    return found


@st.composite
def worlds(draw: st.DrawFn, *, foreign_names: bool = False) -> World:
    """One or two domains, of which any may be on its way out, in a host where anything may have happened."""
    wishes: list[Wish] = []
    seen: dict[str, Container] = {}
    networks: dict[str, Network] = {"bridge": Network("b", "bridge"), "theirs": Network("t", "theirs")}
    for name in draw(st.sampled_from([("shop",), ("shop", "infra")])):
        declared = draw(domains(name))
        going = draw(st.booleans()) and draw(st.booleans())
        wishes.append(Wish(name, None if going else declared, last=declared))
        for of in declared.chunks():
            seen.update({c.id: c for c in draw(containers_of(of))})
        if draw(st.booleans()):
            networks[f"pnr_{name}"] = Network(f"n-{name}", f"pnr_{name}", name)
    taken = {c.name for c in seen.values()}
    pool = ["theirs", *(f"shop_c{n}" for n in range(6))] if foreign_names else ["theirs", "others"]
    for name in draw(st.lists(st.sampled_from(pool), unique=True)):
        if name not in taken:
            id = f"foreign-{name}"
            seen[id] = Container(id, name, "x", "sha256:x", draw(st.sampled_from(LASTING)))
    return World(wishes, Observed(seen, networks))


def settled(of: Iterable[Domain]) -> World:
    """A world in which everything is as it should be."""
    world = World([Wish(d.name, d, last=d) for d in of], Observed())
    world.converge()
    return world


def ancestors(plan: Plan) -> Mapping[int, frozenset[int]]:
    """For each step all those that must be done before it, however far away."""
    found: dict[int, frozenset[int]] = {}
    for step in plan:
        assert all(number < step.number for number in step.after)
        found[step.number] = frozenset(step.after).union(*(found[number] for number in step.after))
    return found


@anywhere
@given(worlds())
def test_carrying_out_plans_ends_in_exactly_what_is_declared_and_an_empty_plan(world: World) -> None:
    world.converge()
    for wish in world.wishes:
        if wish.domain is None:
            owners = [c.owner for c in world.observed.containers.values() if c.owner is not None]
            assert wish.name not in {owner.domain for owner in owners}
            assert f"pnr_{wish.name}" not in world.observed.networks
    for of in world.chunks():
        (only,) = world.of(of.id)
        assert only.spec == of.container.digest
        if of.kind is Kind.JOB:
            assert (only.condition, only.exit_code) == (Condition.EXITED, 0)
            continue
        assert (only.name, only.condition) == (of.container.name, Condition.RUNNING)
        assert only.networks.keys() == of.container.networks.keys()


@anywhere
@given(worlds(foreign_names=True))
def test_no_plan_touches_what_is_not_ours_even_where_it_holds_a_wanted_name(world: World) -> None:
    theirs = {id: c for id, c in world.observed.containers.items() if c.owner is None}
    nets = {name: n for name, n in world.observed.networks.items() if n.domain is None}
    world.converge()  # the model refuses every action on what is not ours
    assert {id: c for id, c in world.observed.containers.items() if c.owner is None} == theirs
    assert {name: n for name, n in world.observed.networks.items() if n.domain is None} == nets
    held = {c.name for c in theirs.values()}
    blocked = {b.id for b in world.plan().blocked}
    for of in world.chunks():
        if of.kind is Kind.SERVICE:  # a job that has done its work needs no name any more
            assert (of.container.name in held) == (of.id in blocked)


@anywhere
@given(domains())
def test_a_world_that_is_as_declared_gets_an_empty_plan(declared: Domain) -> None:
    world = settled([declared])
    for _ in range(2):
        assert not world.plan().plan
        assert not world.plan().blocked


@anywhere
@given(domains(), st.data())
def test_only_what_was_changed_is_touched(declared: Domain, data: st.DataObject) -> None:
    world = settled([declared])
    ids = [of.id for of in declared.chunks()]
    changed = data.draw(st.sets(st.sampled_from(ids)))

    def edited(of: Chunk) -> Chunk:
        return replace(of, container=replace(of.container, digest="d2")) if of.id in changed else of

    (cpux,) = declared.cpuxs
    newer = replace(declared, cpuxs=(replace(cpux, chunks=tuple(edited(of) for of in cpux.chunks)),))
    world.wishes = [Wish(newer.name, newer, last=declared)]
    before = dict(world.observed.containers)
    plan = world.plan().plan
    assert {step.resource for step in plan} == {str(id) for id in changed}
    own = {c.name for c in before.values() if c.owner in changed}
    made = {step.action.name for step in plan if isinstance(step.action, CreateContainer)}
    for step in plan:
        touched = container_of(step.action)
        assert touched is None or touched.removesuffix(PREVIOUS_SUFFIX) in own | made
    world.converge()
    for id, c in before.items():
        if c.owner not in changed:
            assert world.observed.containers[id] == c


@anywhere
@given(worlds())
def test_a_chunk_is_begun_after_everything_that_its_gatekeeper_needs(world: World) -> None:
    plan = world.plan().plan
    before = ancestors(plan)
    steps: dict[str, list[int]] = {}
    for step in plan:
        steps.setdefault(step.resource, []).append(step.number)
    for id, needs in dependencies(world.chunks()).items():
        for number in steps.get(str(id), ()):
            for need in needs:
                assert set(steps.get(str(need), ())) <= before[number]


@anywhere
@given(worlds())
def test_dependents_are_removed_before_what_they_depend_on_and_networks_last(world: World) -> None:
    world.wishes = [replace(wish, domain=None) for wish in world.wishes]
    plan = world.plan().plan
    before = ancestors(plan)
    last: dict[str, int] = {}
    first: dict[str, int] = {}
    for step in plan:
        if not isinstance(step.action, RemoveNetwork):
            last[step.resource] = step.number
            first.setdefault(step.resource, step.number)
    for wish in world.wishes:
        assert wish.last is not None
        for id, needs in dependencies(wish.last.chunks()).items():
            for need in needs:
                if str(id) in last and str(need) in first:
                    assert last[str(id)] in before[first[str(need)]]
    for step in plan:
        if isinstance(step.action, RemoveNetwork):
            mine = {number for name, number in last.items() if name.startswith(f"{step.action.domain}/")}
            assert mine <= before[step.number]


@anywhere
@given(worlds(), st.data())
def test_the_steps_may_be_done_in_any_order_that_the_plan_allows(world: World, data: st.DataObject) -> None:
    waiting = {step.number: step for step in world.plan().plan}
    order: list[Step] = []
    while waiting:
        free = sorted(number for number, step in waiting.items() if not waiting.keys() & set(step.after))
        order.append(waiting.pop(data.draw(st.sampled_from(free))))
    world.carry_out(order)
    world.converge()


@anywhere
@given(worlds())
def test_planning_is_a_function_and_prints_one_line_a_step(world: World) -> None:
    plan = world.plan().plan
    assert world.plan().plan == plan
    lines = str(plan).splitlines()
    assert len(lines) == len(plan)
    for step, line in zip(plan, lines, strict=True):
        assert f"#{step.number} {step.resource}, {step.action.describe()}, " in line
