"""Host ports that two services of a project want: the first of them has it. Pure.

Compose starts one of the two, and the other fails, whichever comes second that day.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from reconciler.compose.converting.draft import CHUNKS, Draft
from reconciler.compose.converting.remarks import Remarks
from reconciler.intent.settings.ports import EVERYWHERE
from reconciler.quantities import port_ranges

_Port = tuple[str, int, str]


def held_once(draft: Draft, services: Sequence[str], remarks: Remarks) -> None:
    """Take out of chunks the ports of the host that a service before them in ``services`` has."""
    places = {str(draft.origin((*CHUNKS, index))[1]): index for index in range(len(draft.chunks))}
    holders: dict[_Port, str] = {}
    for service in services:
        where = (*CHUNKS, places[service], "container", "ports")
        chunk = draft.at(where[:4])
        clashes: list[tuple[int, str]] = []
        for index, port in enumerate(chunk["container"].get("ports") or ()):
            wanted = list(_held(port, chunk.get("replicas", 1)))
            taken = next((held for held in holders for one in wanted if _are_one(held, one)), None)
            if taken is None:
                holders.update(dict.fromkeys(wanted, service))
                continue
            whose = "this service" if holders[taken] == service else holders[taken]
            clashes.append((index, f"{taken[1]}/{taken[2]} of the host is published by {whose} already"))
        for index, message in reversed(clashes):
            said = f"{message}: only one container can have it, and Compose starts only one of them"
            remarks.loss(draft.origin((*where, index)), "HostPortClash", said)
            draft.remove((*where, index))
        if chunk["container"].get("ports") == []:
            draft.remove(where)


def _held(port: str, copies: int) -> Iterator[_Port]:
    """What a port as :mod:`container` writes it takes; nothing where the engine finds a free one."""
    address, _, rest = port.rpartition("]:") if port.startswith("[") else port.partition(":")
    published, _, target = rest.partition(":")
    first, last = port_ranges.read(published) or (0, 0)
    if first == 0 or (last != first and copies == 1):
        return
    protocol = target.partition("/")[2] or "tcp"
    for number in range(first, first + copies):
        yield address.removeprefix("["), number, protocol


def _are_one(one: _Port, other: _Port) -> bool:
    """Whether the engine can't give both."""
    if one[1:] != other[1:]:
        return False
    a, b = (_version(address) for address in (one[0], other[0]))
    if a and b and a != b:
        return False
    return one[0] == other[0] or any(_is_every(address) for address in (one[0], other[0]))


def _version(address: str) -> int:
    """Of the protocol of addresses; 0: both."""
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return 0


def _is_every(address: str) -> bool:
    return address in (EVERYWHERE, "0.0.0.0", "::")  # noqa: S104 - as it is written
