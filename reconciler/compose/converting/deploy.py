"""``deploy`` and ``scale``, as far as Compose heeds them without a swarm: settings, and how many copies. Pure.

What only Swarm heeds (``placement``, ``update_config``, ``labels``, …) Compose leaves aside, and so does this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.diagnostics import Path

_LIMITS = {"cpus": "cpus", "memory": "mem_limit", "pids": "pids_limit"}
_RESTARTS = {"none": "no", "no": "no", "": "no", "any": "always"}


@dataclass(frozen=True, slots=True)
class Deployed:
    """Settings by their names in a container, each with where in the service it came from; ``replicas`` is None where
    nothing is said of them."""

    settings: Mapping[str, tuple[Any, Path]] = field(default_factory=dict)
    replicas: int | None = None


def flatten(service: Mapping[str, Any]) -> Deployed:
    """What ``deploy`` and ``scale`` of a service say."""
    deploy = service.get("deploy") or {}
    resources = deploy.get("resources") or {}
    found: dict[str, tuple[Any, Path]] = {}
    for key, value in (resources.get("limits") or {}).items():
        if key in _LIMITS and value not in (None, 0, "0", ""):
            found[_LIMITS[key]] = (value, ("deploy", "resources", "limits", key))
    reserved = resources.get("reservations") or {}
    if reserved.get("memory") not in (None, 0, "0", ""):
        found["mem_reservation"] = (reserved["memory"], ("deploy", "resources", "reservations", "memory"))
    if reserved.get("devices"):
        devices = {"resources": {"reservations": {"devices": reserved["devices"]}}}
        found["deploy"] = (devices, ("deploy",))
    if deploy.get("restart_policy"):
        found["restart"] = (_restart(deploy["restart_policy"]), ("deploy", "restart_policy"))
    count = service.get("scale", deploy.get("replicas"))
    return Deployed(found, int(count) if count is not None else None)


def _restart(policy: Mapping[str, Any]) -> str:
    condition = str(policy.get("condition") or "")
    name = _RESTARTS.get(condition, condition)
    most = int(policy.get("max_attempts") or 0)
    return f"{name}:{most}" if most and name == "on-failure" else name
