"""Cases of how much a container may use."""

from __future__ import annotations

from typing import Any

from tests.integration.settings.case import NOTHING, REPLACED, UPDATED, Case, Here


def _rate(key: str, rate: Any) -> Any:
    def value(here: Here) -> dict[str, Any]:
        return {key: [{"path": here.block_device, "rate": rate}]}

    return value


CASES = (
    Case("mem_limit", "size", "64m", "128m", UPDATED),
    Case("mem_limit", "spellings", "64m", 64 * 1024**2, NOTHING),
    Case("mem_limit", "left out", "64m", None, REPLACED, UPDATED),
    Case("mem_limit", "above the limit of swap", "64m", "256m", UPDATED, beside={"memswap_limit": "300m"}),
    Case("memswap_limit", "size", "100m", "200m", UPDATED, beside={"mem_limit": "64m"}),
    Case("memswap_limit", "none", -1, "200m", UPDATED, beside={"mem_limit": "64m"}),
    Case("memswap_limit", "left out", "200m", None, UPDATED, beside={"mem_limit": "64m"}),
    Case("memswap_limit", "the usual one", "128m", None, NOTHING, beside={"mem_limit": "64m"}),
    Case("mem_reservation", "size", "32m", "48m", UPDATED),
    Case("mem_reservation", "left out", "32m", None, UPDATED),
    Case("mem_swappiness", "number", 10, 20),
    Case("mem_swappiness", "left out", 10, None),
    Case("oom_kill_disable", "on and off", True, False, beside={"mem_limit": "64m"}),
    Case("oom_kill_disable", "left out", True, None, beside={"mem_limit": "64m"}),
    Case("oom_score_adj", "number", 500, 600),
    Case("oom_score_adj", "left out", 500, None),
    Case("pids_limit", "number", 100, 200, UPDATED),
    Case("pids_limit", "none", 100, -1, UPDATED),
    Case("pids_limit", "left out", 100, None, UPDATED),
    Case("cpus", "number", 0.5, 1.5, UPDATED),
    Case("cpus", "spellings", "0.50", 0.5, NOTHING),
    Case("cpus", "left out", 0.5, None, REPLACED, UPDATED),
    Case("cpu_shares", "number", 512, 256, UPDATED),
    Case("cpu_shares", "left out", 512, None, UPDATED),
    Case("cpu_shares", "the usual one", 1024, None, NOTHING),
    Case("cpu_period", "number", 50000, 60000, UPDATED),
    Case("cpu_period", "spellings", 50000, "50ms", NOTHING),
    Case("cpu_period", "left out", 50000, None, UPDATED),
    Case("cpu_quota", "number", 20000, 30000, UPDATED),
    Case("cpu_quota", "spellings", "20000", "20ms", NOTHING),
    Case("cpu_quota", "left out", 20000, None, UPDATED),
    Case("cpuset", "one", "0", "1", UPDATED),
    Case("cpuset", "range", "0-1", "0", UPDATED),
    Case("cpuset", "left out", "0", None, REPLACED, UPDATED),
    Case("cpuset_mems", "range", "0", "0-0", UPDATED),
    Case("cpuset_mems", "left out", "0", None, REPLACED, UPDATED),
    Case("blkio_config", "read bytes", _rate("device_read_bps", "12mb"), _rate("device_read_bps", "24mb")),
    Case("blkio_config", "write bytes", _rate("device_write_bps", "12mb"), _rate("device_write_bps", "24mb")),
    Case("blkio_config", "read calls", _rate("device_read_iops", 100), _rate("device_read_iops", 200)),
    Case("blkio_config", "write calls", _rate("device_write_iops", 100), _rate("device_write_iops", 200)),
    Case("blkio_config", "spellings", _rate("device_read_bps", "1k"), _rate("device_read_bps", 1024), NOTHING),
    Case("blkio_config", "left out", _rate("device_read_bps", "12mb"), None),
    Case("shm_size", "size", "128m", "32m"),
    Case("shm_size", "left out", "128m", None),
    Case("ulimits", "soft and hard", {"nofile": {"soft": 512, "hard": 1024}}, {"nofile": {"soft": 256, "hard": 1024}}),
    Case("ulimits", "number and pair", {"nproc": 512}, {"nproc": {"soft": 512, "hard": 512}}, NOTHING),
    Case("ulimits", "more", {"nproc": 512}, {"nproc": 512, "nofile": 512}),
    Case("ulimits", "left out", {"nproc": 512}, None),
    Case(
        "deploy",
        "limits",
        {"resources": {"limits": {"memory": "64m", "cpus": "0.5", "pids": 100}}},
        {"resources": {"limits": {"memory": "96m", "cpus": "0.7", "pids": 200}}},
        UPDATED,
    ),
    Case("deploy", "reservations", {"resources": {"reservations": {"memory": "32m"}}}, None, UPDATED),
    Case(
        "deploy",
        "restart",
        {"restart_policy": {"condition": "any"}},
        {"restart_policy": {"condition": "on-failure"}},
        UPDATED,
    ),
)
