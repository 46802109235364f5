"""What the connected engine can't honour of what is declared: found before anything is touched. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.intent.model import Chunk, Domain
from reconciler.intent.networks import network_needs
from reconciler.intent.settings import SETTINGS
from reconciler.intent.settings.endpoints import endpoint_needs
from reconciler.intent.settings.row import Needs
from reconciler.planner import networks_and_volumes
from reconciler.planner.actions import Work
from reconciler.planner.network_changes import Changes
from reconciler.planner.observed import Observed


@dataclass(frozen=True, slots=True)
class Connected:
    """What the connected engine is, as far as it says what can be had. ``engine`` is its name and version, for people;
    ``api_version`` the one that is spoken with it ("" where it knows everything), ``system`` its operating system."""

    engine: str
    api_version: str = ""
    system: str = ""


def unsupported_of(chunk: Chunk, domain: Domain | None, connected: Connected | None) -> tuple[str, ...]:
    """A sentence for everything about a chunk, its connections and its networks that the engine can't honour."""
    if connected is None:
        return ()
    spec, api = chunk.container, connected.api_version
    joined = domain.networks_named(spec.networks) if domain is not None else []
    needs = [*endpoint_needs(spec), *(need for network in joined for need in network_needs(network))]
    return (
        *unsupported(spec.settings, engine=connected.engine, api_version=api, system=connected.system),
        *unmet(needs, engine=connected.engine, api_version=api),
    )


def supported_networks(
    domain: Domain, connected: Connected | None, only: Iterable[str] | None = None
) -> frozenset[str]:
    """Those (of those named in ``only``) that the engine can make as declared; the others are left as they are, or
    unmade."""
    api = connected.api_version if connected is not None else ""
    networks = domain.networks if only is None else domain.networks_named(only)
    return frozenset(
        network.name for network in networks if not unmet(network_needs(network), engine="", api_version=api)
    )


def arrangements(
    domain: Domain,
    observed: Observed,
    connected: Connected | None,
    changes: Changes | None = None,
    now: float = 0.0,
) -> list[Work]:
    """What has to be done about a domain's networks and volumes; nothing about those that only chunks want which the
    engine can't honour."""
    networks = networks_and_volumes.networks(domain, observed, changes, now=now)
    return worth_doing([*networks.work, *networks_and_volumes.volumes(domain, observed).work], domain, connected)


def worth_doing(work: Sequence[Work], domain: Domain, connected: Connected | None) -> list[Work]:
    """Of what has to be done about a domain's networks and volumes: what the engine can make as declared, for chunks
    that it can run as declared."""
    if not work:
        return []
    supported = supported_networks(domain, connected)
    in_vain = {f"network:{spec.name}" for spec in domain.networks if spec.name not in supported}
    in_vain |= _wanted_in_vain(domain, connected)
    return [one for one in work if str(one.key) not in in_vain]


def _wanted_in_vain(domain: Domain, connected: Connected | None) -> set[str]:
    """The keys of networks and volumes that only such chunks use as the engine can't run."""
    used: set[str] = set()
    wanted: set[str] = set()
    for chunk in domain.chunks():
        keys = {f"network:{name}" for name in chunk.container.networks}
        keys |= {f"volume:{name}" for name in networks_and_volumes.used_volumes(chunk)}
        used |= keys
        if not keys <= wanted and not unsupported_of(chunk, domain, connected):
            wanted |= keys
    return used - wanted


def unsupported(settings: Mapping[str, Any], *, engine: str, api_version: str, system: str) -> tuple[str, ...]:
    """A sentence for each setting that the engine does not know.

    ``engine`` is its name and version, for people; ``api_version`` the one that is spoken with it ("" where it knows
    everything), ``system`` its operating system as it calls it itself.
    """
    return tuple(_reasons(settings, engine, api_version, system))


def unmet(needs: Collection[Needs], *, engine: str, api_version: str) -> tuple[str, ...]:
    """A sentence for each need that the engine does not meet."""
    if not needs:
        return ()
    return tuple(
        _too_old(need.what, need.since_api, engine, api_version)
        for need in needs
        if _is_older(api_version, need.since_api)
    )


def _reasons(settings: Mapping[str, Any], engine: str, api_version: str, system: str) -> Iterator[str]:
    for name, value in settings.items():
        setting = SETTINGS.get(name)
        if setting is None:
            continue
        if system and system not in setting.systems:
            yield f"{name} is for engines on {' or '.join(setting.systems)}; {engine} runs on {system}: leave it out"
        needs = setting.needs(value) if setting.needs is not None else None
        what, since = (needs.what, needs.since_api) if needs is not None else (name, setting.since_api)
        if _is_older(api_version, since):
            yield _too_old(what, since, engine, api_version)


def _is_older(api_version: str, since: str) -> bool:
    return bool(since and api_version) and _number(api_version) < _number(since)


def _too_old(what: str, since: str, engine: str, api_version: str) -> str:
    return f"{what} takes an engine of API {since}; {engine} speaks {api_version}: leave it out, or upgrade"


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
