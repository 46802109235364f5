"""Where a setting stands in the Engine API: makers of ``send`` and ``read`` for the plain cases. Pure.

The body that creates a container has the fields of ``Config`` at its top and ``HostConfig`` beside them; the body
that shows one has both by name.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.intent.settings.row import Read, Send

Convert = Callable[[Any], Any]


def _as_it_is(value: Any) -> Any:
    return copy.copy(value)


def in_config(key: str, to_api: Convert = _as_it_is, from_api: Convert = _as_it_is) -> tuple[Send, Read]:
    """A field of ``Config``. ``from_api`` gets None where the engine shows no such field."""

    def send(value: Any, body: dict[str, Any]) -> None:
        body[key] = to_api(value)

    def read(inspected: Mapping[str, Any]) -> Any:
        return from_api(inspected.get("Config", {}).get(key))

    return send, read


def in_host_config(key: str, to_api: Convert = _as_it_is, from_api: Convert = _as_it_is) -> tuple[Send, Read]:
    """A field of ``HostConfig``."""

    def send(value: Any, body: dict[str, Any]) -> None:
        body.setdefault("HostConfig", {})[key] = to_api(value)

    def read(inspected: Mapping[str, Any]) -> Any:
        return from_api(inspected.get("HostConfig", {}).get(key))

    return send, read
