"""What the connected engine can't honour of what is declared: found before anything is touched. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.intent.settings import SETTINGS


def unsupported(settings: Mapping[str, Any], *, engine: str, api_version: str, system: str) -> tuple[str, ...]:
    """A sentence for each setting that the engine does not know.

    ``engine`` is its name and version, for people; ``api_version`` the one that is spoken with it ("" where it knows
    everything), ``system`` its operating system as it calls it itself.
    """
    return tuple(_reasons(settings, engine, api_version, system))


def _reasons(settings: Mapping[str, Any], engine: str, api_version: str, system: str) -> Iterator[str]:
    for name, value in settings.items():
        setting = SETTINGS.get(name)
        if setting is None:
            continue
        if system and system not in setting.systems:
            yield f"{name} is for engines on {' or '.join(setting.systems)}; {engine} runs on {system}: leave it out"
        needs = setting.needs(value) if setting.needs is not None else None
        what, since = (needs.what, needs.since_api) if needs is not None else (name, setting.since_api)
        if since and api_version and _number(api_version) < _number(since):
            yield f"{what} takes an engine of API {since}; {engine} speaks {api_version}: leave it out, or upgrade"


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
