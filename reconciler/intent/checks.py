"""Checks before deployment: what is valid in itself, but can't work together. Pure.

:func:`check` looks at all domains at once. A finding that is an error holds back the one domain that it is in;
where two domains get in each other's way, that is the one whose file's name sorts later, and one that is held back
for whatever reason is in nobody's way.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from reconciler.facts import FactRef, GateEntry, resolve
from reconciler.intent.gates import GateBook, Waiting, find_cycles
from reconciler.intent.model import Chunk, Domain, NetworkSpec, Place, Problem, VolumeSpec
from reconciler.intent.positions import KEY, Path, locate, render
from reconciler.intent.settings.ports import addresses, port_key

Severity = Literal["error", "warning"]

_HINTS = 25  # a domain: to look for the nearest name among thousands takes a while


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that can't work. ``path`` leads to the place in the file ``file`` of the domain ``domain``.

    A gatekeeper's fact stands in ``path`` under its shortest name (``key``, ``cpux/key``, ``domain/cpux/key``);
    :func:`locate_findings` finds the longer ones too. ``code`` is CamelCase and stable, ``message`` for people.
    """

    domain: str
    file: str
    path: Path
    code: str
    message: str
    severity: Severity = "error"


def check(
    domains: Sequence[Domain], known: Collection[FactRef] = (), refused: Collection[Finding] = ()
) -> list[Finding]:
    """Everything that is wrong with the domains taken together, in the order of files and chunks.

    ``known`` are facts that somebody else answers, of whatever domain; nothing is assumed about their answers.
    ``refused`` is what was found before, and counts here.
    """
    ordered = sorted(domains, key=lambda domain: domain.file)
    first: dict[str, Domain] = {}
    findings: list[Finding] = [*refused]
    for domain in ordered:
        if domain.name in first:
            message = (
                f"the domain {domain.name} is declared in {first[domain.name].file} already; give one another name"
            )
            findings.append(Finding(domain.name, domain.file, ("name",), "DuplicateDomain", message))
        else:
            first[domain.name] = domain
    book = GateBook.of(first.values(), known)
    places = {chunk.id: (domain, path) for domain in first.values() for chunk, path in _copies(domain)}
    for domain in first.values():
        findings += _answers(domain)
        findings += _ports(domain)
        findings += _gates(domain, book)
    for cycle in find_cycles(book, [chunk for domain in first.values() for chunk in domain.chunks()]):
        last = max(cycle, key=lambda waiting: places[waiting.chunk.id][0].file)
        start = next(n for n, waiting in enumerate(cycle) if places[waiting.chunk.id][0] is places[last.chunk.id][0])
        findings.append(_cycle([*cycle[start:], *cycle[:start]], *places[cycle[start].chunk.id]))
    held_back = {finding.file for finding in findings if finding.severity == "error"}
    claims = _Claims()
    for domain in first.values():
        clashes = claims.clashes(domain)
        findings += clashes
        if not clashes and domain.file not in held_back:
            claims.accept()
    rank = {domain.file: n for n, domain in enumerate(ordered)}
    return sorted(findings, key=lambda finding: rank[finding.file])


def locate_findings(findings: Iterable[Finding], texts: Mapping[str, str]) -> list[Problem]:
    """The findings with line and column. ``texts`` holds the text of each file by its name."""
    by_file: dict[str, list[Finding]] = {}
    for finding in findings:
        by_file.setdefault(finding.file, []).append(finding)
    problems = []
    for file, found in by_file.items():
        candidates = [_candidates(finding) for finding in found]
        wanted = {path for paths in candidates for path in paths}
        positions = locate(texts[file], wanted) if file in texts else {}
        for finding, paths in zip(found, candidates, strict=True):
            path = next((path for path in paths if path in positions), paths[0])
            # What is wrong with a fact is its name, so the place is that of the key.
            of_key = (*path, KEY) if len(path) > 1 and path[-2] in _MAPS_OF_FACTS else path
            line, column = positions.get(of_key) or positions.get(path, (0, 0))
            place = Place(file, line, column, render(path))
            problems.append(Problem(place, finding.code, finding.message))
    return problems


_MAPS_OF_FACTS = ("gatekeeper", "flowout", "flowin")


def _candidates(finding: Finding) -> list[Path]:
    """The paths under which the finding's place may stand in the file, the best first.

    A fact may be written in a longer way; and where something is not there, its nearest surrounding counts.
    """
    path = finding.path
    candidates = [path]
    if len(path) > 2 and path[-2] == "gatekeeper":
        ref = resolve(str(path[-1]), domain=finding.domain, cpux=str(path[1]))
        candidates += [(*path[:-1], f"{ref.cpux}/{ref.key}"), (*path[:-1], str(ref))]
    return candidates + [path[:length] for length in range(len(path) - 1, -1, -1)]


