"""``volumes_from``: the volumes of other containers. Pure.

Normal form: ``container:NAME``, with ``:ro`` where they are to be read only; in a file also the name of a chunk.
"""

from __future__ import annotations

import re
from typing import Any

from reconciler.intent.settings.faults import shown, wrong
from reconciler.intent.settings.values import as_list, text

_ID = re.compile(r"[0-9a-f]{64}")


def parse(value: Any) -> list[str]:
    """A list of ``CHUNK`` or ``container:NAME``, with ``:ro`` where it is to be read only."""
    entries: list[str] = as_list(_volumes_from, "a list of chunks or containers")(value)
    return entries


def _volumes_from(value: Any) -> str:
    given = text(value)
    name, mode = given, "rw"
    if given.endswith((":ro", ":rw")):
        name, mode = given[:-3], given[-2:]
    if not name or name == "container:":
        raise wrong(f"{shown(given)} names no container: expected CHUNK[:ro] or container:NAME[:ro]")
    return name if mode == "rw" else f"{name}:ro"


def to_api(value: list[str]) -> list[str]:
    """The engine knows only containers."""
    return [entry.removeprefix("container:") for entry in value]


def same(declared: Any, found: Any) -> bool:
    """As declared; ``rw`` is the usual mode. Who is named by its id, as Compose does, is taken for the declared one."""
    wanted, there = to_api(list(declared or ())), to_api([entry.removesuffix(":rw") for entry in found or ()])
    return len(wanted) == len(there) and all(map(_same, wanted, there))


def _same(wanted: str, there: str) -> bool:
    name, _, mode = there.partition(":")
    return wanted == there or (_ID.fullmatch(name) is not None and mode == wanted.partition(":")[2])
