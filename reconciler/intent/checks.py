"""Checks before deployment: what is valid in itself, but can't work together. Pure.

What is wrong is found here; whose fault it is, and what stays in force instead, in :mod:`reconciler.intent.judgement`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.diagnostics import Diagnostic, Path, Place, Severity
from reconciler.facts import FactRef, GateEntry
from reconciler.intent.chunks import chunks_of
from reconciler.intent.engine_names import asked_of_the_machine
from reconciler.intent.gates import GateBook, Waiting
from reconciler.intent.model import Chunk, Domain
from reconciler.intent.names import shared_names
from reconciler.intent.settings.ports import port_key

_OF_UPDATES = ".pnr-"
_HINTS = 25  # a domain: to look for the nearest name among thousands takes a while


def names_shared(domains: Iterable[Domain], told: Collection[str]) -> Iterator[Diagnostic]:
    """In a network a name is one chunk's. It is told of the domains that are named in ``told``."""
    domains = [*domains]
    shared = {one.chunk.id: one.text for one in shared_names(c for domain in domains for c in domain.chunks())}
    for domain in domains if shared else ():
        for chunk, path in chunks_of(domain) if domain.name in told else ():
            if chunk.id in shared:
                where = (*path, "container", "networks")
                yield Diagnostic(where, "SharedName", shared[chunk.id], "warning", Place(domain.file))


def answers(domain: Domain) -> Iterator[Diagnostic]:
    """No fact is answered by two chunks, and nobody answers for the program."""
    answered: dict[FactRef, Chunk] = {}
    for chunk, path in chunks_of(domain):
        for key in chunk.flowout:
            other = answered.setdefault(chunk.flowout_ref(key), chunk)
            if other is not chunk:
                text = f"{key} is answered by chunk {other.id.chunk} already; two chunks can't answer one fact"
                yield Diagnostic((*path, "flowout", key), "DuplicateAnswer", text, place=Place(domain.file))


def reserved_names(domain: Domain) -> Iterator[Diagnostic]:
    """No container is called as an update calls its own for a while: the two would be in each other's way. None has the
    machine's name where others would ask for it."""
    for chunk, path in chunks_of(domain):
        _, mark, rest = chunk.container.name.partition(_OF_UPDATES)
        if mark:
            text = f"{mark}{rest} is what pnr adds to names in an update; choose a name without {_OF_UPDATES}"
            yield Diagnostic((*path, "container", "name"), "ReservedName", text, place=Place(domain.file))
        shared = {*chunk.container.guest_in, *(spec.name for spec in domain.networks if spec.shared_with)}
        for network in sorted(shared):
            for name in asked_of_the_machine(chunk, network):
                text = (
                    f"in network {network}, in which other domains are, {name} is what containers call the machine that"
                    " they run on: choose another name, or a network of the domain's own"
                )
                yield Diagnostic((*path, "container", "networks"), "ReservedName", text, place=Place(domain.file))


def health_ports(domain: Domain) -> Iterator[Diagnostic]:
    """A health check goes to a port of the container, and not to one of the host."""
    for chunk, path in chunks_of(domain):
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
        yield Diagnostic(where, "UnknownPort", text, place=Place(domain.file))


def _short(target: str) -> str:
    return target.removesuffix("/tcp")


@dataclass(frozen=True, slots=True)
class GateFault:
    """What keeps a gate from ever holding, or a flowin from being answered; ``entry`` is that of the gate."""

    error: Diagnostic
    chunk: Chunk
    ref: FactRef
    entry: GateEntry | None


def gates(domain: Domain, book: GateBook, absent: Mapping[str, str]) -> Iterator[GateFault]:
    """Every entry of a gatekeeper can come to hold, every fact of a flowin can come to be answered. ``absent`` says of
    domains that are not in the book why they are not."""
    hints = _HINTS

    def fault(chunk: Chunk, where: Path, ref: FactRef, code: str, text: str, entry: GateEntry | None) -> GateFault:
        severity: Severity = "error" if code == "UnsatisfiableGate" else "warning"
        return GateFault(Diagnostic(where, code, text, severity, Place(domain.file)), chunk, ref, entry)

    for chunk, path in chunks_of(domain):
        for entry in chunk.gate:
            where = (*path, "gatekeeper", short_name(entry.ref, chunk))
            if book.is_foreign(entry.ref):
                yield fault(chunk, where, entry.ref, "UnknownDomainFact", _foreign(entry.ref, absent), entry)
            elif (missing := book.why_unknown(entry.ref, hint=hints > 0)) is not None:
                hints -= 1
                yield fault(chunk, where, entry.ref, "UnsatisfiableGate", missing, entry)
            elif (reason := book.why_never(entry)) is not None:
                yield fault(chunk, where, entry.ref, "UnsatisfiableGate", reason, entry)
        for variable, ref in chunk.flowin.items():
            where = (*path, "flowin", variable)
            if book.is_foreign(ref):
                yield fault(chunk, where, ref, "UnknownDomainFact", _foreign(ref, absent), None)
            elif (missing := book.why_unknown(ref, hint=hints > 0)) is not None:
                hints -= 1
                yield fault(chunk, where, ref, "UnknownFact", missing, None)


def _foreign(ref: FactRef, absent: Mapping[str, str]) -> str:
    why = absent.get(ref.domain) or f"there is no domain {ref.domain} (yet)"
    return f"{why}, so nothing answers {ref}"


def short_name(ref: FactRef, chunk: Chunk) -> str:
    """The shortest way to write a fact in the chunk's CPUX."""
    if not ref.domain or (ref.domain, ref.cpux) == (chunk.id.domain, chunk.id.cpux):
        return ref.key
    return f"{ref.cpux}/{ref.key}" if ref.domain == chunk.id.domain else str(ref)


def gate_cycle(ring: Sequence[Waiting], domain: Domain, path: Path) -> Diagnostic:
    """Chunks of which each waits for the next, and the last for the first; told at the first, which is the domain's."""
    start = ring[0]
    following = [*ring[1:], start]
    shown = [_waits(waiting, after, start) for waiting, after in zip(ring, following, strict=True)]
    if len(shown) == 1 and isinstance(start.why, GateEntry):
        text = f"{start.chunk.id.chunk} waits for {start.why.ref.key}, which it answers itself once it is up"
    else:
        more = f", … ({len(shown) - 5} more)" if len(shown) > 6 else ""
        text = "none of these can ever start: " + ", ".join(shown if not more else shown[:5]) + more
    where = (
        (*path, "gatekeeper", short_name(start.why.ref, start.chunk))
        if isinstance(start.why, GateEntry)
        else (*path, "container", start.why)
    )
    return Diagnostic(where, "GateCycle", text, place=Place(domain.file))


def _waits(waiting: Waiting, after: Waiting, start: Waiting) -> str:
    if isinstance(waiting.why, GateEntry):
        what = f"{short_name(waiting.why.ref, start.chunk)} from {after.chunk.id.chunk}"
    else:
        what = f"the container of {after.chunk.id.chunk} ({waiting.why})"
    return f"{waiting.chunk.id.chunk} waits for {what}"
