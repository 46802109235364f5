"""What of a machine only one can have: names of containers, networks and volumes, names under which images are built,
addresses, ports of the host. Pure.

What the intent in force of a domain has is *reserved* for its file; what is judged beside it is let in one domain after
another, those that are in force before newcomers (see :mod:`reconciler.intent.judgement`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from reconciler.diagnostics import Diagnostic, Path, Place
from reconciler.intent.chunks import copies_of
from reconciler.intent.file_names import stem
from reconciler.intent.image_names import ImageName, own_prefix, parse, whose
from reconciler.intent.model import Chunk, Domain, NetworkSpec, VolumeSpec
from reconciler.intent.settings.ports import addresses
from reconciler.intent.settings.volumes import images_mounted


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the host on one of its addresses; of the unspecified address (0.0.0.0, ::) on all of that version."""

    ip: str
    number: int
    protocol: str

    @property
    def is_every_address(self) -> bool:
        """Whether it stands for all addresses."""
        return _address(self.ip)[1]

    @property
    def key(self) -> tuple[int, int, str]:
        """What ports that may be in each other's way share."""
        return _address(self.ip)[0], self.number, self.protocol

    def __str__(self) -> str:
        shown = f"[{self.ip}]" if _address(self.ip)[0] == 6 else self.ip
        return f"{shown}:{self.number}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class _Range:
    """Ports of the host of which the engine takes one that is free, at each start."""

    ip: str
    first: int
    last: int
    protocol: str

    def holds(self, port: Port) -> bool:
        """Whether it may take this one."""
        if port.protocol != self.protocol or not self.first <= port.number <= self.last:
            return False
        mine, theirs = _address(self.ip), _address(port.ip)
        return mine[0] == theirs[0] and (self.ip == port.ip or mine[1] or theirs[1])


@lru_cache(1024)
def _address(ip: str) -> tuple[int, bool]:
    """The version of an address, and whether it stands for all."""
    address = ipaddress.ip_address(ip)
    return address.version, address.is_unspecified


Named = tuple[str, str]
"""``container``, ``network``, ``volume`` or ``image`` (one that is built), and a name in the engine; ``address``, and
an address with its network."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has something: a domain of a file and, where it is a container's, the chunk."""

    domain: str
    file: str
    chunk: Chunk | None = None
    leaving: bool = False  # its file is gone, and it is to be removed


class Table:
    """Who has what."""

    def __init__(self) -> None:
        self._ports: dict[Port, Holder] = {}
        self._everywhere: dict[tuple[int, int, str], Holder] = {}
        self._anywhere: dict[tuple[int, int, str], Holder] = {}
        self._names: dict[Named, Holder] = {}
        self._uses: dict[str, dict[str, Holder]] = {}  # images that domains use and do not build, by the domain
        self._ranges: set[tuple[str, _Range]] = set()  # of ports, with the domain that takes one of each

    def holder(self, claim: Port | Named) -> Holder | None:
        """Who has it, or has what stands in its way."""
        if isinstance(claim, tuple):
            return self._names.get(claim)
        if claim.is_every_address:
            return self._anywhere.get(claim.key)
        return self._ports.get(claim) or self._everywhere.get(claim.key)

    def covers(self, claim: Port | Named) -> bool:
        """Whether all of the claim is had by somebody in the table."""
        if isinstance(claim, tuple):
            return claim in self._names
        return claim in self._ports or claim.key in self._everywhere

    def put(self, claim: Port | Named, holder: Holder) -> None:
        """Somebody has it. Whoever had it before keeps it."""
        if isinstance(claim, tuple):
            self._names.setdefault(claim, holder)
            return
        self._ports.setdefault(claim, holder)
        self._anywhere.setdefault(claim.key, holder)
        if claim.is_every_address:
            self._everywhere.setdefault(claim.key, holder)

    def within(self, ports: _Range) -> Iterator[tuple[Port, Holder]]:
        """Who has ports of a range."""
        return ((port, holder) for port, holder in self._ports.items() if ports.holds(port))

    def put_range(self, domain: str, ports: _Range) -> None:
        """A domain takes ports of a range."""
        self._ranges.add((domain, ports))

    def has_range(self, domain: str, ports: _Range) -> bool:
        """Whether a domain takes ports of it."""
        return (domain, ports) in self._ranges

    def put_use(self, image: str, holder: Holder) -> None:
        """A domain uses an image that it does not build."""
        self._uses.setdefault(image, {}).setdefault(holder.domain, holder)

    def users(self, image: str) -> Iterable[Holder]:
        """The domains that use an image and do not build it."""
        return self._uses.get(image, {}).values()

    def add(self, other: Table) -> None:
        """Take over all that another table holds."""
        for image, users in other._uses.items():
            for holder in users.values():
                self.put_use(image, holder)
        self._ranges |= other._ranges
        for port, holder in other._ports.items():
            self.put(port, holder)
        for name, holder in other._names.items():
            self.put(name, holder)


