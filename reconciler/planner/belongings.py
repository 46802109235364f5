"""A domain's networks and volumes: what of them is to be made, replaced and removed, and what stands in the way. Pure.

A network can't be changed: one that is not as declared is removed, with our containers disconnected from it, and made
anew; the chunks' own repair connects them again. A volume can't be replaced without losing what is in it: one that is
not as declared serves as it is, and that is told, as Compose does where nobody confirms that it may be made anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.intent.model import Chunk, Domain, Ipam, NetworkSpec, VolumeSpec
from reconciler.intent.networks import shortest
from reconciler.intent.settings.row import brief
from reconciler.lifecycle import Reason
from reconciler.planner.actions import CreateNetwork, CreateVolume, RemoveNetwork, RemoveVolume, Work
from reconciler.planner.observed import Condition, Container, Network, Observed, Volume

ALIVE = (Condition.RUNNING, Condition.PAUSED, Condition.RESTARTING)
DEFAULT_VOLUME_DRIVER = "local"
Left = Mapping[str, str]
"""By the name of a network, the differences for which it was made anew already: where the same are there again, the
engine does not take what was declared, and making it anew once more would not help."""


@dataclass(frozen=True, slots=True)
class Belongings:
    """What is to be done about networks or volumes, and what stands in the way of those who use them, by name.

    ``missing``: it is not there yet, or about to be replaced: who needs it waits. ``conflict``: somebody else's is
    there; ``stuck``: ours is there, is not what was declared and can't be made anew. Both in a sentence, and nobody new
    begins with it.
    """

    work: list[Work] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    conflict: dict[str, str] = field(default_factory=dict)
    stuck: dict[str, str] = field(default_factory=dict)


def as_made(spec: NetworkSpec, domain: str) -> Network:
    """A network as it is once it was made, as far as that is known before it is looked at."""
    return Network(
        "",
        spec.name,
        domain,
        spec=spec.digest,
        driver=spec.driver or "",
        driver_opts=spec.driver_opts,
        internal=spec.internal,
        attachable=spec.attachable,
        enable_ipv4=spec.enable_ipv4,
        enable_ipv6=bool(spec.enable_ipv6),
        ipam=spec.ipam,
        labels=spec.labels,
    )


def volume_as_made(spec: VolumeSpec, domain: str) -> Volume:
    """The same for a volume."""
    driver = spec.driver or DEFAULT_VOLUME_DRIVER
    return Volume(spec.name, domain, spec.keep, driver, spec.driver_opts, spec.labels)


# --- comparing ------------------------------------------------------------------------------------------------


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


# --- what is declared -------------------------------------------------------------------------------------------


def networks(
    domain: Domain, observed: Observed, left: Left | None = None, only: Collection[str] | None = None
) -> Belongings:
    """The networks of a domain (those named in ``only``) that must be made or replaced, and what stands in the way."""
    found = Belongings()
    for spec in domain.networks:
        if only is None or spec.name in only:
            _network(spec, domain.name, observed, (left or {}).get(spec.name, ""), found)
    return found


def _network(spec: NetworkSpec, domain: str, observed: Observed, left: str, found: Belongings) -> None:
    name, seen = spec.name, observed.networks.get(spec.name)
    if spec.external:
        if seen is None:
            found.missing[name] = f"network {name}, which is declared external and does not exist"
        return
    if seen is None:
        found.missing[name] = f"network {name}"
        found.work.append(Work(f"network:{name}", ((CreateNetwork(name, domain, spec), "no such network yet"),)))
        return
    if seen.domain != domain:
        whose = f"belongs to domain {seen.domain}" if seen.domain else "was not made by pnr"
        found.missing[name] = f"network {name}, whose name is held by somebody else"
        found.conflict[name] = (
            f"the network name {name} is held by network {seen.id[:12]}, which {whose}; remove or rename it"
        )
        return
    said = "; ".join(network_differences(spec, seen))
    if not said or (said == left and seen.spec == spec.digest):
        return
    foreign = sorted(c.name for c in users(name, observed.containers.values()) if c.owner is None)
    if foreign:
        found.stuck[name] = (
            f"network {name} is not as declared ({said}), and can't be made anew while {', '.join(foreign)},"
            " which pnr did not make, is connected: disconnect it"
        )
        return
    found.missing[name] = f"network {name}, which is made anew ({said})"
    steps = ((RemoveNetwork(name, domain, disconnect=True), said), (CreateNetwork(name, domain, spec), said))
    found.work.append(Work(f"network:{name}", steps))


def volumes(domain: Domain, observed: Observed, only: Collection[str] | None = None) -> Belongings:
    """The named volumes of a domain (those named in ``only``) that must be made, and what stands in the way.

    A volume of somebody else is not used unless the file says that it is external: what is in it is not ours.
    """
    found = Belongings()
    for spec in domain.volumes:
        if only is not None and spec.name not in only:
            continue
        seen = observed.volumes.get(spec.name)
        if seen is None and spec.external:
            found.missing[spec.name] = f"volume {spec.name}, which is declared external and does not exist"
        elif seen is None:
            found.missing[spec.name] = f"volume {spec.name}"
            steps = ((CreateVolume(spec.name, domain.name, spec), "no such volume yet"),)
            found.work.append(Work(f"volume:{spec.name}", steps))
        elif spec.external:
            continue
        elif seen.domain != domain.name:
            whose = f"belongs to domain {seen.domain}" if seen.domain else "was not made by pnr"
            found.conflict[spec.name] = (
                f"the volume name {spec.name} is held by a volume that {whose}: declare it as external, if that is the"
                " one that is wanted, give this one another name, or remove that one"
            )
    return found


def remarks(domain: Domain, observed: Observed) -> tuple[str, ...]:
    """What people should know of a domain's networks and volumes, and would not see while its containers run."""
    of_networks = networks(domain, observed)
    found = [
        *of_networks.conflict.values(),
        *of_networks.stuck.values(),
        *volumes(domain, observed).conflict.values(),
    ]
    for spec in domain.volumes:
        seen = observed.volumes.get(spec.name)
        if seen is None or seen.domain != domain.name or spec.external:
            continue
        differences = volume_differences(spec, seen)
        if differences:
            found.append(
                f"volume {spec.name} is not as declared ({'; '.join(differences)}) and is used as it is, since what is"
                " in it would be lost if it were made anew: declare it as it is; or save its content, then `pnr down"
                f" {domain.name}`, `docker volume rm {spec.name}`, `pnr apply {domain.name}`"
            )
        if seen.keep == spec.keep:
            continue
        when = "it will stay" if seen.keep else "it will be removed"
        found.append(
            f"volume {spec.name} was made with keep {str(seen.keep).lower()}, which can't be changed: once it is taken"
            f" out of the file, {when}"
        )
    return tuple(found)


