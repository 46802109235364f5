"""A domain's networks and volumes: what of them is to be made, replaced and removed, and what stands in the way. Pure.

A network can't be changed: one that is not as declared is removed, with our containers disconnected from it, and made
again (:mod:`.network_plan`); the chunks' own repair connects them again. A volume can't be replaced without losing what
is in it: one that is not as declared serves as it is, and that is told, as Compose does where nobody confirms that it
may be recreated.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from reconciler.intent.model import Chunk, Domain, NetworkSpec, VolumeSpec
from reconciler.planner.actions import CreateVolume, RemoveNetwork, RemoveVolume, Work
from reconciler.planner.arranged import Belongings
from reconciler.planner.belongings_compare import DEFAULT_VOLUME_DRIVER, volume_differences
from reconciler.planner.network_changes import Changes, NetworkChange, Subnets
from reconciler.planner.network_plan import arrange, users
from reconciler.planner.observed import Condition, Container, Network, Observed, Volume, owned
from reconciler.states import Reason

ALIVE = (Condition.RUNNING, Condition.PAUSED, Condition.RESTARTING)


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


# --- what is declared -------------------------------------------------------------------------------------------


def networks(
    domain: Domain,
    observed: Observed,
    changes: Changes | None = None,
    only: Collection[str] | None = None,
    now: float = 0.0,
) -> Belongings:
    """The networks of a domain (those named in ``only``) that must be made or replaced, and what stands in the way.
    ``changes`` is what is remembered of networks that were recreated."""
    found, subnets = Belongings(), Subnets(observed.networks.values())
    for spec in domain.networks if only is None else domain.networks_named(only):
        arrange(spec, domain, observed, subnets, (changes or {}).get(spec.name, NetworkChange()), now, found)
    return found


def volumes(domain: Domain, observed: Observed, only: Collection[str] | None = None) -> Belongings:
    """The named volumes of a domain (those named in ``only``) that must be made, and what stands in the way.

    A volume of somebody else is not used unless the file says that it is external: what is in it is not ours.
    """
    found = Belongings()
    for spec in domain.volumes if only is None else domain.volumes_named(only):
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


def remarks(domain: Domain, observed: Observed, of_networks: Belongings, of_volumes: Belongings) -> tuple[str, ...]:
    """What people should know of a domain's networks and volumes, and would not see while its containers run.
    ``of_networks`` is what is to be done about the networks where no change of them is remembered, ``of_volumes`` about
    the volumes."""
    found = [*of_networks.conflict.values(), *of_networks.stuck.values(), *of_volumes.conflict.values()]
    for spec in domain.volumes:
        seen = observed.volumes.get(spec.name)
        if seen is None or seen.domain != domain.name or spec.external:
            continue
        differences = volume_differences(spec, seen)
        if differences:
            found.append(
                f"volume {spec.name} is not as declared ({'; '.join(differences)}) and is used as it is, since what is"
                " in it would be lost if it were recreated: declare it as it is; or save its content, then `pnr down"
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


def conflict(
    chunk: Chunk, domain: Domain, observed: Observed, changes: Changes | None = None, now: float = 0.0
) -> tuple[Reason, str] | None:
    """Why a chunk can't begin with the networks and volumes that there are, as reason and message."""
    found = networks(domain, observed, changes, chunk.container.networks, now)
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
    everywhere = (each for network in owned(observed.networks, domain) for each in (network, *network.twins))
    for network in everywhere:
        if network.domain != domain or network.name in networks_wanted:
            continue
        connected = users(network.name, observed.containers.values())
        holders = [c for c in connected if c.owner is not None or c.condition in ALIVE]
        work = Work(f"network:{network.name}", ((RemoveNetwork(network.name, domain, id=network.id), cause),))
        _go_unless_held(work, network.name, domain, holders, found)
    volumes_wanted = {spec.name for spec in (*wanted.volumes, *wanted.unused_volumes)} if wanted is not None else set()
    said = (*last.volumes, *last.unused_volumes) if last is not None and wanted is None else ()
    keeps = {spec.name: spec.keep or spec.external for spec in said}
    for volume in owned(observed.volumes, domain):
        if volume.name in volumes_wanted:
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
