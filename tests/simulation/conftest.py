"""Here an hour passes in a blink: what is awaited in a test is awaited in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.simulation.virtual_time import VirtualLoop


def pytest_asyncio_loop_factories(config: Any, item: Any) -> Mapping[str, Callable[[], VirtualLoop]]:
    """The event loop of every coroutine that is a test of this folder."""
    return {"virtual": VirtualLoop}