def conflict(chunk: Chunk, domain: Domain, observed: Observed) -> tuple[Reason, str] | None:
    """Why a chunk can't begin with the networks and volumes that there are, as reason and message."""
    found = networks(domain, observed, only=chunk.container.networks)
    mounted = used_volumes(chunk)
    held = found.conflict | (volumes(domain, observed, mounted).conflict if mounted else {})
    for text in held.values():
        return Reason.NAME_CONFLICT, text
    for text in found.stuck.values():
        return Reason.CREATE_FAILED, text
    return None


def used_volumes(chunk: Chunk) -> frozenset[str]:
    """The engine-side names of the named volumes that a chunk mounts."""
    return _named(chunk.container.settings)


def users(network_name: str, containers: Iterable[Container]) -> Iterator[Container]:
    """The containers that are connected to a network."""
    return (container for container in containers if network_name in container.networks)


# --- what is not declared any more ----------------------------------------------------------------------------------


def leftovers(
    domain: str, wanted: Domain | None, last: Domain | None, observed: Observed, *, volumes_too: bool = False
) -> Belongings:
    """The networks and volumes of a domain that are to go, and those that others hold (``missing`` says who). What
    containers of the domain itself still have waits for them, without a word.

    ``wanted`` None: the whole domain is to go, and so are its containers; ``last`` is then what it declared, which goes
    before what a volume's own label tells. ``volumes_too``: a person wants all volumes removed with the domain.
    """
    found = Belongings()
    cause = "no longer declared" if wanted is not None else "its domain is gone"
    networks_wanted = {spec.name for spec in wanted.networks} if wanted is not None else set()
    for network in observed.networks.values():
        if network.domain != domain or network.name in networks_wanted:
            continue
        connected = users(network.name, observed.containers.values())
        holders = [c for c in connected if c.owner is not None or c.condition in ALIVE]
        work = Work(f"network:{network.name}", ((RemoveNetwork(network.name, domain), cause),))
        _go_unless_held(work, network.name, domain, holders, found)
    volumes_wanted = {spec.name for spec in (*wanted.volumes, *wanted.unused_volumes)} if wanted is not None else set()
    said = (*last.volumes, *last.unused_volumes) if last is not None and wanted is None else ()
    keeps = {spec.name: spec.keep or spec.external for spec in said}
    for volume in observed.volumes.values():
        if volume.domain != domain or volume.name in volumes_wanted:
            continue
        by_person = wanted is None and volumes_too
        if keeps.get(volume.name, volume.keep) and not by_person:
            continue
        holders = [c for c in observed.containers.values() if volume.name in _mounted(c)]
        why = "a person asked for it" if by_person else f"{cause}, and it is not to be kept"
        work = Work(f"volume:{volume.name}", ((RemoveVolume(volume.name, domain), why),))
        _go_unless_held(work, volume.name, domain, holders, found)
    return found


def _go_unless_held(work: Work, name: str, domain: str, holders: list[Container], found: Belongings) -> None:
    others = sorted(c.name for c in holders if c.owner is None or c.owner.domain != domain)
    if others:
        found.missing[name] = f"{str(work.key).partition(':')[0]} {name} stays while {', '.join(others)} uses it"
    elif not holders:
        found.work.append(work)


def _mounted(container: Container) -> frozenset[str]:
    """The named volumes of a container; of one of somebody else that is not known."""
    return _named(container.settings or {})


def _named(settings: Mapping[str, Any]) -> frozenset[str]:
    mounts = settings.get("volumes") or ()
    return frozenset(str(mount["source"]) for mount in mounts if mount.get("type") == "volume" and mount.get("source"))
