"""What may be written for a rule in a policy file, value by value: each to its normal form, or what is wrong with it.
Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from reconciler.diagnostics import nearest
from reconciler.errors import PnrError
from reconciler.quantities import port_ranges, sizes

T = TypeVar("T")

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

_WORDS = (DOMAIN, UNOWNED, HOST)
_WORD = re.compile(rf"(?:{DOMAIN}(?![A-Za-z0-9])|{HOST}(?::|$)|{UNOWNED}$)")
_STARS = re.compile(r"\*{2,}")
_LABEL = re.compile(r"(?:user|role|type|level|filetype):|(?:disable|nested)$|\*")
_PORT = re.compile(r"(?:^[^:]*|\]):([0-9]+)$")
_CHUNK_PART = re.compile(r"[A-Za-z0-9_.*?-]+")
_IMAGE = re.compile(r"[A-Za-z0-9._/:@*?\[\]-]+")
_DEVICE_RULE = re.compile(r"[abc] (?:[0-9]+|\*):(?:[0-9]+|\*) [rwm]{1,3}|\*")
_SYSCTL_ROOTS = ("abi", "debug", "dev", "fs", "kernel", "net", "sunrpc", "user", "vm", "")

MOST = 1 << 62
MOST_WRONG = 20
"""So many wrong values of a list are told."""

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
    """A value that a rule can't have; the message says what it may be. ``each``: the same for each that is wrong, where
    it is a list."""

    code = "BadPolicy"

    def __init__(self, *each: str) -> None:
        self.each = each
        super().__init__("; ".join(each))


def found(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadValue(f"expected true or false, found {found(value)}")
    return value


def each_of(value: Any, what: str, item: Callable[[Any], Any]) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise BadValue(f"expected a list of {what}, found {found(value)}")
    return tuple(_each(value, item))


def _each(values: Iterable[Any], item: Callable[[Any], T]) -> list[T]:
    """What becomes of each. Raises BadValue, of all that are wrong, but for the last of very many."""
    parsed: list[T] = []
    wrong: list[str] = []
    for one in values:
        try:
            parsed.append(item(one))
        except BadValue as error:
            wrong += error.each
            if len(wrong) == MOST_WRONG:
                break
    if wrong:
        raise BadValue(*wrong)
    return parsed


def quoted(value: Any) -> str:
    if not isinstance(value, str) or (value and not value.isprintable()):
        raise BadValue(f"expected a text in quotes, found {found(value)}")
    if not value or value != value.strip():
        raise BadValue(f"expected a text that is not empty and has no space around it, found {found(value)}")
    return value


def pattern(value: Any) -> str:
    text = quoted(value)
    if "**" in text:
        raise BadValue(f"** means no more than * there: write {found(_STARS.sub('*', text))}, found {found(value)}")
    if text.startswith("@") and not _WORD.match(text):
        hint = nearest(text.partition(":")[0], _WORDS) or f" (known: {', '.join(_WORDS)})"
        raise BadValue(f"there is no word {found(value)}{hint}")
    return text


def names(value: Any) -> tuple[Any, ...]:
    if isinstance(value, bool):
        return ("*",) if value else ()
    return each_of(value, "names", pattern)


def label(value: Any) -> str:
    text = pattern(value)
    if not _LABEL.match(text):
        raise BadValue(f"expected an SELinux label such as level:s0 or type:container_t, found {found(value)}")
    return text


def device(value: Any) -> str:
    text = pattern(value)
    if text != "*" and (not text.startswith("/") or ".." in text.split("/")):
        raise BadValue(f'expected an absolute path such as /dev/ttyUSB*, or "*", found {found(value)}')
    return text


def goal(value: Any) -> str:
    """Where something is connected to."""
    text = pattern(value)
    if "/" in text and text != "*":
        return address(value)
    port = _PORT.search(text)
    if port is not None and not 0 < int(port[1][:9]) <= port_ranges.HIGHEST:
        raise BadValue(f"expected a host, or a host and its port such as logs.example.com:514, found {found(value)}")
    return text


def path(value: Any) -> str:
    path = quoted(value)
    first, *rest = path.split("/")
    if ".." in rest:
        raise BadValue(f"expected an absolute path without .., found {found(value)}")
    if "**" in rest or (first == "**" and (len(rest) != 1 or not rest[0])):
        raise BadValue(
            f'** stands only before one name, which it means wherever that lies ("**/.git"), found {found(value)};'
            " a path means all that is below it, too"
        )
    if first in (DOMAINS, DOMAIN, COMMON, "**"):
        return path
    if not path.startswith("/"):
        raise BadValue(f"expected an absolute path without .., found {found(value)}")
    return "/" + "/".join(part for part in rest if part not in ("", "."))


def capability(value: Any) -> str:
    name = quoted(value).upper().removeprefix("CAP_")
    if name in ("*", "ALL"):
        return "*"
    if name not in CAPABILITY_NAMES:
        raise BadValue(
            f"expected the name of a capability such as NET_ADMIN, found {found(value)}"
            f"{nearest(name, CAPABILITY_NAMES)}"
        )
    return name


def port_range(value: Any) -> port_ranges.Range:
    first, last = port_ranges.read("" if isinstance(value, bool) else str(value)) or (1, 0)
    if not 0 <= first <= last <= port_ranges.HIGHEST:
        raise BadValue(f'expected a port such as 8080 or a range such as "8000-8999", found {found(value)}')
    return first, last


def address(value: Any) -> str:
    text = quoted(value)
    if text == "*":
        return text
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise BadValue(f'expected an address, a subnet such as "10.0.0.0/8", or "*", found {found(value)}') from None


def size(value: Any) -> int | None:
    if value == NONE:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    try:
        size = sizes.read(value) if isinstance(value, str) else 0
    except ValueError:
        size = 0
    if size <= 0:
        raise BadValue(f'expected a size such as "2g", or "none", found {found(value)}')
    return size


def number(value: Any) -> float | None:
    if value == NONE:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e9:
        raise BadValue(f'expected a number above 0, or "none", found {found(value)}')
    return float(value)


def ulimits(value: Any) -> dict[str, int]:
    if not isinstance(value, dict):
        raise BadValue(f"expected a table such as {{nofile = 65536}}, found {found(value)}")
    return dict(_each(value.items(), _ulimit))


def _ulimit(entry: tuple[str, Any]) -> tuple[str, int]:
    name, value = entry
    if name not in ULIMITS:
        raise BadValue(f"there is no ulimit {found(name)}{nearest(str(name), ULIMITS)}")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST:
        raise BadValue(f"{name}: expected a whole number from 0; leave out what has no ceiling")
    return name, value


def chunk(value: Any) -> str:
    text = quoted(value)
    parts = text.split("/")
    is_whole = len(parts) == 3 or (len(parts) < 3 and parts[-1] == "*")
    if not is_whole or not all(_CHUNK_PART.fullmatch(part) for part in parts):
        hint = f'; write "*/{text}", if that of any domain is meant' if len(parts) == 2 else ""
        raise BadValue(f'expected a chunk as "domain/cpux/chunk", found {found(value)}{hint}')
    return pattern(text)


def image(value: Any) -> str:
    text = pattern(value)
    name, colon, tag = text.rpartition(":")
    bare = name if colon and "/" not in tag else text
    if not _IMAGE.fullmatch(text) or bare != bare.lower():
        raise BadValue(f"expected the name of an image such as ghcr.io/team/*, in small letters, found {found(value)}")
    return text


def device_rule(value: Any) -> str:
    text = quoted(value)
    if not _DEVICE_RULE.fullmatch(text):
        raise BadValue(f'expected a rule such as "c 188:* rwm", found {found(value)}')
    return text


def sysctl(value: Any) -> str:
    text = pattern(value)
    if text != "*" and text.partition(".")[0].rstrip("*") not in _SYSCTL_ROOTS:
        raise BadValue(f"expected the name of a kernel setting such as net.core.somaxconn, found {found(value)}")
    return text
