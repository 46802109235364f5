"""What a service must not be without: what it does and works on, what it is trusted with, what shuts it in. Pure.

A database without its volume starts on an empty folder, a proxy without its secret serves with none, and what was to
run as nobody runs as root. So a chunk that lost such a thing is not written unless somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.diagnostics import Path, render

_WORK = frozenset({"command", "entrypoint", "environment"})
_MOUNTS = frozenset({"volumes", "tmpfs", "volumes_from", "secrets", "configs", "env_file", "use_api_socket"})
_PRIVILEGES = frozenset(
    {"privileged", "cap_add", "devices", "device_cgroup_rules", "gpus", "group_add", "network_mode", "pid", "ipc"}
    | {"uts", "cgroup", "sysctls", "runtime", "credential_spec"}
)
_BOUNDS = frozenset({"cap_drop", "security_opt", "user", "userns_mode", "read_only", "networks"})
OF_A_SERVICE = _WORK | _MOUNTS | _PRIVILEGES | _BOUNDS

_RESERVED = ("deploy", "resources", "reservations", "devices")
_OF_A_NETWORK = frozenset({"name", "driver", "internal"})
_OF_A_VOLUME = frozenset({"name", "driver", "driver_opts", "external"})


def lost_by(model: Mapping[str, Any], path: Path) -> Iterator[tuple[str, str]]:
    """Which services lack something that they must not be without when what stands at ``path`` of the project is lost,
    and what it is, in words."""
    match path:
        case ("services", str(name), str(key), *inner):
            is_whole = key != "networks" or len(inner) < 2  # a network, not its address in it
            is_reserved = all(said == part for said, part in zip((key, *inner), _RESERVED, strict=False))
            if (key in OF_A_SERVICE and is_whole) or is_reserved:
                yield name, render(path[2:])
        case ("secrets" | "configs" as kind, str(name), *_):
            for user, service in model["services"].items():
                if any(name in (use, _source(use)) for use in service.get(kind) or ()):
                    yield user, f"the {kind.removesuffix('s')} {name}"
        case ("volumes", str(name), *inner) if not inner or inner[0] in _OF_A_VOLUME:
            yield from ((user, f"the volume {name}") for user in _mounting(model, name))
        case ("networks", str(name), *inner) if not inner or inner[0] in _OF_A_NETWORK:
            for user, service in model["services"].items():
                if name in (service.get("networks") or {}):
                    yield user, f"the network {name}"


def _source(use: Any) -> Any:
    return use.get("source") if isinstance(use, Mapping) else None


def _mounting(model: Mapping[str, Any], volume: str) -> Iterator[str]:
    for name, service in model["services"].items():
        mounts = service.get("volumes") or ()
        if any(entry.get("type") == "volume" and entry.get("source") == volume for entry in mounts):
            yield name
