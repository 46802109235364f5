"""What differs between the settings that were declared and those that a container has. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.intent.settings import SETTINGS


def drift(declared: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, ...]:
    """A sentence for each setting that was changed behind our back, in the order of the table.

    ``declared`` and ``found`` map names to normal forms. Each declared setting is compared, and of the others
    those that ``docker update`` can change: set by hand, they are drift too. A sentence never shows the value of an
    environment variable.
    """
    sentences = []
    for name, setting in SETTINGS.items():
        wanted = declared.get(name)
        there = found.get(name)
        if wanted is None:
            changed = setting.live and name in found and there != setting.undeclared
            words = setting.tell(setting.undeclared, there) if changed else ""
        else:
            changed = there is None or not setting.same(wanted, there)
            words = setting.tell(wanted, there) if changed else ""
        if changed:
            sentences.append(f"{name}: {words}")
    return tuple(sentences)
