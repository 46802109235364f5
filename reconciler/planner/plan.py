"""From everything desired and everything observed to a plan that can be read. Pure.

The daemon asks :func:`reconciler.planner.decide.decide` chunk by chunk, when something about that chunk changed.
``pnr plan`` wants the whole: what would be done, in which order, supposing that every check passes. Both use the
same decisions; only the gates differ, which here are taken to open once those have come up who answer them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.intent.model import ChunkId, Domain
from reconciler.lifecycle import State
from reconciler.planner import belongings
from reconciler.planner.actions import Action, Plan, Step
from reconciler.planner.decide import Decision, decide
from reconciler.planner.health import Health
from reconciler.planner.memory import Memory
from reconciler.planner.observed import Container, Observed
from reconciler.planner.ordering import dependencies, dependents_first
from reconciler.planner.situation import ChunkInput


@dataclass(frozen=True, slots=True)
class Wish:
    """One domain as wanted. ``domain`` None: it is to go; ``last`` is then the intent that was in force."""

    name: str
    domain: Domain | None
    generation: int = 1
    last: Domain | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """A chunk that nothing can be done about now, and why."""

    id: ChunkId
    decision: Decision


@dataclass(frozen=True, slots=True)
class WholePlan:
    """The plan, and what stands in the way of the rest."""

    plan: Plan
    blocked: tuple[Blocked, ...] = ()


@dataclass
class _Numbering:
    steps: list[Step] = field(default_factory=list)

    def add(self, resource: str, work: Iterable[tuple[Action, str]], after: Iterable[int]) -> int:
        """Number the steps of one piece of work, each after the one before; the last number."""
        last = 0
        for action, cause in work:
            needs = tuple(sorted({*after, *([last] if last else [])})) if not last else (last,)
            number = len(self.steps) + 1
            self.steps.append(Step(number, resource, action, cause, needs))
            last = number
        return last


def plan_all(
    wishes: Iterable[Wish],
    observed: Observed,
    *,
    memories: Mapping[ChunkId, Memory] | None = None,
    now: float = 0.0,
) -> WholePlan:
    """The whole plan. Removals come first, dependents before what they depend on."""
    wishes = list(wishes)
    memories = memories or {}
    numbers = _Numbering()
    blocked: list[Blocked] = []
    by_owner: dict[ChunkId, list[Container]] = {}
    by_name: dict[str, Container] = {}
    for container in observed.containers.values():
        by_name[container.name] = container
        if container.owner is not None:
            by_owner.setdefault(container.owner, []).append(container)
    for wish in wishes:
        _plan_removals(wish, by_owner, observed, numbers)
    ready: dict[ChunkId, int] = {}
    domains = [(wish, wish.domain) for wish in wishes if wish.domain is not None]
    object_steps: dict[tuple[str, str], int] = {}
    for _, domain in domains:
        for work in (*belongings.networks(domain, observed).work, *belongings.volumes(domain, observed).work):
            last = numbers.add(f"{domain.name}", work.steps, ())
            object_steps[domain.name, str(work.key)] = last
    generation = {domain.name: wish.generation for wish, domain in domains}
    domain_of = {domain.name: domain for _, domain in domains}
    chunks = {chunk.id: chunk for _, domain in domains for chunk in domain.chunks()}
    needs = dependencies(chunks.values())
    for id in reversed(dependents_first(chunks.values())):
        chunk = chunks[id]
        holder = by_name.get(chunk.container.name)
        i = ChunkInput(
            id=id,
            chunk=chunk,
            generation=generation[id.domain],
            containers=tuple(by_owner.get(id, ())),
            memory=memories.get(id, Memory()),
            health=Health(),
            now=now,
            holder=holder if holder is not None and holder.owner != id else None,
            conflict=belongings.conflict(chunk, domain_of[id.domain], observed),
        )
        decision = decide(i)
        if decision.work is None:
            if decision.state is State.FAILED:
                blocked.append(Blocked(id, decision))
            continue
        after = {ready[need] for need in needs[id] if need in ready}
        for key in (
            *(f"network:{name}" for name in chunk.container.networks),
            *(f"volume:{name}" for name in belongings.used_volumes(chunk)),
        ):
            step = object_steps.get((id.domain, key))
            if step:
                after.add(step)
        ready[id] = numbers.add(str(id), decision.work.steps, after)
    for wish, domain in domains:
        _plan_leftovers(wish, observed, {step for id, step in ready.items() if id.domain == domain.name}, numbers)
    return WholePlan(Plan(tuple(numbers.steps)), tuple(blocked))


def _plan_removals(
    wish: Wish, by_owner: Mapping[ChunkId, list[Container]], observed: Observed, numbers: _Numbering
) -> None:
    declared = {chunk.id for chunk in wish.domain.chunks()} if wish.domain is not None else set()
    gone = [id for id in by_owner if id.domain == wish.name and id not in declared]
    last = wish.last
    rank = {id: n for n, id in enumerate(dependents_first(last.chunks()))} if last is not None else {}
    known = [chunk for chunk in last.chunks() if chunk.id in gone] if last is not None else []
    needs = dependencies(known)
    done: dict[ChunkId, int] = {}
    for id in sorted(gone, key=lambda id: (rank.get(id, -1), id)):
        i = ChunkInput(
            id=id,
            chunk=None,
            generation=0,
            containers=tuple(by_owner[id]),
            memory=Memory(),
            health=Health(),
            now=0.0,
        )
        decision = decide(i)
        if decision.work is not None:
            after = [done[other] for other, its in needs.items() if id in its and other in done]
            done[id] = numbers.add(str(id), decision.work.steps, after)
    if wish.domain is None:
        _plan_leftovers(wish, observed, done.values(), numbers)


def _plan_leftovers(wish: Wish, observed: Observed, after: Iterable[int], numbers: _Numbering) -> None:
    """The domain's own containers are out of the way by then: gone, or replaced by others."""
    containers = observed.containers.items()
    others = {cid: c for cid, c in containers if c.owner is None or c.owner.domain != wish.name}
    there = Observed(others, observed.networks, observed.volumes)
    after = list(after)
    for work in belongings.leftovers(wish.name, wish.domain, wish.last, there).work:
        numbers.add(wish.name, work.steps, after)
