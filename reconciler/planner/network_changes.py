"""What a change of a network may cost: what is known of it before any container is disconnected, and the way back.
Pure.

An engine can't change a network: the old one goes before the new one is there, and every container of it is cut off
meanwhile. So a change begins only where it can be had as far as that can be told: no other network overlaps, and the
engine took the new one beside the old under another name, where it can have both. Where it refuses after all, what was
there is made again from what is remembered here.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

from reconciler.intent.model import Chunk, ChunkId, Ipam, NetworkSpec, Pool
from reconciler.planner.back_off import NETWORKS
from reconciler.planner.observed import Container, Network
from reconciler.sentences import advised, framed, taken_apart

TRIAL_SUFFIX = ".pnr-trial"
"""Added to the name of a network that is only made to see whether the engine takes it."""

_ADDRESSES = ("ipv4_address", "ipv6_address", "link_local_ips")
_BRIDGE = "bridge"
_BRIDGE_NAME = "com.docker.network.bridge.name"
_SHARED_POOLS = ("", _BRIDGE, "macvlan", "ipvlan")
"""The drivers of one machine: whatever they are, no two of their networks have an address in common."""


_Range = tuple[int, int, int]
"""The version of addresses, the first and the last of them, as numbers."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A container that was connected to a network, and how (see :mod:`reconciler.intent.settings.endpoints`)."""

    container: str  # its id
    owner: ChunkId | None
    endpoint: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NetworkChange:
    """What must be remembered of a network that is recreated. Times are monotonic seconds.

    ``left`` are the differences for which it was recreated already: where the same are there again, the engine does not
    take what was declared, and recreating it once more would not help. ``previous`` is what it was before, with its
    ``attachments``; once the new one is there, those of them that are not connected to it yet. ``refused`` is the
    digest of the declaration that could not be had, ``failure`` why; it is tried again at ``not_before``, and where
    that is None not before it changes or a person asks.
    """

    left: str = ""
    previous: NetworkSpec | None = None
    attachments: tuple[Attachment, ...] = ()
    refused: str = ""
    failure: str = ""
    attempts: int = 0
    not_before: float | None = None

    def is_refused(self, spec: NetworkSpec, now: float) -> bool:
        """Whether a declaration could not be had and is not due to be tried again."""
        return self.was_refused(spec) and (self.not_before is None or now < self.not_before)

    def was_refused(self, spec: NetworkSpec) -> bool:
        """Whether a declaration could not be had when it was last tried."""
        return bool(spec.digest) and self.refused == spec.digest


Changes = Mapping[str, NetworkChange]
"""By the name of a network."""


def begun(before: NetworkChange, seen: Network, containers: Iterable[Container], cause: str) -> NetworkChange:
    """What is to be remembered before a network is taken away."""
    connected = (c for c in containers if seen.name in c.networks and c.owner is not None)
    attachments = tuple(Attachment(c.id, c.owner, dict(c.endpoints.get(seen.name, {}))) for c in connected)
    known = {one.container for one in attachments}
    earlier = tuple(one for one in before.attachments if one.container not in known)
    return replace(before, left=cause, previous=spec_of(seen), attachments=(*attachments, *earlier))


def failed(before: NetworkChange, spec: NetworkSpec, why: str, now: float, *, final: bool) -> NetworkChange:
    """The memory once a declaration could not be had. ``final``: trying it again would cost what works once more."""
    attempts = before.attempts + 1 if before.was_refused(spec) else 1
    due = None if final else now + NETWORKS.after(attempts)
    return replace(before, left="", refused=spec.digest, failure=why, attempts=attempts, not_before=due)


def arrived(change: NetworkChange, name: str, containers: Mapping[str, Container]) -> NetworkChange:
    """The memory once a network is as declared: who was connected and is not yet."""
    cut_off = tuple(
        one for one in change.attachments if (c := containers.get(one.container)) is not None and name not in c.networks
    )
    return NetworkChange(left=change.left, attachments=cut_off)


def forgiven(change: NetworkChange) -> NetworkChange:
    """The memory once a declaration may be tried again at once."""
    return NetworkChange(previous=change.previous, attachments=change.attachments)


