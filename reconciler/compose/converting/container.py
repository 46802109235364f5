"""The settings of a service as those of a container. Pure.

A domain file takes Compose's names and forms, so most of a service goes over as it is. What is written otherwise here
is what would mean something else there (a port without an address), names that the domain does not have, and long forms
where a short one says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from reconciler.compose.converting.deploy import Deployed
from reconciler.compose.converting.remarks import NO_COUNTERPART, Remarks
from reconciler.diagnostics import Path
from reconciler.intent.container_document import Container
from reconciler.intent.settings.isolation import CONTAINER, SERVICE
from reconciler.intent.settings.ports import EVERYWHERE
from reconciler.quantities import port_ranges, sizes

KNOWN = frozenset(Container.model_fields) - {"name", "env", "build_path", "scale", "deploy"}
"""Keys that a service and a container have in common."""

IGNORED = frozenset({"attach", "develop", "extends", "profiles"})
"""What ``docker-compose up -d`` does nothing with, or what is done already when a project is read."""

ELSEWHERE = frozenset({"container_name", "depends_on", "deploy", "scale"})
"""What becomes something else than a setting."""

_FIRST = ("image", "build", "entrypoint", "command", "environment", "env_file", "ports", "volumes", "networks")
_SIZES = frozenset({"mem_limit", "memswap_limit", "mem_reservation", "shm_size"})
_MODES = ("network_mode", "ipc", "pid")
_HOSTS_NETWORK = ("host", "none")
_NOTHING: tuple[Any, ...] = (None, "", {})


@dataclass(frozen=True, slots=True)
class Names:
    """The names in the domain, by those in the project."""

    chunks: Mapping[str, str]
    networks: Mapping[str, str]
    volumes: Mapping[str, str]
    secrets: Mapping[str, str]
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Converted:
    """The settings of a container, and where in the service those came from that stand elsewhere in it: paths in the
    container to paths in the service."""

    settings: dict[str, Any]
    origins: dict[Path, Path]


def convert(
    name: str,
    model: Mapping[str, Any],
    names: Names,
    deployed: Deployed,
    *,
    copies: int,
    adopt: bool,
    remarks: Remarks,
) -> Converted:
    """The settings of the service ``name`` of ``model``, of which there are to be ``copies``. With ``adopt`` they say
    all that Compose adds to a container, so that one that it made has nothing else."""
    service: Mapping[str, Any] = model["services"][name]
    at = ("services", name)
    converted = Converted({}, {})
    for key, value in service.items():
        if key in ELSEWHERE or key in IGNORED or key.startswith("x-") or value is None:
            continue
        if key not in KNOWN:
            if value not in ({}, [], "", False):
                remarks.loss((*at, key), NO_COUNTERPART, f"a container of pnr has no setting {key}")
            continue
        converted.settings[key] = value
    converted.settings.update({key: value for key, (value, _) in deployed.settings.items()})
    converted.origins.update({(key,): origin for key, (_, origin) in deployed.settings.items()})
    settings = converted.settings
    for key in _SIZES & settings.keys():
        if str(settings[key]).isdecimal() and int(settings[key]):
            settings[key] = sizes.exact(int(settings[key]))
    if "ulimits" in settings:
        # Compose's canonical form leaves a limit of 0 out.
        settings["ulimits"] = {key: said or 0 for key, said in settings["ulimits"].items()}
    if isinstance(settings.get("blkio_config"), Mapping):
        settings["blkio_config"] = {key: _limits(said) for key, said in settings["blkio_config"].items()}
    if (settings.get("healthcheck") or {}).get("disable"):
        settings["healthcheck"] = {"disable": True}  # whatever else is said of it
    for key in _MODES:
        if str(settings.get(key, "")).startswith(SERVICE):
            target = settings[key].removeprefix(SERVICE)
            settings[key] = SERVICE + names.chunks.get(target, target)
    _items(converted, "volumes_from", lambda entry: _from_chunk(entry, names.chunks))
    if adopt:
        _as_compose_takes_volumes(settings, at, remarks)
    for index, entry in enumerate(settings.get("volumes") or ()):
        if entry.get("type") == "volume" and not entry.get("source"):
            message = f"the volume on {entry.get('target')} has no name: it lasts as long as its container, give it one"
            remarks.note((*at, "volumes", index), "AnonymousVolume", message)
    _items(converted, "volumes", lambda entry: _volume(entry, names.volumes))
    _files(converted)
    _items(converted, "devices", _device)
    for kind, own in (("secrets", names.secrets), ("configs", names.configs)):
        _tell_of_modes(settings.get(kind), (*at, kind), model.get(kind) or {}, remarks)
        _items(converted, kind, partial(_use, declared=model.get(kind) or {}, own=own))
    _links(converted, names.chunks, adopt)
    _ports(converted, at, copies, remarks)
    _networks(converted, name, names)
    if "build" in settings:
        _build(settings, name, model)
    first = {key: settings[key] for key in _FIRST if key in settings}
    return Converted({**first, **settings}, converted.origins)


def _items(converted: Converted, key: str, change: Callable[[Any], Any]) -> None:
    if isinstance(converted.settings.get(key), list):
        converted.settings[key] = [change(entry) for entry in converted.settings[key]]


def _limits(said: Any) -> Any:
    """Limits of devices; Compose's canonical form writes ``Path`` and ``Rate``."""
    if not isinstance(said, list):
        return said
    return [{key.lower(): part for key, part in one.items()} if isinstance(one, Mapping) else one for one in said]


