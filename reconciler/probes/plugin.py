"""Judges a class that a plug-in offers as a health-check type, before anything relies on it. Pure."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from reconciler.intent.check_types import Options, schema_of
from reconciler.probes.protocol import Probe

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")


def faults(offered: object, common_keys: frozenset[str]) -> list[str]:
    """What keeps ``offered`` from being a health-check type; empty where all is well.

    ``common_keys`` are the settings that every type has, which a type can't redeclare.
    """
    if not inspect.isclass(offered):
        return ["it is not a class"]
    if not issubclass(offered, Probe):
        return ["it is not derived from reconciler.probes.protocol.Probe"]
    found = [
        f"it has no coroutine {name}()"
        for name in ("probe", "close")
        if not inspect.iscoroutinefunction(getattr(offered, name)) or name in offered.__abstractmethods__
    ]
    if "__init__" in offered.__abstractmethods__:
        found.append("it has no __init__(check, inside)")
    for name in ("needs_port", "asks_from_outside"):
        if not isinstance(getattr(offered, name), bool):
            found.append(f"{name} must be true or false")
    scheme = offered.url_scheme
    if scheme is not None and not (isinstance(scheme, str) and _SCHEME.fullmatch(scheme)):
        found.append("url_scheme must be the scheme of a URL such as 'http', or None")
    return [*found, *_of_options(offered.options, common_keys)]


def _of_options(options: object, common_keys: frozenset[str]) -> Iterator[str]:
    if not inspect.isclass(options) or not issubclass(options, Options):
        yield "options must be a model derived from reconciler.intent.check_types.Options"
        return
    for key, wanted in Options.model_config.items():
        if options.model_config.get(key) != wanted:
            yield f"options must keep {key}={wanted!r}"
    keys = schema_of(options).get("properties", {})
    yield from (f"options has {key!r}, which every health check has" for key in sorted(common_keys.intersection(keys)))
