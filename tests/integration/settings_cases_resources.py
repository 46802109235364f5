"""Values of the settings that say how much a container may use, for the round trip through a real engine."""

from __future__ import annotations

from typing import Any

CASES: list[tuple[str, Any]] = [
    ("mem_reservation", "32m"),
    ("mem_swappiness", 10),
    ("oom_kill_disable", True),
    ("oom_kill_disable", False),
    ("oom_score_adj", 500),
    ("oom_score_adj", 0),
    ("pids_limit", 100),
    ("pids_limit", -1),
    ("cpu_shares", 512),
    ("cpu_period", 50000),
    ("cpu_quota", "20000"),
    ("cpuset", "0"),
    ("cpuset_mems", "0"),
    ("blkio_config", {"device_read_bps": [{"path": "/dev/null", "rate": "12mb"}]}),
    ("blkio_config", {"device_write_iops": [{"path": "/dev/zero", "rate": 120}, {"path": "/dev/null", "rate": 7}]}),
    ("shm_size", "128m"),
    ("shm_size", "64m"),
    ("ulimits", {"nofile": {"soft": 1024, "hard": 4096}, "nproc": 512}),
    ("ulimits", {}),
]

CANT_BE_CREATED_HERE = {
    "memswap_limit": "needs mem_limit beside it: has a test of its own",
    "cpu_rt_period": "takes a kernel with real-time scheduling of groups",
    "cpu_rt_runtime": "takes a kernel with real-time scheduling of groups",
    "cpu_count": "Windows only",
    "cpu_percent": "Windows only",
    "storage_opt": "takes a storage driver with quotas",
}
