"""One chunk's situation: all that a decision about it depends on, and which container plays which part. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.intent.model import Chunk, ChunkId, FactsMode, Kind
from reconciler.intent.settings.references import containers_shared
from reconciler.planner import endpoints, following, mounts
from reconciler.planner.addresses import Holder
from reconciler.planner.compare import Difference, differences, is_made_from
from reconciler.planner.health import Health
from reconciler.planner.mounts import News
from reconciler.planner.observed import Condition, Container, ImageNews
from reconciler.planner.retry_state import RetryState
from reconciler.states import Reason

PREVIOUS_SUFFIX = ".pnr-previous"
"""Added to the name of a container that an update has put aside until the new one has proved itself."""

NEXT_SUFFIX = ".pnr-next"
"""Added to the name of a container that an update has made and not yet put in the place of the old one."""

ALIVE = (Condition.RUNNING, Condition.PAUSED, Condition.RESTARTING)
ENDED = (Condition.EXITED, Condition.DEAD)


@dataclass(frozen=True, slots=True)
class ChunkInput:
    """All that a decision about one chunk depends on. ``chunk`` is None when it is to be removed.

    ``containers`` are the chunk's own. ``holder`` is a container of somebody else under the wanted name;
    ``holder_leaves``: it is one of another chunk that is to go, or to have another name. ``wanted_elsewhere`` are the
    names of the chunk's containers that other chunks are to have. ``conflict`` is the failure that a network or volume
    with which nobody new can begin makes, as reason and message. ``gate_open``: every entry holds; ``gate_closed``:
    some entry is known not to hold; ``waiting_for`` says which, for people. ``blocked_by`` names what must be gone
    first (removal) or be there first (networks); ``obstacle`` is the failure that this is where waiting alone brings
    nothing, as reason and message. ``busy``: work on the chunk is in flight, in the same form.
    ``turn`` says why an update must wait for other copies of the chunk, ``comes_after`` which chunks that it needs are
    on their way to a new intent: their facts are about to be answered again. ``unsupported`` says what the engine can't
    honour. ``kept_network`` says of a network whose change failed that it serves as it was. ``held_addresses``
    are those that the chunk is to have, with the containers of ours that have them. ``ids`` are those of the containers
    that the chunk's settings point to, by name, and ``runs`` those of the containers whose namespaces it shares, while
    they run. ``doubted`` are chunks that its gate needs and that may be ill as well: nobody knows yet. ``told_run`` is
    a run that somebody has told to end just now, ``ended_unseen`` are those that ended while the engine, or this
    program, was away. ``stop_is_over``: what we have told to end ourselves would have ended by now. ``crowd`` says why
    a restart for ill health must wait: so many others are being restarted. ``jitter`` is in 0 … 1. ``answered_all``:
    the container itself gave all its answers as declared.
    ``cut_off`` are, by a container's id, the networks of the chunk that it lost as they were recreated.
    ``files`` tells what became of files that the containers have mounted. ``image`` is what is known of the image that
    the chunk names. ``leaves`` says why a chunk that is to go (without ``chunk``) goes.
    """

    id: ChunkId
    chunk: Chunk | None
    generation: int
    containers: tuple[Container, ...]
    memory: RetryState
    health: Health
    now: float
    gate_open: bool = True
    gate_closed: bool = False
    waiting_for: str = ""
    holder: Container | None = None
    blocked_by: str = ""
    obstacle: tuple[Reason, str] | None = None
    conflict: tuple[Reason, str] | None = None
    busy: tuple[Reason, str] | None = None
    crowd: str = ""
    told_run: str = ""
    stop_is_over: bool = False
    doubted: tuple[ChunkId, ...] = ()
    ended_unseen: frozenset[str] = frozenset()
    jitter: float = 0.5
    answered_all: bool = False
    engine_up: bool = True
    flowin: Mapping[str, str] = field(default_factory=dict)
    turn: str = ""
    comes_after: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)
    unsupported: tuple[str, ...] = ()
    image: ImageNews = field(default_factory=ImageNews)
    runs: Mapping[str, str] = field(default_factory=dict)
    holder_leaves: bool = False
    wanted_elsewhere: frozenset[str] = frozenset()
    files: News = field(default_factory=dict)
    kept_network: str = ""
    cut_off: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    held_addresses: tuple[Holder, ...] = ()
    leaves: str = "no longer declared"
    told_apart: list[Roles] = field(default_factory=list, init=False, repr=False, compare=False)
    """What ``cast`` has found: a decision asks for it again and again."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The chunk's containers by the part they play.

    ``current`` was made from the present intent, ``previous`` is what an update replaces (or falls back to): it has
    run, and nobody has tried to remove it. ``spare`` are leftovers. ``main`` is the one that the chunk's health is
    about.
    """

    current: Container | None
    previous: Container | None
    spare: tuple[Container, ...]
    rolled_back: bool

    @property
    def is_pending(self) -> bool:
        """Whether an update has made the new container and not started it yet: the previous one is what counts."""
        return self.current is not None and self.previous is not None and not self.current.run and not self.rolled_back

    @property
    def main(self) -> Container | None:
        """The container that counts: after a roll-back, and until the new one is started, the previous one."""
        return self.previous if self.rolled_back or self.is_pending else (self.current or self.previous)


def roles(i: ChunkInput) -> Roles:
    """Tell the chunk's containers apart."""
    if not i.told_apart:
        i.told_apart.append(_cast(i))
    return i.told_apart[0]