def _copies(domain: Domain) -> Iterator[tuple[Chunk, Path]]:
    """Every chunk with each of its equal copies; what concerns containers concerns each of them."""
    for cpux in domain.cpuxs:
        index = -1
        for chunk in cpux.chunks:
            index += chunk.id.replica == 1
            yield chunk, ("cpuxs", cpux.name, "design_chunks", index)


def _chunks(domain: Domain) -> Iterator[tuple[Chunk, Path]]:
    """Every chunk once; its equal copies say the same of facts."""
    return ((chunk, path) for chunk, path in _copies(domain) if chunk.id.replica == 1)


def _answers(domain: Domain) -> Iterator[Finding]:
    """No fact is answered by two chunks, and nobody answers for the program."""
    answered: dict[FactRef, Chunk] = {}
    for chunk, path in _chunks(domain):
        for key in chunk.flowout:
            other = answered.setdefault(chunk.flowout_ref(key), chunk)
            if other is not chunk:
                yield Finding(
                    domain.name,
                    domain.file,
                    (*path, "flowout", key),
                    "DuplicateAnswer",
                    f"{key} is answered by chunk {other.id.chunk} already; two chunks can't answer one fact",
                )


def _ports(domain: Domain) -> Iterator[Finding]:
    """A health check goes to a port of the container, and not to one of the host."""
    for chunk, path in _chunks(domain):
        ports = chunk.container.settings.get("ports")
        if not ports or chunk.health is None or chunk.health.port_key is None:
            continue
        wanted = port_key(chunk.health.port_key)
        targets = [str(entry["target"]) for entry in ports]
        if wanted in targets:
            continue
        number, _, protocol = wanted.partition("/")
        of_host = [
            target
            for entry, target in zip(ports, targets, strict=True)
            if str(entry["published"]) == number and target.endswith(protocol)
        ]
        if of_host:
            text = f"port_key {chunk.health.port_key} is the host's port; the container's own is {_short(of_host[0])}"
        else:
            text = (
                f"port_key {chunk.health.port_key} is none of the container's ports: "
                f"{', '.join(_short(target) for target in targets)}"
            )
        where = (*path, "health_check", "port_key")
        yield Finding(domain.name, domain.file, where, "UnknownPort", text)


def _short(target: str) -> str:
    return target.removesuffix("/tcp")


def _gates(domain: Domain, book: GateBook) -> Iterator[Finding]:
    """Every entry of a gatekeeper can come to hold, every fact of a flowin can come to be answered."""
    hints = _HINTS
    for chunk, path in _chunks(domain):
        for entry in chunk.gate:
            where = (*path, "gatekeeper", _name(entry.ref, chunk))
            if book.is_foreign(entry.ref):
                yield _foreign(domain, where, entry.ref)
            elif (missing := book.why_unknown(entry.ref, hint=hints > 0)) is not None:
                hints -= 1
                yield Finding(domain.name, domain.file, where, "UnsatisfiableGate", missing)
            elif (reason := book.why_never(entry)) is not None:
                yield Finding(domain.name, domain.file, where, "UnsatisfiableGate", reason)
        for variable, ref in chunk.flowin.items():
            where = (*path, "flowin", variable)
            if book.is_foreign(ref):
                yield _foreign(domain, where, ref)
            elif (missing := book.why_unknown(ref, hint=hints > 0)) is not None:
                hints -= 1
                yield Finding(domain.name, domain.file, where, "UnknownFact", missing, "warning")


def _foreign(domain: Domain, where: Path, ref: FactRef) -> Finding:
    text = f"there is no domain {ref.domain} (yet), so nothing answers {ref}"
    return Finding(domain.name, domain.file, where, "UnknownDomainFact", text, "warning")


def _name(ref: FactRef, chunk: Chunk) -> str:
    """The shortest way to write a fact in the chunk's CPUX."""
    if not ref.domain or (ref.domain, ref.cpux) == (chunk.id.domain, chunk.id.cpux):
        return ref.key
    return f"{ref.cpux}/{ref.key}" if ref.domain == chunk.id.domain else str(ref)


def _cycle(cycle: Sequence[Waiting], domain: Domain, path: Path) -> Finding:
    start = cycle[0]
    following = [*cycle[1:], start]
    shown = [_waits(waiting, after, start) for waiting, after in zip(cycle, following, strict=True)]
    if len(shown) == 1 and isinstance(start.why, GateEntry):
        text = f"{start.chunk.id.chunk} waits for {start.why.ref.key}, which it answers itself once it is up"
    else:
        more = f", … ({len(shown) - 5} more)" if len(shown) > 6 else ""
        text = "none of these can ever start: " + ", ".join(shown if not more else shown[:5]) + more
    where = (
        (*path, "gatekeeper", _name(start.why.ref, start.chunk))
        if isinstance(start.why, GateEntry)
        else (*path, "container", start.why)
    )
    return Finding(domain.name, domain.file, where, "GateCycle", text)


