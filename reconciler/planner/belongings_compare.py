"""How networks and volumes that are there compare with what was declared. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.intent.model import Ipam, NetworkSpec, VolumeSpec
from reconciler.intent.networks import shortest
from reconciler.intent.settings.row import brief
from reconciler.planner.observed import Network, Volume

DEFAULT_VOLUME_DRIVER = "local"


def network_differences(spec: NetworkSpec, seen: Network) -> tuple[str, ...]:
    """What of a network of ours is not as declared, a sentence each.

    What was not declared is the engine's to choose, and no difference; but for what an earlier declaration asked for.
    """
    found = list(_network_differences(spec, seen))
    if seen.spec and spec.digest and seen.spec != spec.digest:
        # Made from another declaration: what stands there beside the present one comes from that.
        found += _beyond("driver_opts", spec.driver_opts, seen.driver_opts)
        found += _beyond("labels", spec.labels, seen.labels)
        found = found or ["its declaration has changed since it was made"]
    return tuple(found)


def _network_differences(spec: NetworkSpec, seen: Network) -> Iterator[str]:
    if spec.driver and seen.driver and spec.driver != seen.driver:
        yield _told("driver", spec.driver, seen.driver)
    for key in ("internal", "attachable"):
        wanted, there = getattr(spec, key), getattr(seen, key)
        if wanted != there:
            yield _told(key, wanted, there)
    if spec.enable_ipv4 is not None and seen.enable_ipv4 is not None and spec.enable_ipv4 != seen.enable_ipv4:
        yield _told("enable_ipv4", spec.enable_ipv4, seen.enable_ipv4)
    if spec.enable_ipv6 is not None and spec.enable_ipv6 != seen.enable_ipv6:
        yield _told("enable_ipv6", spec.enable_ipv6, seen.enable_ipv6)
    yield from _map("driver_opts", spec.driver_opts, seen.driver_opts)
    yield from _ipam(spec.ipam, seen.ipam)
    yield from _map("labels", spec.labels, seen.labels)


def _ipam(wanted: Ipam, there: Ipam) -> Iterator[str]:
    if wanted.driver and there.driver and wanted.driver != there.driver:
        yield _told("ipam driver", wanted.driver, there.driver)
    yield from _map("ipam options", wanted.options, there.options)
    found = {shortest(pool.subnet): pool for pool in there.pools}
    for pool in wanted.pools:
        other = found.get(pool.subnet)
        if other is None:
            yield _told("ipam subnet", pool.subnet, ", ".join(found) or None)
            continue
        for key in ("ip_range", "gateway"):
            declared, has = getattr(pool, key), getattr(other, key)
            if declared and declared != (shortest(has) if has else None):
                yield _told(f"ipam {key} of {pool.subnet}", declared, has)
        addresses = {name: shortest(address) for name, address in other.aux_addresses.items()}
        yield from _map(f"ipam aux_addresses of {pool.subnet}", pool.aux_addresses, addresses)


def volume_differences(spec: VolumeSpec, seen: Volume) -> tuple[str, ...]:
    """What of a volume of ours is not as declared, a sentence each; of its labels, those that are declared."""
    found: list[str] = []
    driver = spec.driver or DEFAULT_VOLUME_DRIVER
    if seen.driver and driver != seen.driver:
        found.append(_told("driver", driver, seen.driver))
    found += _map("driver_opts", spec.driver_opts, seen.driver_opts)
    found += _beyond("driver_opts", spec.driver_opts, seen.driver_opts)
    found += _map("labels", spec.labels, seen.labels)
    return tuple(found)


def _map(what: str, wanted: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    return [_told(f"{what} {key}", value, there.get(key)) for key, value in wanted.items() if there.get(key) != value]


def _beyond(what: str, wanted: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    return [f"{what} {key}: not declared, {brief(value)} found" for key, value in there.items() if key not in wanted]


def _told(what: str, wanted: object, there: object) -> str:
    return f"{what}: {brief(wanted)} declared, {brief(there)} found"
