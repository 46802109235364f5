"""How much work something is, counted. Nobody else is answered or seen to while a turn of the loop lasts, so much work
is done in several. Counts, and not times: what is done in which turn is then the same on every machine."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from reconciler.intent.model import Chunk

T = TypeVar("T")

MOST_AT_ONCE = 40
"""So much is done in one turn of the loop: as much as deciding about so many plain chunks, which takes 20 ms."""

FEWEST_AT_ONCE = 5
"""So much while somebody waits for an answer."""

ENTRIES_A_CHUNK = 20
"""So many facts, entries of a gate, networks or volumes are as much work as a chunk."""

Steps = Generator[int, None, None]
"""Work that is done step by step: each tells how much it was."""


def work_of(chunk: Chunk | None) -> int:
    """How much it is to decide about a chunk: 1 for a plain one."""
    if chunk is None:
        return 1
    entries = len(chunk.flowout) + len(chunk.gate) + len(chunk.flowin) + len(chunk.container.networks)
    return 1 + (entries + len(chunk.container.settings.get("volumes") or ())) // ENTRIES_A_CHUNK


def in_portions(steps: Generator[int, None, T], size: int) -> Generator[int, None, T]:
    """The same steps, ``size`` of what they count as 1."""
    done = 0
    while True:
        try:
            done += next(steps)
        except StopIteration as made:
            result: T = made.value
            return result
        if done >= size:
            yield done // size
            done %= size
