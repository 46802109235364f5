"""What an engine shows of a container, without what is another in each: the container as it is, and not as the program
reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CARDS = "02:42:ac:11:65:"
"""What all addresses of cards begin with that the cases declare; others are the engine's own choice."""
_OURS = "io.pnr."
_OF_AN_ANONYMOUS_VOLUME = 64


def essence(inspected: Mapping[str, Any]) -> dict[str, Any]:
    """Equal for two containers that were made in the same way, and for one that was brought back to it."""
    own = inspected["Id"][:12]
    config = dict(inspected["Config"])
    config["Labels"] = {k: v for k, v in config["Labels"].items() if not k.startswith(_OURS)}
    if config["Hostname"] == own:
        del config["Hostname"]
    config["Env"] = sorted(config["Env"] or [])
    return {
        "image": inspected["Image"],
        "config": config,
        "host": inspected["HostConfig"],
        "mounts": sorted((_mount(mount) for mount in inspected["Mounts"]), key=str),
        "networks": {
            name: _endpoint(endpoint, own) for name, endpoint in inspected["NetworkSettings"]["Networks"].items()
        },
    }


def _mount(mount: Mapping[str, Any]) -> dict[str, Any]:
    without: tuple[str, ...] = ("Source",) if mount["Type"] == "image" else ()
    if len(mount.get("Name", "")) == _OF_AN_ANONYMOUS_VOLUME:
        without = ("Name", "Source")
    return {key: value for key, value in mount.items() if key not in without}


def _endpoint(endpoint: Mapping[str, Any], own: str) -> dict[str, Any]:
    kept = {key: endpoint.get(key) or None for key in ("IPAMConfig", "Links", "DriverOpts", "GwPriority")}
    card = endpoint["MacAddress"] if endpoint["MacAddress"].startswith(CARDS) else None
    return {
        **kept,
        "MacAddress": card,
        "Aliases": sorted({alias for alias in endpoint.get("Aliases") or () if alias != own}),
    }
