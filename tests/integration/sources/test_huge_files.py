"""What it costs to judge the largest files that are read at all: memory, as the interpreter counts it."""

from __future__ import annotations

import tracemalloc

import pytest

from reconciler.intent.loader import load
from reconciler.probes.registry import known_types
from tests.corpus.huge_files import HUGE, MIB

# To count memory makes it six times as slow, and other tests run beside it.
pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_bad_file_costs_a_bounded_amount_of_memory(name: str) -> None:
    data, last = HUGE[name]
    check_types = known_types()
    tracemalloc.start()
    try:
        loaded = load(data, "bad.json", base_dir="/srv/domains", env={}, allowed_env=(), check_types=check_types)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert loaded.errors[-1].code == last
    assert peak < 160 * MIB
