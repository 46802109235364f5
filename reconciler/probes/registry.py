"""The health-check types that there are: the built-in ones, and those of installed plug-ins.

A plug-in registers a class in the entry-point group ``pnr.probes``; docs/plug-ins.md shows one. The built-in types
are known without any installed metadata, so that a source tree works too. A plug-in that can't be used (it does not
import, it is no probe, it wants the name of another) is left out and told of in :func:`problems`: the domains that
do not use it are not affected.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from reconciler.errors import PnrError
from reconciler.intent.check_types import CheckType
from reconciler.intent.model import FACT_CHECK, HealthCheck
from reconciler.probes.plugin import NAME, faults
from reconciler.probes.protocol import Inside, Probe, ProbeResult, Target

GROUP = "pnr.probes"
_OWN_PACKAGE = "reconciler."  # older releases registered their own types: those are no plug-ins

BUILT_IN: Mapping[str, str] = {
    "tcp": "reconciler.probes.tcp:TcpProbe",
    "http": "reconciler.probes.http:HttpProbe",
    "https": "reconciler.probes.http:HttpsProbe",
    "exec": "reconciler.probes.exec:ExecProbe",
    "docker": "reconciler.probes.docker:DockerProbe",
    "log": "reconciler.probes.log:LogProbe",
}

COMMON_KEYS = frozenset(field.name for field in fields(HealthCheck)) | {"status_mapping"}
"""The settings that every health check has, which no type can redeclare."""

# Answered without a probe, from what the container writes itself; the loader knows it.
_RESERVED = frozenset({FACT_CHECK})


class UnknownProbeType(PnrError):
    """A health check names a type that neither pnr nor a usable plug-in has."""

    code = "UnknownProbeType"


@dataclass(frozen=True, slots=True)
class Registry:
    """The types by name, and what is wrong with those that were left out (sentences for people)."""

    classes: Mapping[str, type[Probe]]
    problems: tuple[str, ...] = ()

    def known_types(self) -> dict[str, CheckType]:
        """What the loader must know of each type."""
        return {
            name: CheckType(kind.options, kind.needs_port, kind.asks_from_outside, kind.url_scheme)
            for name, kind in self.classes.items()
        }

    def make(self, check: HealthCheck, inside: Inside) -> Probe:
        """A probe for ``check``. Raises UnknownProbeType.

        Where the class itself fails, the probe that comes back fails each time with what was wrong.
        """
        kind = self.classes.get(check.type)
        if kind is None:
            known = ", ".join(sorted(self.classes))
            message = f"there is no health check of the type {check.type!r} (known: {known}); is its plug-in installed?"
            raise UnknownProbeType(message)
        try:
            return kind(check, inside)
        except Exception as error:  # noqa: BLE001  a plug-in may raise anything, and must not end the daemon
            return _Unusable(f"the health check {check.type} can't be set up: {type(error).__name__}: {error}")


def discover(installed: Iterable[EntryPoint]) -> Registry:
    """The built-in types, and those of ``installed`` that can be used."""
    classes = {name: _built_in(name, value) for name, value in BUILT_IN.items()}
    offers: dict[str, dict[str, EntryPoint]] = defaultdict(dict)
    for entry in installed:
        if not entry.value.startswith(_OWN_PACKAGE):
            offers[entry.name].setdefault(entry.value, entry)
    problems: list[str] = []
    for name in sorted(offers):
        entries = sorted(offers[name].values(), key=_origin)
        why = _refused(name, entries) or _load(name, entries[0], classes)
        if why:
            problems.append(f"{' and '.join(map(_origin, entries))}: the health-check type {name!r} is not used: {why}")
    return Registry(classes, tuple(problems))


def known_types() -> dict[str, CheckType]:
    """The types that are installed here, by name. Loads the plug-ins at the first call."""
    return _installed().known_types()


def problems() -> tuple[str, ...]:
    """What is wrong with installed plug-ins that are not used; empty where all is well."""
    return _installed().problems


def make(check: HealthCheck, inside: Inside) -> Probe:
    """See :meth:`Registry.make`."""
    return _installed().make(check, inside)


@cache
def _installed() -> Registry:
    return discover(entry_points(group=GROUP))


def _built_in(name: str, value: str) -> type[Probe]:
    loaded: type[Probe] = EntryPoint(name, value, GROUP).load()
    return loaded


def _refused(name: str, entries: list[EntryPoint]) -> str | None:
    if name in BUILT_IN or name in _RESERVED:
        return "the name is pnr's own; register the class under another"
    if not NAME.fullmatch(name):
        return "a type's name has only a-z, 0-9, _ and -, and begins with a letter"
    if len(entries) > 1:
        return "more than one plug-in has that name; uninstall all but one"
    return None


def _load(name: str, entry: EntryPoint, classes: dict[str, type[Probe]]) -> str | None:
    """Put the class of ``entry`` into ``classes``, or tell why not."""
    try:
        offered: Any = entry.load()
        found = faults(offered, COMMON_KEYS)
    except (Exception, SystemExit) as error:  # noqa: BLE001  importing it runs its code, which may raise anything
        return f"{type(error).__name__}: {error}"
    if not found:
        classes[name] = offered
    return "; ".join(found) or None


def _origin(entry: EntryPoint) -> str:
    # `dist` is unset on entry points that no installed distribution brought.
    if entry.dist is None:
        return f"plug-in {entry.value}"
    return f"plug-in {entry.value} of {entry.dist.name} {entry.dist.version}"


class _Unusable(Probe):
    """Stands in for a probe that could not be made."""

    def __init__(self, message: str) -> None:
        self._message = message

    async def probe(self, target: Target) -> ProbeResult:
        return ProbeResult(ok=False, message=self._message)
