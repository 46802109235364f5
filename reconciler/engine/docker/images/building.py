"""One build: the context goes to the engine as an archive (``POST /build``), its output comes back. Blocking."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import IO, Any

import docker
from docker.errors import DockerException

from reconciler.engine.docker import sdk
from reconciler.engine.docker.failures import LOST, unavailable, words
from reconciler.engine.docker.images import logins, refusals
from reconciler.engine.docker.images.progress import Layers
from reconciler.engine.docker.images.pulling import PROGRESS_SECONDS, Tell
from reconciler.engine.docker.images.streams import Lines, Stop
from reconciler.engine.protocol import EngineUnavailable, ImageBuildFailed
from reconciler.intent.image_names import parse
from reconciler.intent.model import Build
from reconciler.intent.settings import ulimits
from reconciler.planner.observed import LABEL_BUILD, LABEL_BUILT_BY
from reconciler.policy.request import FOR_DOMAIN
from reconciler.sentences import advised

KEPT_LINES = 20
_LONGEST_LINE = 200
_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)", re.DOTALL)
_OF_THE_BUILDER = re.compile(r"Step \d+/\d+ : |--->|Removing intermediate container|Successfully |\[Warning\]")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


def build(
    client: docker.APIClient,
    image: str,
    wanted: Build,
    context: IO[bytes],
    dockerfile: str,
    *,
    domain: str,
    auths: Mapping[str, logins.Auth],
    tell: Tell,
    stop: Stop,
    where: str,
) -> None:
    """Build the archive ``context`` for a ``domain``, and tag the result. Raises ImageBuildFailed with the last lines
    of its output, EngineUnavailable, GivenUp. A step may be silent for as long as it likes."""
    headers = {"Content-Type": "application/x-tar", "X-Registry-Config": logins.header(auths), FOR_DOMAIN: domain}
    kept: list[str] = []
    layers = Layers()
    is_over = False
    try:
        params = _params(client, image, wanted, dockerfile, domain)
        answer = sdk.open_stream(client, "/build", params=params, headers=headers, timeout=None, data=context)
        next_word = 0.0
        step = ""
        for line in Lines(client, answer, stop, None):
            if "error" in line:
                raise _failed(image, wanted, [*kept, _clean(str(line["error"]))])
            is_over = is_over or "ID" in (line.get("aux") or {})
            text = _clean(str(line.get("stream") or ""))
            match = _STEP.match(text)
            if text:
                kept = [*kept, text][-KEPT_LINES:]
                step = f"step {match[1]} of {match[2]}: {' '.join(match[3].split())}" if match else step
            else:
                layers.add(line)
            # A step that begins is told at once: it may say nothing until it ends.
            if match or (time.monotonic() >= next_word and (step or layers.text())):
                next_word = time.monotonic() + PROGRESS_SECONDS
                pulling = layers.text() if "progressDetail" in line else ""
                said = f"{step or 'pulling its base'}{f' ({pulling})' if pulling else ''}"
                tell(f"building {image}: {said[:_LONGEST_LINE]}")
    except LOST as error:
        raise unavailable(error, where) from error
    except (DockerException, OSError) as error:
        raise _failed(image, wanted, [*kept, words(error)]) from error
    if not is_over:
        raise EngineUnavailable(f"the Docker engine at {where} broke the build of {image} off")


def _params(client: docker.APIClient, image: str, wanted: Build, dockerfile: str, domain: str) -> dict[str, Any]:
    """The query of ``POST /build``; what is not declared is not sent."""
    arguments = {**sdk.proxies(client), **wanted.args}
    own = {LABEL_BUILD: wanted.fingerprint, LABEL_BUILT_BY: domain}
    labels = {**wanted.labels, **{label: value for label, value in own.items() if value}}
    params: dict[str, Any] = {
        "t": [str(parse(name)) for name in (image, *wanted.tags)],
        "dockerfile": dockerfile,
        "rm": True,
        "forcerm": True,
        "nocache": wanted.no_cache or None,
        "pull": wanted.pull or None,
        "buildargs": json.dumps(arguments) if arguments else None,
        "labels": json.dumps(labels) if labels else None,
        "target": wanted.target,
        "networkmode": wanted.network,
        "platform": wanted.platform,
        "isolation": wanted.isolation,
        "shmsize": wanted.shm_size,
        "cachefrom": json.dumps(list(wanted.cache_from)) if wanted.cache_from else None,
        "extrahosts": list(wanted.extra_hosts) or None,
        "ulimits": json.dumps(ulimits.to_api(wanted.ulimits)) if wanted.ulimits else None,
    }
    return {key: value for key, value in params.items() if value is not None}


def _failed(image: str, wanted: Build, lines: list[str]) -> ImageBuildFailed:
    tail = "\n".join(lines[-KEPT_LINES:])
    said = next((line for line in reversed(lines[:-1]) if not _OF_THE_BUILDER.match(line)), "")
    cause = f"{lines[-1]} ({said.splitlines()[-1]})" if said else lines[-1]
    refusal = refusals.of_build(lines[-1])
    error = ImageBuildFailed(
        advised(
            f"image {image} can't be built from {wanted.context}: {' '.join(cause.split())}",
            refusal.advice or "correct the Dockerfile, or what it needs: a change there is noticed, and built",
        )
        + f"\n{tail}"
    )
    error.permanent = refusal.permanent
    return error


def _clean(text: str) -> str:
    """Without what only terminals understand."""
    return _ESCAPES.sub("", text).strip()
