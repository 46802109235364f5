"""The record of containers that were taken over, on a disk that may be full."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from reconciler.engine.docker import DockerEngine
from reconciler.state.files import StateWriteFailed
from tests.integration.engine.bench import Bench

pytestmark = pytest.mark.docker


class FullDisk:
    """A record that can't be written."""

    def labels(self, container_id: str) -> Mapping[str, str]:
        return {}

    def adopt(self, container_id: str, labels: Mapping[str, str]) -> None:
        raise StateWriteFailed("no space left on device")

    def keep(self, present: Collection[str]) -> None:
        raise StateWriteFailed("no space left on device")


async def test_a_full_disk_does_not_keep_the_engine_from_being_looked_at(bench: Bench) -> None:
    engine = DockerEngine(runtime_root=None, adopted=FullDisk())
    await engine.connect()
    try:
        assert bench.image
        assert (await engine.observe()).networks
    finally:
        await engine.close()
