"""Volumes: how they are written, their normal form, and the Engine API's. Pure.

Normal form: a list, sorted by target, of ``{"type": "bind" | "volume" | "tmpfs", "source": …, "target": "/data",
"read_only": false}``; ``source`` is None for an anonymous volume and for tmpfs. Only where they were declared:
``selinux`` (``z`` or ``Z``), ``nocopy`` (true), ``size`` (bytes, of a tmpfs).

Sources stay as written; the loader makes paths absolute and gives named volumes their engine-side names with
:func:`map_volume_sources`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.intent.settings.faults import Faults, expected, nearest, object_of, shown, wrong
from reconciler.intent.settings.values import (
    as_list,
    choice,
    container_path,
    flag,
    is_windows_path,
    size,
    size_text,
    text,
)

_PART = r"(?>[A-Za-z]:[\\/][^:]*|[^:]*)"  # atomic: "C:\\x" is one path, never a volume C on \\x
_SHORT = re.compile(rf"(?:(?P<source>{_PART}):)?(?P<target>{_PART})(?::(?P<mode>[^:\\/]*))?")
_VOLUME_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]+")
_MODES = ("ro", "rw", "z", "Z", "nocopy")

ACCEPTS: dict[str, Any] = {
    "type": "array",
    "items": {
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {
                    "type": {"enum": ["bind", "volume", "tmpfs"]},
                    "source": {"type": "string"},
                    "target": {"type": "string"},
                    "read_only": {"type": "boolean"},
                    "bind": {
                        "type": "object",
                        "properties": {"selinux": {"enum": ["z", "Z"]}},
                        "additionalProperties": False,
                    },
                    "volume": {
                        "type": "object",
                        "properties": {"nocopy": {"type": "boolean"}},
                        "additionalProperties": False,
                    },
                    "tmpfs": {
                        "type": "object",
                        "properties": {"size": {"type": ["string", "integer"]}},
                        "additionalProperties": False,
                    },
                },
                "required": ["type", "target"],
                "additionalProperties": False,
            },
        ]
    },
}


def parse(value: Any) -> list[dict[str, Any]]:
    """A list, each item in Compose's short form (``source:target[:mode]``) or its long one."""
    if not isinstance(value, list | tuple):
        raise expected('a list such as ["./data:/data"]', value)
    faults = Faults()
    by_target: dict[str, dict[str, Any]] = {}
    for index, item in enumerate(value):
        entry = faults.read((index,), _item, item)
        if entry is None:
            continue
        if by_target.setdefault(entry["target"], entry) != entry:
            faults.add((index,), f"something else is mounted on {entry['target']} already", item)
    faults.throw()
    return _sorted(by_target.values())


def _item(item: Any) -> dict[str, Any]:
    if isinstance(item, str):
        return _from_short(text(item))
    if isinstance(item, Mapping):
        return _from_long(item)
    raise expected('a volume such as "./data:/data:ro", or an object with type, source and target', item)


def _from_short(item: str) -> dict[str, Any]:
    match = _SHORT.fullmatch(item)
    if match is None:
        raise expected('a volume such as "./data:/data" or "./data:/data:ro"', item)
    source, target, mode = match["source"], match["target"], match["mode"]
    if mode is None and source is not None and target in _MODES:
        raise wrong(f'{shown(item)}: an anonymous volume takes no mode; write "source:target:mode"')
    if source is None and target[1:3] == ":/":  # would be a directory of Windows: surely not meant
        raise wrong(f"{shown(item)}: a volume's name has two or more characters")
    modes = mode.split(",") if mode is not None else []
    for given in modes:
        if given not in _MODES:
            raise wrong(f"{shown(given)} is no known mode (ro, rw, z, Z, nocopy){nearest(given, _MODES)}")
    if {"ro", "rw"} <= set(modes) or {"z", "Z"} <= set(modes):
        raise wrong(f"{shown(item)}: the modes contradict each other")
    kind = "bind" if source is not None and _is_path(source) else "volume"
    if "nocopy" in modes and kind == "bind":
        raise wrong(f"{shown(item)}: nocopy is for named volumes, not for directories of the host")
    if source is not None and kind == "volume":
        source = _volume_name(source)
    selinux = next((m for m in modes if m in ("z", "Z")), None)
    return _entry(kind, source, target, "ro" in modes, selinux=selinux, nocopy="nocopy" in modes)


