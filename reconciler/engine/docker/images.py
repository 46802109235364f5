"""Sees to images: pulls or builds them, one attempt an image however many ask for it. Blocking; runs in threads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import docker
from docker.errors import BuildError, DockerException, ImageNotFound
from docker.utils import parse_repository_tag

from reconciler.engine.docker.failures import LOST, RAISED, translate, words
from reconciler.engine.protocol import ImageBuildFailed, ImagePullFailed

KEPT_LINES = 20
PROGRESS_SECONDS = 0.2
Tell = Callable[[str], None]


def is_present(client: docker.APIClient, image: str) -> bool:
    """Whether the engine has the image."""
    try:
        client.inspect_image(image)  # type: ignore[no-untyped-call]
    except ImageNotFound:
        return False
    return True


def ensure(
    client: docker.APIClient, image: str, build_path: str | None, policy: str, tell: Tell, *, where: str
) -> None:
    """Pull or build as the policy says. Raises ImagePullFailed or ImageBuildFailed with the engine's own words."""
    try:
        present = is_present(client, image)
    except RAISED as error:
        raise translate(error, where, ImagePullFailed) from error
    if build_path is not None:
        if not present or policy in ("build", "always"):
            build(client, image, build_path, tell, where=where)
        return
    if policy == "never":
        if not present:
            raise ImagePullFailed(f"image {image} is not there, and its pull_policy is never: load or build it first")
        return
    if not present or policy == "always":
        pull(client, image, tell, where=where)


def pull(client: docker.APIClient, image: str, tell: Tell, *, where: str) -> None:
    """Pull an image; errors that come in the stream are the errors."""
    repository, tag = parse_repository_tag(image)
    try:
        stream = client.pull(repository, tag=tag or "latest", stream=True, decode=True)
        next_line = 0.0
        for line in stream:
            if "error" in line:
                raise ImagePullFailed(_advice(image, str(line["error"])))
            text = _progress(line)
            if text and time.monotonic() >= next_line:
                next_line = time.monotonic() + PROGRESS_SECONDS
                tell(f"pulling {image}: {text}")
    except LOST as error:
        raise translate(error, where, ImagePullFailed) from error
    except (DockerException, OSError) as error:
        raise ImagePullFailed(_advice(image, words(error))) from error


def _advice(image: str, said: str) -> str:
    return f"image {image} can't be pulled: {said}. Check its name and tag, and `docker login` where it is private"


def _progress(line: Mapping[str, Any]) -> str:
    state = str(line.get("status", ""))
    detail = line.get("progressDetail") or {}
    if detail.get("total"):
        return f"{line.get('id', '')} {state} {100 * int(detail.get('current', 0)) // int(detail['total'])} %"
    return state if "id" not in line else ""


def find_build(path: str, folders: tuple[str, ...]) -> str:
    """The directory to build: ``path`` itself or, where it lies in the first of ``folders`` and is not there, the same
    below one of the others."""
    if os.path.isdir(path) or not folders:
        return path
    below = os.path.relpath(path, folders[0])
    if below.startswith(os.pardir):
        return path
    found = (os.path.join(folder, below) for folder in folders[1:])
    return next((other for other in found if os.path.isdir(other)), path)


def build(client: docker.APIClient, image: str, build_path: str, tell: Tell, *, where: str) -> None:
    """Build a directory with a Dockerfile and tag it."""
    if not os.path.isdir(build_path):
        raise ImageBuildFailed(
            f"image {image} can't be built: there is no directory {build_path}; correct build_path, or put a directory"
            " with a Dockerfile there"
        )
    kept: list[str] = []
    try:
        stream: Iterator[Mapping[str, Any]] = client.build(
            path=build_path, tag=image, rm=True, forcerm=True, decode=True
        )
        next_line = 0.0
        for line in stream:
            if "error" in line:
                tail = "\n".join([*kept, str(line["error"])][-KEPT_LINES:])
                raise ImageBuildFailed(f"image {image} can't be built from {build_path}: {tail}")
            text = str(line.get("stream", "")).strip()
            if text:
                kept = [*kept, text][-KEPT_LINES:]
                if time.monotonic() >= next_line:
                    next_line = time.monotonic() + PROGRESS_SECONDS
                    tell(f"building {image}: {text}")
    except LOST as error:
        raise translate(error, where, ImageBuildFailed) from error
    except (BuildError, DockerException, OSError) as error:
        raise ImageBuildFailed(f"image {image} can't be built from {build_path}: {words(error)}") from error
