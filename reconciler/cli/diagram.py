"""Which chunk waits for which fact, as a graph in Mermaid, DOT or plain data. Pure.

Names in it come from files that anybody may have written: they are quoted so that none can end its quotes and
add something of its own to the drawing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.daemon.clean import clean
from reconciler.facts import FactRef
from reconciler.intent.model import Chunk, ChunkId, Domain


@dataclass(frozen=True, slots=True)
class Node:
    """A chunk, a fact that holds from the start (``given``), or one that nobody answers (``missing``)."""

    id: str
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Edge:
    """``target`` waits for a fact that ``source`` answers; ``label`` is the fact and what is wanted of it."""

    source: str
    target: str
    label: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by domain, and the edges between them."""

    domains: Mapping[str, tuple[Node, ...]]
    edges: tuple[Edge, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "domains": {
                name: [{"id": node.id, "label": node.label, "kind": node.kind} for node in nodes]
                for name, nodes in self.domains.items()
            },
            "edges": [{"source": e.source, "target": e.target, "label": e.label} for e in self.edges],
        }


def graph_of(domains: Iterable[Domain]) -> Graph:
    """The graph of domains: chunks are nodes, gatekeeper entries edges from whoever answers the fact."""
    domains = sorted({domain.name: domain for domain in domains}.values(), key=lambda domain: domain.name)
    ids = {chunk.id: f"c{n}" for n, chunk in enumerate(chunk for domain in domains for chunk in domain.chunks())}
    nodes: dict[str, list[Node]] = {
        domain.name: [Node(ids[chunk.id], _label(chunk), "chunk") for chunk in domain.chunks()] for domain in domains
    }
    answerers: dict[FactRef, list[ChunkId]] = {}
    given: set[FactRef] = set()
    for domain in domains:
        for cpux in domain.cpuxs:
            given.update(FactRef(domain.name, cpux.name, key) for key in cpux.rt_state)
            for chunk in cpux.chunks:
                for key in chunk.flowout:
                    answerers.setdefault(chunk.flowout_ref(key), []).append(chunk.id)
    edges: list[Edge] = []
    extra: dict[FactRef, str] = {}
    for domain in domains:
        for chunk in domain.chunks():
            for entry in chunk.gate:
                label = f"{entry.ref.key or entry.ref} = {entry.wanted.tv}"
                sources = [ids[id] for id in answerers.get(entry.ref, ())]
                if not sources:
                    if entry.ref not in extra:
                        extra[entry.ref] = f"f{len(extra)}"
                        known = entry.ref in given or not entry.ref.domain
                        home = entry.ref.domain if entry.ref.domain in nodes else domain.name
                        kind = "given" if known else "missing"
                        nodes[home].append(Node(extra[entry.ref], str(entry.ref), kind))
                    sources = [extra[entry.ref]]
                edges.extend(Edge(source, ids[chunk.id], label) for source in sources)
    return Graph({name: tuple(found) for name, found in nodes.items()}, tuple(edges))


def _label(chunk: Chunk) -> str:
    return f"{chunk.id.cpux}/{chunk.id.chunk}"


def mermaid(graph: Graph) -> str:
    """The graph as a Mermaid flowchart."""
    lines = ["flowchart LR"]
    shapes = {"chunk": ('["', '"]'), "given": ('(["', '"])'), "missing": ('{{"', '"}}')}
    for number, (name, nodes) in enumerate(graph.domains.items()):
        lines.append(f'  subgraph d{number}["{_mermaid_text(name)}"]')
        for node in nodes:
            left, right = shapes[node.kind]
            text = node.label if node.kind != "missing" else f"{node.label}: no chunk answers it"
            lines.append(f"    {node.id}{left}{_mermaid_text(text)}{right}")
        lines.append("  end")
    lines.extend(f'  {edge.source} -->|"{_mermaid_text(edge.label)}"| {edge.target}' for edge in graph.edges)
    return "\n".join(lines)


def dot(graph: Graph) -> str:
    """The graph in Graphviz' DOT."""
    lines = ["digraph pnr {", "  rankdir=LR;", "  node [shape=box];"]
    styles = {"chunk": "", "given": ", shape=oval", "missing": ", shape=hexagon, color=red"}
    for number, (name, nodes) in enumerate(graph.domains.items()):
        lines.append(f"  subgraph cluster_{number} {{")
        lines.append(f"    label={_dot_text(name)};")
        lines.extend(f"    {node.id} [label={_dot_text(node.label)}{styles[node.kind]}];" for node in nodes)
        lines.append("  }")
    lines.extend(f"  {edge.source} -> {edge.target} [label={_dot_text(edge.label)}];" for edge in graph.edges)
    lines.append("}")
    return "\n".join(lines)


def _mermaid_text(text: str) -> str:
    """Text for between Mermaid's double quotes: everything with a meaning there, in HTML or Markdown, is given as
    an entity by its number."""
    return "".join(
        character if character.isalnum() or character in " _-./=:" else f"#{ord(character)};"
        for character in clean(text)
    )


def _dot_text(text: str) -> str:
    """A quoted string of DOT."""
    escaped = clean(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
