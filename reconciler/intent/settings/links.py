"""``links`` and ``external_links``: names by which a container knows others. Pure.

Normal form: ``NAME:ALIAS``, sorted, each once. In a file NAME is a chunk of the same CPUX (``links``) or any container
(``external_links``); afterwards always a container. In networks with names of their own a link is an alias that only
this container knows (see :mod:`.endpoints`). On the engine's own bridge, which has no names, it is a line in
/etc/hosts, for a container that must run by then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.intent.settings.faults import expected, shown, wrong
from reconciler.intent.settings.found import host_config
from reconciler.intent.settings.values import as_list, sorted_set

ACCEPTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,252}")


def reader(what: str) -> Callable[[Any], list[str]]:
    """A reader of lists of ``NAME`` or ``NAME:ALIAS``; ``what`` says whose name it is."""

    def read_one(value: Any) -> str:
        if not isinstance(value, str):
            raise expected(f'{what} such as "db" or "db:database"', value)
        name, colon, alias = str(value).partition(":")
        if not _NAME.fullmatch(name) or (colon and not _NAME.fullmatch(alias)):
            raise wrong(f"{shown(value)} is not a link: expected {what} such as db or db:database")
        return f"{name}:{alias or name}"

    many = as_list(read_one, f'a list such as ["db:database"], of {what}')
    return lambda value: sorted_set(many(value))


parse = reader("a chunk")
parse_external = reader("a container")


def name_of(link: str) -> str:
    """The NAME of a link as it is written, or in normal form."""
    return link.partition(":")[0]


def to_containers(links: Iterable[str], containers_of: Callable[[str], Iterable[str]]) -> list[str]:
    """Links to chunks as links to all of their containers."""
    pairs = (link.partition(":") for link in links)
    return sorted_set([f"{name}:{alias}" for chunk, _, alias in pairs for name in containers_of(chunk)])


def send(value: list[str], body: dict[str, Any]) -> None:
    """Into ``HostConfig.Links``: those on the engine's own bridge."""
    body.setdefault("HostConfig", {})["Links"] = list(value)


def read(inspected: Mapping[str, Any]) -> list[str] | None:
    """The way back: an engine shows ``/db:/web/database``."""
    found = []
    for link in host_config(inspected).get("Links") or ():
        name, _, alias = str(link).partition(":")
        found.append(f"{name.lstrip('/')}:{alias.rpartition('/')[2]}")
    return sorted_set(found) or None
