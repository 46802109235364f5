"""``blkio_config``: weights and rates of block devices. Pure.

Normal form: Compose's own, with the devices of each list in the order of their paths and rates in bytes or operations
a second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.intent.settings.faults import expected, object_of, wrong
from reconciler.intent.settings.values import as_list, container_path, integer, size

_WEIGHT = integer("a weight", 10, 1000, digits_in_quotes=True)
_OPERATIONS = integer("operations a second", 1, 2**63 - 1, digits_in_quotes=True)

# Compose's name: its field in the Engine API, what stands beside the path there.
_LISTS = {
    "weight_device": ("BlkioWeightDevice", "weight", "Weight"),
    "device_read_bps": ("BlkioDeviceReadBps", "rate", "Rate"),
    "device_read_iops": ("BlkioDeviceReadIOps", "rate", "Rate"),
    "device_write_bps": ("BlkioDeviceWriteBps", "rate", "Rate"),
    "device_write_iops": ("BlkioDeviceWriteIOps", "rate", "Rate"),
}

_ENTRY = {"type": "array", "items": {"type": "object"}}
ACCEPTS: dict[str, Any] = {
    "type": "object",
    "properties": {"weight": {"type": ["integer", "string"]}, **dict.fromkeys(_LISTS, _ENTRY)},
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
}


def _device(what: str, amount: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise expected(f"an object with path and {what}", value)
        found = object_of(value, {"path": container_path, what: amount})
        if len(found) < 2:
            raise wrong(f"a device needs path and {what}")
        return found

    return read


def _devices(name: str) -> Callable[[Any], list[dict[str, Any]]]:
    what = _LISTS[name][1]
    amount = _WEIGHT if what == "weight" else size(1) if name.endswith("_bps") else _OPERATIONS
    many = as_list(_device(what, amount), f"a list of objects with path and {what}")
    return lambda value: sorted(many(value), key=lambda device: str(device["path"]))


def parse(value: Any) -> dict[str, Any]:
    """The declared parts."""
    if not isinstance(value, Mapping):
        raise expected("an object with weight, device_read_bps and the like", value)
    found = object_of(value, {"weight": _WEIGHT, **{name: _devices(name) for name in _LISTS}})
    return {name: part for name, part in sorted(found.items()) if part != []}


def send(value: Mapping[str, Any], body: dict[str, Any]) -> None:
    """Into ``HostConfig``."""
    host = body.setdefault("HostConfig", {})
    for name, part in value.items():
        if name == "weight":
            host["BlkioWeight"] = part
            continue
        field, what, key = _LISTS[name]
        host[field] = [{"Path": device["path"], key: device[what]} for device in part]


def read(inspected: Mapping[str, Any]) -> dict[str, Any] | None:
    """The way back; None where nothing is limited."""
    host = inspected.get("HostConfig") or {}
    found: dict[str, Any] = {"weight": host["BlkioWeight"]} if host.get("BlkioWeight") else {}
    for name, (field, what, key) in _LISTS.items():
        devices = [{"path": str(d["Path"]), what: int(d[key])} for d in host.get(field) or ()]
        if devices:
            found[name] = sorted(devices, key=lambda device: str(device["path"]))
    return dict(sorted(found.items())) or None