def _from_chunk(entry: Any, chunks: Mapping[str, str]) -> str:
    """``SERVICE[:more]`` with the chunk's name; ``container:NAME`` stays."""
    target, colon, more = str(entry).partition(":")
    return str(entry) if str(entry).startswith(CONTAINER) else f"{chunks.get(target, target)}{colon}{more}"


def _as_compose_takes_volumes(settings: dict[str, Any], at: Path, remarks: Remarks) -> None:
    """Compose drops the mode that is written behind the name of a service, so its container has them to write."""
    for index, entry in enumerate(settings.get("volumes_from") or ()):
        if entry.endswith(":ro") and not entry.startswith(CONTAINER):
            settings["volumes_from"][index] = entry.removesuffix(":ro")
            message = f"{entry}: Compose has not made them read-only, and so neither is the domain, to take it over"
            remarks.note((*at, "volumes_from", index), "Writable", message)


def _links(converted: Converted, chunks: Mapping[str, str], adopt: bool) -> None:
    """Other names for services. Their own names need no link, since in a network every service has its own; but a
    container that Compose made has one for each."""
    settings = converted.settings
    written: list[str] = []
    for entry in settings.pop("links", None) or ():
        target, _, alias = str(entry).partition(":")
        if adopt or settings.get("network_mode") == "bridge" or alias not in ("", target):
            written.append(f"{chunks.get(target, target)}:{alias or target}")
    if written:
        settings["links"] = written
        converted.origins["links",] = ("links",)


def _volume(entry: Mapping[str, Any], volumes: Mapping[str, str]) -> Any:
    kind = str(entry.get("type"))
    kept = {key: part for key, part in entry.items() if key not in ("consistency", "bind", "volume", "tmpfs", "image")}
    if kind == "volume" and kept.get("source"):
        kept["source"] = volumes.get(kept["source"], kept["source"])
    options = {}
    # Of the options for other types Compose heeds only SELinux's.
    for key in (kind, *(("bind",) if kind == "volume" else ())):
        said = {name: part for name, part in (entry.get(key) or {}).items() if part not in _NOTHING}
        if key != kind:
            said = {name: part for name, part in said.items() if name == "selinux"}
        if said.get("create_host_path") is True:
            del said["create_host_path"]  # so the engine does anyway
        if said.get("nocopy") is False:
            del said["nocopy"]
        if kept.get("source"):
            said.pop("labels", None)  # Compose has made the volume by then, without them
        options.update({key: said} if said else {})
    if not kept.get("read_only"):
        kept.pop("read_only", None)
    kept = {key: part for key, part in kept.items() if part not in _NOTHING}
    return _short_volume(kind, kept, options) or {**kept, **options}


