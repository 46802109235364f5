"""From everything desired and everything observed to a plan that can be read. Pure.

The daemon asks :func:`reconciler.planner.decide.decide` chunk by chunk, when something about that chunk changed.
``pnr plan`` wants the whole: what would be done, in which order, supposing that every check passes. Both use the
same decisions; only the gates differ, which here are taken to open once those have come up who answer them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.intent.model import Adopt, Chunk, ChunkId, Domain
from reconciler.intent.names import names_in_networks, with_short_names
from reconciler.intent.settings.references import awaited
from reconciler.lifecycle import Reason, State
from reconciler.planner import belongings, following
from reconciler.planner.actions import Action, CreateContainer, Plan, Step
from reconciler.planner.addresses import fixed
from reconciler.planner.decide import decide
from reconciler.planner.file_mounts import News
from reconciler.planner.health import Health
from reconciler.planner.memory import Memory
from reconciler.planner.observed import Container, ImageNews, Observed
from reconciler.planner.ordering import dependencies, dependents_first
from reconciler.planner.rolling import Stage, is_update_of_serving, stage, waits_for
from reconciler.planner.situation import ChunkInput, cast
from reconciler.planner.steps import Decision
from reconciler.planner.support import Connected, arrangements, unsupported_of

_ANOTHER = "another"
"""In the place of the id that a container is going to have."""


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
    images: Mapping[ChunkId, ImageNews] | None = None,
    connected: Connected | None = None,
    files: News | None = None,
    now: float = 0.0,
) -> WholePlan:
    """The whole plan, as a person has it who asks for it now: a tag that has moved counts. Removals come first,
    dependents before what they depend on. ``connected`` says what the engine can honour; None: everything."""
    wishes = list(wishes)
    numbers = _Numbering()
    blocked: list[Blocked] = []
    look = _Look(wishes, observed, memories or {}, images or {}, connected, files or {}, now)
    removed: dict[ChunkId, int] = {}
    for wish in wishes:
        removed |= _plan_removals(wish, look.by_owner, observed, numbers)
    ready: dict[ChunkId, int] = {}
    object_steps: dict[tuple[str, str], int] = {}
    for domain in look.domains.values():
        for work in arrangements(domain, observed, connected):
            last = numbers.add(f"{domain.name}", work.steps, ())
            object_steps[domain.name, str(work.key)] = last
    # Of those who need nobody, who has a fixed address begins before who may be given it.
    in_order = sorted(look.chunks.values(), key=lambda chunk: not fixed(chunk.container))
    needs = dependencies(in_order)
    for id in reversed(dependents_first(in_order)):
        i = look.at(id)
        in_turn: list[ChunkId] = []
        if is_update_of_serving(cast(i)):
            # Copies are updated one after the other; one whose update failed stops the rest.
            siblings = [look.at(copy) for copy in look.copies(id)]
            failed = [sibling for sibling in siblings if stage(sibling) is Stage.FAILED]
            i = replace(i, turn=waits_for(id.replica, [(one.id.replica, Stage.FAILED, False) for one in failed]))
            in_turn = [sibling.id for sibling in siblings if sibling.id < id]
        decision = decide(i)
        steps = decision.work.steps if decision.work is not None else ()
        if not steps and decision.fetch is not None:
            steps = ((decision.fetch, "the registry has another image under the tag; what it brings is updated to"),)
        if not steps:
            if decision.state is State.FAILED or i.blocked_by or i.turn:
                blocked.append(Blocked(id, decision))
            continue
        after = {ready[need] for need in (*needs[id], *in_turn) if need in ready}
        leaver = look.leaver(id)
        if leaver in removed:
            after.add(removed[leaver])
        container = look.chunks[id].container
        given = container.networks.keys() - fixed(container).keys()
        after |= {ready[other.id] for other in in_order if other.id in ready and given & fixed(other.container).keys()}
        for key in (
            *(f"network:{name}" for name in container.networks),
            *(f"volume:{name}" for name in belongings.used_volumes(look.chunks[id])),
        ):
            step = object_steps.get((id.domain, key))
            if step:
                after.add(step)
        ready[id] = numbers.add(str(id), steps, after)
        if any(isinstance(action, CreateContainer) for action, _ in steps):
            look.made_anew.add(container.name)
    for wish in wishes:
        if wish.domain is not None:
            own = {step for id, step in ready.items() if id.domain == wish.domain.name}
            _plan_leftovers(wish, observed, own, numbers)
    return WholePlan(Plan(tuple(numbers.steps)), tuple(blocked))


class _Look:
    """The situation of each chunk, supposing that gates open and checks pass."""

    def __init__(
        self,
        wishes: Iterable[Wish],
        observed: Observed,
        memories: Mapping[ChunkId, Memory],
        images: Mapping[ChunkId, ImageNews],
        connected: Connected | None,
        files: News,
        now: float,
    ) -> None:
        self.domains = {wish.domain.name: wish.domain for wish in wishes if wish.domain is not None}
        self.chunks = {chunk.id: chunk for domain in self.domains.values() for chunk in domain.chunks()}
        self.by_owner: dict[ChunkId, list[Container]] = {}
        self._names = names_in_networks(self.chunks.values())
        self._by_name = {container.name: container for container in observed.containers.values()}
        for container in observed.containers.values():
            if container.owner is not None:
                self.by_owner.setdefault(container.owner, []).append(container)
        self._held: dict[str, set[str]] = {network: set() for network in self._names}
        adopting = {c.container.name for c in self.chunks.values() if c.adopt is not Adopt.NO}
        for container in observed.containers.values():
            stays = container.owner is None and container.name not in adopting
            for network in self._held.keys() & container.networks.keys() if stays else ():
                self._held[network] |= {container.name, *container.endpoints.get(network, {}).get("aliases", ())}
        self._generations = {wish.domain.name: wish.generation for wish in wishes if wish.domain is not None}
        self._declared = {chunk.container.name for chunk in self.chunks.values()}
        self._wished = {wish.name for wish in wishes}
        self._observed = observed
        self._memories = memories
        self._images = images
        self._connected = connected
        self._files = files
        self._now = now
        self._inputs: dict[ChunkId, ChunkInput] = {}
        self.made_anew: set[str] = set()
        """The names of the containers that are made by the steps so far, so that those who share something with what
        had the name are made anew as well."""

    def copies(self, id: ChunkId) -> list[ChunkId]:
        """The other copies of a chunk that has several."""
        return [copy for copy in id.copies(self.chunks[id].replicas) if copy != id and copy in self.chunks]

    def leaver(self, id: ChunkId) -> ChunkId | None:
        """Whose container has a chunk's name now and is to give it up: by the time of the chunk's turn it has."""
        holder = self._by_name.get(self.chunks[id].container.name)
        owner = holder.owner if holder is not None else None
        if holder is None or owner is None or owner == id or owner.domain not in self._wished:
            return None
        wanted = self.chunks.get(owner)
        return owner if wanted is None or wanted.container.name != holder.name else None

    def at(self, id: ChunkId) -> ChunkInput:
        """What a decision about a chunk depends on."""
        if id not in self._inputs:
            self._inputs[id] = self._input(id)
        return self._inputs[id]

    def _input(self, id: ChunkId) -> ChunkInput:
        domain = self.domains[id.domain]
        chunk = with_short_names(self.chunks[id], self._names, self._held)
        holder = self._by_name.get(chunk.container.name) if self.leaver(id) is None else None
        named = ((name, self._by_name.get(name)) for name in awaited(chunk.container))
        absent = self._absent(chunk, domain)
        own, news = tuple(self.by_owner.get(id, ())), self._images.get(id, ImageNews())
        return ChunkInput(
            id=id,
            chunk=chunk,
            generation=self._generations[id.domain],
            containers=own,
            memory=following.by_request(chunk, self._memories.get(id, Memory()), news, own),
            image=news,
            health=Health(),
            now=self._now,
            holder=holder if holder is not None and holder.owner != id else None,
            blocked_by=absent,
            obstacle=(Reason.EXTERNAL_MISSING, f"waiting for {absent}") if absent else None,
            conflict=belongings.conflict(chunk, domain, self._observed),
            files=self._files,
            ids={n: _ANOTHER if n in self.made_anew else c.id for n, c in named if c is not None},
            unsupported=unsupported_of(chunk, domain, self._connected),
        )

    def _absent(self, chunk: Chunk, domain: Domain) -> str:
        """What must be there and is made by nobody who is declared."""
        for name in sorted(awaited(chunk.container)):
            if name not in self._declared and name not in self._by_name:
                return f"container {name}"
        joined = {spec.name for spec in domain.networks if spec.external} & chunk.container.networks.keys()
        mounted = {spec.name for spec in domain.volumes if spec.external} & belongings.used_volumes(chunk)
        found = belongings.networks(domain, self._observed, only=joined).missing
        found |= belongings.volumes(domain, self._observed, mounted).missing
        return next(iter(found.values()), "")


def _plan_removals(
    wish: Wish, by_owner: Mapping[ChunkId, list[Container]], observed: Observed, numbers: _Numbering
) -> dict[ChunkId, int]:
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
    return done


def _plan_leftovers(wish: Wish, observed: Observed, after: Iterable[int], numbers: _Numbering) -> None:
    """The domain's own containers are out of the way by then: gone, or replaced by others."""
    containers = observed.containers.items()
    others = {cid: c for cid, c in containers if c.owner is None or c.owner.domain != wish.name}
    there = Observed(others, observed.networks, observed.volumes)
    after = list(after)
    for work in belongings.leftovers(wish.name, wish.domain, wish.last, there).work:
        numbers.add(wish.name, work.steps, after)
