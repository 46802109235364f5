"""Sees to it that an image is there: what a ``pull_policy`` means, tries again, keeps a record. Blocking.

When an image was last asked for is kept in pnr's own record: ``Metadata.LastTagTime``, the only such time that an
engine shows, stays as it was when a pull finds the image up to date, so that it can't tell.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import IO, Any, TypeVar

import docker

from reconciler.engine.docker.failures import RAISED, NotOurs, translate
from reconciler.engine.docker.guarded_client import GuardedClient
from reconciler.engine.docker.images import building, pulling, refusals, seeing
from reconciler.engine.docker.images.logins import Logins
from reconciler.engine.docker.images.pulling import Tell
from reconciler.engine.docker.images.streams import GivenUp, Stop
from reconciler.engine.protocol import EngineError, ImageBuildFailed, ImagePullFailed, ImageRecord, Milestone
from reconciler.errors import PnrError
from reconciler.intent.image_names import ImageName, parse
from reconciler.intent.model import Build, Login
from reconciler.intent.pull_policy import longest_age
from reconciler.planner.actions import EnsureImage
from reconciler.planner.image_use import registry_digests
from reconciler.planner.observed import LABEL_BUILD, LABEL_BUILT_BY, ImageSeen
from reconciler.quantities import sizes
from reconciler.sentences import advised, taken_apart

T = TypeVar("T")
Pack = Callable[[Build], tuple[IO[bytes], str]]
"""Makes the archive of a build's context; gives it, and the name of the Dockerfile in it. Raises PnrError, OSError."""

PAUSES = (1.0, 2.0, 4.0)
STALL_SECONDS = 60.0

log = logging.getLogger("pnr.engine")


