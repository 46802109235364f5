"""Rows of the table of container settings: how much the container may use. Data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.intent.settings import blkio, ulimits, words
from reconciler.intent.settings.accepts import FLAG, INTEGER, NUMBER_OR_TEXT, PAIRS, TEXT
from reconciler.intent.settings.found import flag_found, map_found, same_flag, same_map, same_unless, unless
from reconciler.intent.settings.places import in_host_config
from reconciler.intent.settings.row import Setting, declared_and_found
from reconciler.intent.settings.values import flag, integer, microseconds, number, size, size_or, word
from reconciler.quantities import sizes

SMALLEST_MEMORY = 6 * 1024**2
"""Below this the engine refuses to create a container."""

USUAL_SHM = 64 * 1024**2
"""What the engine gives where nothing is said."""

USUAL_SHARES = 1024
USUAL_PERIOD = 100000
"""What the kernel gives where nothing is said. An engine can't take these back, but be told them."""

LONGEST_REAL_TIME = 2**31 - 1


def _swap(value: Any) -> int | None:
    """0 is the same as nothing, as in Compose."""
    return size_or(-1)(value) or None


def _swap_found(inspected: Mapping[str, Any]) -> int | None:
    """As much swap as memory is what the engine fills in for a limit of memory: nothing was asked then. No limit of
    swap where there is none of memory is how it is anyway."""
    host = inspected.get("HostConfig") or {}
    swap, memory = int(host.get("MemorySwap") or 0), int(host.get("Memory") or 0)
    return None if swap == 0 or swap == (2 * memory or -1) else swap


def _same_swap(declared: Any, found: Any) -> bool:
    """A declared limit that is just what the engine fills in can't be told from none; the loader leaves it out."""
    return bool(declared == found) or (declared == -1 and found is None)


def _billionths(value: float) -> int:
    return round(value * 10**9)


