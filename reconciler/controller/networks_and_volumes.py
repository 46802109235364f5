"""What the loop knows of networks and volumes, kept in line with our own steps on them.

They are seen in lists alone. A list that began before our own last step on one shows it as it was before that step: it
stays as it is known, until a newer list has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from reconciler.controller.loop_state import LoopState
from reconciler.planner import networks_and_volumes
from reconciler.planner.actions import Action, ConnectNetwork, CreateNetwork, CreateVolume, RemoveNetwork, RemoveVolume
from reconciler.planner.network_plan import users
from reconciler.planner.observed import Network, Volume

T = TypeVar("T")
_NOTHING = Network("", "")


def step_done(known: LoopState, key: str, action: Action) -> str | None:
    """Take note of a step of ours on the object ``key`` (``network:NAME``); its domain, where there was one."""
    known.steps_done += 1
    known.objects_touched[key] = known.steps_done
    if isinstance(action, (CreateNetwork, RemoveNetwork)):
        known.objects_touched[f"network:{action.name}"] = known.steps_done
    world = known.world
    match action:
        case CreateNetwork(name, domain, network):
            world.networks[name] = networks_and_volumes.as_made(network, domain)
        case RemoveNetwork(name, domain, _, id) if id and world.networks.get(name, _NOTHING).twins:
            # One of several of that name. Who was connected to it shows when it is looked for.
            left = [each for each in (world.networks[name], *world.networks[name].twins) if each.id != id]
            first = replace(left[0], twins=())
            world.networks[name] = replace(first, twins=tuple(replace(one, twins=()) for one in left[1:]))
        case RemoveNetwork(name, domain, disconnected):
            world.networks.pop(name, None)
            for c in list(users(name, world.containers.values())) if disconnected else ():
                known.put(replace(c, networks={n: a for n, a in c.networks.items() if n != name}))
                if c.owner in known.chunks:
                    # A look that began before would show it connected, and so it would be left cut off.
                    known.touch(known.chunks[c.owner])
                    known.chunks[c.owner].as_declared = False
        case ConnectNetwork(container):
            connected = world.named(container)
            return connected.owner.domain if connected is not None and connected.owner is not None else None
        case CreateVolume(name, domain, volume):
            # One that is there already serves as it is.
            world.volumes.setdefault(name, networks_and_volumes.volume_as_made(volume, domain))
        case RemoveVolume(name, domain):
            world.volumes.pop(name, None)
        case _:
            return None
    return domain


def keep_touched(known: LoopState, asked: int, networks: Mapping[str, Network], volumes: Mapping[str, Volume]) -> bool:
    """Put back what a list that began after ``asked`` steps is too old to tell; ``networks`` and ``volumes`` are what
    was known before it. True where there was such, so that a newer list is wanted."""
    touched = known.objects_touched
    for key in [key for key, step in touched.items() if step <= asked]:
        del touched[key]
    names = [key.partition(":") for key in touched]
    _keep(networks, known.world.networks, [name for kind, _, name in names if kind == "network"])
    _keep(volumes, known.world.volumes, [name for kind, _, name in names if kind == "volume"])
    return bool(touched)


def _keep(known: Mapping[str, T], seen: dict[str, T], names: Iterable[str]) -> None:
    """Leave what has these names as it is known."""
    for name in names:
        if name in known:
            seen[name] = known[name]
        else:
            seen.pop(name, None)