class ImageKeeper:
    """See the module's text. ``pauses`` are the seconds between tries of one attempt; after them whoever asked decides
    when to ask again. A pull in which nothing happens for ``stall_seconds`` is given up."""

    def __init__(
        self,
        *,
        logins: Logins,
        record: ImageRecord | None = None,
        pack: Pack | None = None,
        stall_seconds: float = STALL_SECONDS,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._logins = logins
        self._record = record
        self._pack = pack
        self._stall_seconds = stall_seconds
        self._pauses = tuple(pauses)

    def wants(self, client: docker.APIClient, where: str, action: EnsureImage) -> bool:
        """Whether the policy says to pull or build now. Raises ImagePullFailed where it may not be asked for."""
        return self._wants(action, seeing.inspect(client, action.image, where))

    def ensure(self, client: docker.APIClient, where: str, action: EnsureImage, tell: Tell, stop: Stop) -> None:
        """Pull or build as the policy says. Raises ImagePullFailed or ImageBuildFailed with the words of the registry
        or the engine, EngineUnavailable."""
        present = seeing.inspect(client, action.image, where)
        try:
            if not self._wants(action, present):
                return
            if action.build is not None:
                self._build(client, where, action, action.build, tell, stop)
            else:
                self._pull(client, where, action, present, tell, stop)
        except GivenUp:
            raise EngineError(f"image {action.image}: it is not needed any more") from None

    def asked(self, action: EnsureImage) -> None:
        """The image was asked for just now, by whomever: policies that know an age go by it."""
        if longest_age(action.policy) is not None:
            self._note(lambda record: record.asked(action.image, time.time()))

    def _wants(self, action: EnsureImage, present: ImageSeen | None) -> bool:
        if action.build is not None:
            return self._wants_build(action, action.build, present)
        return self._wants_pull(action, present)

    def newest_digest(self, client: docker.APIClient, where: str, image: str, logins: Mapping[str, Login]) -> str:
        """See :meth:`reconciler.engine.protocol.Engine.newest_digest`."""
        name = parse(image)
        if name.id is not None:
            return name.id
        credentials = self._logins.find(name.registry, logins)
        return seeing.newest_digest(client, name, credentials, self._stall_seconds, where)

    def own(self, client: docker.APIClient, where: str) -> tuple[tuple[ImageSeen, tuple[str, ...]], ...]:
        """See :meth:`reconciler.engine.protocol.Engine.own_images`."""
        recorded = self._record.own() if self._record is not None else {}
        found = ((seeing.inspect(client, id, where), names) for id, names in recorded.items())
        return tuple((image, names) for image, names in found if image is not None)

    def remove(self, client: docker.APIClient, where: str, image_id: str) -> None:
        """See :meth:`reconciler.engine.protocol.Engine.remove_image`."""
        if self._record is None or image_id not in self._record.own():
            raise NotOurs(f"image {image_id} was not brought in by pnr; it is left alone")
        seeing.remove(client, image_id, where)

    # --- pulls ------------------------------------------------------------------------------------------------

    def _wants_pull(self, action: EnsureImage, present: ImageSeen | None) -> bool:
        fits = present is not None and seeing.fits(present, action.platform)
        name = parse(action.image)
        if action.policy == "never" or name.id is not None:
            if present is None:
                why = "its pull_policy is never" if name.id is None else "no registry knows it by its id"
                step = "load it (`docker load`) or build it"
                step += ", or take `pull_policy` out of the domain file" if name.id is None else ""
                raise _permanent(ImagePullFailed(advised(f"image {action.image} is not there, and {why}", step)))
            return False
        if fits and name.is_fixed:
            return False
        if present is not None and action.digest and action.digest not in registry_digests(present, action.image):
            return True
        return not fits or action.policy == "always" or self._is_old(action)

    def built_by(self, image: ImageSeen) -> ImageSeen:
        """The image, with the domain that pnr built it for."""
        return replace(image, built_by=builder(self._record, image))

    def _stranger(self, action: EnsureImage, present: ImageSeen | None) -> str:
        """Another domain than the one that asks, for which what is there was built; "" where it was not."""
        by = builder(self._record, present) if present is not None else ""
        return by if by != action.domain else ""

    def _is_old(self, action: EnsureImage) -> bool:
        age = longest_age(action.policy)
        if age is None:
            return False
        asked = self._record.asked_at(action.image) if self._record is not None else None
        # A clock that was set back must not keep an image from ever being asked for again.
        return asked is None or not 0 <= time.time() - asked < age

    def _pull(
        self,
        client: docker.APIClient,
        where: str,
        action: EnsureImage,
        present: ImageSeen | None,
        tell: Tell,
        stop: Stop,
    ) -> None:
        name = parse(action.image)
        begun = time.monotonic()
        if stranger := self._stranger(action, present):
            raise _permanent(
                ImagePullFailed(
                    advised(
                        f"image {name} is not pulled: domain {stranger} has built one here under that name",
                        f"give one of the two another name; where it is not in use any more: docker rmi {name}",
                    )
                )
            )
        tell(Milestone(f"pulling {name}"))

        def attempt() -> pulling.Pulled:
            # Read again for every try: somebody may have logged in meanwhile.
            credentials = self._logins.find(name.registry, action.logins, _lends(client, action.domain))
            return pulling.pull(
                client,
                name,
                platform=action.platform,
                credentials=credentials,
                tell=tell,
                stop=stop,
                stall_seconds=self._stall_seconds,
                where=where,
                domain=action.domain,
            )

        try:
            pulled = self._tried_again(attempt, f"pulling {name}", tell, stop)
        except ImagePullFailed as error:
            if present is not None and not seeing.fits(present, action.platform):
                here = f"; the one that is here is for {present.platform}, and `platform` is {action.platform}"
                cause, step = taken_apart(str(error))
                step = "correct `platform` where that one is meant" + (f"; else {step}" if step else "")
                told = ImagePullFailed(advised(f"{cause}{here}", step))
                told.permanent = error.permanent
                raise told from error
            raise
        found = seeing.inspect(client, action.image, where)
        if found is None:
            raise ImagePullFailed(f"image {action.image} was pulled, and has been removed since")
        if not seeing.fits(found, action.platform):
            raise _permanent(
                ImagePullFailed(
                    advised(
                        f"image {action.image} does not exist for {action.platform}: the registry has it for"
                        f" {found.platform}",
                        "correct `platform`, or take a tag that has the image for it",
                    )
                )
            )
        is_new = present is None or present.id != found.id
        if is_new:
            self._brought_in(client, where, found, [str(name)])
        tell(Milestone(_pulled_text(name, pulled, found, is_new, time.monotonic() - begun)))

    # --- builds -----------------------------------------------------------------------------------------------

    def _wants_build(self, action: EnsureImage, build: Build, present: ImageSeen | None) -> bool:
        if present is None or action.policy in ("build", "always") or self._is_old(action):
            return True
        if self._stranger(action, present):
            return True  # it is not what the domain has built, whatever its labels say
        # Where nobody has looked at the content, an image of that name is good enough.
        return bool(build.fingerprint) and present.labels.get(LABEL_BUILD) != build.fingerprint

    def _build(
        self, client: docker.APIClient, where: str, action: EnsureImage, build: Build, tell: Tell, stop: Stop
    ) -> None:
        begun = time.monotonic()
        names = [str(parse(name)) for name in (action.image, *build.tags)]
        tell(Milestone(f"building {action.image} from {build.context}"))
        self._note(lambda record: record.builds(names))
        auths = self._logins.all(action.logins, _lends(client, action.domain))

        def attempt() -> None:
            context, dockerfile = self._packed(action.image, build)
            with closing(context):
                building.build(
                    client,
                    action.image,
                    build,
                    context,
                    dockerfile,
                    domain=action.domain,
                    auths=auths,
                    tell=tell,
                    stop=stop,
                    where=where,
                )

        self._tried_again(attempt, f"building {action.image}", tell, stop)
        found = seeing.inspect(client, action.image, where)
        if found is None:
            raise ImageBuildFailed(f"image {action.image} was built, and has been removed since")
        self._brought_in(client, where, found, names, built_by=action.domain)
        seconds = time.monotonic() - begun
        tell(Milestone(f"built {action.image}: {sizes.rounded(found.size)} in {seconds:.1f} s, {found.id}"))

    def _packed(self, image: str, build: Build) -> tuple[IO[bytes], str]:
        if self._pack is None:
            raise _permanent(ImageBuildFailed(f"image {image} can't be built: nothing is built here"))
        try:
            return self._pack(build)
        except (PnrError, OSError) as error:
            raise _permanent(ImageBuildFailed(f"image {image} can't be built from {build.context}: {error}")) from error

    # --- both -------------------------------------------------------------------------------------------------

    def _tried_again(self, attempt: Callable[[], T], doing: str, tell: Tell, stop: Stop) -> T:
        """``attempt``, again after each pause where it fails for a reason that passes."""
        for number, pause in enumerate(self._pauses, 2):
            try:
                return attempt()
            except (ImagePullFailed, ImageBuildFailed) as error:
                if error.permanent:
                    raise
                seconds = max(pause, refusals.wait_wanted(str(error)) or 0.0)
                tell(f"{doing}: try {number} of {len(self._pauses) + 1} in {seconds:g} s, since {error}")
                stop.pause(seconds)
        return attempt()

    def _brought_in(
        self, client: docker.APIClient, where: str, image: ImageSeen, names: list[str], built_by: str = ""
    ) -> None:
        api: Any = client
        try:
            present = {str(id) for id in api.images(quiet=True, all=True)}
        except RAISED as error:
            raise translate(error, where, EngineError) from error

        def note(record: ImageRecord) -> None:
            record.keep(present)
            record.add(image.id, names, built_by)

        self._note(note)

    def _note(self, note: Callable[[ImageRecord], None]) -> None:
        """Keep a record. A disk that is full must not keep a container from its image."""
        if self._record is not None:
            try:
                note(self._record)
            except PnrError as error:
                log.warning("the record of images stays as it is: %s", error)


def _lends(client: docker.APIClient, domain: str) -> Callable[[str], bool]:
    """To which registries the policy lets the daemon's own logins be used for a domain."""
    guard = client.guard if isinstance(client, GuardedClient) else None
    return lambda registry: guard is None or guard.lends_login(domain, registry)


def builder(record: ImageRecord | None, image: ImageSeen) -> str:
    """The domain that pnr built an image for; "" where it did not, or where no record is kept."""
    return record.built_by(image.id, image.labels.get(LABEL_BUILT_BY, ""), image.names) if record is not None else ""


def _pulled_text(name: ImageName, pulled: pulling.Pulled, found: ImageSeen, is_new: bool, seconds: float) -> str:
    digest = pulled.digest or found.id
    if not is_new:
        return f"pulled {name}: up to date in {seconds:.1f} s, {digest}"
    return f"pulled {name}: {sizes.rounded(pulled.bytes)} in {seconds:.1f} s, {digest}"


def _permanent(error: EngineError) -> EngineError:
    error.permanent = True
    return error
