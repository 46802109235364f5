"""Values of the settings that say how much a container may use, for the round trip through a real engine."""

from __future__ import annotations

from typing import Any

CASES: list[tuple[str, Any]] = [
    ("mem_reservation", "32m"),
    ("memswap_limit", -1),
    ("mem_swappiness", 10),
    ("mem_swappiness", 0),
    ("oom_kill_disable", True),
    ("oom_kill_disable", False),
    ("oom_score_adj", 500),
    ("oom_score_adj", 0),
    ("pids_limit", 100),
    ("pids_limit", -1),
    ("cpu_shares", 512),
    ("cpu_shares", 1024),
    ("cpu_period", 50000),
    ("cpu_period", "100ms"),
    ("cpu_quota", "20000"),
    ("cpu_quota", "20ms"),
    ("cpuset", "0"),
    ("cpuset_mems", "0"),
    ("blkio_config", {"device_read_bps": [{"path": "/dev/null", "rate": "12mb"}]}),
    ("blkio_config", {"device_write_iops": [{"path": "/dev/zero", "rate": 120}, {"path": "/dev/null", "rate": 7}]}),
    ("blkio_config", {}),
    ("shm_size", "128m"),
    ("shm_size", "64m"),
    ("ulimits", {"nofile": {"soft": 1024, "hard": 4096}, "nproc": 512}),
    ("ulimits", {"rttime": -1}),
    ("ulimits", {}),
    ("storage_opt", {}),
]

LIVE: list[tuple[str, dict[str, Any]]] = [
    ("mem_limit", {"mem_limit": "64m"}),
    ("mem_limit", {"mem_limit": "256m", "memswap_limit": "300m"}),
    ("memswap_limit", {"mem_limit": "64m", "memswap_limit": "100m"}),
    ("memswap_limit", {"mem_limit": "64m", "memswap_limit": -1}),
    ("mem_reservation", {"mem_reservation": "32m"}),
    ("cpus", {"cpus": "0.5"}),
    ("cpu_shares", {"cpu_shares": 512}),
    ("cpu_period", {"cpu_period": 50000}),
    ("cpu_quota", {"cpu_quota": 20000}),
    ("cpuset", {"cpuset": "0"}),
    ("cpuset_mems", {"cpuset_mems": "0"}),
    ("pids_limit", {"pids_limit": 100}),
    ("restart", {"restart": "on-failure:3"}),
]
"""What is changed in a container that runs, with the settings that are declared beside it."""

CANT_BE_CREATED_HERE = {
    "cpu_rt_period": "takes a kernel with real-time scheduling of groups",
    "cpu_rt_runtime": "takes a kernel with real-time scheduling of groups",
    "cpu_count": "Windows only",
    "cpu_percent": "Windows only",
}
