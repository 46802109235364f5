"""What differs between the settings that were declared and those that a container has. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.intent.model import Chunk
from reconciler.intent.settings import SETTINGS, volumes
from reconciler.planner.observed import Container

_HARMLESS = ("labels", "expose")
"""What others put on a container and what does nothing to it: more of it than declared is no difference."""

_ALWAYS = frozenset(name for name, setting in SETTINGS.items() if setting.live)
_ORDER = {name: n for n, name in enumerate(SETTINGS)}
"""Every chunk is compared with its container several times a decision: only what can differ is looked at."""


def is_made_from(c: Container, chunk: Chunk | None) -> bool:
    """Whether a container was made from the present intent, but for what can be changed as it runs."""
    if chunk is None:
        return False
    spec = chunk.container
    return c.spec == spec.digest or bool(spec.fixed and c.fixed == spec.fixed)


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that is not as declared. ``in_place``: a container that runs can be brought back to it.
    ``is_passing``: it comes of something on the host, and is never to be put up with because it could not be cured.

    As text it is a sentence for people (``mem_limit: 64m declared, 128m found``) that shows no value of an environment
    variable.
    """

    setting: str
    words: str
    in_place: bool = False
    is_passing: bool = False

    def __str__(self) -> str:
        return f"{self.setting}: {self.words}"


def differences(
    declared: Mapping[str, Any], found: Mapping[str, Any], ignored: Collection[str] = ()
) -> tuple[Difference, ...]:
    """Each setting that differs, in the order of the table.

    ``declared`` and ``found`` map names to normal forms. Each declared setting is compared, and of the others
    those that ``docker update`` can change: set by hand, they are drift too.
    """
    differing = []
    for name in sorted(_ALWAYS | declared.keys(), key=_ORDER.__getitem__):
        if name in ignored:
            continue
        setting = SETTINGS[name]
        wanted = declared.get(name)
        there = found.get(name)
        if wanted is not None:
            if name not in found or not setting.same(wanted, there):
                differing.append(Difference(name, setting.tell(wanted, there), setting.live))
        elif setting.live and name in found and there != setting.undeclared:
            in_place = setting.unset is not None
            differing.append(Difference(name, setting.tell(setting.undeclared, there), in_place))
    return tuple(differing)


def differences_of_foreign(
    declared: Mapping[str, Any], found: Mapping[str, Any], brought: Mapping[str, Any], ignored: Collection[str] = ()
) -> tuple[Difference, ...]:
    """The same for a container that somebody else made: there anything counts that was asked of it beyond what is
    declared. ``brought`` is what its image brings along, and its engine where it tells that, which nobody has asked
    for."""
    differing = []
    for name, setting in SETTINGS.items():
        if name in ignored:
            continue
        wanted = declared.get(name)
        there = found.get(name)
        if wanted is not None and (name not in found or not setting.same(wanted, there)):
            differing.append(Difference(name, setting.tell(wanted, there), setting.live))
            continue
        if name in _HARMLESS or (wanted is None and setting.chosen_by_engine and name not in brought):
            continue
        asked = _beyond(there, brought.get(name), setting.undeclared)
        if isinstance(asked, dict):
            # Of a map, only the names: its values may be secret.
            names = [str(part) for part in asked if part not in (wanted or {})]
            if names:
                differing.append(Difference(name, f"{', '.join(names)} found, not declared"))
        elif wanted is None:
            if asked != setting.undeclared and not _is_nothing(asked):
                differing.append(Difference(name, setting.tell(setting.undeclared, asked)))
        elif name == "volumes":
            more = volumes.beyond(wanted, asked)
            if more:
                differing.append(Difference(name, f"{', '.join(more)} found, not declared"))
    return tuple(differing)


def _beyond(value: Any, brought: Any, undeclared: Any) -> Any:
    if value == brought:
        return undeclared
    if isinstance(value, dict) and isinstance(brought, dict):
        return {key: part for key, part in value.items() if brought.get(key, ...) != part}
    return value


def _is_nothing(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})
