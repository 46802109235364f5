"""What is to be done about one network that a domain declares: made, recreated, brought back, healed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.intent.model import Domain, NetworkSpec
from reconciler.planner.actions import Action, ConnectNetwork, CreateNetwork, RemoveNetwork, Work
from reconciler.planner.arranged import Belongings
from reconciler.planner.belongings_compare import network_differences
from reconciler.planner.network_changes import (
    NetworkChange,
    Subnets,
    can_be_beside,
    told,
    trial_of,
)
from reconciler.planner.observed import Container, Network, Observed
from reconciler.sentences import advised

Steps = list[tuple[Action, str]]


def users(network_name: str, containers: Iterable[Container]) -> Iterator[Container]:
    """The containers that are connected to a network."""
    return (container for container in containers if network_name in container.networks)


def arrange(
    spec: NetworkSpec,
    domain: Domain,
    observed: Observed,
    subnets: Subnets,
    change: NetworkChange,
    now: float,
    found: Belongings,
) -> None:
    """Find what is to be done about a declared network, and what stands in the way of its users. ``subnets`` are those
    of all networks that there are."""
    name, seen = spec.name, observed.networks.get(spec.name)
    if spec.external:
        if seen is None:
            found.missing[name] = f"network {name}, which is declared external and does not exist"
    elif seen is None:
        _make(spec, domain, observed, subnets, change, now, found)
    elif seen.domain != domain.name:
        whose = f"belongs to domain {seen.domain}" if seen.domain else "was not made by pnr"
        found.missing[name] = f"network {name}, whose name belongs to another owner"
        found.conflict[name] = (
            f"the network name {name} is held by network {seen.id[:12]}, which {whose}; remove or rename it"
        )
    elif seen.twins:
        _heal(seen, domain.name, found)
    else:
        _compare(spec, seen, domain, observed, subnets, change, now, found)


def _heal(seen: Network, domain: str, found: Belongings) -> None:
    """Two networks of one name: nobody can be connected by that name before one of them is gone."""
    name = seen.name
    foreign = [twin for twin in seen.twins if twin.domain != domain]
    if foreign:
        whose = f"belongs to domain {foreign[0].domain}" if foreign[0].domain else "was not made by pnr"
        found.conflict[name] = (
            f"there are two networks called {name}, ours ({seen.id[:12]}) and {foreign[0].id[:12]}, which {whose}:"
            f" remove that one with `docker network rm {foreign[0].id[:12]}`"
        )
        return
    cause = f"there are two networks of this name, {seen.id[:12]} stays"
    found.missing[name] = f"network {name}, of which there are two"
    steps: Steps = [(RemoveNetwork(name, domain, disconnect=True, id=twin.id), cause) for twin in seen.twins]
    found.work.append(Work(f"network:{name}", tuple(steps)))


def _make(
    spec: NetworkSpec,
    domain: Domain,
    observed: Observed,
    subnets: Subnets,
    change: NetworkChange,
    now: float,
    found: Belongings,
) -> None:
    name = spec.name
    clash, yielding = in_the_way(spec, domain, subnets)
    refused = change.is_refused(spec, now) or (clash and change.previous is not None)
    if refused and change.previous is not None:
        found.missing[name] = f"network {name}, which is brought back"
        cause = "its change failed: the previous one is back"
        steps: Steps = [(CreateNetwork(name, domain.name, change.previous), cause)]
        found.work.append(Work(f"network:{name}", (*steps, *_reconnections(name, domain, observed, change))))
        return
    found.missing[name] = f"network {name}"
    if clash:
        step = "give it another subnet (`ipam`) in the domain file, or remove the other network if it is unused"
        found.stuck[name] = advised(f"network {name} can't be made: {clash}", step)
        return
    stays = _held_by_others([other.name for other in yielding], observed)
    if stays:
        found.stuck[name] = f"network {name} can't be made: {stays}"
        return
    cause = "no such network yet"
    steps = [*_taken_away(yielding, domain.name, name), (CreateNetwork(name, domain.name, spec), cause)]
    found.work.append(Work(f"network:{name}", tuple(steps)))


def _compare(
    spec: NetworkSpec,
    seen: Network,
    domain: Domain,
    observed: Observed,
    subnets: Subnets,
    change: NetworkChange,
    now: float,
    found: Belongings,
) -> None:
    name = spec.name
    said = "; ".join(network_differences(spec, seen))
    if not said or (said == change.left and seen.spec == spec.digest):
        return
    if change.is_refused(spec, now):
        found.back[name] = told(change, name)
        if again := _reconnections(name, domain, observed, change):
            found.work.append(Work(f"network:{name}", tuple(again)))
        return
    clash, yielding = in_the_way(spec, domain, subnets)
    if clash:
        step = "give it another subnet (`ipam`) in the domain file, or remove the other network if nobody uses it"
        text = f"network {name} can't be changed: {clash}; it serves as it was ({said})"
        found.back[name] = advised(text, f"{step}: the previous network serves until then")
        if again := _reconnections(name, domain, observed, change):
            found.work.append(Work(f"network:{name}", tuple(again)))
        return
    stays = _held_by_others([name, *(other.name for other in yielding)], observed)
    if stays:
        found.stuck[name] = f"network {name} is not as declared ({said}), and can't be recreated {stays}"
        return
    found.missing[name] = f"network {name}, which is recreated ({said})"
    steps: Steps = []
    if not yielding and can_be_beside(spec, seen):
        trial, why = trial_of(spec), "to see whether the engine takes it, before any container is disconnected"
        steps = [(CreateNetwork(trial.name, domain.name, trial), why), (RemoveNetwork(trial.name, domain.name), why)]
    steps += _taken_away(yielding, domain.name, name)
    steps += [(RemoveNetwork(name, domain.name, disconnect=True), said), (CreateNetwork(name, domain.name, spec), said)]
    found.work.append(Work(f"network:{name}", tuple(steps)))


def in_the_way(spec: NetworkSpec, domain: Domain, subnets: Subnets) -> tuple[str, list[Network]]:
    """What holds addresses of a declared network and stays, in words; and those of the domain itself that are to go,
    or to have other addresses."""
    yielding = []
    for other, words in subnets.overlapping(spec):
        wanted = next(reversed(domain.networks_named((other.name,))), None)
        # Subnets that are declared in one file don't overlap: what does comes from an earlier declaration.
        if other.domain == domain.name and (wanted is None or (wanted.ipam.pools and not wanted.external)):
            yielding.append(other)
            continue
        whose = f"which belongs to domain {other.domain}" if other.domain else "which was not made by pnr"
        return f"{words} ({other.id[:12]}), {whose}", []
    return "", yielding


def _taken_away(yielding: list[Network], domain: str, name: str) -> Steps:
    return [
        (RemoveNetwork(other.name, domain, disconnect=True), f"network {name} has its addresses now")
        for other in yielding
    ]


def _held_by_others(names: list[str], observed: Observed) -> str:
    for name in names:
        foreign = sorted(c.name for c in users(name, observed.containers.values()) if c.owner is None)
        if foreign:
            return (
                f"while {', '.join(foreign)}, which pnr did not make, is connected"
                f"{f' to network {name}' if name != names[0] else ''}: disconnect it"
            )
    return ""


def _reconnections(name: str, domain: Domain, observed: Observed, change: NetworkChange) -> Steps:
    """Those containers of the domain that were connected, are there, and are not; what is theirs to change, their own
    repair changes."""
    steps: Steps = []
    for was in change.attachments:
        c = observed.containers.get(was.container)
        chunk = domain.by_id.get(was.owner) if was.owner is not None else None
        if c is None or name in c.networks or chunk is None or name not in chunk.container.networks:
            continue
        endpoint = {key: value for key, value in was.endpoint.items() if key != "aliases"}
        aliases = tuple(was.endpoint.get("aliases", ()))
        steps.append((ConnectNetwork(c.name, name, aliases, endpoint), f"it was connected to network {name} before"))
    return steps
