"""``devices``, ``gpus``: devices of the host in the container. Pure.

Normal forms: a device is ``{"source", "target", "permissions"}``; a request for devices of a driver is what the Engine
API calls a DeviceRequest, in Compose's words: ``{"driver", "count", "device_ids", "capabilities", "options"}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.intent.settings.faults import expected, object_of, shown, wrong
from reconciler.intent.settings.values import as_list, container_path, integer, scalar_text, text

_PERMISSIONS = re.compile(r"[rwm]{1,3}")
_TEXTS = {"type": "array", "items": {"type": "string"}}
_DEVICE = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("source", "target", "permissions")},
    "required": ["source"],
    "additionalProperties": False,
}
ACCEPTS: dict[str, Any] = {"type": "array", "items": {"anyOf": [{"type": "string"}, _DEVICE]}}
_REQUEST = {
    "type": "object",
    "properties": {
        "driver": {"type": "string"},
        "count": {"type": ["string", "integer"]},
        "device_ids": _TEXTS,
        "capabilities": _TEXTS,
        "options": {"anyOf": [{"type": "object"}, _TEXTS]},
    },
    "additionalProperties": False,
}
GPUS_ACCEPTS: dict[str, Any] = {"anyOf": [{"enum": ["all"]}, {"type": "array", "items": _REQUEST}]}


def _permissions(value: Any) -> str:
    given = text(value)
    if not _PERMISSIONS.fullmatch(given) or len(set(given)) < len(given):
        raise wrong(f"{shown(given)} are no permissions: letters of rwm, each once")
    return "".join(letter for letter in "rwm" if letter in given)


def _device(value: Any) -> dict[str, str]:
    if isinstance(value, str):
        parts = value.split(":")
        if len(parts) > 3:
            raise wrong(f"{shown(value)} is no device: expected host[:container[:rwm]]")
        names = ("source", "target", "permissions")
        value = dict(zip(names, parts, strict=False))
        if len(parts) == 2 and not parts[1].startswith("/"):
            value = {"source": parts[0], "permissions": parts[1]}
    if not isinstance(value, Mapping):
        raise expected("a device such as /dev/ttyUSB0:/dev/tty0:rw", value)
    found = object_of(value, {"source": container_path, "target": container_path, "permissions": _permissions})
    if "source" not in found:
        raise wrong("a device needs its source")
    return {
        "source": found["source"],
        "target": found.get("target", found["source"]),
        "permissions": found.get("permissions", "rwm"),
    }


def parse(value: Any) -> list[dict[str, str]]:
    """The devices, in the order of their places in the container."""
    found = as_list(_device, "a list of devices")(value)
    return sorted(found, key=lambda device: str(device["target"]))


def to_api(value: list[dict[str, str]]) -> list[dict[str, str]]:
    """As ``HostConfig.Devices`` has it."""
    return [
        {"PathOnHost": d["source"], "PathInContainer": d["target"], "CgroupPermissions": d["permissions"]}
        for d in value
    ]


def from_api(value: Any) -> list[dict[str, str]] | None:
    """The way back; None where there is none."""
    found = [
        {
            "source": str(d.get("PathOnHost", "")),
            "target": str(d.get("PathInContainer", "")),
            "permissions": "".join(letter for letter in "rwm" if letter in str(d.get("CgroupPermissions", ""))),
        }
        for d in value or ()
    ]
    return sorted(found, key=lambda device: device["target"]) or None


def _count(value: Any) -> int:
    return -1 if value == "all" else integer("a count of devices, or all", -1, 1024, digits_in_quotes=True)(value)


def _options(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise expected("an object of options", value)
    return {str(key): scalar_text(part) for key, part in sorted(value.items())}


def _request(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise expected("an object with driver, count, device_ids, capabilities, options", value)
    texts = as_list(text, "a list of strings")
    readers = {"driver": text, "count": _count, "device_ids": texts, "capabilities": texts, "options": _options}
    found = object_of(value, readers)
    if "count" in found and "device_ids" in found:
        raise wrong("count and device_ids exclude each other")
    capabilities = sorted({*found.get("capabilities", ()), *(() if found.get("capabilities") else ("gpu",))})
    ids = list(found.get("device_ids", ()))
    return {
        "driver": found.get("driver", ""),
        "count": 0 if ids else found.get("count", -1),
        "device_ids": ids,
        "capabilities": capabilities,
        "options": found.get("options", {}),
    }


def parse_gpus(value: Any) -> list[dict[str, Any]]:
    """``all``, or a list of requests."""
    if value == "all":
        return [_request({"count": -1})]
    requests: list[dict[str, Any]] = as_list(_request, '"all", or a list of requests for GPUs')(value)
    return requests


def gpus_to_api(value: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As ``HostConfig.DeviceRequests`` has it."""
    return [
        {
            "Driver": r["driver"],
            "Count": r["count"],
            "DeviceIDs": r["device_ids"],
            "Capabilities": [r["capabilities"]],
            "Options": r["options"],
        }
        for r in value
    ]


def gpus_from_api(value: Any) -> list[dict[str, Any]] | None:
    """The way back; None where nothing was requested."""
    return [
        {
            "driver": str(r.get("Driver") or ""),
            "count": int(r.get("Count") or 0),
            "device_ids": [str(id) for id in r.get("DeviceIDs") or ()],
            "capabilities": sorted(str(c) for some in r.get("Capabilities") or () for c in some),
            "options": {str(k): str(v) for k, v in sorted((r.get("Options") or {}).items())},
        }
        for r in value or ()
    ] or None
