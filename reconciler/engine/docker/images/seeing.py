"""Images as they are: read from the engine, and what a registry has under a name. Blocking."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound

from reconciler.engine.docker import sdk
from reconciler.engine.docker.failures import LOST, RAISED, status, translate, unavailable, words
from reconciler.engine.docker.images import logins, refusals
from reconciler.engine.docker.images.logins import Credentials
from reconciler.engine.docker.images.streams import is_timeout
from reconciler.engine.protocol import EngineError, RegistryFailed
from reconciler.intent.image_names import ImageName, parse
from reconciler.planner.observed import ImageSeen
from reconciler.sentences import advised

_SAME_ARCHITECTURE = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386", "armhf": "arm"}
_USUAL_VARIANT = {"arm64": "v8", "arm": "v7"}
_SPECIAL = re.compile(r"[\[\]\\*?]")
_SYSTEMS = frozenset({"linux", "windows", "darwin", "freebsd"})


def inspect(client: docker.APIClient, name: str, where: str) -> ImageSeen | None:
    """An image by name or id; None where the engine has none. Raises an EngineError."""
    try:
        return seen(client.inspect_image(name))  # type: ignore[no-untyped-call]
    except ImageNotFound:
        return None
    except RAISED as error:
        raise translate(error, where, EngineError) from error


def seen(body: Mapping[str, Any]) -> ImageSeen:
    """From the body of ``GET /images/{name}/json``."""
    parts = [str(body.get(key) or "") for key in ("Os", "Architecture", "Variant")]
    return ImageSeen(
        id=str(body["Id"]),
        names=tuple(body.get("RepoTags") or ()),
        digests=tuple(body.get("RepoDigests") or ()),
        labels=dict((body.get("Config") or {}).get("Labels") or {}),
        size=int(body.get("Size") or 0),
        platform="/".join(part for part in parts if part),
    )


def from_summary(body: Mapping[str, Any]) -> ImageSeen:
    """From an entry of ``GET /images/json``, which does not tell the platform."""
    return ImageSeen(
        id=str(body["Id"]),
        names=tuple(body.get("RepoTags") or ()),
        digests=tuple(body.get("RepoDigests") or ()),
        labels=dict(body.get("Labels") or {}),
        size=int(body.get("Size") or 0),
    )


def patterns(names: Iterable[str]) -> list[str]:
    """For the list's filter ``reference``: the names, and what registries call the images of their repositories (an
    engine shows only those names of an image that a pattern fits)."""
    found = (parse(name) for name in names)
    escaped = ((_SPECIAL.sub(r"\\\g<0>", name.name), name.tag or "latest") for name in found)
    return sorted({pattern for name, tag in escaped for pattern in (f"{name}:{tag}", f"{name}@*")})


def named(images: Iterable[ImageSeen], names: Iterable[str]) -> dict[str, ImageSeen]:
    """Of ``images`` those that have one of ``names``, by that name."""
    by_tag = {tag: image for image in images for tag in image.names}
    found = ((name, by_tag.get(str(parse(name)))) for name in names)
    return {name: image for name, image in found if image is not None}


def fits(image: ImageSeen, platform: str | None) -> bool:
    """Whether an image is of the wanted platform, as far as that is said: ``linux``, ``arm64``, ``linux/arm/v7``."""
    if platform is None:
        return True
    system, architecture, variant = _parts(platform)
    found_system, found_architecture, found_variant = _parts(image.platform)
    return (
        system in ("", found_system)
        and architecture in ("", found_architecture)
        and (not variant or (found_variant or _USUAL_VARIANT.get(architecture, variant)) == variant)
    )


def _parts(platform: str) -> tuple[str, str, str]:
    parts = platform.lower().split("/")
    if parts[0] not in _SYSTEMS:
        parts.insert(0, "")
    system, architecture, variant = [*parts, "", ""][:3]
    return system, _SAME_ARCHITECTURE.get(architecture, architecture), variant


def newest_digest(
    client: docker.APIClient, image: ImageName, credentials: Credentials, seconds: float, where: str
) -> str:
    """Ask the registry, through the engine (``GET /distribution/{name}/json``). Raises RegistryFailed,
    EngineUnavailable."""
    asked = f"{image.name}:{image.tag or 'latest'}" if image.tag or not image.digest else f"{image.name}@{image.digest}"
    headers = {"X-Registry-Auth": logins.header(credentials.auth)}
    try:
        found = sdk.get(client, "/distribution/{0}/json", asked, headers=headers, timeout=seconds)
        return str(found["Descriptor"]["digest"])
    except LOST as error:
        if is_timeout(error):
            raise _failed(asked, f"no answer within {seconds:g} s", image, credentials) from error
        raise unavailable(error, where) from error
    except (DockerException, OSError) as error:
        raise _failed(asked, words(error), image, credentials) from error
    except (KeyError, TypeError, ValueError) as error:
        raise _failed(asked, "the engine's answer holds no digest", image, credentials) from error


def _failed(asked: str, said: str, image: ImageName, credentials: Credentials) -> RegistryFailed:
    refusal = refusals.of_pull(said)
    advice = credentials.advice(image.registry) if refusal.wants_login else refusal.advice
    error = RegistryFailed(advised(f"{image.registry} can't be asked for {asked}: {said}", advice))
    error.permanent = refusal.permanent
    return error


def remove(client: docker.APIClient, image_id: str, where: str) -> None:
    """Remove an image with all of its names; one that is gone is fine. Raises an EngineError, with the engine's words
    where something needs the image."""
    api: Any = client
    try:
        found = inspect(client, image_id, where)
        for name in (*(found.names if found is not None else ()), image_id):
            try:
                api.remove_image(name)
            except APIError as error:
                if status(error) != 404:
                    raise
    except RAISED as error:
        raise translate(error, where, EngineError) from error
