"""Which image a chunk's container must have, where its tag is followed or a person says so. Pure.

A tag is followed in two steps. What the registry has and the engine has not is fetched first, while the old container
runs: that changes nothing but the engine's tag. Then, and in the same way where the engine's own tag is followed,
the container is compared by its image's id, which tells for sure whether another one would differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.intent.image_names import parse
from reconciler.intent.model import Adopt, AutoUpdatePolicy, Chunk, Kind
from reconciler.intent.settings.volumes import images_mounted
from reconciler.planner.actions import EnsureImage
from reconciler.planner.compare import is_made_from
from reconciler.planner.observed import Container, ImageNews
from reconciler.planner.retry_state import RetryState
from reconciler.sentences import advised

_STEP = "give one of the two another name, or name the image in images.of_domains of the policy, where it is meant"
_SHORT = len("sha256:") + 12


def wanted_id(chunk: Chunk, memory: RetryState, news: ImageNews) -> str:
    """The id of the image that a container must have; "" where any will do that was made from the intent.

    While nobody can say what the tag stands for (after each of our own steps on the image, until it is looked at
    again; while a registry does not answer), what was given up stays given up, and what an update under way was made
    for stays wanted: else the one would be tried again, and the other be taken for a leftover.
    """
    known = ""
    if chunk.auto_update is None:
        known = memory.asked_image if not news.stranger or memory.asked_image != news.id else ""
    elif news.stranger:
        pass  # what another domain has built is never taken up
    elif chunk.auto_update.policy is AutoUpdatePolicy.LOCAL or (news.newest and news.newest in news.digests):
        known = news.id
    return known or _given_up(chunk, memory) or (memory.aimed_image if memory.aimed_from else "")


def _given_up(chunk: Chunk, memory: RetryState) -> str:
    for target in (memory.rejected, memory.paused):
        digest, _, image = target.partition("@")
        if image and digest == chunk.container.digest:
            return image
    return ""


def is_outdated(chunk: Chunk, memory: RetryState, news: ImageNews, c: Container) -> bool:
    """Whether a container must give way to one with another image.

    One that was made for the wanted image and shows another id is not replaced again: engines have more than one
    word for an image, and tags move.
    """
    wanted = wanted_id(chunk, memory, news)
    if not wanted or c.image_id == wanted:
        return False
    return memory.aimed_image != wanted or c.id == memory.aimed_from


def target(chunk: Chunk, memory: RetryState, news: ImageNews) -> str:
    """What an update leads to: the hash of the spec and, where a certain image is wanted, ``@`` and its id."""
    return target_of(chunk, wanted_id(chunk, memory, news))


def target_of(chunk: Chunk, image_id: str) -> str:
    """The same where the image is known; "": any."""
    return f"{chunk.container.digest}@{image_id}" if image_id else chunk.container.digest


def aim(memory: RetryState, image_id: str, replaced: str) -> RetryState:
    """The memory once an update to an image begins, of the container whose id is ``replaced``: the last one that was
    given up is history."""
    return replace(memory, aimed_image=image_id, aimed_from=replaced, rejected="", paused="")


def arrived(memory: RetryState) -> RetryState:
    """The memory once a container is up and nothing is left of what it replaced: no update is under way, none was given
    up, and what a person asked for is done."""
    m = memory
    if not (m.aimed_from or m.rejected or m.paused or m.asked_image or m.retries) and m.retry_at is None:
        return m  # as of all that stand still, which are looked at again and again
    return replace(m, aimed_from="", rejected="", paused="", asked_image="", retry_at=None, retries=0)


def rejected_image(memory: RetryState) -> str:
    """The id of the image that the last update was given up for; "" for none."""
    return (memory.rejected or memory.paused).partition("@")[2]


def moved(chunk: Chunk, news: ImageNews, c: Container) -> str:
    """A sentence where the engine has another image under the declared name than the container was made from."""
    if not news.id or not c.image_id or news.id == c.image_id or parse(chunk.container.image).is_fixed:
        return ""
    if "image" in chunk.ignore_drift:
        return ""
    told = f"image: {chunk.container.image} is {short(news.id)} now, {short(c.image_id)} found"
    return (
        advised(f"{told}: domain {news.stranger} has built it, so it is not taken up", _STEP) if news.stranger else told
    )


def by_request(chunk: Chunk, memory: RetryState, news: ImageNews, containers: Iterable[Container]) -> RetryState:
    """The memory once a person has asked to converge: a tag that has moved counts then, as for ``compose up``. Not one
    under which another domain has built something: who may build must not thereby choose what others run."""
    if news.stranger or chunk.auto_update is not None or chunk.kind is Kind.JOB or memory.asked_image == news.id:
        return memory
    ours = [c for c in containers if is_made_from(c, chunk)]
    return replace(memory, asked_image=news.id) if any(moved(chunk, news, c) for c in ours) else memory


def by_drift(chunk: Chunk, memory: RetryState, news: ImageNews, containers: Iterable[Container]) -> RetryState:
    """The memory as a chunk is decided about: a tag that was moved behind our back is drift, put right like any other.

    Not where the name does not say for sure which image is meant (one that is built, or chosen by its platform), nor
    where containers are taken over as they are; and what was given up for is not tried again.
    """
    spec = chunk.container
    is_unsure = spec.build is not None or bool(spec.settings.get("platform")) or chunk.adopt is not Adopt.NO
    if is_unsure or target_of(chunk, news.id) in (memory.rejected, memory.paused):
        return memory
    return by_request(chunk, memory, news, containers)


def newer(chunk: Chunk, news: ImageNews) -> EnsureImage | None:
    """What has to be fetched to follow the registry."""
    auto, spec = chunk.auto_update, chunk.container
    if auto is None or auto.policy is not AutoUpdatePolicy.REGISTRY:
        return None
    if not news.newest or news.newest in news.digests:
        return None
    return replace(fetch(chunk), policy="missing", digest=news.newest) if spec.build is None else None


def fetch(chunk: Chunk) -> EnsureImage:
    """Seeing to the chunk's image as it is declared."""
    spec = chunk.container
    platform = spec.settings.get("platform")
    return EnsureImage(spec.image, spec.build, spec.pull_policy, platform, spec.logins, domain=chunk.id.domain)


def mounted(chunk: Chunk) -> list[EnsureImage]:
    """Seeing to the images that the chunk's container mounts."""
    own = fetch(chunk)
    policy = "never" if own.policy == "never" else "missing"
    names = images_mounted(chunk.container.settings)
    return [replace(own, image=name, build=None, policy=policy) for name in names]


def present(chunk: Chunk) -> EnsureImage:
    """Seeing to it that what the engine has under the chunk's tag is still there."""
    policy = "missing" if chunk.container.build is None else "never"
    return replace(fetch(chunk), build=None, policy=policy)


def short(digest: str) -> str:
    """A digest or id as people see it."""
    return f"{digest[:_SHORT]}…" if len(digest) > _SHORT else digest
