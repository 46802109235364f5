"""The names of domains and chunks that a shell can complete: from the daemon, else from the state folder."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from reconciler.cli.client import status
from reconciler.errors import PnrError

PATIENCE_SECONDS = 2.0
"""Who presses a key does not wait longer for a daemon that is busy."""


class Names(NamedTuple):
    """Each name with a word about it. ``chunks`` by their own name where no other has the same, else by their full one;
    ``full_chunks`` all by their full one."""

    domains: Mapping[str, str]
    held: Mapping[str, str]
    chunks: Mapping[str, str]
    full_chunks: Mapping[str, str]


def known_names(state: str) -> Names:
    """What the daemon of this state folder knows, or what the folder says of it where none answers."""
    domains = _of_daemon(state)
    return _named(list(_of_folder(state)) if domains is None else domains)


class _Domain(NamedTuple):
    name: str
    held: str
    chunks: tuple[tuple[str, str, str], ...]  # the CPUX, the name, the state


def _of_daemon(state: str) -> list[_Domain] | None:
    try:
        view = status(state, silence_seconds=PATIENCE_SECONDS)
    except PnrError:
        return None
    return [
        _domain(domain, ((cpux, chunk) for cpux in domain["cpuxs"] for chunk in cpux["chunks"]))
        for domain in view["domains"]
    ]


def _of_folder(state: str) -> Iterator[_Domain]:
    import tomllib

    try:
        files = sorted(name for name in os.listdir(state) if name.endswith(".toml"))
    except OSError:
        return
    for file in files:
        try:
            with open(os.path.join(state, file), "rb") as stream:
                document = tomllib.load(stream)
            chunks = [(cpux, chunk) for cpux in document.get("cpux", ()) for chunk in cpux.get("chunk", ())]
            yield _domain({**document, "name": document["domain"]}, iter(chunks))
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            continue  # whoever starts the daemon is told what is the matter with it


def _domain(domain: Mapping[str, Any], chunks: Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> _Domain:
    told = tuple((str(cpux["name"]), str(chunk["name"]), str(chunk.get("state", ""))) for cpux, chunk in chunks)
    return _Domain(str(domain["name"]), str(domain.get("held") or ""), tuple(dict.fromkeys(told)))


def _named(domains: list[_Domain]) -> Names:
    count = Counter(name for domain in domains for _, name, _ in domain.chunks)
    chunks: dict[str, str] = {}
    full: dict[str, str] = {}
    for domain in domains:
        for cpux, name, state in domain.chunks:
            full_name = f"{domain.name}/{cpux}/{name}"
            chunks[name if count[name] == 1 else full_name] = full[full_name] = state
    return Names({d.name: "" for d in domains}, {d.name: d.held for d in domains if d.held}, chunks, full)
