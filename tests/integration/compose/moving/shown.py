"""What an engine shows of a container, without what differs for each and what says nothing: for comparing two."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from reconciler.intent.settings import security_options
from reconciler.intent.settings.ports import parse_exposed
from reconciler.intent.settings.words import capabilities_found

OTHERS_LABELS = ("com.docker.compose.", "io.pnr.")
_STREAMS = ("AttachStdin", "AttachStdout", "AttachStderr", "StdinOnce")  # whether the creating client listens


def shown(body: Mapping[str, Any], ids: Mapping[str, str], files: Collection[str]) -> dict[str, Any]:
    """The settings of an inspected container. ``ids`` are names by container id; of mounts on ``files``, which are
    secrets and configs, only that they are there and can't be written counts."""
    config = dict(body["Config"])
    host = dict(body["HostConfig"])
    config["Labels"] = {k: v for k, v in (config["Labels"] or {}).items() if not k.startswith(OTHERS_LABELS)}
    config["Env"] = sorted(config["Env"] or ())
    config["ExposedPorts"] = parse_exposed(list(config.get("ExposedPorts") or ()))
    if (config.get("Healthcheck") or {}).get("Test") == ["NONE"]:
        config["Healthcheck"] = {"Test": ["NONE"]}
    host["ExtraHosts"] = sorted(host.get("ExtraHosts") or ())
    host["Ulimits"] = sorted(host.get("Ulimits") or (), key=lambda limit: str(limit["Name"]))
    host["SecurityOpt"] = security_options.read(body)
    host["GroupAdd"] = sorted(host.get("GroupAdd") or ())
    for key in ("CapAdd", "CapDrop"):
        host[key] = capabilities_found(host.get(key))
    if body["Id"].startswith(config["Hostname"]) or config["Hostname"] in {id[:12] for id in ids}:
        config["Hostname"] = ""
    for key in _STREAMS:
        config.pop(key, None)
    host["RestartPolicy"] = {"Name": "no", **{k: v for k, v in host["RestartPolicy"].items() if v}}
    host["Mounts"] = _mounts(host, files)
    del host["Binds"]
    host["PortBindings"] = {
        port: sorted(bound, key=lambda one: (one["HostIp"], one["HostPort"]))
        for port, bound in (host["PortBindings"] or {}).items()
    }
    # Compose drops the mode that is written behind the name of a service.
    host["VolumesFrom"] = [
        _named(entry.removesuffix(":rw").removesuffix(":ro"), ids) for entry in host.get("VolumesFrom") or ()
    ]
    for key in ("NetworkMode", "IpcMode", "PidMode"):
        host[key] = _named(str(host[key]), ids)
    networks = body["NetworkSettings"]["Networks"]
    found = {"Config": config, "HostConfig": host, "Networks": {}}
    if not host["NetworkMode"].startswith("container:"):
        found["Networks"] = {name: _endpoint(end, body) for name, end in networks.items()}
    stripped: dict[str, Any] = _without_nothing(found)
    return stripped


def unlike(found: Any, expected: Any, path: str = "") -> list[str]:
    """Each value that differs, a line each."""
    if isinstance(found, dict) and isinstance(expected, dict):
        keys = sorted({*found, *expected})
        return [line for key in keys for line in unlike(found.get(key), expected.get(key), f"{path}.{key}")]
    return [] if found == expected else [f"{path}: {found} here, {expected} with Compose"]


def _mounts(host: Mapping[str, Any], files: Collection[str]) -> list[Any]:
    """Binds and Mounts in one form: which of the two was used is of no account."""
    found: list[dict[str, Any]] = []
    for bind in host.get("Binds") or ():
        source, target, mode = bind.split(":", 2)
        modes = sorted(set(mode.split(",")) - {"rw", "rprivate"})
        kind = "bind" if source.startswith("/") else "volume"
        found.append({"Type": kind, "Source": source, "Target": target, "Modes": modes})
    for mount in host.get("Mounts") or ():
        kept = _without_nothing({key: value for key, value in mount.items() if key != "Consistency"})
        modes = ["ro"] if kept.pop("ReadOnly", False) else []
        options = kept.pop("VolumeOptions", {})
        modes += ["nocopy"] if options.pop("NoCopy", False) else []
        if mount.get("Source"):
            options.pop("Labels", None)  # which only a volume would have that is made on the way
        bind_options = kept.pop("BindOptions", {})
        bind_options.pop("CreateMountpoint", None)
        modes += [word for word in [bind_options.pop("Propagation", "rprivate")] if word != "rprivate"]
        more = {"VolumeOptions": options, "BindOptions": bind_options}
        found.append({**kept, "Modes": sorted(modes), **_without_nothing(more)})
    kept_of_files = ({**mount, "Source": "its file"} if mount["Target"] in files else mount for mount in found)
    return sorted(kept_of_files, key=lambda mount: str(mount["Target"]))


def _named(value: str, ids: Mapping[str, str]) -> str:
    for id, name in ids.items():
        value = value.replace(id, name)
    return value


def _endpoint(end: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    aliases = sorted(set(end["Aliases"] or ()) - {body["Id"][:12], body["Name"].lstrip("/")})
    return {
        "Aliases": aliases,
        "Links": sorted(end.get("Links") or ()),
        "IPAMConfig": end.get("IPAMConfig"),
        "DriverOpts": end.get("DriverOpts"),
    }


def _without_nothing(node: Any) -> Any:
    if isinstance(node, dict):
        kept = {key: _without_nothing(value) for key, value in node.items()}
        return {key: value for key, value in kept.items() if value not in (None, "", 0, False, [], {})}
    if isinstance(node, list | tuple):
        return [_without_nothing(value) for value in node]
    return node
