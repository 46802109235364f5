"""What differs between the settings that were declared and those that a container has. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.intent.settings import SETTINGS

_HARMLESS = ("labels", "expose")
"""What others put on a container and what does nothing to it: more of it than declared is no difference."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that is not as declared. ``in_place``: a container that runs can be brought back to it.

    As text it is a sentence for people (``mem_limit: 64m declared, 128m found``) that shows no value of an environment
    variable.
    """

    setting: str
    words: str
    in_place: bool = False

    def __str__(self) -> str:
        return f"{self.setting}: {self.words}"


def differences(
    declared: Mapping[str, Any], found: Mapping[str, Any], ignored: Collection[str] = (), *, strict: bool = False
) -> tuple[Difference, ...]:
    """Each setting that differs, in the order of the table.

    ``declared`` and ``found`` map names to normal forms. Each declared setting is compared, and of the others
    those that ``docker update`` can change: set by hand, they are drift too. ``strict`` compares all others as well:
    for a container that somebody else made, anything that was asked of it counts.
    """
    differing = []
    for name, setting in SETTINGS.items():
        if name in ignored:
            continue
        wanted = declared.get(name)
        there = found.get(name)
        if wanted is None and (setting.chosen_by_engine or name in _HARMLESS):
            continue
        beyond = _names_beyond(wanted, there) if strict and name not in _HARMLESS else []
        if beyond:
            # Of a map, only the names: its values may be secret.
            differing.append(Difference(name, f"{', '.join(beyond)} found, not declared"))
        elif wanted is not None:
            if name not in found or not setting.same(wanted, there):
                differing.append(Difference(name, setting.tell(wanted, there), setting.live))
        elif name in found and there != setting.undeclared and (setting.live or (strict and not _is_nothing(there))):
            in_place = setting.live and setting.unset is not None
            differing.append(Difference(name, setting.tell(setting.undeclared, there), in_place))
    return tuple(differing)


def _names_beyond(wanted: Any, there: Any) -> list[str]:
    if not isinstance(there, dict) or not isinstance(wanted, dict | None):
        return []
    return [str(name) for name in there if name not in (wanted or {})]


def _is_nothing(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


def drift(declared: Mapping[str, Any], found: Mapping[str, Any], ignored: Collection[str] = ()) -> tuple[str, ...]:
    """A sentence for each setting that was changed behind our back, in the order of the table."""
    return tuple(str(difference) for difference in differences(declared, found, ignored))
