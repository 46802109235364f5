"""The root of every error that pnr raises on purpose.

Each room defines its own subclasses next to the code that raises them. ``code`` is a stable CamelCase
word that scripts may match on; ``str(error)`` is a sentence for people: what happened, where, what to do.
"""

from __future__ import annotations

from typing import ClassVar


class PnrError(Exception):
    """An expected failure, with a stable ``code`` and a message for people."""

    code: ClassVar[str] = "Error"


class Unreachable(PnrError):
    """Whoever was to be asked can't be reached. That tells nothing of what was to be asked for."""

    code = "Unreachable"
