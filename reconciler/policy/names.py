"""From a field of the Engine API to the setting that people know it by. Pure; made from the table of settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from reconciler.intent.settings import SETTINGS
from reconciler.policy.refusal import Refusal

_OTHERS = {
    "Image": "image",
    "NetworkingConfig.EndpointsConfig": "networks",
    "fromImage": "image",
    "networkmode": "build.network",
    "build": "build",
    "t": "image",
    "HostConfig.MaskedPaths": "security_opt",
    "HostConfig.ReadonlyPaths": "security_opt",
    "HostConfig.Mounts": "volumes",
    "HostConfig.DeviceRequests": "gpus",
}


def fields(body: Mapping[str, Any]) -> Iterator[str]:
    """The fields that are set in a body that creates a container: ``User``, ``HostConfig.Memory``."""
    for key, value in body.items():
        if key == "HostConfig" and isinstance(value, Mapping):
            yield from (f"HostConfig.{inner}" for inner in value)
        else:
            yield key


def sent_by(setting: str, value: Any) -> tuple[str, ...]:
    """The fields that a setting of this normal form is sent in."""
    body: dict[str, Any] = {}
    SETTINGS[setting].send(value, body)
    return tuple(fields(body))


@cache
def usual() -> Mapping[str, str]:
    """The setting behind each field, as far as the examples of the table tell."""
    found: dict[str, str] = dict(_OTHERS)
    for name, setting in SETTINGS.items():
        try:
            sent = sent_by(name, setting.parse(setting.example))
        except ValueError:  # an example that only shows how it is written
            continue
        for field in sent:
            found.setdefault(field, name)
    return found


def told(refusal: Refusal) -> str:
    """A refusal for people, with the setting's name."""
    setting = usual().get(refusal.top)
    return f"{setting}: {refusal}" if setting is not None else str(refusal)
