"""Answers of the control socket as they are written, made in small pieces: a view may have a thousand domains, and
while one piece is made nobody else is answered."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from reconciler.controller.lasting_document import LastingDocument

AT_ONCE_SECONDS = 0.015
CHUNKS_A_PIECE = 20
FACTS_A_PIECE = 200

T = TypeVar("T")


async def encoded(answer: Mapping[str, Any]) -> bytes:
    """An answer as JSON."""
    view = answer.get("view")
    if not isinstance(view, Mapping) or "domains" not in view:
        return json.dumps(answer).encode()
    begun = time.thread_time()
    domains: list[bytes] = []
    for domain in view["domains"]:
        pieces: list[bytes] = []
        for piece in _pieces(domain):
            pieces.append(piece)
            if time.thread_time() - begun > AT_ONCE_SECONDS:
                await asyncio.sleep(0)
                begun = time.thread_time()
        domains.append(b"".join(pieces))
    of_view = _members({name: value for name, value in view.items() if name != "domains"})
    of_answer = _members({name: value for name, value in answer.items() if name != "view"})
    return b'{"view": {%s"domains": [%s]}%s}' % (
        of_view + b", " if of_view else b"",
        b", ".join(domains),
        b", " + of_answer if of_answer else b"",
    )


def _pieces(domain: Mapping[str, Any]) -> Iterator[bytes]:
    """The document of a domain, in pieces: it may have thousands of chunks, and of facts."""
    if isinstance(domain, LastingDocument) or "cpuxs" not in domain:
        yield _encoded(domain)
        return
    begin, before = _members({name: value for name, value in domain.items() if name != "cpuxs"}), b""
    yield b'{%s, "cpuxs": [' % begin
    for cpux in domain["cpuxs"]:
        yield b'%s{"name": %s, "facts": {' % (before, json.dumps(cpux["name"]).encode())
        for between, facts in _groups(list(cpux["facts"].items()), FACTS_A_PIECE):
            yield between + _members(dict(facts))
        yield b'}, "chunks": ['
        for between, chunks in _groups(cpux["chunks"], CHUNKS_A_PIECE):
            yield between + b", ".join(map(_encoded, chunks))
        yield b"]}"
        before = b", "
    yield b"]}"


def _encoded(document: Mapping[str, Any]) -> bytes:
    return document.encoded if isinstance(document, LastingDocument) else json.dumps(document).encode()


def _groups(all: Sequence[T], most: int) -> Iterator[tuple[bytes, Sequence[T]]]:
    """So many at a time, with what stands before them."""
    return ((b", " if at else b"", all[at : at + most]) for at in range(0, len(all), most))


def _members(document: Mapping[str, Any]) -> bytes:
    """The members of an object, without its braces."""
    return json.dumps(document).encode()[1:-1]