@dataclass(frozen=True, slots=True)
class _Claim:
    """What stands at one place of a file: one name, or the addresses of one published port."""

    claims: tuple[Port | Named, ...]
    path: Path
    chunk: Chunk | None


def _claims(domain: Domain) -> Iterator[_Claim]:
    for chunk, path in copies_of(domain):
        name = ("container", chunk.container.name)
        yield _Claim((name,), (*path, "container", "name") if chunk.container.named else (*path, "name"), chunk)
        for entry in chunk.container.settings.get("ports") or ():
            # Of a range the engine chooses one that is free.
            if entry["published"] and "until" not in entry:
                number, protocol = entry["published"], entry["target"].partition("/")[2]
                ports = tuple(Port(ip, number, protocol) for ip in addresses(entry["host_ip"]))
                yield _Claim(ports, (*path, "container", "ports"), chunk)
        for network, end in chunk.container.endpoints.items():
            for key in ("ipv4_address", "ipv6_address"):
                if end.get(key):
                    where = (*path, "container", "networks", _in_file(domain, network), key)
                    yield _Claim((("address", f"{end[key]} in network {network}"),), where, chunk)
    specs: list[tuple[str, NetworkSpec | VolumeSpec]] = [("network", spec) for spec in domain.networks]
    specs += [("volume", spec) for spec in domain.volumes]
    for kind, spec in specs:
        # A network or volume has one domain that makes it, and removes it; others may say that it is external.
        if not spec.external:
            yield _Claim(((kind, spec.name),), _declaration(domain, kind, spec.name), None)


def _ranges(domain: Domain) -> Mapping[_Range, Path]:
    """The ranges of ports of which a domain's containers take some, each with the first place that asks for it."""
    found: dict[_Range, Path] = {}
    for chunk, path in copies_of(domain):
        for entry in chunk.container.settings.get("ports") or ():
            if entry["published"] and "until" in entry:
                protocol = entry["target"].partition("/")[2]
                for ip in addresses(entry["host_ip"]):
                    asked = _Range(ip, entry["published"], entry["until"], protocol)
                    found.setdefault(asked, (*path, "container", "ports"))
    return found


def _built(domain: Domain) -> Iterator[_Claim]:
    """The names under which a domain builds images: as often as it likes."""
    for chunk, path in copies_of(domain):
        build = chunk.container.build
        if build is not None and chunk.id.replica == 1:
            places: list[tuple[str, Path]] = [(chunk.container.image, ("image",))]
            places += [(tag, ("build", "tags")) for tag in build.tags]
            for name, place in places:
                yield _Claim((("image", str(parse(name))),), (*path, "container", *place), None)


def _used(domain: Domain) -> Iterator[tuple[str, Holder]]:
    """The images that a domain uses, as they are called where somebody may build another one under that name."""
    own = {claim.claims[0][1] for claim in _built(domain) if isinstance(claim.claims[0], tuple)}
    for chunk in domain.chunks():
        for image in (chunk.container.image, *images_mounted(chunk.container.settings)):
            name = parse(image)
            if not name.is_fixed and str(name) not in own:
                yield str(name), Holder(domain.name, domain.file, chunk)


def _is_its_own(image: str, file: str, other: str) -> bool:
    """Whether a name is to be built under by the domain of ``file``, whoever uses it, and not rather by that of
    ``other``: as their files are called, for the names of domains are anybody's."""
    name = parse(image)
    return _rank(name, stem(file)) > _rank(name, stem(other))


def _rank(image: ImageName, name: str) -> tuple[int, bool]:
    prefix = own_prefix(image, name)
    return len(prefix), bool(prefix) and prefix == name