def _waits(waiting: Waiting, after: Waiting, start: Waiting) -> str:
    if isinstance(waiting.why, GateEntry):
        what = f"{_name(waiting.why.ref, start.chunk)} from {after.chunk.id.chunk}"
    else:
        what = f"the container of {after.chunk.id.chunk} ({waiting.why})"
    return f"{waiting.chunk.id.chunk} waits for {what}"


@dataclass(frozen=True, slots=True)
class _Port:
    ip: str
    number: int
    protocol: str

    @property
    def version(self) -> int:
        return ipaddress.ip_address(self.ip).version

    @property
    def is_every_address(self) -> bool:
        return ipaddress.ip_address(self.ip).is_unspecified

    def __str__(self) -> str:
        shown = f"[{self.ip}]" if self.version == 6 else self.ip
        return f"{shown}:{self.number}/{self.protocol}"


@dataclass
class _Claims:
    """Who has which host port, and which container, network and volume name. Those of a domain count once it is
    accepted."""

    ports: dict[_Port, Chunk] = field(default_factory=dict)
    everywhere: dict[tuple[int, int, str], Chunk] = field(default_factory=dict)
    anywhere: dict[tuple[int, int, str], Chunk] = field(default_factory=dict)
    names: dict[str, Chunk] = field(default_factory=dict)
    belongings: dict[tuple[str, str], Domain] = field(default_factory=dict)
    candidate: _Claims | None = None

    def clashes(self, domain: Domain) -> list[Finding]:
        """What of the domain's is taken, in it or by those accepted; makes it the candidate."""
        own = self.candidate = _Claims()
        found: list[Finding] = []
        for chunk, path in _copies(domain):
            name = chunk.container.name
            other = self.names.get(name) or own.names.setdefault(name, chunk)
            if other is not chunk:
                where = (*path, "container", "name") if chunk.container.named else (*path, "name")
                text = f"the container name {name} is taken by {_who(other, domain)}"
                found.append(Finding(domain.name, domain.file, where, "ContainerNameClash", text))
            for entry in chunk.container.settings.get("ports") or ():
                if not entry["published"] or "until" in entry:
                    continue
                number, protocol = entry["published"], entry["target"].partition("/")[2]
                ports = [_Port(ip, number, protocol) for ip in addresses(entry["host_ip"])]
                held = ((port, self._holder(port) or own._holder(port)) for port in ports)
                port, holder = next((pair for pair in held if pair[1] is not None), (ports[0], None))
                if holder is None:
                    for each in ports:
                        own._claim(each, chunk)
                    continue
                text = (
                    f"{port} of the host is published twice by this container"
                    if holder is chunk
                    else f"{port} of the host is published by {_who(holder, domain)} already"
                )
                found.append(Finding(domain.name, domain.file, (*path, "container", "ports"), "HostPortClash", text))
        found += self._shared(domain, own)
        return found

    def _shared(self, domain: Domain, own: _Claims) -> Iterator[Finding]:
        """A network or volume has one domain that makes it, and removes it; others may say that it is external."""
        mine: list[tuple[str, NetworkSpec | VolumeSpec]] = [("network", spec) for spec in domain.networks]
        mine += [("volume", spec) for spec in domain.volumes]
        for kind, spec in mine:
            other = self.belongings.get((kind, spec.name))
            if spec.external:
                continue
            if other is None:
                own.belongings[kind, spec.name] = domain
                continue
            text = (
                f"the {kind} name {spec.name} is taken by a {kind} of domain {other.name}: give this one another name"
                f" in {kind}s, or share that one by external: true with its name"
            )
            yield Finding(domain.name, domain.file, _declaration(domain, kind, spec.name), f"{_NAMES[kind]}Clash", text)

    def accept(self) -> None:
        """The candidate keeps what it has."""
        if self.candidate is not None:
            self.ports |= self.candidate.ports
            self.everywhere |= self.candidate.everywhere
            self.anywhere |= self.candidate.anywhere
            self.names |= self.candidate.names
            self.belongings |= self.candidate.belongings

    def _holder(self, port: _Port) -> Chunk | None:
        key = (port.version, port.number, port.protocol)
        if port.is_every_address:
            return self.anywhere.get(key)
        return self.ports.get(port) or self.everywhere.get(key)

    def _claim(self, port: _Port, chunk: Chunk) -> None:
        key = (port.version, port.number, port.protocol)
        self.ports[port] = chunk
        self.anywhere.setdefault(key, chunk)
        if port.is_every_address:
            self.everywhere[key] = chunk


_NAMES = {"network": "NetworkName", "volume": "VolumeName"}


def _declaration(domain: Domain, kind: str, engine_name: str) -> Path:
    """Where a network or volume is declared, as far as its name in the engine tells; its own network is nowhere."""
    own = f"pnr_{domain.name}" if kind == "network" else domain.name
    if engine_name == own:
        return ("name",)
    return (f"{kind}s", engine_name.removeprefix(f"{own}_"))


def _who(chunk: Chunk, domain: Domain) -> str:
    return f"chunk {chunk.id.chunk}" if chunk.id.domain == domain.name else f"chunk {chunk.id}"
