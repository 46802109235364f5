"""How a container was connected to a network before that was edited, and the way back where it can't be had. Pure.

An engine can't change a connection: it is ended, and made anew as declared. Where the engine refuses the new one, the
container is connected as before at once, and the edit is tried again, ever less often; where the refusal is a verdict,
not before the intent changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.intent.model import Chunk
from reconciler.planner.actions import Action, ConnectNetwork
from reconciler.planner.back_off import NETWORKS
from reconciler.planner.endpoints import NETWORKS as SETTING
from reconciler.planner.endpoints import endpoint_differences
from reconciler.planner.observed import Container
from reconciler.sentences import advised, framed, joined, taken_apart

_GIVEN = ("ipv4_address", "ipv6_address", "mac_address")
"""What an engine gives by itself where nobody asks for it."""


@dataclass(frozen=True, slots=True)
class KeptEndpoint:
    """A connection to ``network`` that is to be another one. ``was`` is how it was before, with its ``aliases`` (see
    :mod:`reconciler.intent.settings.endpoints`). ``failure`` says why what is declared could not be had; "" while that
    is being tried, or is due to be. It is tried again at ``not_before``, where that is None not before the intent
    changes or a person asks."""

    network: str
    was: Mapping[str, Any] = field(default_factory=dict)
    failure: str = ""
    attempts: int = 0
    not_before: float | None = None

    def is_kept(self, now: float) -> bool:
        """Whether the container is to be connected as before."""
        return bool(self.failure) and (self.not_before is None or now < self.not_before)


Kept = tuple[KeptEndpoint, ...]


def changing(kept: Kept, container: Container, steps: Iterable[tuple[Action, str]]) -> Kept:
    """What is to be remembered before ``steps`` end connections of a container to make them anew."""
    for action, _ in steps:
        if isinstance(action, ConnectNetwork) and action.mends and action.network in container.endpoints:
            there = container.endpoints[action.network]
            was = {key: value for key, value in there.items() if key != "mac_address"}
            if action.endpoint.get("mac_address"):
                was["mac_address"] = action.endpoint["mac_address"]  # which is no other one: see endpoints.other_mac
            before = _of(kept, action.network) or KeptEndpoint(action.network)
            kept = _with(kept, replace(before, was=was, failure="", not_before=None))
    return kept


def without_network(kept: Kept, action: ConnectNetwork) -> Kept:
    """What is to be remembered of a connection that is refused to a container in no network at all, where nobody knows
    how it was connected before: it is reached under its names then, and has some address."""
    if _of(kept, action.network) is not None:
        return kept
    plain = {"aliases": list(action.aliases)}
    return _with(kept, KeptEndpoint(action.network, plain))


def refused(kept: Kept, action: ConnectNetwork, why: str, now: float, jitter: float, *, final: bool) -> Kept | None:
    """The memory once the engine refused a connection, where there is a way back that may be gone at once; else None.
    ``final``: the same can't be had before something is declared anew."""
    before = _of(kept, action.network)
    if before is None:
        return None
    if not before.is_kept(now):
        attempts = before.attempts + 1
        due = None if final else now + NETWORKS.after(attempts, jitter)
        return _with(kept, replace(before, failure=why, attempts=attempts, not_before=due))
    plain = _plain(before)
    # What it had may have been given to another meanwhile.
    return _with(kept, plain) if plain != before else None


def without_lost_addresses(kept: Kept, container: Container, now: float) -> Kept:
    """The memory once somebody else has the address that a container had, and that it was to come back with."""
    return tuple(_plain(one) if one.is_kept(now) and one.network not in container.networks else one for one in kept)


def forgiven(kept: Kept) -> Kept:
    """The memory once what is declared may be tried at once."""
    return tuple(replace(one, failure="", attempts=0, not_before=None) for one in kept)


def without_arrived(kept: Kept, chunk: Chunk, container: Container, now: float) -> Kept:
    """The memory without connections that are as declared, or are declared no more."""
    spec = chunk.container
    differing = endpoint_differences(spec, container)
    return tuple(
        one
        for one in kept
        if one.network in spec.networks
        and (one.is_kept(now) or one.network not in container.networks or one.network in differing)
    )


def as_kept(chunk: Chunk, kept: Kept, now: float) -> Chunk:
    """A chunk with the connections that it is to have until what is declared is tried again."""
    back = {one.network: one.was for one in kept if one.is_kept(now) and one.network in chunk.container.networks}
    if not back:
        return chunk
    spec = chunk.container
    networks = {
        name: tuple(back[name].get("aliases", ())) if name in back else spec.networks[name] for name in spec.networks
    }
    ends = {name: {key: value for key, value in was.items() if key != "aliases"} for name, was in back.items()}
    return replace(chunk, container=replace(spec, networks=networks, endpoints={**spec.endpoints, **ends}))


def told(kept: Kept, now: float) -> str:
    """In a sentence that edits could not be had, and what follows; "" where all is as declared."""
    return joined(_told(one) for one in kept if one.is_kept(now))


def due_at(kept: Kept, now: float) -> float | None:
    """When the next of them is tried again."""
    return min((one.not_before for one in kept if one.not_before is not None and one.not_before > now), default=None)


def is_of(difference: str, network: str) -> bool:
    """Whether a difference, in words, is one of a connection to a network."""
    return difference.startswith(f"{SETTING}: {network}: ")


def _told(one: KeptEndpoint) -> str:
    if one.not_before is None:
        again = "the domain changes or a person asks (`pnr apply`)"
        step = "correct `networks` of the chunk in the domain file: it is connected as before until then"
    else:
        again, step = (
            "it is tried again",
            "put that right, or wait: it is connected as before, and it can pass by itself",
        )
    before, after = (
        f"how it is connected to network {one.network} can't be changed: ",
        f"; it stays as before until {again}",
    )
    text = framed(one.failure, before, after)
    return text if taken_apart(text)[1] else advised(text, step)


def _plain(one: KeptEndpoint) -> KeptEndpoint:
    return replace(one, was={key: value for key, value in one.was.items() if key not in _GIVEN})


def _of(kept: Kept, network: str) -> KeptEndpoint | None:
    return next((one for one in kept if one.network == network), None)


def _with(kept: Kept, new: KeptEndpoint) -> Kept:
    return (*(one for one in kept if one.network != new.network), new)