def _in_file(domain: Domain, engine_name: str) -> str:
    """How a file calls a network, as far as its name in the engine tells."""
    own = f"pnr_{domain.name}"
    return "default" if engine_name == own else engine_name.removeprefix(f"{own}_")


def _declaration(domain: Domain, kind: str, engine_name: str) -> Path:
    """Where a network or volume is declared, as far as its name in the engine tells; its own network is nowhere."""
    own = f"pnr_{domain.name}" if kind == "network" else domain.name
    if engine_name == own:
        return ("name",)
    return (f"{kind}s", engine_name.removeprefix(f"{own}_"))


Clash = tuple[Diagnostic, str]
"""The error about something that another domain has (or the domain itself, elsewhere), and the name of that domain."""


@dataclass
class Claims:
    """Who has what while domains are let in. ``reserved`` is what intents in force have. ``called`` are the names of
    all domains and of all their files, with the files."""

    called: Mapping[str, Collection[str]] = field(default_factory=dict)
    reserved: Table = field(default_factory=Table)
    let_in: Table = field(default_factory=Table)
    _of: dict[int, tuple[Domain, tuple[_Claim, ...]]] = field(default_factory=dict)

    def _claims(self, domain: Domain) -> tuple[_Claim, ...]:
        """Those of a domain, which may be asked for twice."""
        if id(domain) not in self._of:
            self._of[id(domain)] = domain, (*_claims(domain), *_built(domain))
        return self._of[id(domain)][1]

    def reserve(self, domain: Domain, file: str, *, leaving: bool = False, only: Table | None = None) -> None:
        """All that an intent in force has is its file's; with ``only`` what that table covers as well."""
        for claim in self._claims(domain):
            for one in claim.claims:
                if only is None or only.covers(one):
                    self.reserved.put(one, Holder(domain.name, file, claim.chunk, leaving))
        for ports in _ranges(domain):
            if only is None or only.has_range(domain.name, ports):
                self.reserved.put_range(domain.name, ports)
        for image, holder in _used(domain):
            if only is None or any(user.domain == domain.name for user in only.users(image)):
                self.reserved.put_use(image, replace(holder, file=file, leaving=leaving))

    def clashes(self, domain: Domain) -> tuple[list[Clash], Table]:
        """What of the domain's is another's, or is in it twice; and what it would have."""
        own = Table()
        found: list[Clash] = []
        for claim in self._claims(domain):
            me = Holder(domain.name, domain.file, claim.chunk)
            # What is twice in the domain itself is wrong whoever else has it. One network may have two names in it.
            inside = [(one, own.holder(one)) for one in claim.claims if claim.chunk is not None]
            outside = [(one, self._other(one, domain)) for one in claim.claims]
            for each in claim.claims:
                own.put(each, me)
            one, holder = next((pair for pair in (*inside, *outside) if pair[1] is not None), (claim.claims[0], None))
            if holder is not None:
                found.append((_clash(domain, claim, one, holder), holder.domain))
                continue
            for each in claim.claims:
                if isinstance(each, tuple) and (user := self._user(each, domain)) is not None:
                    found.append((_in_use(domain, claim, each[1], user), user.domain))
                elif isinstance(each, tuple) and (owner := self._owner(each, domain)) is not None:
                    found.append((_belongs_to(domain, claim, each[1], *owner), domain.name))
        for image, me in _used(domain):
            own.put_use(image, me)
        for ports in _ranges(domain):
            own.put_range(domain.name, ports)
        found += self._taken_in_ranges(domain)
        return found, own

    def _taken_in_ranges(self, domain: Domain) -> Iterator[Clash]:
        """New ranges in which another domain has a port: the engine would give it away while that one is recreated."""
        for ports, path in _ranges(domain).items():
            if self.reserved.has_range(domain.name, ports):
                continue  # whoever came later knew of it
            for port, holder in (*self.reserved.within(ports), *self.let_in.within(ports)):
                if holder.domain != domain.name and holder.file != domain.file:
                    text = (
                        f"the range {ports.first}-{ports.last} of the host's ports holds {port}, which"
                        f" {_who(holder, domain)} publishes: leave it out of the range"
                    )
                    yield Diagnostic(path, "HostPortClash", text, place=Place(domain.file)), holder.domain
                    break

    def _user(self, claim: Named, domain: Domain) -> Holder | None:
        """Another domain that uses an image of which this one would build another under the same name."""
        if claim[0] != "image":
            return None
        had = self.reserved.holder(claim)
        if had is not None and (had.file == domain.file or had.domain == domain.name):
            return None  # it was built here before somebody used it
        users = [*self.reserved.users(claim[1]), *self.let_in.users(claim[1])]
        others = (user for user in users if user.file != domain.file and user.domain != domain.name)
        return next((user for user in others if not _is_its_own(claim[1], domain.file, user.file)), None)

    def _owner(self, claim: Named, domain: Domain) -> tuple[str, str] | None:
        """The name with which that of an image begins, and the file that is called so, where the domain is only called
        like that, or as the beginning of it: ``shop`` of ``shop-web``, which ``Shop!`` would build as its own too. What
        was built here before is left alone."""
        had = self.reserved.holder(claim)
        if claim[0] != "image" or (had is not None and (had.file == domain.file or had.domain == domain.name)):
            return None
        image = parse(claim[1])
        mine = max(_rank(image, name) for name in (stem(domain.file), domain.name))
        owner = whose(image, self.called)
        if not mine[0] or (len(owner), True) <= mine:
            return None
        others = sorted(file for file in self.called[owner] if file != domain.file)
        return (owner, others[0]) if others else None

    def _other(self, claim: Port | Named, domain: Domain) -> Holder | None:
        reserved = self.reserved.holder(claim)
        # What a file had under another domain name, or the domain in another file, is its own.
        if reserved is not None and domain.file != reserved.file and domain.name != reserved.domain:
            return reserved
        return self.let_in.holder(claim)


