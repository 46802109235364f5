"""What is to be done about a domain's networks and volumes, and what stands in the way of those who use them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.planner.actions import Work


@dataclass(frozen=True, slots=True)
class Belongings:
    """What is to be done about networks or volumes, and what stands in the way of those who use them, by name.

    ``missing``: it is not there yet, or about to be replaced: who needs it waits. ``conflict``: somebody else's is
    there; ``stuck``: ours is not what was declared and can't be had so. Both in a sentence, and nobody new begins with
    it. ``back``: a change of ours failed, and what was there before serves, also those who begin now; in a sentence.
    """

    work: list[Work] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    conflict: dict[str, str] = field(default_factory=dict)
    stuck: dict[str, str] = field(default_factory=dict)
    back: dict[str, str] = field(default_factory=dict)
