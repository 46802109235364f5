"""A part of an answer that stays as it is from one answer to the next."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any


class LastingDocument(dict[str, Any]):
    """A document that nobody changes: it is encoded once, however often it is told."""

    @cached_property
    def encoded(self) -> bytes:
        """As JSON."""
        return json.dumps(self).encode()
