"""Networks and volumes that one domain has and others may use: whom their owner shares them with. Pure.

What a domain makes is its own. Another one may have it where the owner says so in its own file (``shared_with``), or
where the policy names it, which the policy's own check has looked at before: what is left for here is in
:class:`Borrowed`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from reconciler.diagnostics import Diagnostic, Path, Place
from reconciler.intent.chunks import copies_of
from reconciler.intent.model import Chunk, Domain, NetworkSpec, VolumeSpec
from reconciler.sentences import advised

Kept = NetworkSpec | VolumeSpec
Key = tuple[str, str]
"""``network`` or ``volume``, and the name in the engine."""


@dataclass(frozen=True, slots=True)
class Borrowed:
    """Something that a file asks for and that is not its domain's, and that no policy allows by itself.

    ``path`` is the place in the file, ``code`` that of the error, ``rule`` says which rule refuses it, and ``allowing``
    what would make that allow it. ``unowned``: it may be had where no domain declares it.
    """

    kind: str
    name: str
    path: Path
    code: str
    rule: str
    allowing: str
    unowned: bool = False


def owned(domain: Domain) -> Iterator[tuple[Key, Kept]]:
    """All that a domain makes: what is declared and never made is nobody's yet."""
    for network in domain.networks:
        if not network.external:
            yield ("network", network.name), network
    for volume in domain.volumes:
        if not volume.external:
            yield ("volume", volume.name), volume


def allows(shared_with: Collection[str], domain: str) -> bool:
    """Whether an owner lets a domain have something."""
    return any(fnmatchcase(domain, pattern) for pattern in shared_with)


def lent(domains: Iterable[Domain]) -> Mapping[tuple[str, str, str], tuple[str, ...]]:
    """Whom owners share with, by the owner, the kind and the name in the engine."""
    return {
        (domain.name, *key): spec.shared_with for domain in domains for key, spec in owned(domain) if spec.shared_with
    }


def not_shared(
    domain: Domain, borrowed: Collection[Borrowed], domains: Iterable[Domain]
) -> Iterator[tuple[Diagnostic, Borrowed, str | None]]:
    """What of ``borrowed`` a domain may not have, each with its owner among ``domains``, where there is one."""
    owners: dict[Key, tuple[Domain | None, tuple[str, ...]]] = {}
    for each in domains:
        for key, spec in owned(each):
            owners.setdefault(key, (each, spec.shared_with))
    for one in borrowed:
        owner, patterns = owners.get((one.kind, one.name), (None, ()))
        if owner is None and one.unowned:
            continue
        if owner is not None and (owner.name == domain.name or allows(patterns, domain.name)):
            continue
        step = f"take it out, or allow it in {one.allowing}"
        whose = "which none of the domain files here declares as its own"
        if owner is not None:
            whose = f"which belongs to domain {owner.name} ({owner.file}) and is not shared with {domain.name}"
            said = f'"shared_with": ["{domain.name}"]'
            step = f"let {owner.file} share it, with {said} at the {one.kind}, or allow it in {one.allowing}"
        text = advised(f"the policy refuses the {one.kind} {one.name}, {whose} ({one.rule})", step)
        found = Diagnostic(one.path, one.code, text, place=Place(domain.file))
        yield found, one, owner.name if owner is not None else None


def uses(domain: Domain) -> Iterator[Key]:
    """All that a domain has and does not make."""
    yield from (("network", network.name) for network in domain.networks if network.external)
    yield from (("volume", volume.name) for volume in domain.volumes if volume.external)


def in_use(owner: Domain, key: Key, user: Domain) -> Diagnostic:
    """An owner claims what another domain had before as nobody's."""
    kind, name = key
    said = f"the {kind} {name} is used as external by domain {user.name} ({user.file}) already, and is not made here"
    shared = f'"shared_with": ["{user.name}"]'
    step = f"declare it as external here as well, give this one another name, or share it: {shared}"
    own = f"pnr_{owner.name}_" if kind == "network" else f"{owner.name}_"
    path: Path = (f"{kind}s", name.removeprefix(own))
    return Diagnostic(path, f"{kind.capitalize()}NameClash", advised(said, step), place=Place(owner.file))


def names_taken(guests: Iterable[Domain], domains: Iterable[Domain]) -> Iterator[tuple[Diagnostic, str]]:
    """Names that guests in networks of other domains ask for and that chunks of the owner have there, each with the
    owner: an engine answers with either, so that who asks for the owner's database may reach the guest."""
    owners = {spec.name: domain for domain in domains for spec in domain.networks if not spec.external}
    theirs: dict[str, set[str]] = {}
    for guest in guests:
        for chunk, path in copies_of(guest):
            for network in chunk.container.guest_in:
                owner = owners.get(network)
                if owner is None or owner.name == guest.name:
                    continue
                if network not in theirs:
                    theirs[network] = {name for one in owner.chunks() for name in _called(one, network)}
                for name in sorted(_called(chunk, network) & theirs[network]):
                    whose = f"domain {owner.name} ({owner.file})"
                    said = f"in network {network} of {whose} one of its own chunks has the name {name}"
                    text = advised(said, "give this one another name there, or leave out the alias")
                    where = (*path, "container", "networks")
                    yield Diagnostic(where, "NameTaken", text, place=Place(guest.file)), owner.name


def _called(chunk: Chunk, network: str) -> set[str]:
    """What a container asks to be called in a network that it joins, in small letters, as names there are looked up;
    newer engines add its host name."""
    spec = chunk.container
    hostname = spec.settings.get("hostname")
    names = spec.networks.get(network)
    if names is None:
        return set()
    return {name.lower() for name in (*names, *((str(hostname),) if hostname else ()))}