def spec_of(seen: Network) -> NetworkSpec:
    """The declaration that makes a network as it is seen."""
    return NetworkSpec(
        seen.name,
        internal=seen.internal,
        driver=seen.driver or None,
        labels=dict(seen.labels),
        driver_opts=dict(seen.driver_opts),
        attachable=seen.attachable,
        enable_ipv4=seen.enable_ipv4,
        enable_ipv6=seen.enable_ipv6,
        ipam=seen.ipam,
        digest=seen.spec,
    )


def told(change: NetworkChange, name: str) -> str:
    """In a sentence that a change failed, and what follows."""
    if change.not_before is None:
        again = "the domain changes or a person asks (`pnr apply`)"
        step = "correct the network in the domain file: the previous network serves until then; or try again with"
        step = f"{step} `pnr apply`"
    else:
        again, step = (
            "it is tried again",
            "correct that, or wait: the previous network serves, and it can pass by itself",
        )
    failure = change.failure.removeprefix(f"network {name} can't be made: ")
    text = framed(failure, f"network {name} can't be changed: ", f"; the previous one serves until {again}")
    return text if taken_apart(text)[1] else advised(text, step)


# --- whether it can be had -------------------------------------------------------------------------------------


class Subnets:
    """Which networks have addresses of a subnet: of hundreds it is asked for each of hundreds. Put in order when it is
    asked for the first time."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._given = networks

    @cached_property
    def _networks(self) -> list[Network]:
        return [one for one in self._given if one.ipam.pools and _draws_from_shared(one.driver, one.ipam)]

    @cached_property
    def _ordered(self) -> list[tuple[_Range, int, int]]:
        """Each range with the number of its network, and the highest end of all that begin before it, or with it."""
        found: list[tuple[_Range, int, int]] = []
        ranges = ((_range(pool.subnet), number) for number, one in enumerate(self._networks) for pool in one.ipam.pools)
        for range, number in sorted((range, number) for range, number in ranges if range is not None):
            before = found[-1] if found and found[-1][0][0] == range[0] else None
            found.append((range, number, max(range[2], before[2] if before is not None else 0)))
        return found

    def overlapping(self, spec: NetworkSpec) -> Iterator[tuple[Network, str]]:
        """The networks that have addresses of a declared subnet, and which subnets those are, in words. What engines
        allow (address pools of other drivers) is none of it."""
        if not spec.ipam.pools or not _draws_from_shared(spec.driver or "", spec.ipam):
            return
        numbers = {number for pool in spec.ipam.pools for number in self._having(_range(pool.subnet))}
        for other in (self._networks[number] for number in sorted(numbers)):
            if other.name == spec.name:
                continue
            for pool in spec.ipam.pools:
                common = next((p.subnet for p in other.ipam.pools if subnets_overlap(pool.subnet, p.subnet)), None)
                if common is not None:
                    yield other, f"its subnet {pool.subnet} overlaps with {common} of network {other.name}"
                    break

    def _having(self, asked: _Range | None) -> Iterator[int]:
        if asked is None:
            return
        version, first, last = asked
        at = bisect_right(self._ordered, (version, last), key=lambda one: one[0][:2])
        for range, number, highest in reversed(self._ordered[:at]):
            if range[0] != version or highest < first:
                return
            if range[2] >= first:
                yield number


def _draws_from_shared(driver: str, ipam: Ipam) -> bool:
    return driver in _SHARED_POOLS and (ipam.driver or "default") == "default"


def subnets_overlap(one: str, other: str) -> bool:
    """Whether two subnets have an address in common."""
    first, second = _range(one), _range(other)
    if first is None or second is None or first[0] != second[0]:
        return False
    return first[1] <= second[2] and second[1] <= first[2]


@lru_cache(maxsize=16384)
def _range(subnet: str) -> _Range | None:
    """The version of a subnet's addresses, the first and the last of them; None for what is no subnet."""
    try:
        network = ipaddress.ip_network(subnet, strict=False)
    except ValueError:
        return None
    return network.version, int(network.network_address), int(network.broadcast_address)


def can_be_beside(spec: NetworkSpec, seen: Network) -> bool:
    """Whether the engine can have a network as declared beside the present one: nothing that is one's at a time is in
    both."""
    if any(subnets_overlap(a.subnet, b.subnet) for a in spec.ipam.pools for b in seen.ipam.pools):
        return False
    driver, bridge = spec.driver or _BRIDGE, spec.driver_opts.get(_BRIDGE_NAME)
    if driver == (seen.driver or _BRIDGE) and driver != _BRIDGE:
        return False
    return not bridge or bridge != seen.driver_opts.get(_BRIDGE_NAME)


