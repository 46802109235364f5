"""What an action has to do with, so that of two actions can be told whether one has to come before the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from reconciler.engine.simulated.fates import published
from reconciler.intent.settings.references import awaited
from reconciler.intent.writers import written
from reconciler.planner.actions import (
    Action,
    AdoptContainer,
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    DisconnectNetwork,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    RenameContainer,
    StartContainer,
    StopContainer,
)
from reconciler.planner.addresses import fixed
from reconciler.planner.networks_and_volumes import used_volumes
from reconciler.planner.observed import Container


class How(StrEnum):
    """In which way an action has to do with something."""

    CHANGES = "changes"  # before and after it something else is there
    USES = "uses"
    BEGINS = "begins"  # to hold it, as a port of the host
    ENDS = "ends"
    FIXED = "fixed"  # takes an address that is its own
    GIVEN = "given"  # takes any address that is free


Touch = tuple[str, How]
"""A thing (``network:pnr_shop``), and in which way."""

_IN_TURN = {
    frozenset({How.CHANGES}),
    *(frozenset({How.CHANGES, other}) for other in How if other is not How.CHANGES),
    frozenset({How.BEGINS, How.ENDS}),
    frozenset({How.FIXED, How.GIVEN}),
}


def are_in_turn(one: Iterable[Touch], other: Iterable[Touch]) -> bool:
    """Whether of two actions that touch these the one has to come before the other."""
    there: dict[str, list[How]] = {}
    for thing, how in other:
        there.setdefault(thing, []).append(how)
    return any(frozenset({how, its}) in _IN_TURN for thing, how in one for its in there.get(thing, ()))


def touches(action: Action, containers: Iterable[Container]) -> frozenset[Touch]:
    """What an action has to do with, where these containers are there."""
    return frozenset(_touches(action, list(containers)))


def _touches(action: Action, containers: list[Container]) -> Iterator[Touch]:
    match action:
        case CreateContainer(name, chunk):
            yield f"container:{name}", How.CHANGES
            yield from ((f"network:{network}", How.USES) for network in chunk.container.networks)
            yield from ((f"volume:{volume}", How.USES) for volume in used_volumes(chunk))
            yield from ((f"container:{other}", How.USES) for other in awaited(chunk.container))
            own = fixed(chunk.container)
            for network in chunk.container.networks:
                yield f"addresses:{network}", How.FIXED if network in own else How.GIVEN
        case StartContainer(name):
            yield f"container:{name}", How.USES
            c = _named(containers, name)
            if c is not None:
                yield from ((f"network:{network}", How.USES) for network in c.networks)
                yield from _held(c, How.BEGINS)
        case StopContainer(name) | RemoveContainer(name):
            yield f"container:{name}", How.CHANGES
            c = _named(containers, name)
            if c is not None:
                yield from ((f"network:{network}", How.USES) for network in c.networks)
                yield from ((f"volume:{volume}", How.USES) for volume in _volumes(c))
                yield from _held(c, How.ENDS)
        case RenameContainer(name, new_name):
            yield f"container:{name}", How.CHANGES
            yield f"container:{new_name}", How.CHANGES
        case AdoptContainer(name):
            yield f"container:{name}", How.CHANGES
        case ConnectNetwork(name, network) | DisconnectNetwork(name, network):
            yield f"container:{name}", How.USES
            yield f"network:{network}", How.USES
        case CreateNetwork(name) | RemoveNetwork(name):
            yield f"network:{name}", How.CHANGES
        case CreateVolume(name) | RemoveVolume(name):
            yield f"volume:{name}", How.CHANGES
        case _:
            if action.object_name:
                yield f"container:{action.object_name}", How.USES


def _named(containers: Iterable[Container], name: str) -> Container | None:
    return next((c for c in containers if c.name == name), None)


def _held(c: Container, how: How) -> Iterator[Touch]:
    """What a container has for itself while it runs."""
    for key, ports in (c.published or published(c.settings or {}, free=0)).items():
        yield from ((f"port:{port.port}/{key.partition('/')[2] or 'tcp'}", how) for port in ports if port.port)
    yield from ((f"written:{path}", how) for path in written(c.settings or {}))


def _volumes(c: Container) -> Iterator[str]:
    for mount in (c.settings or {}).get("volumes") or ():
        if mount.get("type") == "volume" and mount.get("source"):
            yield str(mount["source"])