def _from_long(item: Mapping[str, Any]) -> dict[str, Any]:
    parts = object_of(
        item,
        {
            "type": choice("bind", "volume", "tmpfs"),
            "source": text,
            "target": text,
            "read_only": flag,
            "bind": lambda value: _options(value, {"selinux": choice("z", "Z")}),
            "volume": lambda value: _options(value, {"nocopy": flag}),
            "tmpfs": lambda value: _options(value, {"size": size(1)}),
        },
    )
    for name in ("type", "target"):
        if name not in parts:
            raise wrong(f"{name} is missing")
    kind, source = parts["type"], parts.get("source") or None
    for other in {"bind", "volume", "tmpfs"} - {kind}:
        if other in parts:
            raise wrong(f"options for {other} with a volume of type {kind}")
    if kind == "bind" and source is None:
        raise wrong("source, the directory or file of the host, is missing")
    if kind == "tmpfs" and source is not None:
        raise wrong("a tmpfs has no source")
    if kind == "volume" and source is not None:
        source = _volume_name(source)
    options = parts.get(kind, {})
    return _entry(
        kind,
        source,
        parts["target"],
        parts.get("read_only", False),
        selinux=options.get("selinux"),
        nocopy=options.get("nocopy", False),
        size_bytes=options.get("size"),
    )


