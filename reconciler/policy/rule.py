"""What a rule of the policy is: its name, what may stand for it in a policy file, its value in each profile. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reconciler.diagnostics import nearest
from reconciler.errors import PnrError
from reconciler.quantities import port_ranges, sizes

KEEP = "..."
"""In a list of a policy file: what the profile's own list holds."""
NONE = "none"
"""For a ceiling: there is none."""
DOMAINS = "@domains"
"""In a list of paths: the directory of the domain files, with all that lies below it."""
DOMAIN = "@domain"
"""The domain file's own name, without its ending: who writes a file chooses the domain's name in it, and not the
file's. In a list of paths, at the beginning: the folder beside the domain file that is called so; as a later part, that
name. In a list of names: that name; for images as names of images have it."""
COMMON = "@common"
"""In a list of paths: folders in the directory of the domain files that are called as no domain file is."""
UNOWNED = "@unowned"
"""In a list of networks or volumes: every one that belongs to no domain."""
HOST = "@host"
"""In a list of goals: this machine, by any of its addresses."""

_CHUNK_PART = re.compile(r"[A-Za-z0-9_.*?-]+")
_IMAGE = re.compile(r"[A-Za-z0-9._/:@*?\[\]-]+")
_DEVICE_RULE = re.compile(r"[abc] (?:[0-9]+|\*):(?:[0-9]+|\*) [rwm]{1,3}|\*")
_SYSCTL_ROOTS = ("abi", "debug", "dev", "fs", "kernel", "net", "sunrpc", "user", "vm", "")

MOST = 1 << 62

CAPABILITY_NAMES = frozenset(
    {
        *("AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "CHOWN"),
        *("DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE"),
        *("LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST"),
        *("NET_RAW", "PERFMON", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYSLOG", "SYS_ADMIN", "SYS_BOOT"),
        *("SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME"),
        *("SYS_TTY_CONFIG", "WAKE_ALARM"),
    }
)
ULIMITS = frozenset(
    {"core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio"}
    | {"rttime", "sigpending", "stack", "as"}
)


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
    if not value or value != value.strip():
        raise BadValue(f"expected a text that is not empty and has no space around it, found {_found(value)}")
    return value


def _names(value: Any) -> tuple[Any, ...]:
    if isinstance(value, bool):
        return ("*",) if value else ()
    return _list(value, "names", _text)


def _path(value: Any) -> str:
    path = _text(value)
    first, *rest = path.split("/")
    if ".." in rest:
        raise BadValue(f"expected an absolute path without .., found {_found(value)}")
    if "**" in rest or (first == "**" and (len(rest) != 1 or not rest[0])):
        raise BadValue(
            f'** stands only before one name, which it means wherever that lies ("**/.git"), found {_found(value)};'
            " a path means all that is below it, too"
        )
    if first in (DOMAINS, DOMAIN, COMMON, "**"):
        return path
    if not path.startswith("/"):
        raise BadValue(f"expected an absolute path without .., found {_found(value)}")
    return "/" + "/".join(part for part in rest if part not in ("", "."))


def _capability(value: Any) -> str:
    name = _text(value).upper().removeprefix("CAP_")
    if name in ("*", "ALL"):
        return "*"
    if name not in CAPABILITY_NAMES:
        raise BadValue(
            f"expected the name of a capability such as NET_ADMIN, found {_found(value)}"
            f"{nearest(name, CAPABILITY_NAMES)}"
        )
    return name


def _port_range(value: Any) -> port_ranges.Range:
    first, last = port_ranges.read("" if isinstance(value, bool) else str(value)) or (1, 0)
    if not 0 <= first <= last <= port_ranges.HIGHEST:
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
    try:
        size = sizes.read(value) if isinstance(value, str) else 0
    except ValueError:
        size = 0
    if size <= 0:
        raise BadValue(f'expected a size such as "2g", or "none", found {_found(value)}')
    return size


def _number(value: Any) -> float | None:
    if value == NONE:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e9:
        raise BadValue(f'expected a number above 0, or "none", found {_found(value)}')
    return float(value)


def count_from(lowest: int, highest: int = MOST) -> Kind:
    """A whole number in a range."""

    def parse(value: Any) -> int | None:
        if value == NONE:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            span = f"from {lowest}" if highest == MOST else f"from {lowest} to {highest}"
            raise BadValue(f'expected a whole number {span}, or "none", found {_found(value)}')
        return value

    return Kind('a whole number, or `"none"`', parse)


def _ulimits(value: Any) -> dict[str, int]:
    if not isinstance(value, dict):
        raise BadValue(f"expected a table such as {{nofile = 65536}}, found {_found(value)}")
    counts: dict[str, int] = {}
    for name, one in value.items():
        if name not in ULIMITS:
            raise BadValue(f"there is no ulimit {_found(name)}{nearest(str(name), ULIMITS)}")
        if not isinstance(one, int) or isinstance(one, bool) or not 0 <= one <= MOST:
            raise BadValue(f"{name}: expected a whole number from 0; leave out what has no ceiling")
        counts[name] = one
    return counts


def _chunk(value: Any) -> str:
    text = _text(value)
    parts = text.split("/")
    is_whole = len(parts) == 3 or (len(parts) < 3 and parts[-1] == "*")
    if not is_whole or not all(_CHUNK_PART.fullmatch(part) for part in parts):
        hint = f'; write "*/{text}", if that of any domain is meant' if len(parts) == 2 else ""
        raise BadValue(f'expected a chunk as "domain/cpux/chunk", found {_found(value)}{hint}')
    return text


def _image(value: Any) -> str:
    text = _text(value)
    name, colon, tag = text.rpartition(":")
    bare = name if colon and "/" not in tag else text
    if not _IMAGE.fullmatch(text) or bare != bare.lower():
        raise BadValue(f"expected the name of an image such as ghcr.io/team/*, in small letters, found {_found(value)}")
    return text


def _device_rule(value: Any) -> str:
    text = _text(value)
    if not _DEVICE_RULE.fullmatch(text):
        raise BadValue(f'expected a rule such as "c 188:* rwm", found {_found(value)}')
    return text


def _sysctl(value: Any) -> str:
    text = _text(value)
    if text != "*" and text.partition(".")[0].rstrip("*") not in _SYSCTL_ROOTS:
        raise BadValue(f"expected the name of a kernel setting such as net.core.somaxconn, found {_found(value)}")
    return text


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
COUNT = count_from(1)
ULIMIT_COUNTS = Kind("a table from the ulimit's name to a number", _ulimits)
CHUNKS = Kind(
    "a list of `domain/cpux/chunk`; `*` stands for any characters",
    lambda value: _list(value, "chunks", _chunk),
    is_list=True,
)
IMAGES = Kind(
    "a list of images; `*` stands for any characters", lambda value: _list(value, "images", _image), is_list=True
)
DEVICE_RULES = Kind("a list of rules", lambda value: _list(value, "rules", _device_rule), is_list=True)
SYSCTLS = Kind(
    "a list of kernel settings; `*` stands for any characters",
    lambda value: _list(value, "kernel settings", _sysctl),
    is_list=True,
)


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
