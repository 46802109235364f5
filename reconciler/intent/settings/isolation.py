"""How a container is kept apart from the host and from others: namespaces, groups, security modules. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from reconciler.intent.settings.faults import expected, nearest, shown, wrong
from reconciler.intent.settings.values import as_list, sorted_set, text

CONTAINER = "container:"
SERVICE = "service:"

_RULE = re.compile(r"[abc] (?:[0-9]+|\*):(?:[0-9]+|\*) [rwm]{1,3}")
_SECURITY = ("apparmor", "credentialspec", "label", "no-new-privileges", "seccomp", "systempaths", "writable-cgroups")


def namespace(what: str, *known: str, others: bool = True) -> Callable[[Any], str]:
    """A reader of whose namespace a container lives in. ``others``: it may be another container's."""

    def read(value: Any) -> str:
        given = text(value)
        prefix, colon, name = given.partition(":")
        if others and colon and f"{prefix}:" in (CONTAINER, SERVICE):
            if not name:
                raise wrong(f"{shown(given)} names nobody: expected {prefix}:NAME")
            return given
        if given not in known:
            more = ", service:CHUNK or container:NAME" if others else ""
            raise wrong(f"expected {', '.join(known)}{more} for {what}, found {shown(given)}{nearest(given, known)}")
        return given

    return read


def own_is_empty(value: str) -> str:
    """``private`` is what engines call nothing."""
    return "" if value == "private" else value


def same_namespace(*usual: str) -> Callable[[Any, Any], bool]:
    """Whether it is the declared one. The engine shows another container by its id, so one is as good as another here:
    which of them it is, is compared by whoever knows the ids."""

    def same(declared: Any, found: Any) -> bool:
        if isinstance(declared, str) and declared.startswith(CONTAINER):
            return isinstance(found, str) and found.startswith(CONTAINER)
        return bool(declared == found) or (found is None and declared in usual)

    return same


def _group(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    name = text(value)
    if not name:
        raise expected("the name or number of a group", value)
    return name


def groups(value: Any) -> list[str]:
    """Names and numbers of groups, sorted, each once."""
    return sorted_set(as_list(_group, "a list of groups")(value))


def _rule(value: Any) -> str:
    rule = " ".join(text(value).split())
    if not _RULE.fullmatch(rule):
        raise wrong(f'{shown(value)} is no rule for devices: expected one such as "c 1:3 rwm"')
    return rule


def device_rules(value: Any) -> list[str]:
    """Rules, sorted, each once."""
    return sorted_set(as_list(_rule, "a list of rules for devices")(value))


def _security_option(value: Any) -> str:
    given = text(value)
    if given in ("no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"):
        return "no-new-privileges"
    match = re.match(r"([a-z-]+)[=:]", given)
    name = match[1] if match else given
    if name not in _SECURITY:
        raise wrong(f"{shown(given)} is no security option{nearest(name, _SECURITY)}: expected name=value")
    rest = given[match.end() :] if match else ""
    if name == "no-new-privileges":
        return f"no-new-privileges={rest}"
    if name == "seccomp" and rest not in ("unconfined", "builtin"):
        return f"seccomp={_profile(rest)}"
    if not rest:
        raise wrong(f"{shown(given)} has no value: expected {name}=value")
    return f"{name}={rest}"


def _profile(given: str) -> str:
    try:
        profile = json.loads(given)
    except ValueError:
        profile = None
    if not isinstance(profile, dict):
        raise wrong(
            f"seccomp={shown(given)}: expected unconfined, builtin or a profile as JSON; a file can't be named here,"
            " put what is in it in its place"
        )
    return json.dumps(profile, sort_keys=True, separators=(",", ":"))


def security_options(value: Any) -> list[str]:
    """Options as ``name=value``, sorted, each once."""
    return sorted_set(as_list(_security_option, "a list of security options")(value))


def security_options_found(value: Any) -> list[str] | None:
    """The same of what an engine shows; one that is not known stays as it is."""
    found = []
    for option in value or ():
        try:
            found.append(_security_option(option))
        except ValueError:
            found.append(str(option))
    return sorted_set(found) or None


def same_security_options(declared: Any, found: Any) -> bool:
    """An engine may add some of its own (``label=disable`` to a privileged container)."""
    wanted, there = set(declared or ()), set(found or ())
    return wanted <= there and there - wanted <= {"label=disable"}
