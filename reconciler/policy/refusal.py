"""What a policy says no to in a request to the engine: which rule, which field, in words. Pure values.

Where a domain file leads to such a request, its diagnostic is made from this: see :mod:`reconciler.policy.domain`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

CODE = "PolicyRefused"
KNOWN_FIELDS = "known fields"
KNOWN_FILES = "known files"
KNOWN_ROUTES = "known routes"
OWN_LABELS = "own labels"


class Against(Enum):
    """What speaks against a request."""

    ASKED = auto()
    """What was asked for."""
    HOST = auto()
    """What the host shows at this moment, as a path that is not there."""
    GONE = auto()
    """A container that it is about is not there at this moment, so that nobody can judge it: while one is replaced, its
    name is free for a moment, and another one may come to have it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """``rule`` is the rule's name, ``field`` the path in the body or query of the request (``HostConfig.Privileged``,
    ``HostConfig.Binds[2]``); ``message`` says what was asked for, showing nothing that may be secret; ``origin`` where
    the rule stands; ``against`` what of the request it speaks against."""

    rule: str
    field: str
    message: str
    origin: str
    wants: tuple[tuple[str, str], ...] = ()
    """The least that would have to be in lists of the policy for this to be allowed: rules, each with an item."""
    against: Against = Against.ASKED

    def __str__(self) -> str:
        return f"{self.message} ({self.field}; rule {self.rule}, {self.origin})"

    @property
    def top(self) -> str:
        """The field without what is inside of it: ``HostConfig.Binds``."""
        parts = self.field.partition("[")[0].split(".")
        return ".".join(parts[:2] if parts[0] in ("HostConfig", "NetworkingConfig") else parts[:1])