def _cast(i: ChunkInput) -> Roles:
    if i.chunk is None:
        return Roles(None, None, i.containers, False)

    left = stuck(i)

    def fits(c: Container) -> bool:
        if c.id in left or not is_made_from(c, i.chunk) or c.condition in (Condition.DEAD, Condition.REMOVING):
            return False
        if is_outdated(i, c):
            return False
        if i.chunk is not None and i.chunk.kind is Kind.JOB and c.generation != i.generation:
            return False
        return not any(needs_another(i, c, difference) for difference in differing(i, c))

    def rank(c: Container) -> tuple[bool, bool, str]:
        return (c.condition is Condition.RUNNING, not c.name.endswith(PREVIOUS_SUFFIX), c.run)

    def worth(c: Container) -> tuple[bool, bool, bool, str]:
        # What has proved itself is what an update falls back to, also where another update has begun since.
        return (bool(c.run) and c.run == i.memory.proven_run, *rank(c))

    judged = [(c, fits(c)) for c in i.containers]
    fitting = sorted((c for c, is_fit in judged if is_fit), key=rank, reverse=True)
    current = fitting[0] if fitting else None
    aside = [c for c in fitting if is_put_aside(c, current)]
    fitting = [c for c in fitting if not is_put_aside(c, current)]
    others = sorted((*(c for c, is_fit in judged if not is_fit), *aside), key=worth, reverse=True)
    previous = next((c for c in others if c.id not in left and _can_serve_again(i, c)), None)
    spare = tuple(
        c
        for c in (*fitting, *others)
        if c is not current and c is not previous and c.condition is not Condition.REMOVING
    )
    is_rejected = i.memory.rejected == following.target(i.chunk, i.memory, i.image) and not is_due_again(i)
    return Roles(current, previous, spare, bool(is_rejected and previous is not None))


def stuck(i: ChunkInput) -> frozenset[str]:
    """The ids of the containers that are to go and that the engine did not let go."""
    return frozenset(one.id for one in i.memory.leftovers)


def _can_serve_again(i: ChunkInput, c: Container) -> bool:
    if not c.run or c.condition in (Condition.DEAD, Condition.REMOVING) or i.chunk is None:
        return False
    # What shared the namespaces of a container that is gone can't be started by any engine.
    return c.condition not in ENDED or not any(left_behind(i, i.chunk, c))


def is_due_again(i: ChunkInput) -> bool:
    """Whether an update that failed for a trouble that can pass is to be tried again by now."""
    return i.memory.retry_at is not None and i.now >= i.memory.retry_at


def is_renewal(i: ChunkInput, parts: Roles) -> bool:
    """Whether the chunk is to be brought from what it was to its present intent, or is in the middle of that."""
    if i.chunk is None or parts.rolled_back:
        return False
    if parts.previous is not None:
        return True
    done_before = i.memory.job_generation not in (0, i.generation)
    return i.chunk.kind is Kind.JOB and parts.current is None and done_before


def aside_name(c: Container) -> str:
    """What a container is called that another chunk is to have the name of, while it can't have its own yet: two that
    swap their names each step aside first. Nobody else has that name, whoever stepped aside from it before."""
    return f"{c.name}.pnr-aside-{c.id[:12]}"


