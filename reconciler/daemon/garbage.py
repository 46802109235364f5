"""Keeps the garbage collector's turns short: while it goes through what is in memory nobody is answered.

Intents are large, stay long and have no cycles: when nobody wants one any more it goes without the collector. So what
has outlived a whole collection is set aside, and the next one goes only through what came since; they come often enough
for that to be little. A cycle that was set aside while it was alive would never be collected: so once an hour all is
gone through, in one longer turn, and a daemon that runs for years keeps nothing that nobody has any more.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

THRESHOLDS = (1_000, 5, 5)
"""After so many new objects the youngest are gone through, each fifth time those of the times before too, and each
fifth time of these all that are not set aside: some 25,000, which takes 10 ms."""

ALL_AFTER_SECONDS = 3600.0
"""So long after all was gone through it is again."""


@contextmanager
def little_at_a_time(now: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """What is in memory by now stays; what comes is gone through in small parts, and all of it once an hour."""
    before, all_at = gc.get_threshold(), now()

    def set_aside(phase: str, about: Mapping[str, Any]) -> None:
        nonlocal all_at
        if phase != "stop" or about["generation"] != 2:
            return
        if now() - all_at >= ALL_AFTER_SECONDS:
            all_at = now()
            gc.unfreeze()  # the next one goes through all
        else:
            gc.freeze()

    gc.freeze()
    gc.collect()  # over nothing: Python puts whole collections off until a quarter of what the last one left has come
    gc.set_threshold(*THRESHOLDS)
    gc.callbacks.append(set_aside)
    try:
        yield
    finally:
        gc.callbacks.remove(set_aside)
        gc.set_threshold(*before)
        gc.unfreeze()
