"""Settings that point to another container: whose network, processes, memory or volumes a container shares, and to
whom it is linked. Pure.

In a file they name a chunk of the same CPUX (``service:db``) or any container (``container:db``); in normal form
always a container, by its name. An engine shows its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from reconciler.intent.model import ContainerSpec
from reconciler.intent.settings.isolation import CONTAINER, SERVICE
from reconciler.intent.settings.links import name_of

NAMESPACES = ("network_mode", "ipc", "pid")
VOLUMES = "volumes_from"
LINKS = "links"


def chunks_named(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The chunks that settings as declared point to, each with the setting."""
    for name in NAMESPACES:
        value = settings.get(name)
        if isinstance(value, str) and value.startswith(SERVICE):
            yield name, value.removeprefix(SERVICE)
    declared = settings.get(VOLUMES)
    for entry in declared if isinstance(declared, list) else ():
        if isinstance(entry, str) and not entry.startswith(CONTAINER):
            yield VOLUMES, entry.removesuffix(":ro").removesuffix(":rw")
    linked = settings.get(LINKS)
    for link in linked if isinstance(linked, list) else ():
        if isinstance(link, str) and name_of(link):
            yield LINKS, name_of(link)


def with_containers(settings: Mapping[str, Any], container_of: Callable[[str], str]) -> dict[str, Any]:
    """The settings with containers for chunks."""
    result = dict(settings)
    for name in NAMESPACES:
        value = result.get(name)
        if isinstance(value, str) and value.startswith(SERVICE):
            result[name] = CONTAINER + container_of(value.removeprefix(SERVICE))
    if result.get(VOLUMES):
        result[VOLUMES] = [_with_container(entry, container_of) for entry in result[VOLUMES]]
    return result


def _with_container(entry: str, container_of: Callable[[str], str]) -> str:
    if entry.startswith(CONTAINER):
        return entry
    chunk = entry.removesuffix(":ro")
    return f"{CONTAINER}{container_of(chunk)}{entry[len(chunk) :]}"


def containers_shared(settings: Mapping[str, Any]) -> dict[str, str]:
    """By setting, the name of the container whose namespace is shared."""
    return {
        name: value.removeprefix(CONTAINER)
        for name in NAMESPACES
        if isinstance(value := settings.get(name), str) and value.startswith(CONTAINER)
    }


def volumes_lent(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the containers whose volumes are had."""
    return tuple(entry.removeprefix(CONTAINER).removesuffix(":ro") for entry in settings.get(VOLUMES) or ())


def linked(settings: Mapping[str, Any]) -> frozenset[str]:
    """The names of the containers that an engine wants to run before it starts one with these settings: those that are
    linked on its own bridge."""
    return frozenset(map(name_of, settings.get(LINKS) or ()))


def must_run(settings: Mapping[str, Any]) -> frozenset[str]:
    """The names of all containers that must run before this one is made."""
    return frozenset(containers_shared(settings).values()) | linked(settings)


def awaited(spec: ContainerSpec) -> dict[str, str]:
    """The names of all containers that must be there before this one is made, each with the setting that wants it."""
    shared = {name: setting for setting, name in containers_shared(spec.settings).items()}
    volumes = dict.fromkeys(volumes_lent(spec.settings), VOLUMES)
    return {**dict.fromkeys((*linked(spec.settings), *spec.after), LINKS), **volumes, **shared}
