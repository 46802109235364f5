"""What is left to do before a canonical model says everything in one way. Pure, but for a function that reads files."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.intent.settings.isolation import CONTAINER, SERVICE

_MODES = ("host", "none", "bridge")
_WORDS_FOR_SECCOMP = ("unconfined", "builtin")


def without_modes_for_networks(model: Mapping[str, Any]) -> dict[str, Any]:
    """With ``networks`` where ``network_mode`` is the name of a network, which Compose takes to be there already."""
    networks = dict(model.get("networks") or {})
    services = {}
    for name, service in (model.get("services") or {}).items():
        mode = str(service.get("network_mode") or "")
        services[name] = dict(service)
        if mode == "default":
            services[name]["network_mode"] = "bridge"
        elif mode and mode not in _MODES and not mode.startswith((CONTAINER, SERVICE)):
            del services[name]["network_mode"]
            services[name]["networks"] = {_known_as(mode, networks): None}
    return {**model, "services": services, "networks": networks}


def _known_as(engine_name: str, networks: dict[str, Any]) -> str:
    """The network's key in ``networks``, where it then is."""
    known = next((key for key, said in networks.items() if (said or {}).get("name") == engine_name), None)
    if known is None:
        known = engine_name if engine_name not in networks else f"{engine_name}-outside"
        networks[known] = {"name": engine_name, "external": True}
    return known


def with_profiles(model: Mapping[str, Any], directory: str, read: Callable[[str], str]) -> dict[str, Any]:
    """With the profiles of seccomp in the place of the names of their files, as Compose hands them to the engine. One
    that can't be read stays a name."""
    services = {}
    for name, service in model["services"].items():
        options = service.get("security_opt")
        kept = {"security_opt": [_with_profile(str(one), directory, read) for one in options]} if options else {}
        services[name] = {**service, **kept}
    return {**model, "services": services}


def _with_profile(option: str, directory: str, read: Callable[[str], str]) -> str:
    kind, sign, value = option[:7], option[7:8], option[8:]
    if kind != "seccomp" or sign not in (":", "=") or value in _WORDS_FOR_SECCOMP or value.lstrip().startswith("{"):
        return option
    try:
        return f"seccomp={json.dumps(json.loads(read(posixpath.join(directory, value))), separators=(',', ':'))}"
    except (OSError, ValueError):
        return option
