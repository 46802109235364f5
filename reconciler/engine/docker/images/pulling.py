"""One pull: ``POST /images/create``, whose errors come as a status or as a line of the stream. Blocking."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import docker
from docker.errors import DockerException

from reconciler.engine.docker.failures import LOST, unavailable, words
from reconciler.engine.docker.images import logins, refusals
from reconciler.engine.docker.images.logins import Credentials
from reconciler.engine.docker.images.progress import Layers
from reconciler.engine.docker.images.streams import Lines, Stalled, Stop, is_timeout
from reconciler.engine.protocol import EngineUnavailable, ImagePullFailed
from reconciler.intent.image_names import ImageName

PROGRESS_SECONDS = 0.2
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
) -> Pulled:
    """Pull once. Raises ImagePullFailed with the registry's words, EngineUnavailable, GivenUp.

    With a tag and a digest the digest is what is pulled.
    """
    api: Any = client
    params = {"fromImage": image.name, "tag": image.version}
    if platform is not None:
        params["platform"] = platform
    headers = {"X-Registry-Auth": logins.header(credentials.auth)}
    layers = Layers()
    try:
        answer = api._post(
            api._url("/images/create"), params=params, headers=headers, stream=True, timeout=stall_seconds
        )
        api._raise_for_status(answer)
        lines = Lines(client, answer, stop, stall_seconds)
        next_word = 0.0
        for line in lines:
            if "error" in line:
                raise failed(image, str(line["error"]), credentials)
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
        raise failed(image, words(error), credentials) from error
    if not layers.is_over:
        raise EngineUnavailable(f"the Docker engine at {where} broke the pull of {image} off")
    return Pulled(layers.digest, layers.bytes)


def failed(image: ImageName, said: str, credentials: Credentials) -> ImagePullFailed:
    """The error for what was said; ``permanent`` where another try at once can't help."""
    refusal = refusals.of_pull(said)
    advice = credentials.advice(image.registry) if refusal.wants_login else refusal.advice
    error = ImagePullFailed(f"image {image} can't be pulled: {said}" + (f"; {advice}" if advice else ""))
    error.permanent = refusal.permanent
    return error


def _stalled(image: ImageName, seconds: float, layers: Layers) -> ImagePullFailed:
    so_far = layers.text()
    return ImagePullFailed(
        f"image {image} can't be pulled: nothing has come from {image.registry} for {seconds:g} s"
        + (f" (so far {so_far})" if so_far else "")
        + "; it is asked again"
    )