def _short_volume(kind: str, kept: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    """``source:target[:modes]``, where that says it all."""
    source, target = str(kept.get("source", "")), str(kept.get("target", ""))
    if kind not in ("bind", "volume") or set(kept) - {"type", "source", "target", "read_only"}:
        return ""
    if ":" in source or ":" in target or not target.startswith("/") or (kind == "bind" and not source.startswith("/")):
        return ""
    said = {name: part for some in options.values() for name, part in some.items()}
    modes = ["ro"] if kept.get("read_only") else []
    if set(said) - {"selinux", "nocopy", "propagation"} or (not source and (said or modes)):
        return ""
    modes += [str(said["selinux"])] if "selinux" in said else []
    modes += ["nocopy"] if said.get("nocopy") else []
    modes += [str(said["propagation"])] if "propagation" in said else []
    return ":".join(part for part in (source, target, ",".join(modes)) if part)


def _files(converted: Converted) -> None:
    """Files of variables and labels, without those that say nothing any more (None)."""
    for key, change in (("env_file", _env_file), ("label_file", str)):
        entries = converted.settings.pop(key, None)
        if not isinstance(entries, list):
            continue
        kept = [(index, change(entry)) for index, entry in enumerate(entries) if entry is not None]
        converted.origins.update({(key, number): (key, index) for number, (index, _) in enumerate(kept)})
        if kept:
            converted.settings[key] = [entry for _, entry in kept]


def _env_file(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    kept = {"path": entry.get("path")}
    kept |= {"required": False} if entry.get("required") is False else {}
    kept |= {"format": entry["format"]} if entry.get("format") else {}
    return kept["path"] if len(kept) == 1 else kept


def _device(entry: Any) -> Any:
    if not isinstance(entry, Mapping) or not str(entry.get("source", "")).startswith("/"):
        return entry
    parts = [str(entry["source"]), str(entry.get("target") or entry["source"]), str(entry.get("permissions") or "rwm")]
    if any(":" in part for part in parts):
        return entry
    return ":".join(parts if parts[2] != "rwm" else parts[:2] if parts[0] != parts[1] else parts[:1])


_OF_COPIES = ("uid", "gid", "mode")
"""What of a secret or config is only heeded where its content is copied into the container."""


def _tell_of_modes(uses: Any, at: Path, declared: Mapping[str, Any], remarks: Remarks) -> None:
    for index, use in enumerate(uses if isinstance(uses, list) else ()):
        said = [key for key in _OF_COPIES if isinstance(use, Mapping) and use.get(key) not in _NOTHING]
        if said and (declared.get(str(use.get("source"))) or {}).get("file"):
            message = (
                f"Compose does nothing with {', '.join(said)} of a secret or config from a file, so they are left out:"
                ' in pnr every process in the container can read it (mode "0444"); to set them, add them to the domain'
                " file"
            )
            remarks.note((*at, index), "ModeIgnored", message)


def _use(use: Any, declared: Mapping[str, Any], own: Mapping[str, str]) -> Any:
    """A secret or config of a container. Of one from a file Compose ignores owner and mode: it mounts that file."""
    if not isinstance(use, Mapping):
        return own.get(use, use)
    source = str(use.get("source"))
    from_file = bool((declared.get(source) or {}).get("file"))
    ignored = _OF_COPIES if from_file else ()
    kept = {key: part for key, part in use.items() if key not in ignored and part not in _NOTHING}
    kept["source"] = own.get(source, source)
    if "mode" in kept:
        kept["mode"] = str(kept["mode"]).zfill(4)
    if kept.get("target") == f"/run/secrets/{kept['source']}":
        del kept["target"]
    return kept["source"] if len(kept) == 1 else kept


def _ports(converted: Converted, at: Path, copies: int, remarks: Remarks) -> None:
    settings = converted.settings
    ports = settings.pop("ports", None) or []
    mode = settings.get("network_mode")
    if mode in _HOSTS_NETWORK and ports:
        message = f"with network_mode {mode} no port is published, as with Compose: ports are left out"
        remarks.note((*at, "ports"), "PortsNotPublished", message)
        return
    written: list[str] = []
    for index, entry in enumerate(ports):
        port = _port(entry)
        first, last = port_ranges.read(str(entry.get("published") or "")) or (0, 0)
        if first and last - first + 1 < copies:
            wanted = port_ranges.exact(first, first + copies - 1)
            message = f"{copies} replicas can't share one host port: publish a range, such as {wanted}"
            remarks.loss((*at, "ports", index), NO_COUNTERPART, message)
            continue
        converted.origins["ports", len(written)] = ("ports", index)
        written.append(port)
    if written:
        settings["ports"] = written


def _port(entry: Mapping[str, Any]) -> str:
    """``address:host port:container port``. Without an address Compose publishes on all of them, a domain on the
    loopback only."""
    ip = str(entry.get("host_ip") or EVERYWHERE)
    ip = f"[{ip}]" if ":" in ip else ip
    protocol = str(entry.get("protocol") or "tcp")
    kind = "" if protocol == "tcp" else f"/{protocol}"
    return f"{ip}:{entry.get('published') or ''}:{entry.get('target')}{kind}"


def _networks(converted: Converted, name: str, names: Names) -> None:
    """The networks, with the service's own name among the aliases where the chunk's is another."""
    settings = converted.settings
    said = settings.pop("networks", None) or {}
    if settings.get("network_mode"):
        return
    joined: dict[str, Any] = {}
    for network, attachment in sorted(said.items()):  # of equal ones Compose takes the first by name
        kept = {
            key: part for key, part in (attachment or {}).items() if part not in (*_NOTHING, []) and key[:2] != "x-"
        }
        if names.chunks[name] != name:
            kept["aliases"] = [name, *(alias for alias in kept.get("aliases", ()) if alias != name)]
        own = names.networks.get(network, network)
        joined[own] = kept or None
        converted.origins["networks", own] = ("networks", network)
    if joined != {"default": None} and joined:
        settings["networks"] = joined if any(joined.values()) else list(joined)


def _build(settings: dict[str, Any], name: str, model: Mapping[str, Any]) -> None:
    """Under the name that Compose gives to the image, so that one that was built is the same one."""
    settings.setdefault("image", f"{model['name']}-{name}")
    build = {key: part for key, part in settings["build"].items() if part not in (*_NOTHING, []) and key[:2] != "x-"}
    if build.get("dockerfile") == "Dockerfile":
        del build["dockerfile"]
    if isinstance(build.get("args"), Mapping):
        build["args"] = {key: part for key, part in build["args"].items() if part is not None}
    settings["build"] = build["context"] if set(build) == {"context"} else build
