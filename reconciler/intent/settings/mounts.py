"""Volumes in the Engine API: ``HostConfig.Binds`` and ``HostConfig.Mounts``. Pure. See :mod:`.volumes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.intent.settings.volumes import PROPAGATIONS, SHORT, in_order, is_path, unusual

_ANONYMOUS = "com.docker.volume.anonymous"
_RECURSIVE = {
    "disabled": "NonRecursive",
    "writable": "ReadOnlyNonRecursive",
    "readonly": "ReadOnlyForceRecursive",
}
"""Compose's word, and the flag of ``BindOptions`` that says it."""


def send(value: list[dict[str, Any]], body: dict[str, Any]) -> None:
    """What has a source goes into ``HostConfig.Binds`` (which makes missing directories, and knows SELinux), unless it
    says what only ``HostConfig.Mounts`` can say; anonymous volumes, tmpfs and images into the latter."""
    host = body.setdefault("HostConfig", {})
    for entry in value:
        if entry["type"] in ("bind", "volume") and entry["source"] is not None and not _takes_mount(entry):
            host.setdefault("Binds", []).append(_bind(entry))
        else:
            host.setdefault("Mounts", []).append(_mount(entry))


def _takes_mount(entry: Mapping[str, Any]) -> bool:
    return bool(entry.keys() & {"recursive", "create_host_path", "subpath"})


def _bind(entry: Mapping[str, Any]) -> str:
    modes = ["ro" if entry["read_only"] else "rw", entry.get("selinux"), entry.get("propagation")]
    modes += ["nocopy"] if "nocopy" in entry else []
    return ":".join((entry["source"], entry["target"], ",".join(mode for mode in modes if mode)))


def _mount(entry: Mapping[str, Any]) -> dict[str, Any]:
    mount: dict[str, Any] = {"Type": entry["type"], "Target": entry["target"]}
    if entry["type"] != "image":  # is read only by itself
        mount["ReadOnly"] = entry["read_only"]
    if entry["source"] is not None:
        mount["Source"] = entry["source"]
    if entry["type"] == "bind":
        bind: dict[str, Any] = {}
        if "propagation" in entry:
            bind["Propagation"] = entry["propagation"]
        if "recursive" in entry:
            bind[_RECURSIVE[entry["recursive"]]] = True
        if "create_host_path" not in entry:
            bind["CreateMountpoint"] = True
        mount["BindOptions"] = bind
    volume = {
        key: entry[name]
        for key, name in (("NoCopy", "nocopy"), ("Labels", "labels"), ("Subpath", "subpath"))
        if name in entry
    }
    if volume:
        mount["ImageOptions" if entry["type"] == "image" else "VolumeOptions"] = volume
    tmpfs = {key: entry[name] for key, name in (("SizeBytes", "size"), ("Mode", "mode")) if name in entry}
    if tmpfs:
        mount["TmpfsOptions"] = tmpfs
    return mount


def read(inspected: Mapping[str, Any]) -> list[dict[str, Any]]:
    """From what was asked for (``Binds``, ``Mounts``), not from what was mounted: the engine may show another
    source for that (as Docker Desktop does)."""
    host: Mapping[str, Any] = inspected.get("HostConfig", {})
    found = [_from_bind(bind) for bind in host.get("Binds") or ()]
    found += [_from_mount(mount) for mount in host.get("Mounts") or ()]
    return in_order(found)


def _from_bind(bind: str) -> dict[str, Any]:
    match = SHORT.fullmatch(bind)
    source, target, mode = (match["source"], match["target"], match["mode"]) if match else (bind, "", None)
    modes = (mode or "").split(",")
    entry: dict[str, Any] = {
        "type": "bind" if source and is_path(source) else "volume",
        "source": source,
        "target": target,
        "read_only": "ro" in modes,
    }
    return entry | unusual(
        {
            "selinux": next((given for given in modes if given in ("z", "Z")), None),
            "nocopy": "nocopy" in modes,
            "propagation": next((given for given in modes if given in PROPAGATIONS), None),
        }
    )


def _labels(found: Mapping[str, str]) -> dict[str, str]:
    """Without the one by which newer engines know a volume that was given no name."""
    return {name: value for name, value in sorted(found.items()) if name != _ANONYMOUS}


def _from_mount(mount: Mapping[str, Any]) -> dict[str, Any]:
    kind = mount.get("Type")
    entry: dict[str, Any] = {
        "type": kind,
        "source": mount.get("Source") or None,
        "target": mount.get("Target"),
        "read_only": bool(mount.get("ReadOnly")) or kind == "image",
    }
    bind, tmpfs = mount.get("BindOptions") or {}, mount.get("TmpfsOptions") or {}
    volume = mount.get("VolumeOptions") or mount.get("ImageOptions") or {}
    return entry | unusual(
        {
            "propagation": bind.get("Propagation"),
            "recursive": next((word for word, key in _RECURSIVE.items() if bind.get(key)), None),
            "create_host_path": bool(bind.get("CreateMountpoint")) if kind == "bind" else None,
            "nocopy": volume.get("NoCopy"),
            # A volume with a name has its own; these count only where it is made on the way.
            "labels": _labels(volume.get("Labels") or {}) if not mount.get("Source") else {},
            "subpath": volume.get("Subpath"),
            "size": tmpfs.get("SizeBytes"),
            "mode": tmpfs.get("Mode"),
        }
    )
