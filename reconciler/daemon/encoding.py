"""Answers of the control socket as they are written, made in small pieces: a view may have a thousand domains, and
while one piece is made nobody else is answered."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

from reconciler.controller.telling_files import FileDocument

AT_ONCE_SECONDS = 0.01


async def encoded(answer: Mapping[str, Any]) -> bytes:
    """An answer as JSON."""
    view = answer.get("view")
    if not isinstance(view, Mapping) or "domains" not in view:
        return json.dumps(answer).encode()
    begun = time.thread_time()
    domains: list[bytes] = []
    for domain in view["domains"]:
        domains.append(domain.encoded if isinstance(domain, FileDocument) else json.dumps(domain).encode())
        if time.thread_time() - begun > AT_ONCE_SECONDS:
            await asyncio.sleep(0)
            begun = time.thread_time()
    of_view = _members({name: value for name, value in view.items() if name != "domains"})
    of_answer = _members({name: value for name, value in answer.items() if name != "view"})
    return b'{"view": {%s"domains": [%s]}%s}' % (
        of_view + b", " if of_view else b"",
        b", ".join(domains),
        b", " + of_answer if of_answer else b"",
    )


def _members(document: Mapping[str, Any]) -> bytes:
    """The members of an object, without its braces."""
    return json.dumps(document).encode()[1:-1]
