"""What differs between the settings that were declared and those that a container has. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.intent.settings import SETTINGS


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
        if wanted is None:
            changed = (setting.live or strict) and name in found and there != setting.undeclared
            words = setting.tell(setting.undeclared, there) if changed else ""
            in_place = setting.live and setting.unset is not None
        else:
            changed = name not in found or not setting.same(wanted, there)
            words = setting.tell(wanted, there) if changed else ""
            in_place = setting.live
        if changed:
            differing.append(Difference(name, words, in_place))
    return tuple(differing)


def drift(declared: Mapping[str, Any], found: Mapping[str, Any], ignored: Collection[str] = ()) -> tuple[str, ...]:
    """A sentence for each setting that was changed behind our back, in the order of the table."""
    return tuple(str(difference) for difference in differences(declared, found, ignored))
