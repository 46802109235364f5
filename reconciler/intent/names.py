"""Which names containers answer to in networks that several domains share. Pure.

Where two containers of one network have a name, an engine answers with either: web of one shop would read the database
of the other. So in a network that is not its own a chunk has its long name (``shop-main-db``), and the short one only
where it is asked for, or nobody else there has it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from reconciler.intent.model import Chunk, ChunkId

Names = Mapping[str, Mapping[str, frozenset[ChunkId]]]
"""By network and name: the chunks that answer to it there, or would, each by its first copy."""

_NAMED = 20
"""So many others with the same name are named: thousands may have it, and each of them is told of the others."""


def names_in_networks(chunks: Iterable[Chunk]) -> Names:
    """Who answers to which names in the networks that some chunk joins as a guest."""
    chunks = list(chunks)
    shared = {network for chunk in chunks for network in chunk.container.guest_in}
    found: dict[str, dict[str, set[ChunkId]]] = {network: {} for network in shared}
    for chunk in chunks if shared else ():
        for network in shared & chunk.container.networks.keys():
            for name in _names(chunk, network):
                found[network].setdefault(name, set()).add(_first(chunk.id))
    return {network: {name: frozenset(who) for name, who in names.items()} for network, names in found.items()}


def with_short_names(chunk: Chunk, names: Names, held: Mapping[str, Collection[str]]) -> Chunk:
    """The chunk with its short name in those networks of others in which nobody else has it. ``held`` are, by network,
    the names of containers that are no chunk's."""
    spec = chunk.container
    free = [
        network
        for network in spec.guest_in
        if spec.short_alias not in (*spec.networks[network], *held.get(network, ()))
        and not names.get(network, {}).get(spec.short_alias, frozenset()) - {_first(chunk.id)}
    ]
    if not free:
        return chunk
    networks = {n: (*aliases, spec.short_alias) if n in free else aliases for n, aliases in spec.networks.items()}
    return replace(chunk, container=replace(spec, networks=networks))


@dataclass(frozen=True, slots=True)
class SharedName:
    """A chunk whose short name another chunk has as well, in a network of both; ``text`` says what follows."""

    chunk: Chunk
    text: str


def shared_names(chunks: Iterable[Chunk]) -> Iterator[SharedName]:
    """Every chunk whose short name is that of another chunk in a network that both join: of another domain's in a
    network of others, or of another CPUX's in one of the domain's own."""
    chunks = [chunk for chunk in chunks if chunk.id.replica == 1]
    yield from _within_domains(chunks)
    names, by_id = names_in_networks(chunks), {chunk.id: chunk for chunk in chunks}
    for chunk in chunks if names else ():
        name = chunk.container.short_alias
        for network in sorted(names.keys() & chunk.container.networks.keys()):
            others = sorted(id for id in names[network].get(name, ()) if id.domain != chunk.id.domain)
            if others and name in _names(chunk, network):
                rivals = [by_id[other] for other in others]
                yield SharedName(chunk, _what_follows(chunk, rivals, network))


def _within_domains(chunks: Iterable[Chunk]) -> Iterator[SharedName]:
    called: dict[tuple[str, str, str], list[Chunk]] = {}
    for chunk in chunks:
        for network in chunk.container.networks.keys() - set(chunk.container.guest_in):
            called.setdefault((chunk.id.domain, network, chunk.id.chunk), []).append(chunk)
    for (_, network, name), ones in sorted(called.items()):
        for chunk in ones if len(ones) > 1 else ():
            others = _in_short((one for one in ones if one is not chunk), len(ones) - 1)
            text = (
                f"in network {network} {chunk.id} and {others} have the same name {name}: whoever asks for {name} there"
                " reaches either of them; give one of them another name, or a network of its own"
            )
            yield SharedName(chunk, text)


def _in_short(chunks: Iterable[Chunk], number: int) -> str:
    named = [str(chunk.id) for chunk in islice(chunks, _NAMED)]
    return ", ".join(named) + (f" and {number - _NAMED} more" if number > _NAMED else "")


def _what_follows(chunk: Chunk, rivals: list[Chunk], network: str) -> str:
    name, full = chunk.container.short_alias, chunk.container.full_alias
    whose = _in_short(rivals, len(rivals))
    begin = f"in network {network}, which their domains share, {chunk.id} and {whose} have the same name {name}"
    if not _has(chunk, name, network):
        return f"{begin}: there this one answers to {full} only; where the short one is meant, ask for it with aliases"
    if any(_has(rival, name, network) for rival in rivals):
        return f"{begin}: whoever asks for {name} there reaches either of them; give one of them another name"
    return f"{begin}: there only this one answers to it"


def _has(chunk: Chunk, name: str, network: str) -> bool:
    return name in (chunk.container.name, *chunk.container.networks[network])


def _names(chunk: Chunk, network: str) -> set[str]:
    spec = chunk.container
    short = (spec.short_alias,) if network in spec.guest_in else ()
    return {spec.name, *spec.networks.get(network, ()), *short}


def _first(id: ChunkId) -> ChunkId:
    return replace(id, replica=1)
