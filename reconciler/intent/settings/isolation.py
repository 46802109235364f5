"""How a container is kept apart from the host and from others: namespaces, groups, rules for devices. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from reconciler.diagnostics import nearest
from reconciler.intent.settings.faults import expected, shown, wrong
from reconciler.intent.settings.values import as_list, sorted_set, text

CONTAINER = "container:"
SERVICE = "service:"

# Engines from 27.0 on take these out of the container's settings and put them to its first network card.
_OF_A_CARD = re.compile(r"net\.[a-z0-9]+\.[a-z]+\.eth[0-9]+\..+")

_RULE = re.compile(r"[abc] (?:[0-9]+|\*):(?:[0-9]+|\*) [rwm]{1,3}")


def namespace(what: str, *known: str, others: bool = True) -> Callable[[Any], str]:
    """A reader of whose namespace a container lives in. ``others``: it may be another container's."""

    def read(value: Any) -> str:
        given = text(value)
        prefix, colon, name = given.partition(":")
        if others and colon and f"{prefix}:" in (CONTAINER, SERVICE):
            if not name:
                raise wrong(f"{shown(given)} names no container: expected {prefix}:NAME")
            return given
        if given not in known:
            more = ", service:CHUNK or container:NAME" if others else ""
            raise wrong(f"expected {', '.join(known)}{more} for {what}, found {shown(given)}{nearest(given, known)}")
        return given

    return read


def or_nothing(read: Callable[[Any], str]) -> Callable[[Any], str | None]:
    """The same reader, for which null says nothing."""
    return lambda value: None if value is None else read(value)


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
    if not isinstance(value, str) or not value:
        raise expected("the name or number of a group", value)
    return text(value)


def groups(value: Any) -> list[str]:
    """Names and numbers of groups, sorted, each once."""
    return sorted_set(as_list(_group, "a list of groups")(value))


def _rule(value: Any) -> str:
    rule = " ".join(text(value).split())
    if not _RULE.fullmatch(rule):
        raise wrong(f'{shown(value)} is not a rule for devices: expected one such as "c 1:3 rwm"')
    return rule


def device_rules(value: Any) -> list[str]:
    """Rules, sorted, each once."""
    return sorted_set(as_list(_rule, "a list of rules for devices")(value))


def same_sysctls(declared: Any, found: Any) -> bool:
    """An empty map is the same as none; those of a network card an engine may keep elsewhere."""
    wanted, there = dict(declared or {}), dict(found or {})
    moved = {name for name in wanted.keys() - there.keys() if _OF_A_CARD.fullmatch(name)}
    return {name: value for name, value in wanted.items() if name not in moved} == there
