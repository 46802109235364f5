"""Names that mean something else to an engine than what a domain file calls so. Pure.

An engine looks for what is asked for by its whole id, then by its name, then by the beginning of its id. So where one
is called as the id of another begins, whoever types what `docker ps` shows of the other stops or removes the wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.diagnostics import Diagnostics, Path
from reconciler.intent import image_names
from reconciler.intent.chunks import chunks_of_tree
from reconciler.intent.lenient import object_in
from reconciler.intent.model import Chunk
from reconciler.intent.settings.faults import shown

OF_SWARMS = ("docker_gwbridge", "ingress")
"""Networks that an engine makes, and all of a swarm is in, once it is part of one."""
_OF_WINDOWS = ("nat",)
_ID = re.compile(r"[0-9a-f]{12,64}")
_WHOLE_ID = re.compile(r"[0-9a-f]{64}")
_MACHINES = re.compile(r"(?:.*\.)?(?:localhost|docker\.internal)\.?", re.IGNORECASE)

Object = Mapping[str, Any]


def crosscheck(tree: Object, report: Diagnostics) -> None:
    """Tell every name in a file's tree that an engine takes for something else."""
    for kind, meaning_of in (("networks", _network), ("volumes", _volume)):
        for key, declared in object_in(tree, kind).items():
            name = declared.get("name") if isinstance(declared, dict) and not declared.get("external") else None
            if isinstance(name, str):
                _refuse(name, meaning_of(name), report.at(kind, key, "name"))
    for chunk, path in chunks_of_tree(tree):
        _check_container(object_in(chunk, "container"), report.at(*path, "container"))


def asked_of_the_machine(chunk: Chunk, network: str) -> list[str]:
    """The names of a chunk in a network that containers there ask for when they mean the machine that they run on."""
    names = chunk.container.networks.get(network, ())
    return [name for name in names if _MACHINES.fullmatch(name)]


def _check_container(container: Object, report: Diagnostics) -> None:
    name = container.get("name")
    if isinstance(name, str):
        _refuse(name, _container(name), report.at("name"))
    build = container.get("build")
    if build is None and container.get("build_path") is None:
        return
    tags = build.get("tags") if isinstance(build, dict) else None
    images: list[tuple[Path, Any]] = [(("image",), container.get("image"))]
    images += [(("build", "tags", n), tag) for n, tag in enumerate(tags if isinstance(tags, list) else ())]
    for path, image in images:
        if isinstance(image, str) and _is_like_an_image_id(image):
            _refuse(image, "is what the id or digest of an image looks like", report.at(*path))


def _is_like_an_image_id(text: str) -> bool:
    try:
        image = image_names.parse(text)
    except image_names.BadImageName:
        return False  # it is told where it is read
    repository = image.repository.removeprefix("library/")
    is_short = image.registry == image_names.DOCKER_HUB and "/" not in repository
    return is_short and bool(_ID.fullmatch(repository) or repository in ("sha256", "sha512"))


def _container(name: str) -> str:
    if _MACHINES.fullmatch(name):
        return "is what containers call the machine that they run on"
    return "is what the id of a container looks like" if _ID.fullmatch(name) else ""


def _network(name: str) -> str:
    if name in OF_SWARMS:
        return "is the engine's own network of a swarm"
    if name in _OF_WINDOWS:
        return "is a network of the engine's own on Windows"
    return "is what the id of a network looks like" if _ID.fullmatch(name) else ""


def _volume(name: str) -> str:
    return "is a name that engines give to volumes without a name" if _WHOLE_ID.fullmatch(name) else ""


def _refuse(name: str, why: str, report: Diagnostics) -> None:
    if why:
        report.error((), "ReservedName", f"{shown(name)} {why}: choose another name")
