"""The whole table at work: the body that creates a container, and the settings of one that exists. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from reconciler.intent.model import ContainerSpec
from reconciler.intent.settings.endpoints import to_api
from reconciler.intent.settings.table import SETTINGS

_MEMORY = frozenset({"mem_limit", "memswap_limit", "mem_reservation"})


def payload(spec: ContainerSpec, *, all_networks: bool = False) -> dict[str, Any]:
    """The body of ``POST /containers/create`` (Engine API 1.41). The caller may change it freely.

    The container joins the first of its networks here, or all of them where the engine takes that (see
    :mod:`.endpoints`); it is connected to the others by later calls. Labels of ownership are the engine's to add.
    """
    body: dict[str, Any] = {
        "Image": spec.image,
        "HostConfig": {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}},
    }
    for name, setting in SETTINGS.items():
        value = spec.settings.get(name)
        if value is not None:
            setting.send(value, body)
    primary = next(iter(spec.networks), None)
    if primary is not None:
        body["HostConfig"]["NetworkMode"] = primary
        joined = spec.networks if all_networks else (primary,)
        sent = {network: to_api(spec.networks[network], spec.endpoints.get(network, {})) for network in joined}
        body["NetworkingConfig"] = {"EndpointsConfig": sent}
        if sent[primary].get("MacAddress"):
            body["MacAddress"] = sent[primary]["MacAddress"]  # where engines before API 1.44 look for it
    return body


def update_body(settings: Mapping[str, Any], changed: Collection[str]) -> dict[str, Any]:
    """The body of ``POST /containers/{id}/update`` that brings the ``changed`` settings back to ``settings``.

    The engine judges the limits of memory together, so they are sent together: a limit that is raised above the
    present one of memory and swap is refused otherwise. Where none is declared for swap, it is the engine's own
    rule: as much again as memory.
    """
    body: dict[str, Any] = {"HostConfig": {}}
    names = [*changed]
    if _MEMORY & set(changed):
        names.extend(sorted(name for name in _MEMORY if settings.get(name) is not None))
    for name in dict.fromkeys(names):
        setting = SETTINGS[name]
        value = settings.get(name)
        if value is not None:
            setting.send(value, body)
        else:
            body["HostConfig"].update(setting.unset or {})
    host: dict[str, Any] = body["HostConfig"]
    if host.get("Memory", 0) > 0 and "MemorySwap" not in host:
        host["MemorySwap"] = 2 * host["Memory"]
    return host


def read_back(inspected: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a container in their normal forms, from the body of ``GET /containers/{id}/json``."""
    return {name: setting.read(inspected) for name, setting in SETTINGS.items()}
