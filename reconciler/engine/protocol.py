"""What the controller asks of an engine: see, do, and say when to look again.

Implementations: :mod:`reconciler.engine.docker` and :mod:`reconciler.engine.simulated`. All methods are
coroutines on the loop's thread; whatever blocks is the implementation's own concern. An engine keeps no intent
and takes no decision: it carries out one action a call and shows what there is.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from reconciler.errors import PnrError, Unreachable
from reconciler.intent.model import ChunkId, Login
from reconciler.planner.actions import Action
from reconciler.planner.mounts import News
from reconciler.planner.observed import Container, ImageSeen, Observed
from reconciler.states import Reason


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """``name`` is ``docker`` or ``simulated``; ``version`` the engine's own (``28.5.2``). ``api_version`` is the one
    that is spoken with it, ``system`` its operating system (``linux``), ``id`` what it calls itself; each "" where it
    does not matter. ``live_restore``: whether its containers run on while it is stopped; None where that is not
    known."""

    name: str
    version: str
    api_version: str = ""
    system: str = ""
    id: str = ""
    live_restore: bool | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class EngineError(PnrError):
    """A call that the engine refused or could not carry out.

    ``code`` is the reason of a chunk that fails by it.
    ``permanent`` is True where trying the same again cannot help until something is declared again. What is not may
    pass by itself: it is never a verdict on what was to be brought up.
    """

    code: ClassVar[Reason] = Reason.ENGINE_ERROR
    permanent: bool = False

    def __init__(self, message: str, *, permanent: bool | None = None) -> None:
        super().__init__(message)
        if permanent is not None:
            self.permanent = permanent


class EngineUnavailable(EngineError, Unreachable):
    """The engine does not answer."""

    code = Reason.ENGINE_UNAVAILABLE


class NameConflict(EngineError):
    """A foreign object holds the wanted name; the message names it."""

    code = Reason.NAME_CONFLICT


class PortInUse(EngineError):
    """A host port is held; the message names the holder where it can be found."""

    code = Reason.PORT_IN_USE


class AddressInUse(EngineError):
    """An address that a container is to have in a network is held."""

    code = Reason.ADDRESS_IN_USE


class ImagePullFailed(EngineError):
    """The registry's or the engine's own words about an image that can't be had."""

    code = Reason.IMAGE_PULL_FAILED


class RegistryFailed(EngineError):
    """A registry that could not be asked, in the engine's words."""


class ImageBuildFailed(EngineError):
    """The last lines of a build that failed."""

    code = Reason.IMAGE_BUILD_FAILED


class CreateFailed(EngineError):
    """The engine refused to create the object."""

    code = Reason.CREATE_FAILED


class UpdateFailed(EngineError):
    """The engine would not change a setting of a container that exists."""

    code = Reason.UPDATE_FAILED


class StartFailed(EngineError):
    """The engine created the container but could not start it."""

    code = Reason.START_FAILED


class PolicyRefused(EngineError):
    """The policy of this daemon does not allow the request; it was not sent."""

    code = Reason.POLICY_REFUSED
    permanent = True


class NotFound(EngineError):
    """The object of the call is gone."""


class OutOfDate(EngineError):
    """What is there is no longer what the call was meant for."""


class ImageRecord(Protocol):
    """Which images pnr pulled or built, and when it asked for them last. May be called from several threads."""

    def asked_at(self, image: str) -> float | None:
        """The Unix time at which ``image`` was last asked for, where it was kept."""
        ...

    def asked(self, image: str, at: float) -> None:
        """Keep that a registry was asked for ``image``. Raises PnrError."""
        ...

    def own(self) -> Mapping[str, tuple[str, ...]]:
        """The ids of the images that pnr brought in, with the names under which it did."""
        ...

    def built_by(self, image_id: str, said: str = "", names: Collection[str] = ()) -> str:
        """The domain that pnr built an image for; "" where it did not. ``said`` is what its label says, which counts
        while something is built under one of its ``names``."""
        ...

    def builds(self, names: Collection[str]) -> None:
        """Something is about to be built under these names. Raises PnrError."""
        ...

    def add(self, image_id: str, names: Collection[str], built_by: str = "") -> None:
        """pnr brought this image in: pulled it, or built it for a domain. Raises PnrError."""
        ...

    def keep(self, present: Collection[str]) -> None:
        """Forget the images whose ids are not among these. Raises PnrError."""
        ...


class Lending(Protocol):
    """What domains share with others, as their intents in force say. May be called from several threads."""

    def shares(self, kind: str, name: str, owner: str, domain: str) -> bool:
        """Whether ``owner`` lets ``domain`` have its ``network`` or ``volume`` of this name in the engine."""
        ...


