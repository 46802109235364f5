"""Settings that an engine refuses together: found before anything is touched. Pure.

Each was tried on an engine, which refuses the container at its creation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.quantities import sizes

COMPARED = (
    *("cpus", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime"),
    *("mem_limit", "memswap_limit", "mem_reservation", "uts", "hostname"),
)
"""The settings that are looked at here."""


def conflicts(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Why ``settings`` (normal forms by name) can't be had together: the setting to blame, and a sentence."""
    for name in ("cpu_period", "cpu_quota"):
        if settings.get("cpus") is not None and settings.get(name) is not None:
            yield name, f"cpus and {name} exclude each other: leave one of them out"
    yield from _memory(settings)
    runtime, period = settings.get("cpu_rt_runtime"), settings.get("cpu_rt_period")
    if runtime is not None and period is not None and runtime > period:
        yield "cpu_rt_runtime", f"{runtime} µs are more than the whole period of {period} µs (cpu_rt_period)"
    if settings.get("uts") == "host" and settings.get("hostname"):
        yield "hostname", "with uts host the container has the host's name: leave one of them out"


def _memory(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    memory, swap, reserved = (settings.get(name) for name in ("mem_limit", "memswap_limit", "mem_reservation"))
    if swap is not None and swap > 0:
        if memory is None:
            yield "memswap_limit", "memswap_limit takes a mem_limit beside it: it is the sum of memory and swap"
        elif swap < memory:
            less = f"{sizes.exact(swap)} are less than mem_limit {sizes.exact(memory)}"
            yield "memswap_limit", f"{less}: memswap_limit is the sum of memory and swap"
    if memory is not None and reserved is not None and reserved > memory:
        yield "mem_reservation", f"{sizes.exact(reserved)} are more than mem_limit {sizes.exact(memory)}"
