"""A project of the corpus as it can be made on this machine: of one local image, on addresses that nobody has."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ADDRESS_KEYS = ("ipv4_address", "gateway", "ip_range", "subnet")
NOT_ON_OLD_ENGINES = ("annotations",)
NO_COUNTERPART = ("post_start", "pre_stop")
_NOT_HERE = ("build", "runtime", "platform", "pull_policy", "gpus", "storage_opt", *NOT_ON_OLD_ENGINES, *NO_COUNTERPART)
_NOT_OF_MOUNTS = {"bind": ("recursive",), "volume": ("subpath",)}
_NOT_OF_ENDPOINTS = ("interface_name", "gw_priority", "mac_address", "ipv6_address")  # no subnet is IPv6 here


def localized(model: Mapping[str, Any], image: str, project: str, third: int, folder: Path) -> dict[str, Any]:
    """``model`` with what this machine does not have replaced: images by ``image``, fixed names of containers, networks
    and volumes by such as begin with ``project``, subnets by 10.(200 + n).``third``.0; directories of the host lie in
    ``folder``, and are there."""
    made: dict[str, Any] = {key: value for key, value in model.items() if key not in ("name", "models")}
    moved = _Addresses(third)
    made["networks"] = {
        name: _network(said or {}, name, project, moved) for name, said in (model.get("networks") or {}).items()
    }
    made["volumes"] = {name: _volume(said or {}, name, project) for name, said in (model.get("volumes") or {}).items()}
    made["services"] = {
        name: _service(service, image, project, moved, made) for name, service in model["services"].items()
    }
    for service in made["services"].values():
        service["depends_on"] = {k: v for k, v in service.get("depends_on", {}).items() if k in made["services"]}
        for mount in service.get("volumes", ()):
            for part, names in _NOT_OF_MOUNTS.items():
                if part in mount:
                    mount[part] = {key: value for key, value in mount[part].items() if key not in names}
            if mount["type"] == "bind":
                mount["source"] = _there(folder, mount["source"])
    for kind in ("secrets", "configs"):
        kept = {name: said for name, said in (model.get(kind) or {}).items() if said.get("file") or said.get("content")}
        made[kind] = {name: {k: v for k, v in said.items() if k in ("file", "content")} for name, said in kept.items()}
    return {key: value for key, value in made.items() if value}


def _service(
    service: Mapping[str, Any], image: str, project: str, moved: _Addresses, made: Mapping[str, Any]
) -> dict[str, Any]:
    kept = {key: value for key, value in service.items() if key not in _NOT_HERE and value is not None}
    kept["image"] = image
    if "container_name" in kept:
        kept["container_name"] = f"{project}-{kept['container_name']}"
    if "healthcheck" in kept:
        kept["healthcheck"] = {key: value for key, value in kept["healthcheck"].items() if key != "start_interval"}
    reserved = kept.get("deploy", {}).get("resources", {}).get("reservations", {})
    reserved.pop("devices", None)
    if kept.get("memswap_limit") == "-1":
        kept["memswap_limit"] = -1  # Compose does not read what it writes
    kept["ulimits"] = {key: said or 0 for key, said in kept.get("ulimits", {}).items()}  # nor this
    if kept.get("logging", {}).get("driver") == "local":
        kept["logging"].get("options", {}).pop("tag", None)  # which that driver does not know
    if "blkio_config" in kept:  # nor this
        kept["blkio_config"] = {key: _small(said) for key, said in kept["blkio_config"].items()}
    for port in kept.get("ports", ()):
        copies = int(kept.get("scale", kept.get("deploy", {}).get("replicas", 1)) or 1)
        if copies > 1 and str(port.get("published", "")).isdecimal():
            port["published"] = f"{port['published']}-{int(port['published']) + copies - 1}"
    networks = kept.get("networks") or {}
    kept["networks"] = {name: moved.within(said) if said else said for name, said in networks.items()}
    for name, said in kept["networks"].items():
        if not made["networks"][name].get("ipam") and said:
            said.pop("ipv4_address", None)
        for key in _NOT_OF_ENDPOINTS:
            (said or {}).pop(key, None)
    return {key: value for key, value in kept.items() if value not in ({}, [])} | {
        key: kept[key] for key in ("entrypoint", "command") if key in kept
    }


def _small(said: Any) -> Any:
    """Limits of devices with their keys as they are read."""
    return [{key.lower(): value for key, value in one.items()} for one in said] if isinstance(said, list) else said


def _there(folder: Path, source: str) -> str:
    """A directory or file of the project's folder, or one of its own below that for any other."""
    path = Path(source)
    if not path.is_relative_to(folder):
        path = folder / "host" / source.lstrip("/")
    if not path.exists():
        path.mkdir(parents=True)
    return str(path)


def _network(said: Mapping[str, Any], name: str, project: str, moved: _Addresses) -> dict[str, Any]:
    kept = {key: said[key] for key in ("internal", "attachable", "labels") if key in said}
    ipam = [entry for entry in (said.get("ipam") or {}).get("config") or () if ":" not in entry.get("subnet", ":")]
    if ipam:
        kept["ipam"] = {"config": [moved.subnet(entry) for entry in ipam]}
    return {"name": f"{project}-{name}", **kept}


def _volume(said: Mapping[str, Any], name: str, project: str) -> dict[str, Any]:
    kept = {key: said[key] for key in ("labels", "driver_opts") if key in said}
    kept.get("driver_opts", {}).pop("size", None)  # wants quotas of the file system
    return {"name": f"{project}-{name}", **kept}


class _Addresses:
    """Subnets by others that no other network of the engine has."""

    def __init__(self, third: int) -> None:
        self._third = third
        self._subnets: dict[Any, Any] = {}

    def subnet(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        old = ipaddress.ip_network(entry["subnet"], strict=False)
        new = ipaddress.ip_network(f"10.{200 + len(self._subnets)}.{self._third}.0/24")
        self._subnets[old] = new
        return self.within(entry) | {"subnet": str(new)}

    def within(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: self._moved(value) if key in ADDRESS_KEYS and isinstance(value, str) else value
            for key, value in entry.items()
            if key != "aux_addresses"
        }

    def _moved(self, text: str) -> str:
        address, slash, bits = text.partition("/")
        given = ipaddress.ip_address(address)
        for old, new in self._subnets.items():
            if given.version == old.version and given in old:
                inside = int(given) - int(old.network_address)
                return f"{new.network_address + inside % new.num_addresses}{slash}{max(int(bits), 24) if bits else ''}"
        return text


def as_compose(model: Any) -> Any:
    """``model`` as it can stand in a Compose file: each ``$`` for itself."""
    if isinstance(model, dict):
        return {key: as_compose(value) for key, value in model.items()}
    if isinstance(model, list):
        return [as_compose(value) for value in model]
    return re.sub(r"\$", "$$$$", model) if isinstance(model, str) else model
