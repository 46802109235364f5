"""What the loop keeps of each domain and chunk, and the messages that reach it. Owned by the loop alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from math import inf
from typing import Any

from reconciler.controller.clock import iso
from reconciler.diagnostics import Diagnostic
from reconciler.engine.protocol import EngineError, EngineInfo, RunOutput
from reconciler.facts import Pnr
from reconciler.intent.judgement import InForce
from reconciler.intent.model import Chunk, ChunkId, Domain
from reconciler.planner.actions import Action, Work
from reconciler.planner.criteria import Criteria
from reconciler.planner.health import Health
from reconciler.planner.mounts import News
from reconciler.planner.observed import Container, ImageSeen, Observed
from reconciler.planner.removal import Hold
from reconciler.planner.retry_state import RetryState
from reconciler.planner.rolling import Stage
from reconciler.planner.situation import ChunkInput
from reconciler.probes.protocol import ProbeResult
from reconciler.states import Reason, State

SNAPSHOT_VERSION = 1
"""Of the format of snapshots, described in docs/state-format.md."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a container's last run ended. ``output`` is the last that this run printed, None while that is not known: it
    is not read yet, can't be read, or can't be told from what other runs printed. ``earlier`` is then what the
    container printed last, in this run or one before. ``finished`` is when it ended or, where that was later, when the
    engine took the last line of it (Unix time)."""

    run: str
    code: int | None
    oom: bool
    output: str | None = None
    container: str = ""
    finished: float | None = None
    restarts: int = 0
    earlier: str = ""


@dataclass(slots=True)
class ChunkRecord:
    """One chunk as the loop knows it. ``state`` is moved by the machine of :mod:`reconciler.lifecycle` only. ``stage``
    is what was found as it was last decided about, of a copy of several; ``renews`` that it is on its way to another
    intent."""

    id: ChunkId
    since: datetime
    state: str = State.READY.value
    reason: Reason = Reason.NEW
    message: str = ""
    memory: RetryState = field(default_factory=RetryState)
    health: Health = field(default_factory=Health)
    busy: tuple[Reason, str] | None = None
    busy_since: float = 0.0
    worked_at: float = 0.0  # when work on it ended last, or the program began
    under_way: tuple[ChunkInput, Work] | None = None  # the work, and what it was begun from
    own: Mapping[str, Pnr] = field(default_factory=dict)
    own_problems: tuple[str, ...] = ()
    touched: int = 0
    put_off: set[str] = field(default_factory=set)
    restarts: int = 0
    recovers: bool = False  # whether what is started by the work under way is started again
    attempts_total: int = 0
    judged: Criteria | None = None  # by what its container that counts is judged; None where nobody knows
    ending: Ending | None = None
    ending_of_previous: Ending | None = None  # while ``ending`` is that of a new version that was given up
    wake_at: float | None = None
    last: Chunk | None = None
    answers: Mapping[str, Pnr] = field(default_factory=dict)
    stage: Stage | None = None
    renews: bool = False
    started_run: str = ""  # the run that our own last start began
    first_run: str = ""  # that of a container that had not run before
    was_shut: bool = False  # its gate did not hold when it was last decided about
    told_run: str = ""  # the run that somebody told to end, and when
    told_at: float = 0.0
    told_first: str = ""  # the id of a container whose first run, which is not known yet, somebody told to end
    as_declared: bool = False  # it was, since its intent changed, or since we took a network from it ourselves
    mended: tuple[datetime, str] | None = None  # what somebody did to what was up, and when it was put right
    ended_away: datetime | None = None  # when it was seen that its container has ended while the engine was away
    is_new: bool = False  # its intent has changed, and nothing was decided about it since
    stood: tuple[str, bool] = (State.READY.value, False)  # its state, and whether it stays so, as it was told last

    def judged_as(self, chunk: Chunk) -> Chunk | Criteria:
        """By what its container that counts is judged; where nobody knows, by what is declared now."""
        return self.judged if self.judged is not None else chunk


@dataclass(slots=True)
class DomainRecord:
    """One domain as the loop knows it.

    ``domain`` is the intent in force (the last good one). ``elsewhere`` says who else works on this domain of the
    engine, so that this program leaves it alone. ``gone``: its file went away; ``down``: a person took it
    down; either way its chunks are to be removed. ``errors`` are what is wrong with its file, ``warnings`` what only
    looks wrong in it beside the other files.

    ``known_since`` is when it was declared first, on the loop's clock; ``seen`` that its file was there since the
    program started. ``missed_at``: since when its file is not there,
    and ``stir_at`` when the stir in the folder began in which it went. ``hold`` is why its removal is held until a
    person confirms it, ``gone_of`` the counts that led to that, and ``held`` all of it in words.
    """

    name: str
    file: str
    domain: Domain | None
    intent: str = ""
    generation: int = 1
    commit: str | None = None
    errors: tuple[Diagnostic, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    gone: bool = False
    down: bool = False
    volumes_too: bool = False
    known_since: float = -inf
    seen: bool = False
    missed_at: float | None = None
    stir_at: float = -inf
    hold: Hold | None = None
    gone_of: tuple[int, int] = (0, 0)
    held: str = ""
    held_since: datetime | None = None
    elsewhere: str = ""

    @property
    def vanished(self) -> bool:
        """Whether its file is not there, and what that means is not judged yet."""
        return self.missed_at is not None and self.hold is None and not self.gone

    @property
    def wanted(self) -> Domain | None:
        """The intent to converge to; None when everything of the domain is to go."""
        return None if self.gone or self.down else self.domain

    @property
    def unknown(self) -> bool:
        """Whether nobody can tell what is wanted: the text that was in force means nothing now (a file that it refers
        to can't be read, most often). What there is stays as it is. So it does where another pnr works on it."""
        return bool(self.elsewhere) or (self.domain is None and not self.gone and not self.down)


@dataclass(frozen=True)
class FactState:
    """A fact in the table, since when, and who answered it."""

    fact: Pnr
    since: datetime
    by: str

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """As documents show it."""
        return {
            "prompt": self.fact.prompt,
            "response": list(self.fact.response),
            "tv": self.fact.tv.value,
            "since": iso(self.since),
            "by": self.by,
        }


# --- messages to the loop -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScanTaken:
    """The domains directory was read."""

    scan: Any


@dataclass(frozen=True, slots=True)
class ScanJudged:
    """A scan was judged, beside what was ``in_force``; ``judged`` is None where the directory is missing."""

    scan: Any
    number: int
    in_force: list[InForce]
    judged: Any


@dataclass(frozen=True, slots=True)
class JudgeAgain:
    """A domain is gone for good: a file that wants one of its names may be right now."""


@dataclass(frozen=True, slots=True)
class EngineUp:
    """The engine answers."""

    info: EngineInfo


@dataclass(frozen=True, slots=True)
class EngineLost:
    """The engine does not answer."""

    message: str


@dataclass(frozen=True, slots=True)
class StreamDropped:
    """The engine's event stream ended, and the engine answers: it is looked at without hints until there are some."""

    message: str


@dataclass(frozen=True, slots=True)
class SeenAll:
    """Everything was looked at; the look began when ``asked`` steps of ours were known to be done. It was the
    ``number``-th, and began ``at``."""

    observed: Observed
    asked: int
    number: int
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class SeenOne:
    """One container was looked at; the look began ``at``, when ``asked`` steps of ours were known to be done."""

    container_id: str
    container: Container | None
    asked: int
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class WorkProgress:
    """Work goes on: what it is at, for people."""

    key: ChunkId | str
    reason: Reason | None
    message: str


@dataclass(frozen=True, slots=True)
class StepDone:
    """One action of a piece of work was carried out; ``container`` as it is afterwards."""

    key: ChunkId | str
    action: Action
    container: Container | None


@dataclass(frozen=True, slots=True)
class WorkDone:
    """A piece of work ended, with the error that ended it early, and the action that it happened at; or it was given up
    (``cancelled``), since it is not wanted any more. Only the first ``begun`` of its steps were begun."""

    key: ChunkId | str
    error: EngineError | None = None
    cancelled: bool = False
    action: Action | None = None
    begun: int = 0


@dataclass(frozen=True, slots=True)
class Probed:
    """A probe of a run, which was asked ``asked``, has answered. ``counts`` is False for an early look that may fail
    without meaning. For ``lost`` seconds nobody had a turn on this machine, as it was due or while it was open."""

    id: ChunkId
    run: str
    result: ProbeResult
    counts: bool
    asked: float
    lost: float = 0.0


@dataclass(frozen=True, slots=True)
class RuntimeSaid:
    """Something was written to a chunk's ``/runtime``."""

    id: ChunkId


@dataclass(frozen=True, slots=True)
class OutputRead:
    """The last output of a run that ended; None where it can't be read."""

    id: ChunkId
    container: str
    run: str
    output: RunOutput | None


@dataclass(frozen=True, slots=True)
class ImagesSeen:
    """The images of these names were looked at; the look began when so many of our own steps on images (``asked``) were
    known to be done."""

    names: tuple[str, ...]
    images: Mapping[str, ImageSeen]
    asked: int


@dataclass(frozen=True, slots=True)
class RegistrySaid:
    """A registry was asked what it has under a tag. ``key`` is the question's."""

    key: tuple[str, ...]
    digest: str
    error: EngineError | None = None


@dataclass(frozen=True, slots=True)
class FetchSaid:
    """A fetch ahead goes on: what it is at, for people."""

    key: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class FetchEnded:
    """A fetch ahead has ended; ``image`` is what the engine has under the name then."""

    key: tuple[str, ...]
    image: ImageSeen | None
    error: EngineError | None = None


@dataclass(frozen=True, slots=True)
class LookNow:
    """A person asked to converge: domains that were taken down come back, back-offs are cut short."""

    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TakeDown:
    """A person asked to take domains down."""

    only: tuple[str, ...] = ()
    volumes: bool = False


@dataclass(frozen=True, slots=True)
class ConfirmRemoval:
    """A person wants domains whose files are gone to go (all of these, where none is named)."""

    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Beat:
    """Asks the loop for a sign of life."""


@dataclass(frozen=True, slots=True)
class FilesSeen:
    """What of the host's files is not as containers have it: all of it, by the ids of the containers."""

    news: News


Message = (
    Beat
    | ScanTaken
    | ScanJudged
    | JudgeAgain
    | EngineUp
    | EngineLost
    | StreamDropped
    | SeenAll
    | SeenOne
    | WorkProgress
    | StepDone
    | WorkDone
    | Probed
    | RuntimeSaid
    | OutputRead
    | ImagesSeen
    | RegistrySaid
    | FetchSaid
    | FetchEnded
    | LookNow
    | TakeDown
    | FilesSeen
    | ConfirmRemoval
)
