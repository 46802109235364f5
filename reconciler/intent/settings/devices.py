"""``devices``, ``gpus``: devices of the host in the container. Pure.

Normal forms: a device is ``{"source", "target", "permissions"}``, where the source is a path or a name of the Container
Device Interface (``vendor.com/class=name``, which stands for itself as target); a request for devices of a driver is
what the Engine API calls a DeviceRequest, in Compose's words:
``{"driver", "count", "device_ids", "capabilities", "options"}``. Both kinds of names come to DeviceRequests; those of
``devices`` have no capabilities.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.intent.settings.faults import expected, object_of, shown, wrong
from reconciler.intent.settings.found import host_config
from reconciler.intent.settings.row import Needs
from reconciler.intent.settings.values import as_list, container_path, integer, pairs, scalar_text, text

_PERMISSIONS = re.compile(r"[rwm]{1,3}")
_CDI_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]/[A-Za-z0-9][A-Za-z0-9_.-]*=[A-Za-z0-9][A-Za-z0-9_.:-]*")
_CDI = "cdi"
_CDI_API = "1.44"

_TEXTS = {"type": "array", "items": {"type": "string"}}
_DEVICE = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("source", "target", "permissions")},
    "required": ["source"],
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
}
ACCEPTS: dict[str, Any] = {"type": "array", "items": {"anyOf": [{"type": "string"}, _DEVICE]}}
REQUEST: dict[str, Any] = {
    "type": "object",
    "properties": {
        "driver": {"type": "string"},
        "count": {"type": ["string", "integer"]},
        "device_ids": _TEXTS,
        "capabilities": _TEXTS,
        "options": {"anyOf": [{"type": "object"}, _TEXTS]},
    },
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
}
GPUS_ACCEPTS: dict[str, Any] = {"anyOf": [{"enum": ["all"]}, {"type": "array", "items": REQUEST}]}


def _permissions(value: Any) -> str:
    given = text(value)
    if not _PERMISSIONS.fullmatch(given) or len(set(given)) < len(given):
        raise wrong(f"{shown(given)} are not permissions: letters of rwm, each once")
    return "".join(letter for letter in "rwm" if letter in given)


def _source(value: Any) -> str:
    return str(value) if isinstance(value, str) and _is_name(value) else container_path(value)


def _device(value: Any) -> dict[str, str]:
    if isinstance(value, str):
        parts = [value] if _is_name(value) else value.split(":")
        if len(parts) > 3:
            raise wrong(f"{shown(value)} is not a device: expected host[:container[:rwm]], or vendor.com/class=name")
        names = ("source", "target", "permissions")
        value = dict(zip(names, parts, strict=False))
        if len(parts) == 2 and not parts[1].startswith("/"):
            value = {"source": parts[0], "permissions": parts[1]}
    if not isinstance(value, Mapping):
        raise expected("a device such as /dev/ttyUSB0:/dev/tty0:rw", value)
    if value.get("target") == value.get("source"):
        value = {key: part for key, part in value.items() if key != "target"}
    found = object_of(value, {"source": _source, "target": container_path, "permissions": _permissions})
    if "source" not in found:
        raise wrong("a device needs its source")
    source = found["source"]
    if _is_name(source) and ("target" in found or found.get("permissions", "rwm") != "rwm"):
        raise wrong(f"{shown(source)} is the name of a device that a driver hands out: it has no target or permissions")
    return {
        "source": source,
        "target": found.get("target", source),
        "permissions": found.get("permissions", "rwm"),
    }


def _is_name(source: str) -> bool:
    return _CDI_NAME.fullmatch(source) is not None


def _by_target(devices: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(devices, key=lambda device: (device["target"], device["source"]))


def parse(value: Any) -> list[dict[str, str]]:
    """The devices, in the order of their places in the container."""
    return _by_target(as_list(_device, "a list of devices")(value))


def send(value: list[dict[str, str]], body: dict[str, Any]) -> None:
    """Into ``HostConfig.Devices``, and names into ``HostConfig.DeviceRequests``."""
    host = body.setdefault("HostConfig", {})
    host["Devices"] = [
        {"PathOnHost": d["source"], "PathInContainer": d["target"], "CgroupPermissions": d["permissions"]}
        for d in value
        if not _is_name(d["source"])
    ]
    names = [d["source"] for d in value if _is_name(d["source"])]
    if names:
        _request_from_engine(body, [{"Driver": _CDI, "DeviceIDs": names}])


def _request_from_engine(body: dict[str, Any], requests: list[dict[str, Any]]) -> None:
    host = body.setdefault("HostConfig", {})
    host["DeviceRequests"] = [*(host.get("DeviceRequests") or ()), *requests]


def _is_of_devices(request: Mapping[str, Any]) -> bool:
    return request.get("Driver") == _CDI and not request.get("Capabilities")


def read(inspected: Mapping[str, Any]) -> list[dict[str, str]] | None:
    """The way back; None where there is none."""
    host = host_config(inspected)
    found = [
        {
            "source": str(d.get("PathOnHost", "")),
            "target": str(d.get("PathInContainer", "")),
            "permissions": "".join(letter for letter in "rwm" if letter in str(d.get("CgroupPermissions", ""))),
        }
        for d in host.get("Devices") or ()
    ]
    requests = (request for request in host.get("DeviceRequests") or () if _is_of_devices(request))
    names = [str(name) for request in requests for name in request.get("DeviceIDs") or ()]
    return _by_target([*found, *({"source": n, "target": n, "permissions": "rwm"} for n in names)]) or None


def needs(value: list[dict[str, str]]) -> Needs | None:
    """Engines know the Container Device Interface from 25.0 on."""
    name = next((d["source"] for d in value if _is_name(d["source"])), None)
    return Needs(_CDI_API, f"{name} in devices") if name is not None else None


def _count(value: Any) -> int:
    return -1 if value in ("all", -1) else integer("a count of devices, or all,", 1, 1024, digits_in_quotes=True)(value)


def _no_bare(name: str) -> str:
    raise wrong(f"{shown(name)} has no value: expected KEY=value")


_options = pairs(what="option", key=text, value=scalar_text, bare=_no_bare)
_texts = as_list(text, "a list of strings")


def _request(value: Any, *, gpu: bool) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise expected("an object with driver, count, device_ids, capabilities, options", value)
    readers: dict[str, Callable[[Any], Any]] = {
        "driver": text,
        "count": _count,
        "device_ids": _texts,
        "capabilities": _texts,
        "options": _options,
    }
    found = object_of(value, readers)
    if "count" in found and "device_ids" in found:
        raise wrong("count and device_ids exclude each other")
    if not gpu and not found.get("capabilities"):
        raise wrong('capabilities is missing: what the devices must be able to do, such as ["gpu"]')
    ids = list(found.get("device_ids", ()))
    return {
        "driver": found.get("driver", ""),
        "count": 0 if ids else found.get("count", -1),
        "device_ids": ids,
        "capabilities": sorted({*found.get("capabilities", ()), *(("gpu",) if gpu else ())}),
        "options": found.get("options", {}),
    }


def parse_gpus(value: Any) -> list[dict[str, Any]]:
    """``all``, or a list of requests, each for what can do ``gpu``."""
    if value == "all":
        return [_request({"count": -1}, gpu=True)]
    requests: list[dict[str, Any]] = as_list(
        lambda one: _request(one, gpu=True), '"all", or a list of requests for GPUs'
    )(value)
    return requests


def parse_reserved(value: Any) -> list[dict[str, Any]]:
    """``deploy.resources.reservations.devices``: the same for devices of any kind."""
    requests: list[dict[str, Any]] = as_list(lambda one: _request(one, gpu=False), "a list of requests for devices")(
        value
    )
    return requests


def send_gpus(value: list[dict[str, Any]], body: dict[str, Any]) -> None:
    """Into ``HostConfig.DeviceRequests``."""
    requests = [
        {
            "Driver": r["driver"],
            "Count": r["count"],
            "DeviceIDs": r["device_ids"],
            "Capabilities": [r["capabilities"]],
            "Options": r["options"],
        }
        for r in value
    ]
    _request_from_engine(body, requests)


def read_gpus(inspected: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The way back; None where nothing was requested."""
    return [
        {
            "driver": str(r.get("Driver") or ""),
            "count": int(r.get("Count") or 0),
            "device_ids": [str(id) for id in r.get("DeviceIDs") or ()],
            "capabilities": sorted(str(c) for some in r.get("Capabilities") or () for c in some),
            "options": {str(k): str(v) for k, v in sorted((r.get("Options") or {}).items())},
        }
        for r in host_config(inspected).get("DeviceRequests") or ()
        if not _is_of_devices(r)
    ] or None


def gpus_need(value: list[dict[str, Any]]) -> Needs | None:
    """The same for the driver of the Container Device Interface."""
    return Needs(_CDI_API, "the driver cdi") if any(request["driver"] == _CDI for request in value) else None