def left_name(c: Container) -> str:
    """What a container is called that has a name which another one needs, and that the engine does not let go."""
    return f"{c.name}.pnr-left-{c.id[:12]}"


def is_put_aside(c: Container, current: Container | None) -> bool:
    """Whether an update to another image has put a container aside, as far as that can be seen without knowing which of
    the images is wanted."""
    is_aside = c.name.endswith(PREVIOUS_SUFFIX)
    return current is not None and c is not current and is_aside and c.image_id != current.image_id


def is_outdated(i: ChunkInput, c: Container) -> bool:
    """Whether a container has to give way to one with another image."""
    return i.chunk is not None and following.is_outdated(i.chunk, i.memory, i.image, c)


def differing(i: ChunkInput, c: Container) -> tuple[Difference, ...]:
    """What is not as declared in a container of the present intent: changed behind our back, or declared again where
    that takes no other container. Without what is to be left alone, and what could not be cured."""
    found, tolerated = found_differing(i, c), i.memory.tolerated
    return tuple(difference for difference in found if difference.is_passing or str(difference) not in tolerated)


def found_differing(i: ChunkInput, c: Container) -> tuple[Difference, ...]:
    """The same with what could not be cured."""
    if i.chunk is None or c.settings is None or not is_made_from(c, i.chunk):
        return ()
    spec, ignored = i.chunk.container, i.chunk.ignore_drift
    of_settings = differences(spec.settings, c.settings, ignored)
    of_files = mounts.differences(i.chunk, c, i.files)
    return (*of_settings, *of_files, *left_behind(i, i.chunk, c), *endpoints.differences(spec, c, ignored))


def left_behind(i: ChunkInput, chunk: Chunk, c: Container) -> Iterator[Difference]:
    """What a container shares with another that has been replaced since: it points to nothing any more."""
    for setting, name in containers_shared(chunk.container.settings).items():
        found = str((c.settings or {}).get(setting) or "").removeprefix("container:")
        if name in i.ids and found not in (i.ids[name], name, "") and setting not in chunk.ignore_drift:
            yield Difference(setting, f"container {name} is {i.ids[name][:12]} now, {found[:12]} found")


def beside(i: ChunkInput, c: Container) -> str:
    """The run of a container with the runs of those whose namespaces it shares; "" while one of them does not run."""
    names = sorted(set(containers_shared(i.chunk.container.settings).values())) if i.chunk is not None else []
    if not names or not c.run or not all(i.runs.get(name) for name in names):
        return ""
    return " ".join((c.run, *(f"{name}={i.runs[name]}" for name in names)))


def lacks_owner(i: ChunkInput) -> bool:
    """Whether a container whose namespaces are shared does not run: what shares them has no network then."""
    names = containers_shared(i.chunk.container.settings).values() if i.chunk is not None else ()
    return not all(i.runs.get(name) for name in names)


def left_alone(i: ChunkInput, c: Container) -> str:
    """That a container whose namespaces are shared was started again since: it has others now, and what still has its
    old ones reaches nobody in them. Nothing where that is not so."""
    now, first = beside(i, c), i.memory.beside
    if not now or not first.startswith(f"{c.run} ") or now == first:
        return ""
    known = first.split(" ")
    restarted = [part.partition("=")[0] for part in now.split(" ")[1:] if part not in known]
    return f"container {', '.join(restarted)}, whose namespaces it shares, was started again"


def needs_another(i: ChunkInput, c: Container, difference: Difference) -> bool:
    """Whether a difference can only be put right by another container."""
    alive = c.condition in (Condition.RUNNING, Condition.PAUSED, Condition.CREATED, Condition.EXITED)
    return not (difference.in_place and alive and c.id != i.memory.unchangeable)


def drifted(i: ChunkInput, c: Container) -> tuple[str, ...]:
    """The same, a sentence each."""
    return tuple(str(difference) for difference in differing(i, c))


def finished(i: ChunkInput, c: Container) -> bool:
    """Whether an ended container did what it was for."""
    chunk = i.chunk
    if chunk is None or c.condition is not Condition.EXITED or c.exit_code != 0:
        return False
    return chunk.kind is Kind.JOB or (chunk.facts is FactsMode.OFFERED and i.answered_all)
