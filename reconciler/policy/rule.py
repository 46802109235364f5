"""What a rule of the policy is: its name, what may stand for it in a policy file, its value in each profile. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reconciler.errors import PnrError

KEEP = "..."
"""In a list of a policy file: what the profile's own list holds."""
NONE = "none"
"""For a ceiling: there is none."""
DOMAINS = "@domains"
"""In a list of paths: the directory of the domain files."""
OWN_NAME = "@domain"
"""In a list of names: the name of the domain that asks; for images as names of images have it."""
UNOWNED = "@unowned"
"""In a list of networks or volumes: every one that belongs to no domain."""

_SIZE = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[kmgt]?)i?b?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")


class BadValue(PnrError):
    """A value that a rule can't have; the message says what it may be."""

    code = "BadPolicy"


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


def _found(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadValue(f"expected true or false, found {_found(value)}")
    return value


def _list(value: Any, what: str, item: Callable[[Any], Any]) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise BadValue(f"expected a list of {what}, found {_found(value)}")
    return tuple(item(one) for one in value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or (value and not value.isprintable()):
        raise BadValue(f"expected a text in quotes, found {_found(value)}")
    return value


def _names(value: Any) -> tuple[Any, ...]:
    if isinstance(value, bool):
        return ("*",) if value else ()
    return _list(value, "names", _text)


def _path(value: Any) -> str:
    path = _text(value)
    if path.partition("/")[0] in (DOMAINS, "**") and ".." not in path.split("/"):
        return path
    if not path.startswith("/") or ".." in path.split("/"):
        raise BadValue(f"expected an absolute path without .., found {_found(value)}")
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))


def _capability(value: Any) -> str:
    name = _text(value).upper().removeprefix("CAP_")
    if name != "*" and not re.fullmatch(r"[A-Z_]+", name):
        raise BadValue(f"expected the name of a capability such as NET_ADMIN, found {_found(value)}")
    return "*" if name == "ALL" else name


def _port_range(value: Any) -> tuple[int, int]:
    match = _RANGE.fullmatch(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    first, last = (int(match[1]), int(match[2] or match[1])) if match is not None else (1, 0)
    if not 0 <= first <= last <= 65535:
        raise BadValue(f'expected a port such as 8080 or a range such as "8000-8999", found {_found(value)}')
    return first, last


def _address(value: Any) -> str:
    text = _text(value)
    if text == "*":
        return text
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise BadValue(f'expected an address, a subnet such as "10.0.0.0/8", or "*", found {_found(value)}') from None


def _size(value: Any) -> int | None:
    if value == NONE:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    size = int(float(match["number"]) * _UNITS[match["unit"].lower()]) if match is not None else 0
    if size <= 0:
        raise BadValue(f'expected a size such as "2g", or "none", found {_found(value)}')
    return size


def _number(value: Any) -> float | None:
    if value == NONE:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e9:
        raise BadValue(f'expected a number above 0, or "none", found {_found(value)}')
    return float(value)


def _count(value: Any) -> int | None:
    if value == NONE:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadValue(f'expected a whole number, or "none", found {_found(value)}')
    return value


def _counts(value: Any) -> dict[str, int]:
    if not isinstance(value, dict):
        raise BadValue(f"expected a table such as {{nofile = 65536}}, found {_found(value)}")
    counts = {str(name): _count(one) for name, one in value.items()}
    if any(count is None for count in counts.values()):
        raise BadValue("expected whole numbers; leave out what has no ceiling")
    return {name: count for name, count in counts.items() if count is not None}


FLAG = Kind("true or false", _flag)
WORDS = Kind("a list of names; `*` stands for any characters", lambda value: _list(value, "names", _text), is_list=True)
NAMES = Kind(
    "a list of names; `*` stands for any characters, true for every name and false for none", _names, is_list=True
)
PATHS = Kind("a list of paths; `*` stands for any name", lambda value: _list(value, "paths", _path), is_list=True)
CAPABILITIES = Kind(
    "a list of capabilities; `*` stands for all", lambda value: _list(value, "capabilities", _capability), is_list=True
)
PORTS = Kind("a list of ports and ranges", lambda value: _list(value, "ports", _port_range), is_list=True)
ADDRESSES = Kind(
    "a list of addresses and subnets; `*` stands for any",
    lambda value: _list(value, "addresses", _address),
    is_list=True,
)
SIZE = Kind('a size such as `"2g"`, or `"none"`', _size)
NUMBER = Kind('a number, or `"none"`', _number)
COUNT = Kind('a whole number, or `"none"`', _count)
COUNTS = Kind("a table from name to number", _counts)


def choice(*known: str) -> Kind:
    """One of these words."""

    def parse(value: Any) -> str:
        if value not in known:
            raise BadValue(f"expected {' or '.join(known)}, found {_found(value)}")
        return str(value)

    return Kind(" or ".join(f'`"{word}"`' for word in known), parse)


def words_of(*known: str) -> Kind:
    """A list of these words, or ``*``."""
    one = choice(*known, "*")
    return Kind(
        f"a list of {', '.join(known)}; `*` stands for all",
        lambda value: _list(value, ", ".join(known), one.parse),
        is_list=True,
    )