def table_of(domain: Domain) -> Table:
    """All that a domain has."""
    claims = Claims()
    claims.reserve(domain, domain.file)
    return claims.reserved


_CODES = {
    "container": "ContainerNameClash",
    "network": "NetworkNameClash",
    "volume": "VolumeNameClash",
    "image": "ImageNameClash",
}


def _in_use(domain: Domain, claim: _Claim, image: str, user: Holder) -> Diagnostic:
    text = f"{_who(user, domain)} uses the image {image}, and would run what is built here: give that another name"
    return Diagnostic(claim.path, _CODES["image"], text, place=Place(domain.file))


def _belongs_to(domain: Domain, claim: _Claim, image: str, owner: str, file: str) -> Diagnostic:
    text = (
        f"the name {image} begins with {owner}, as {file} is called, and belongs to that: give this image another name"
    )
    return Diagnostic(claim.path, _CODES["image"], text, place=Place(domain.file))


def _clash(domain: Domain, claim: _Claim, one: Port | Named, holder: Holder) -> Diagnostic:
    if isinstance(one, Port):
        code = "HostPortClash"
        text = (
            f"{one} of the host is published twice by this container"
            if holder.chunk is claim.chunk
            else f"{one} of the host is published by {_who(holder, domain)} already"
        )
    elif one[0] == "container":
        code, text = _CODES["container"], f"the container name {one[1]} is taken by {_who(holder, domain)}"
    elif one[0] == "image":
        text = f"domain {holder.domain}{_where(holder, domain)} builds an image under the name {one[1]} already"
        code, text = _CODES["image"], f"{text}: give this one another name"
    elif one[0] == "address":
        code, text = "AddressClash", f"{one[1]} is the address of {_who(holder, domain)} already"
    else:
        kind, name = one
        code = _CODES[kind]
        text = (
            f"the {kind} name {name} is taken by a {kind} of domain {holder.domain}{_where(holder, domain)}: give this"
            f" one another name in {kind}s, or share that one by external: true with its name"
        )
    return Diagnostic(claim.path, code, text, place=Place(domain.file))


def _who(holder: Holder, domain: Domain) -> str:
    if holder.chunk is None:
        return f"domain {holder.domain}{_where(holder, domain)}"
    if holder.domain == domain.name:
        return f"chunk {holder.chunk.id.chunk}"
    return f"chunk {holder.chunk.id}{_where(holder, domain)}"


def _where(holder: Holder, domain: Domain) -> str:
    if holder.domain == domain.name:
        return ""
    return (
        f" (of {holder.file}; it is declared no more, and not removed yet)" if holder.leaving else f" ({holder.file})"
    )
