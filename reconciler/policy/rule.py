"""What a rule of the policy is: its name, what may stand for it in a policy file, its value in each profile. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reconciler.policy import values


class Profile(StrEnum):
    """The shipped profiles, from lax to strict."""

    OPEN = "open"
    STANDARD = "standard"
    STRICT = "strict"


@dataclass(frozen=True, slots=True)
class Kind:
    """What may stand for a rule: ``form`` in words, ``parse`` to its normal form (raises BadValue). A list's may hold
    ``...``, and is parsed without it."""

    form: str
    parse: Callable[[Any], Any]
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``name`` is ``section.key``; the profiles' values are as in a policy file."""

    name: str
    kind: Kind
    doc: str
    open: Any
    standard: Any
    strict: Any

    def of(self, profile: Profile) -> Any:
        """The normal form of the profile's value."""
        return self.kind.parse(getattr(self, profile.value))


def count_from(lowest: int, highest: int = values.MOST) -> Kind:
    """A whole number in a range."""

    def parse(value: Any) -> int | None:
        if value == values.NONE:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            span = f"from {lowest}" if highest == values.MOST else f"from {lowest} to {highest}"
            raise values.BadValue(f'expected a whole number {span}, or "none", found {values.found(value)}')
        return value

    return Kind('a whole number, or `"none"`', parse)


def _list_of(what: str, item: Callable[[Any], Any], stands_for: str = "") -> Kind:
    form = f"a list of {what}" + (f"; `*` stands for {stands_for}" if stands_for else "")
    plain = what.replace("`", "")
    return Kind(form, lambda value: values.each_of(value, plain, item), is_list=True)


FLAG = Kind("true or false", values.flag)
WORDS = _list_of("names", values.pattern, "any characters")
NAMES = Kind(f"{WORDS.form}, true for every name and false for none", values.names, is_list=True)
LABELS = _list_of("names", values.label, "any characters")
GOALS = _list_of("names", values.goal, "any characters")
PATHS = _list_of("paths", values.path, "any name")
DEVICES = _list_of("paths", values.device, "any characters")
DEVICE_RULES = _list_of("rules", values.device_rule)
CAPABILITIES = _list_of("capabilities", values.capability, "all")
SYSCTLS = _list_of("kernel settings", values.sysctl, "any characters")
PORTS = _list_of("ports and ranges", values.port_range)
ADDRESSES = _list_of("addresses and subnets", values.address, "any")
IMAGES = _list_of("images", values.image, "any characters")
CHUNKS = _list_of("`domain/cpux/chunk`", values.chunk, "any characters")
SIZE = Kind('a size such as `"2g"`, or `"none"`', values.size)
NUMBER = Kind('a number, or `"none"`', values.number)
COUNT = count_from(1)
ULIMIT_COUNTS = Kind("a table from the ulimit's name to a number", values.ulimits)


def choice(*known: str) -> Kind:
    """One of these words."""

    def parse(value: Any) -> str:
        if value not in known:
            raise values.BadValue(f"expected {' or '.join(known)}, found {values.found(value)}")
        return str(value)

    return Kind(" or ".join(f'`"{word}"`' for word in known), parse)


def words_of(*known: str) -> Kind:
    """A list of these words, or ``*``."""
    return _list_of(", ".join(known), choice(*known, "*").parse, "all")