ROWS: tuple[Setting, ...] = (
    Setting(
        "mem_limit",
        "resources",
        "The maximum memory that the container may use: bytes, or a size such as 64m or 1g; at least 6m.",
        "256m",
        size(SMALLEST_MEMORY),
        NUMBER_OR_TEXT,
        *in_host_config("Memory", from_api=lambda found: found or None),
        tell=declared_and_found(sizes.exact),
        live=True,
    ),
    Setting(
        "cpus",
        "resources",
        "The maximum processor time that the container may use, in processors: 0.5 is half of one.",
        "0.5",
        number("a number of processors", 0.01, 10000),
        NUMBER_OR_TEXT,
        *in_host_config("NanoCpus", _billionths, lambda found: found / 10**9 if found else None),
        tell=declared_and_found(lambda cpus: f"{cpus:g}"),
        live=True,
    ),
    Setting(
        "memswap_limit",
        "resources",
        "The maximum memory and swap together: a size, or -1 for as much swap as there is. Where left out, the engine"
        " allows as much swap as memory.",
        "512m",
        _swap,
        NUMBER_OR_TEXT,
        in_host_config("MemorySwap")[0],
        _swap_found,
        same=_same_swap,
        tell=declared_and_found(lambda swap: "no limit" if swap == -1 else sizes.exact(swap)),
        live=True,
        unset={},  # with the limit of memory, which is sent along, it is again what the engine fills in
    ),
    Setting(
        "mem_reservation",
        "resources",
        "The memory that the container keeps when the host runs short of it: a size.",
        "128m",
        size(SMALLEST_MEMORY),
        NUMBER_OR_TEXT,
        *in_host_config("MemoryReservation", from_api=unless(0, -1)),
        tell=declared_and_found(sizes.exact),
        live=True,
        unset={"MemoryReservation": -1},
    ),
    Setting(
        "mem_swappiness",
        "resources",
        "How readily the kernel swaps the container's memory out, from 0 to 100.",
        60,
        integer("a swappiness", 0, 100, digits_in_quotes=True),
        INTEGER,
        *in_host_config("MemorySwappiness", from_api=unless(-1)),
    ),
    Setting(
        "oom_kill_disable",
        "resources",
        "The kernel kills nothing in the container for lack of memory; needs mem_limit.",
        True,
        flag,
        FLAG,
        *in_host_config("OomKillDisable", from_api=flag_found),
        same=same_flag,
        nothing=(False,),
    ),
    Setting(
        "oom_score_adj",
        "resources",
        "How likely the kernel is to kill it when the host runs out of memory, from -1000 (never) to 1000.",
        500,
        integer("a score", -1000, 1000, digits_in_quotes=True),
        INTEGER,
        *in_host_config("OomScoreAdj", from_api=unless(0)),
        same=same_unless(0),
        nothing=(0,),
    ),
    Setting(
        "pids_limit",
        "resources",
        "The maximum number of processes and threads; -1: no limit.",
        200,
        integer("a number of processes", -1, 2**31 - 1, digits_in_quotes=True),
        INTEGER,
        *in_host_config("PidsLimit", from_api=unless(0, -1)),
        same=same_unless(0, -1),
        live=True,
        unset={"PidsLimit": -1},
    ),
    Setting(
        "cpu_shares",
        "resources",
        "The weight among containers that want the processors at the same time; 1024 is the usual one.",
        512,
        integer("a weight", 2, 262144, digits_in_quotes=True),
        INTEGER,
        *in_host_config("CpuShares", from_api=unless(0, USUAL_SHARES)),
        same=same_unless(USUAL_SHARES),
        live=True,
        unset={"CpuShares": USUAL_SHARES},
    ),
    Setting(
        "cpu_period",
        "resources",
        "The period over which cpu_quota counts, in microseconds or as a duration; excludes cpus.",
        50000,
        microseconds(1000, 1000000),
        INTEGER,
        *in_host_config("CpuPeriod", from_api=unless(0, USUAL_PERIOD)),
        same=same_unless(USUAL_PERIOD),
        live=True,
        unset={"CpuPeriod": USUAL_PERIOD},
    ),
    Setting(
        "cpu_quota",
        "resources",
        "The processor time in each period, in microseconds or as a duration; excludes cpus.",
        25000,
        microseconds(1000, 2**40),
        INTEGER,
        *in_host_config("CpuQuota", from_api=unless(0, -1)),
        live=True,
        unset={"CpuQuota": -1},
    ),
    Setting(
        "cpu_rt_period",
        "resources",
        "The period for real-time processes, in microseconds or as a duration; the kernel and the engine must be set up"
        " for it.",
        1000000,
        microseconds(1, LONGEST_REAL_TIME),
        INTEGER,
        *in_host_config("CpuRealtimePeriod", from_api=unless(0)),
    ),
    Setting(
        "cpu_rt_runtime",
        "resources",
        "The time of real-time processes in each such period, in microseconds or as a duration.",
        950000,
        microseconds(1, LONGEST_REAL_TIME),
        INTEGER,
        *in_host_config("CpuRealtimeRuntime", from_api=unless(0)),
    ),
    Setting(
        "cpuset",
        "resources",
        "The processors that it may run on: numbers and ranges such as 0-2,4.",
        "0",
        word("processors such as 0-2,4", r"[0-9]+(?:-[0-9]+)?(?:,[0-9]+(?:-[0-9]+)?)*"),
        TEXT,
        *in_host_config("CpusetCpus", from_api=unless("")),
        same=same_unless(""),
        live=True,
    ),
    Setting(
        "cpuset_mems",
        "resources",
        "The memory nodes that it may use (the engine's own setting; Compose has no word for it).",
        "0",
        word("memory nodes such as 0-1", r"[0-9]+(?:-[0-9]+)?(?:,[0-9]+(?:-[0-9]+)?)*"),
        TEXT,
        *in_host_config("CpusetMems", from_api=unless("")),
        same=same_unless(""),
        live=True,
    ),
    Setting(
        "cpu_count",
        "resources",
        "The number of processors; Windows only.",
        2,
        integer("a number of processors", 1, 10000, digits_in_quotes=True),
        INTEGER,
        *in_host_config("CpuCount", from_api=unless(0)),
        systems=("windows",),
    ),
    Setting(
        "cpu_percent",
        "resources",
        "The share of all processors, in percent; Windows only.",
        50,
        integer("percent", 1, 100, digits_in_quotes=True),
        INTEGER,
        *in_host_config("CpuPercent", from_api=unless(0)),
        systems=("windows",),
    ),
    Setting(
        "blkio_config",
        "resources",
        "Weights and rates of block devices: weight, weight_device, device_read_bps, device_read_iops,"
        " device_write_bps, device_write_iops.",
        {"weight": 300, "device_read_bps": [{"path": "/dev/sda", "rate": "12mb"}]},
        blkio.parse,
        blkio.ACCEPTS,
        blkio.send,
        blkio.read,
        same=same_map,
    ),
    Setting(
        "shm_size",
        "resources",
        "The size of /dev/shm; 64m where left out.",
        "128m",
        size(1),
        NUMBER_OR_TEXT,
        *in_host_config("ShmSize", from_api=unless(0, USUAL_SHM)),
        same=same_unless(USUAL_SHM),
        tell=declared_and_found(sizes.exact),
    ),
    Setting(
        "ulimits",
        "resources",
        "Limits of the kernel for each process: a number, or soft and hard ones. Others are the engine's own.",
        {"nofile": {"soft": 1024, "hard": 4096}, "nproc": 512},
        ulimits.parse,
        ulimits.ACCEPTS,
        *in_host_config("Ulimits", ulimits.to_api, ulimits.from_api),
        same=lambda declared, found: words.within(declared, found or {}),
    ),
    Setting(
        "storage_opt",
        "resources",
        "Options of the engine's storage driver for the container's own layer, such as size.",
        {"size": "1G"},
        words.options,
        PAIRS,
        *in_host_config("StorageOpt", from_api=map_found),
        same=same_map,
    ),
)
