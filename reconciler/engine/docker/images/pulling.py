"""One pull: ``POST /images/create``, whose errors come as a status or as a line of the stream. Blocking."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import docker
from docker.errors import DockerException

from reconciler.engine.docker import sdk
from reconciler.engine.docker.failures import LOST, RAISED, unavailable, words
from reconciler.engine.docker.images import logins, refusals
from reconciler.engine.docker.images.logins import Credentials
from reconciler.engine.docker.images.progress import Layers
from reconciler.engine.docker.images.streams import Lines, Stalled, Stop, is_timeout
from reconciler.engine.protocol import EngineUnavailable, ImagePullFailed
from reconciler.intent.image_names import ImageName, parse
from reconciler.policy.request import FOR_DOMAIN
from reconciler.sentences import advised

PROGRESS_SECONDS = 0.2
_NEARLY = 0.9
_MOST_NEAR = 3
LOCAL_WORK_SECONDS = 600.0
"""So long the engine may be silent over checking and unpacking what it has fetched: slow disks and large layers."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull brought: the registry's digest, and how many bytes of layers were fetched."""

    digest: str
    bytes: int


def pull(
    client: docker.APIClient,
    image: ImageName,
    *,
    platform: str | None,
    credentials: Credentials,
    tell: Tell,
    stop: Stop,
    stall_seconds: float,
    where: str,
    domain: str = "",
) -> Pulled:
    """Pull once, for a ``domain``. Raises ImagePullFailed with the registry's words, EngineUnavailable, GivenUp.

    With a tag and a digest the digest is what is pulled.
    """
    params = {"fromImage": image.name, "tag": image.version}
    if platform is not None:
        params["platform"] = platform
    headers = {"X-Registry-Auth": logins.header(credentials.auth), FOR_DOMAIN: domain}
    layers = Layers()
    try:
        answer = sdk.open_stream(client, "/images/create", params=params, headers=headers, timeout=stall_seconds)
        lines = Lines(client, answer, stop, stall_seconds)
        next_word = 0.0
        for line in lines:
            if "error" in line:
                raise failed(image, str(line["error"]), credentials, _names_here(client))
            layers.add(line)
            lines.be_patient(max(stall_seconds, LOCAL_WORK_SECONDS) if layers.is_local_work else stall_seconds)
            if time.monotonic() >= next_word:
                text = layers.text()
                if text:
                    next_word = time.monotonic() + PROGRESS_SECONDS
                    tell(f"pulling {image}: {text}")
    except Stalled as error:
        raise _stalled(image, stall_seconds, layers) from error
    except LOST as error:
        if is_timeout(error):
            raise _stalled(image, stall_seconds, layers) from error
        raise unavailable(error, where) from error
    except (DockerException, OSError) as error:
        raise failed(image, words(error), credentials, _names_here(client)) from error
    if not layers.is_over:
        raise EngineUnavailable(f"the Docker engine at {where} broke the pull of {image} off")
    return Pulled(layers.digest, layers.bytes)


def failed(image: ImageName, said: str, credentials: Credentials, here: Collection[str] = ()) -> ImagePullFailed:
    """The error for what was said; ``permanent`` where another try at once can't help. ``here`` are the names of the
    images that the engine has: one that is nearly the same is what was meant, most often."""
    refusal = refusals.of_pull(said)
    advice = credentials.advice(image.registry) if refusal.wants_login else refusal.advice
    if refusal.wants_login and credentials.auth:
        cause = f"{image.registry} refuses {credentials.whose}"
    elif refusal.wants_login:
        cause = f"{image.registry} does not give it without a login, or does not have it"
    elif refusal.not_there:
        cause = f"{image.registry} has no such image"
    elif refusal.unreachable:
        cause = f"{image.registry} can't be reached"
    else:
        cause = ""
    near = near_names(str(image), here) if refusal.not_there or refusal.wants_login or refusal.unreachable else []
    if near and not credentials.auth:
        advice = f"if {' or '.join(near)} is meant, which is here, correct the name of the image; else {advice}"
    error = ImagePullFailed(
        advised(
            f"image {image} can't be pulled: {cause} ({said})" if cause else f"image {image} can't be pulled: {said}",
            advice,
        )
    )
    error.permanent = refusal.permanent
    return error


def near_names(image: str, here: Collection[str]) -> list[str]:
    """The names among ``here`` that are nearly ``image``: with another tag, or mistyped."""
    wanted = parse(image)
    there = [parse(one) for one in here if not one.startswith("<none>")]
    others = {str(name): name for name in there if name.registry == wanted.registry and str(name) != image}
    tags = sorted((text for text, name in others.items() if name.name == wanted.name), reverse=True)
    return (tags or difflib.get_close_matches(image, list(others), cutoff=_NEARLY))[:_MOST_NEAR]


def _names_here(client: docker.APIClient) -> list[str]:
    try:
        return [str(tag) for body in client.images() for tag in body.get("RepoTags") or ()]
    except RAISED:
        return []  # it only helps with the message


def _stalled(image: ImageName, seconds: float, layers: Layers) -> ImagePullFailed:
    so_far = layers.text()
    return ImagePullFailed(
        f"image {image} can't be pulled: nothing has come from {image.registry} for {seconds:g} s"
        + (f" (so far {so_far})" if so_far else "")
        + "; it is asked again"
    )
