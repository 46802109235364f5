"""The vocabularies of container settings: capabilities, signals, tmpfs options, variables, labels. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from reconciler.diagnostics import nearest
from reconciler.intent.settings.faults import Faults, expected, shown, wrong
from reconciler.intent.settings.values import (
    as_list,
    container_path,
    duration,
    pairs,
    scalar_text,
    sorted_set,
    string_or_list,
    text,
)
from reconciler.quantities import command_lines

OWN_LABELS = "io.pnr."


def _names(block: str) -> tuple[str, ...]:
    return tuple(block.split())


CAPABILITIES = _names(
    """
    ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH
    FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN
    NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYS_ADMIN SYS_BOOT SYS_CHROOT
    SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG SYSLOG WAKE_ALARM
    """
)

# In the order of their numbers on Linux, from 1: containers are Linux whatever the host is.
SIGNALS = _names(
    """
    HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG
    XCPU XFSZ VTALRM PROF WINCH IO PWR SYS
    """
)
_SIGNAL_ALIASES = {"IOT": "ABRT", "CLD": "CHLD", "POLL": "IO"}
_REAL_TIME = re.compile(r"RTMIN(?:\+(?:[1-9]|1[0-5]))?|RTMAX(?:-(?:[1-9]|1[0-4]))?")

_TMPFS_OPTIONS = _names(
    """
    size mode uid gid nr_inodes nr_blocks mpol ro rw exec noexec suid nosuid dev nodev sync async dirsync atime
    noatime diratime nodiratime relatime norelatime strictatime nostrictatime mand nomand defaults private rprivate
    shared rshared slave rslave unbindable runbindable
    """
)

_RESTART = re.compile(r"no|always|unless-stopped|on-failure(?::([0-9]{1,9}))?")


def command(value: Any) -> list[str] | None:
    """A list of words, or a line that is split as a shell would; null is the image's own."""
    if value is None:
        return None
    if isinstance(value, str):
        return _split(text(value))
    words: list[str] = as_list(text, "a command, as a string or a list of strings")(value)
    return [] if words == [""] else words


def _split(line: str) -> list[str]:
    try:
        return command_lines.read(line)
    except command_lines.Operator as operator:
        raise wrong(
            f"{operator.word} means something only to a shell, and none runs here;"
            ' write ["sh", "-c", "…"], or put it in quotes to pass it on as it is'
        ) from None
    except ValueError as error:
        raise wrong(f"the command {shown(line)} {error}") from None


def capability(value: Any) -> str:
    """``NET_ADMIN`` or ``CAP_NET_ADMIN`` in any case, as ``NET_ADMIN``."""
    if not isinstance(value, str):
        raise expected("a capability such as NET_ADMIN", value)
    name = value.strip().upper().removeprefix("CAP_")
    if name not in CAPABILITIES:
        raise wrong(f"{shown(value)} is not a capability{nearest(name, CAPABILITIES)}")
    return name


def capabilities(value: Any) -> list[str]:
    """A list of capabilities, sorted, each once."""
    return sorted_set(as_list(capability, "a list of capabilities")(value))


def capabilities_found(value: Any) -> list[str]:
    """The engine's list in the same form, whatever it holds."""
    return sorted_set([str(name).upper().removeprefix("CAP_") for name in value or ()])


def signal(value: Any) -> str:
    """``SIGTERM``, ``term``, ``15``, ``RTMIN+3`` as ``SIGTERM``, ``SIGRTMIN+3``; ``""`` is the image's own."""
    if not isinstance(value, str):
        raise expected('a signal such as "SIGTERM"', value)
    name = value.strip().upper().removeprefix("SIG")
    if name == "" and value == "":
        return ""
    if name.isascii() and name.isdigit() and len(name) < 3 and 1 <= int(name) <= len(SIGNALS):
        name = SIGNALS[int(name) - 1]
    name = _SIGNAL_ALIASES.get(name, name)
    if name not in SIGNALS and not _REAL_TIME.fullmatch(name):
        raise wrong(f"{shown(value)} is not a signal{nearest(name, SIGNALS)}")
    return f"SIG{name}"


def signal_found(value: Any) -> str:
    """The engine's signal in the same form, whatever it holds."""
    try:
        return signal(value or "")
    except ValueError:
        return str(value)


def restart(value: Any) -> str:
    """Compose's restart policy as one word; ``on-failure:0`` means ``on-failure``."""
    match = _RESTART.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise expected('"no", always, on-failure, on-failure:3 or unless-stopped', value)
    retries = int(match[1] or 0)
    return f"on-failure:{retries}" if retries else match[0].partition(":")[0]