class Adopted(Protocol):
    """The program's own record of containers that somebody else made and that it has taken over."""

    def labels(self, container_id: str) -> Mapping[str, str]:
        """What our labels would say on a container; empty for one that was not taken over."""
        ...

    def adopt(self, container_id: str, labels: Mapping[str, str]) -> None:
        """Take a container over. Raises PnrError where that can't be recorded."""
        ...

    def keep(self, present: Collection[str]) -> None:
        """Forget all but these."""
        ...


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A hint to look: ``container_id`` of what may have changed, or None for "look at everything".

    ``owner`` is the chunk that the container belongs to, where the engine told it along. ``images``: what may have
    changed are only the engine's images and their names. ``is_told_to_end``: somebody has sent the container a signal
    that ends it, so that its end is not its own.
    """

    container_id: str | None
    owner: ChunkId | None = field(default=None, compare=False)
    images: bool = False
    is_told_to_end: bool = False


class Milestone(str):
    """A line of progress that is worth keeping: it belongs in the journal too."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Printed:
    """A line that a container printed, on either stream. ``at``: when, by the engine's clock, in nanoseconds."""

    at: int
    text: str


Progress = Callable[[str], None]
"""Takes a short line for people: ``pulling mongo:latest: 40 %``. May be called from the loop's thread only."""


@dataclass(frozen=True, slots=True)
class RunOutput:
    """What was printed by a run that ended. Without ``is_its_own`` it can't be told whether this run or another one of
    the container printed it: an empty one then does not mean that it printed nothing. ``printed_at`` is when the engine
    took the last line of it (Unix time, which a busy engine may stamp after the end of the run)."""

    text: str
    is_its_own: bool = True
    printed_at: float | None = field(default=None, compare=False)


class Engine(Protocol):
    """See the module's text. Every method raises EngineUnavailable when the engine can't be asked."""

    async def connect(self) -> EngineInfo:
        """Reach the engine and learn what it is."""
        ...

    async def ping(self) -> None:
        """Return when the engine answers."""
        ...

    async def observe(self) -> Observed:
        """Look at everything: all containers, networks and volumes, ours and foreign."""
        ...

    async def look(self, container_id: str) -> Container | None:
        """Look at one container, by id or name; None when it is gone."""
        ...

    async def perform(self, action: Action, progress: Progress | None = None) -> Container | None:
        """Carry out one action. Returns the container as it is afterwards where the action concerns one that
        still exists, else None. Raises an EngineError. Idempotent: repeating a done action changes nothing."""
        ...

    def glimpses(self) -> AsyncIterator[Glimpse]:
        """Hints to look, until the connection is lost (then raises EngineUnavailable; call again to go on).
        The first hint of every call is ``Glimpse(None)``: what was missed before it can't be known."""
        ...

    async def run_inside(self, container_id: str, command: list[str], limit_seconds: float) -> tuple[int, str]:
        """Run a command in a container; its exit code and the tail of its output (at most 4 KiB)."""
        ...

    async def last_output(self, container_id: str, lines: int = 20) -> str:
        """The end of what the container printed, both streams, without timestamps."""
        ...

    async def output_since(self, container_id: str, since: float | None, limit_bytes: int) -> str:
        """What the container printed since the given Unix time (None: since its last start), the newest ``limit_bytes``
        of it."""
        ...

    async def output_of_run(self, ended: Container, after: float | None, limit_bytes: int) -> RunOutput:
        """What a run printed that ended, as seen here, the newest ``limit_bytes`` of it. ``after`` is when the run just
        before it ended, or its last line was taken if that was later (Unix time; None: not known). The container may
        run again by now. Raises EngineError where its output can't be read."""
        ...

    def follow(self, container_id: str, since: int | None, tail: int | None) -> AsyncGenerator[Printed, None]:
        """What a container prints, line by line: what it has printed since a time (in nanoseconds; None: ever), of that
        the last ``tail`` lines (None: all), then what comes, until it ends. Raises EngineError, NotFound."""
        ...

    async def file_news(self, containers: Collection[Container]) -> tuple[News, bool]:
        """What of the host's files and directories is no longer as these containers have it mounted, by their ids; and
        whether something was written so shortly before that it has to be looked at again. Nothing where the engine's
        machine can't be looked at."""
        ...

    async def volume_sizes(self) -> Mapping[str, int]:
        """What is in the volumes, in bytes, by name; without those of which the engine can't tell. Looks at all that is
        in them, which may take its time."""
        ...

    async def image(self, name: str) -> ImageSeen | None:
        """An image that the engine has, by name or id; None where it has none."""
        ...

    async def images_named(self, names: Collection[str]) -> Mapping[str, ImageSeen]:
        """What the engine has under these names, by name: ``id``, ``names`` and ``digests`` are sure, nothing else. No
        digests among the names."""
        ...

    async def newest_digest(self, image: str, logins: Mapping[str, Login] | None = None) -> str:
        """The digest (``sha256:…``) that the registry has under this name now. Raises RegistryFailed."""
        ...

    async def own_images(self) -> tuple[tuple[ImageSeen, tuple[str, ...]], ...]:
        """The images that pnr pulled or built and that are still there, each with the names under which it did."""
        ...

    async def remove_image(self, image_id: str) -> None:
        """Remove an image that pnr pulled or built, with its names; one that is gone is fine. Raises an EngineError
        where it is in use, or not ours."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads."""
        ...
