"""How the build of an image is written: Compose's ``build``, short and long, and what can't be honoured. Pure.

The builder is the one behind the Engine API (``POST /build``), which every engine from API 1.41 on has. What needs
BuildKit's own protocol (secrets, SSH agents, further contexts, attestations) is an error that says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.intent import image_names
from reconciler.intent.settings import accepts, hosts, ulimits, words
from reconciler.intent.settings.faults import expected, object_of, shown, wrong
from reconciler.intent.settings.values import as_list, flag, pairs, scalar_text, size, text, word

LONGEST_PATH = 4096
LONGEST_DOCKERFILE = 256 * 1024

_NEEDS_BUILDKIT = (
    "additional_contexts", "attest", "cache_to", "entitlements", "no_cache_filter", "privileged", "provenance", "sbom",
    "secrets", "ssh",
)  # fmt: skip
_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|git@|github\.com/|.*\.git(?:#|$)")


@dataclass(frozen=True, slots=True)
class DeclaredBuild:
    """A build as it is written. An argument of None takes its value from the daemon's environment."""

    context: str = "."
    dockerfile: str | None = None
    dockerfile_inline: str | None = None
    args: Mapping[str, str | None] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    network: str | None = None
    platform: str | None = None
    isolation: str | None = None
    no_cache: bool = False
    pull: bool = False
    shm_size: int | None = None
    cache_from: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    ulimits: Mapping[str, list[int]] = field(default_factory=dict)


def context(value: Any) -> str:
    """The path of a directory."""
    path = text(value)
    if _REMOTE.match(path) and "\\" not in path:
        raise wrong(f"{shown(path)}: a context from a URL is not supported: clone it, and name the directory")
    return file_path(path)


def file_path(value: Any) -> str:
    """A path on the host."""
    path = text(value)
    if not path or len(path) > LONGEST_PATH or not path.isprintable():
        raise expected("a path", value)
    if path.startswith("~"):
        raise wrong(f"{shown(path)}: ~ has no meaning for a service; write the whole path")
    return path


def image(value: Any) -> str:
    """The name of an image. Raises an error for people."""
    name = text(value)
    try:
        image_names.parse_declared(name)
    except image_names.BadImageName as error:
        raise wrong(str(error)) from None
    return name


def _dockerfile(value: Any) -> str:
    content = text(value)
    if not content.strip():
        raise expected("the text of a Dockerfile", value)
    if len(content) > LONGEST_DOCKERFILE:
        raise wrong(f"a Dockerfile here may have {LONGEST_DOCKERFILE} characters: put it into a file")
    return content


def _argument(name: Any) -> str:
    if not isinstance(name, str) or not name or "=" in name or "\0" in name:
        raise expected("the name of an argument", name)
    return str(name)


def _refused(key: str) -> Callable[[Any], None]:
    def read(value: Any) -> None:
        if value not in (None, False, "", {}, []):
            raise wrong(f"{key} needs BuildKit, which can't be reached through the Engine API: leave it out")

    return read


def _one_platform(value: Any) -> str:
    platforms: list[str] = as_list(_platform, "a list with one platform such as linux/amd64")(value)
    if len(platforms) != 1:
        raise wrong("an engine builds for one platform: name one")
    return platforms[0]


_platform = word("a platform such as linux/arm64", r"[a-z0-9]+(?:/[a-z0-9_]+){0,2}")
_stage = word("the name or number of a stage", r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_network = word("a network such as host or none", r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,252}")
_isolation = word("default, process or hyperv", r"default|process|hyperv")
arguments = pairs(
    what="argument",
    key=_argument,
    value=lambda value: None if value is None else scalar_text(value),
    bare=lambda _: None,
)
_images = as_list(image, "a list of images")

_PARSERS: dict[str, Callable[[Any], Any]] = {
    "context": context,
    "dockerfile": file_path,
    "dockerfile_inline": _dockerfile,
    "args": arguments,
    "labels": words.labels,
    "target": _stage,
    "network": _network,
    "platforms": _one_platform,
    "isolation": _isolation,
    "no_cache": flag,
    "pull": flag,
    "shm_size": size(1),
    "cache_from": _images,
    "extra_hosts": hosts.parse,
    "tags": _images,
    "ulimits": ulimits.parse,
    **{key: _refused(key) for key in _NEEDS_BUILDKIT},
}

ACCEPTS: dict[str, Any] = {
    "anyOf": [
        accepts.TEXT,
        {
            "type": "object",
            "properties": {
                "context": accepts.TEXT,
                "dockerfile": accepts.TEXT,
                "dockerfile_inline": accepts.TEXT,
                "args": accepts.PAIRS,
                "labels": accepts.PAIRS,
                "target": accepts.TEXT,
                "network": accepts.TEXT,
                "platforms": {**accepts.TEXTS, "maxItems": 1},
                "isolation": accepts.TEXT,
                "no_cache": accepts.FLAG,
                "pull": accepts.FLAG,
                "shm_size": accepts.NUMBER_OR_TEXT,
                "cache_from": accepts.TEXTS,
                "extra_hosts": {"anyOf": [accepts.TEXTS, {"type": "object"}]},
                "tags": accepts.TEXTS,
                "ulimits": ulimits.ACCEPTS,
            },
            "additionalProperties": False,
            "patternProperties": {"^x-": {}},
        },
    ]
}
"""The JSON Schema of ``build``."""


def read(value: Any) -> DeclaredBuild:
    """``build``: the path of the context, or an object."""
    if isinstance(value, str):
        return DeclaredBuild(context(value))
    if not isinstance(value, Mapping):
        raise expected("a directory with a Dockerfile, or an object with context, dockerfile, args, …", value)
    known = {key: part for key, part in value.items() if not str(key).startswith("x-") and part is not None}
    parts = object_of(known, _PARSERS)
    if "dockerfile" in parts and "dockerfile_inline" in parts:
        raise wrong("dockerfile and dockerfile_inline say two things: leave one of them out")
    parts = {key: part for key, part in parts.items() if key not in _NEEDS_BUILDKIT}
    platform = parts.pop("platforms", None)
    parts |= {key: tuple(parts[key]) for key in ("cache_from", "extra_hosts", "tags") if key in parts}
    return DeclaredBuild(platform=platform, **parts)