def restart_to_api(value: str) -> dict[str, Any]:
    """The policy as the engine wants it."""
    name, _, count = value.partition(":")
    return {"Name": name, "MaximumRetryCount": int(count or 0)}


def restart_from_api(value: Any) -> str:
    """The engine's policy as one word."""
    policy: Mapping[str, Any] = value or {}
    name, count = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
    return f"{name}:{count}" if name == "on-failure" and count else name


def whole_seconds(value: Any) -> float:
    """A duration, rounded up to the whole seconds that the engine counts in."""
    seconds = float(math.ceil(duration(value)))
    if seconds >= 2**31:
        raise expected("a duration below 68 years", value)
    return seconds


def tmpfs(value: Any) -> dict[str, str]:
    """``/run`` or ``/tmp:size=64m,mode=1777``, one or a list, as path to options."""
    faults = Faults()
    found: dict[str, str] = {}
    entries = string_or_list(_tmpfs_entry, 'a path such as "/tmp:size=64m", or a list of such')(value)
    for index, (path, options) in enumerate(entries):
        if found.setdefault(path, options) != options:
            faults.add((index,), f"{path} is there already, with other options", path)
    faults.throw()
    return dict(sorted(found.items()))


def _tmpfs_entry(value: Any) -> tuple[str, str]:
    path, colon, options = text(value).partition(":")
    names = [option.strip() for option in options.split(",")] if colon else []
    for option in names:
        name = option.partition("=")[0]
        if name not in _TMPFS_OPTIONS:
            raise wrong(f"{shown(name)} is not an option of a tmpfs{nearest(name, _TMPFS_OPTIONS)}")
    return container_path(path), ",".join(names)


def _variable(name: Any) -> str:
    if not isinstance(name, str) or not name or "=" in name or "\0" in name:
        raise expected("the name of a variable", name)
    return str(name)


def _no_value(name: str) -> Any:
    raise wrong(f"{shown(name)} has no value; write {name}=value, or {name}=${{{name}}} for a value from outside")


environment = pairs(
    what="variable",
    key=_variable,
    value=lambda value: None if value is None else scalar_text(value),
    bare=_no_value,
)
"""Variables by name; null removes one that the image sets."""


def environment_to_api(value: Mapping[str, str | None]) -> list[str]:
    """A name without ``=`` removes the image's variable."""
    return [name if part is None else f"{name}={part}" for name, part in value.items()]


def environment_from_api(value: Any) -> dict[str, str | None]:
    """The container's variables, those of the image included."""
    found: dict[str, str | None] = {}
    for item in value or ():
        name, sign, rest = str(item).partition("=")
        found[name] = rest if sign else None
    return dict(sorted(found.items()))


def _label(name: Any) -> str:
    if not isinstance(name, str) or not name or "\0" in name:
        raise expected("the name of a label", name)
    if name.startswith(OWN_LABELS):
        raise wrong(f"labels that begin with {OWN_LABELS} are pnr's own; take another name than {shown(name)}")
    return str(name)


labels = pairs(
    what="label",
    key=_label,
    value=lambda value: "" if value is None else scalar_text(value),
    bare=lambda _: "",
)
"""Labels by name."""


def within(declared: Any, found: Any) -> bool:
    """Every declared entry is found with its value; what else is found came from the image or the engine."""
    return not differing(declared, found)


def differing(declared: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """The names whose values differ."""
    return [name for name, value in declared.items() if found.get(name) != value]


def tell_names(declared: Any, found: Any) -> str:
    """Only the names of what differs: values can be secret."""
    names = differing(declared, found or {})
    shown_names = ", ".join(name if name.isprintable() else shown(name) for name in names[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{shown_names}{more} not as declared"


def declared_or_image(declared: Any, found: Any) -> bool:
    """``""`` and ``[]`` leave it to the image."""
    return not declared or bool(declared == found)


def _option(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise expected("the name of an option", name)
    return name


def _no_option(name: str) -> Any:
    raise wrong(f"{shown(name)} has no value: expected KEY=value")


_options = pairs(what="options, as an object or a list of KEY=value", key=_option, value=scalar_text, bare=_no_option)


def options(value: Any) -> dict[str, str]:
    """Settings of somebody else's by name, sorted."""
    return dict(sorted(_options(value).items()))


def driver_options(value: Any) -> dict[str, str]:
    """Options of a driver, sorted; null is the empty string, as in Compose."""
    if isinstance(value, Mapping):
        value = {name: "" if part is None else part for name, part in value.items()}
    return options(value)