def trial_of(spec: NetworkSpec) -> NetworkSpec:
    """The same under the name of a trial."""
    return replace(spec, name=spec.name + TRIAL_SUFFIX)


# --- while the previous one serves -----------------------------------------------------------------------------


def as_connected(
    chunk: Chunk, networks: Collection[str], own: Iterable[Container], changes: Changes, id: ChunkId
) -> Chunk:
    """A chunk with the addresses that it has, or had, in networks whose change failed: those that it is to have belong
    to networks that are not there."""
    own = list(own)
    endpoints = dict(chunk.container.endpoints)
    for network in networks:
        if network not in chunk.container.networks:
            continue
        seen = next((c.endpoints[network] for c in own if network in c.endpoints), None)
        if seen is None:
            change = changes.get(network, NetworkChange())
            seen = next((a.endpoint for a in change.attachments if a.owner == id), None)
        if seen is None:
            continue
        declared = {key: value for key, value in endpoints.get(network, {}).items() if key not in _ADDRESSES}
        endpoints[network] = {**declared, **{key: seen[key] for key in _ADDRESSES if seen.get(key)}}
    if endpoints == dict(chunk.container.endpoints):
        return chunk
    return replace(chunk, container=replace(chunk.container, endpoints=endpoints))


# --- as plain values -------------------------------------------------------------------------------------------


def to_document(change: NetworkChange) -> dict[str, Any]:
    """Plain values that :func:`from_document` reads; without the time, which is another in every process."""
    p = change.previous
    previous = p and {
        "internal": p.internal,
        "driver": p.driver,
        "labels": dict(p.labels),
        "driver_opts": dict(p.driver_opts),
        "attachable": p.attachable,
        "enable_ipv4": p.enable_ipv4,
        "enable_ipv6": p.enable_ipv6,
        "spec": p.digest,
        "ipam_driver": p.ipam.driver,
        "ipam_options": dict(p.ipam.options),
        "pool": [
            {
                "subnet": pool.subnet,
                "ip_range": pool.ip_range,
                "gateway": pool.gateway,
                "aux_addresses": dict(pool.aux_addresses),
            }
            for pool in p.ipam.pools
        ],
    }
    attachments = [
        {
            "container": a.container,
            "chunk": {"domain": a.owner.domain, "cpux": a.owner.cpux, "name": a.owner.chunk, "number": a.owner.replica},
            "endpoint": dict(a.endpoint),
        }
        for a in change.attachments
        if a.owner is not None
    ]
    return {
        "previous": previous,
        "attachment": attachments or None,
        "refused_spec": change.refused or None,
        "failure": change.failure or None,
        "attempts": change.attempts or None,
    }


def from_document(name: str, document: Mapping[str, Any], not_before: float | None) -> NetworkChange:
    """The memory of a network from plain values."""
    p = document.get("previous")
    previous = None
    if isinstance(p, Mapping):
        pools = tuple(
            Pool(str(pool["subnet"]), pool.get("ip_range"), pool.get("gateway"), dict(pool.get("aux_addresses") or {}))
            for pool in p.get("pool") or ()
        )
        previous = NetworkSpec(
            name,
            internal=bool(p.get("internal")),
            driver=p.get("driver"),
            labels=dict(p.get("labels") or {}),
            driver_opts=dict(p.get("driver_opts") or {}),
            attachable=bool(p.get("attachable")),
            enable_ipv4=p.get("enable_ipv4"),
            enable_ipv6=p.get("enable_ipv6"),
            ipam=Ipam(p.get("ipam_driver"), pools, dict(p.get("ipam_options") or {})),
            digest=str(p.get("spec") or ""),
        )
    attachments = tuple(
        Attachment(str(entry["container"]), _owner(entry["chunk"]), dict(entry.get("endpoint") or {}))
        for entry in document.get("attachment") or ()
    )
    return NetworkChange(
        previous=previous,
        attachments=attachments,
        refused=str(document.get("refused_spec") or ""),
        failure=str(document.get("failure") or ""),
        attempts=int(document.get("attempts") or 0),
        not_before=not_before,
    )


def _owner(entry: Mapping[str, Any]) -> ChunkId:
    return ChunkId(str(entry["domain"]), str(entry["cpux"]), str(entry["name"]), int(entry.get("number") or 1))