def _options(value: Any, parsers: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise expected("an object", value)
    return object_of(value, parsers)


def _is_path(source: str) -> bool:
    return source.startswith(("/", ".", "~")) or is_windows_path(source)


def _volume_name(source: str) -> str:
    if _VOLUME_NAME.fullmatch(source):
        return source
    if "/" in source or "\\" in source:
        raise wrong(f"{shown(source)} is no volume's name; for a directory next to the file write './{source}'")
    raise expected("a volume's name (two or more letters, digits, _ . or -) or a path", source)


def _entry(
    kind: str,
    source: str | None,
    target: str,
    read_only: bool,
    *,
    selinux: str | None = None,
    nocopy: bool = False,
    size_bytes: int | None = None,
) -> dict[str, Any]:
    for path in (source, target):
        if path and ":" in (path[2:] if is_windows_path(path) else path):
            raise wrong(f"{shown(path)}: the engine can't mount a path with a colon in it")
    entry: dict[str, Any] = {
        "type": kind,
        "source": source,
        "target": container_path(target),
        "read_only": read_only,
    }
    if entry["target"] == "/":
        raise wrong("nothing can be mounted on / itself")
    if selinux:
        entry["selinux"] = selinux
    if nocopy:
        entry["nocopy"] = True
    if size_bytes:
        entry["size"] = size_bytes
    return entry


def _sorted(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(entries, key=lambda entry: str(entry["target"]))


def map_volume_sources(volumes: Iterable[Mapping[str, Any]], fn: Callable[[str, str], str]) -> list[dict[str, Any]]:
    """The normal form with each source replaced by ``fn(type, source)``; entries without a source stay."""
    return [
        {**entry, "source": fn(entry["type"], entry["source"])} if entry["source"] is not None else dict(entry)
        for entry in volumes
    ]


def send(value: list[dict[str, Any]], body: dict[str, Any]) -> None:
    """What has a source goes into ``HostConfig.Binds`` (which makes missing directories, and knows SELinux),
    anonymous volumes and tmpfs into ``HostConfig.Mounts``."""
    host = body.setdefault("HostConfig", {})
    for entry in value:
        if entry["source"] is not None:
            modes = [
                "ro" if entry["read_only"] else "rw",
                entry.get("selinux"),
                "nocopy" if "nocopy" in entry else "",
            ]
            bind = ":".join((entry["source"], entry["target"], ",".join(mode for mode in modes if mode)))
            host.setdefault("Binds", []).append(bind)
            continue
        mount: dict[str, Any] = {"Type": entry["type"], "Target": entry["target"], "ReadOnly": entry["read_only"]}
        if "nocopy" in entry:
            mount["VolumeOptions"] = {"NoCopy": True}
        if "size" in entry:
            mount["TmpfsOptions"] = {"SizeBytes": entry["size"]}
        host.setdefault("Mounts", []).append(mount)


def read(inspected: Mapping[str, Any]) -> list[dict[str, Any]]:
    """From what was asked for (``Binds``, ``Mounts``), not from what was mounted: the engine may show another
    source for that (as Docker Desktop does)."""
    host: Mapping[str, Any] = inspected.get("HostConfig", {})
    found = [_from_bind(bind) for bind in host.get("Binds") or ()]
    for mount in host.get("Mounts") or ():
        entry = {
            "type": mount.get("Type"),
            "source": mount.get("Source") or None,
            "target": mount.get("Target"),
            "read_only": bool(mount.get("ReadOnly")),
        }
        if (mount.get("VolumeOptions") or {}).get("NoCopy"):
            entry["nocopy"] = True
        if (mount.get("TmpfsOptions") or {}).get("SizeBytes"):
            entry["size"] = mount["TmpfsOptions"]["SizeBytes"]
        found.append(entry)
    return _sorted(found)


def _from_bind(bind: str) -> dict[str, Any]:
    match = _SHORT.fullmatch(bind)
    source, target, mode = (match["source"], match["target"], match["mode"]) if match else (bind, "", None)
    modes = (mode or "").split(",")
    entry: dict[str, Any] = {
        "type": "bind" if source and _is_path(source) else "volume",
        "source": source,
        "target": target,
        "read_only": "ro" in modes,
    }
    for selinux in ("z", "Z"):
        if selinux in modes:
            entry["selinux"] = selinux
    if "nocopy" in modes:
        entry["nocopy"] = True
    return entry


def same(declared: Any, found: Any) -> bool:
    """Every declared one is there; the image may bring more, and pnr itself adds its runtime directory."""
    return all(entry in found for entry in declared)


def tell(entries: Any) -> str:
    """The volumes for people: ``./data:/data:ro``."""
    return ", ".join(_told(entry) for entry in entries) or "none"


def _told(entry: Mapping[str, Any]) -> str:
    modes = ["ro"] if entry["read_only"] else []
    modes += [str(entry["selinux"])] if "selinux" in entry else []
    modes += ["nocopy"] if "nocopy" in entry else []
    modes += [f"size={size_text(entry['size'])}"] if "size" in entry else []
    source = entry["source"] or ("tmpfs" if entry["type"] == "tmpfs" else "")
    return ":".join(part for part in (source, entry["target"], ",".join(modes)) if part)


def parse_volumes_from(value: Any) -> list[str]:
    """``volumes_from``: ``CHUNK`` or ``container:NAME``, with ``:ro`` where it is to be read only."""
    entries: list[str] = as_list(_volumes_from, "a list of chunks or containers")(value)
    return entries


def _volumes_from(value: Any) -> str:
    given = text(value)
    name, mode = given, "rw"
    if given.endswith((":ro", ":rw")):
        name, mode = given[:-3], given[-2:]
    if not name or name == "container:":
        raise wrong(f"{shown(given)} names nobody: expected CHUNK[:ro] or container:NAME[:ro]")
    return name if mode == "rw" else f"{name}:ro"


def volumes_from_to_api(value: list[str]) -> list[str]:
    """The engine knows only containers."""
    return [entry.removeprefix("container:") for entry in value]


def same_volumes_from(declared: Any, found: Any) -> bool:
    """As declared; ``rw`` is the usual mode."""
    there = [entry.removesuffix(":rw") for entry in found or ()]
    return volumes_from_to_api(list(declared or ())) == volumes_from_to_api(there)
