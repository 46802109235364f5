"""How much a container may use: how it is written, what comes of it, what is changed as it runs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from reconciler.intent.settings import SETTINGS, read_back, update_body
from reconciler.intent.settings.conflicts import COMPARED, conflicts
from reconciler.planner.compare import differences
from tests.drifted import drift
from tests.unit.intent.reading import declared, document, messages, read, valid

MIB = 1024**2


def normal(name: str, written: Any) -> Any:
    return TypeAdapter(SETTINGS[name].type).validate_python(written)


def faults(name: str, written: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        normal(name, written)
    return "; ".join(line["msg"] for line in caught.value.errors())


def shown(**host: Any) -> dict[str, Any]:
    return read_back({"Id": "0" * 64, "Config": {}, "HostConfig": host})


@pytest.mark.parametrize(
    ("name", "written", "meant"),
    [
        ("memswap_limit", "1g", 1024 * MIB),
        ("memswap_limit", "-1", -1),
        ("memswap_limit", 0, None),
        ("mem_swappiness", 0, 0),
        ("cpu_period", "50000", 50000),
        ("cpu_period", "50ms", 50000),
        ("cpu_quota", "1.5ms", 1500),
        ("cpu_rt_period", "1400us", 1400),
        ("cpu_rt_runtime", "400ms", 400000),
        ("cpu_rt_runtime", 95000, 95000),
        ("ulimits", {"nproc": 512, "nofile": {"soft": 1, "hard": 2}}, {"nofile": [1, 2], "nproc": [512, 512]}),
        ("ulimits", {"core": -1}, {"core": [-1, -1]}),
        (
            "blkio_config",
            {
                "weight": "300",
                "weight_device": [{"path": "/dev/b", "weight": 20}, {"path": "/dev/a", "weight": 10}],
                "device_read_bps": [{"path": "/dev/a", "rate": "1mb"}],
                "device_write_iops": [{"path": "/dev/a", "rate": 30}],
                "device_read_iops": [],
            },
            {
                "device_read_bps": [{"path": "/dev/a", "rate": MIB}],
                "device_write_iops": [{"path": "/dev/a", "rate": 30}],
                "weight": 300,
                "weight_device": [{"path": "/dev/a", "weight": 10}, {"path": "/dev/b", "weight": 20}],
            },
        ),
        ("storage_opt", {"size": "1G"}, {"size": "1G"}),
        ("pids_limit", "-1", -1),
        ("cpuset", "0-2,4", "0-2,4"),
    ],
)
def test_what_is_written_comes_to_its_normal_form(name: str, written: Any, meant: Any) -> None:
    found = normal(name, written)
    assert found == meant
    assert json.dumps(found) == json.dumps(meant)


@pytest.mark.parametrize(
    ("name", "written", "words"),
    [
        ("mem_reservation", "1m", "at least 6m"),
        ("memswap_limit", "much", "a size"),
        ("mem_swappiness", 101, "from 0 to 100"),
        ("cpu_shares", 1, "from 2 to 262144"),
        ("cpu_period", "1us", "from 1000 to 1000000"),
        ("cpu_period", "soon", "microseconds"),
        ("oom_score_adj", -1001, "from -1000 to 1000"),
        ("cpuset", "0..3", "0-2,4"),
        ("ulimits", {"nofiles": 3}, "did you mean 'nofile'"),
        ("ulimits", {"nofile": {"soft": 3}}, "soft and hard"),
        ("ulimits", {"nofile": {"soft": 3, "hard": 2}}, "above the hard one"),
        ("blkio_config", {"weight": 5}, "from 10 to 1000"),
        ("blkio_config", {"device_read_bps": [{"path": "/dev/a"}]}, "needs path and rate"),
        ("blkio_config", {"device_read_bps": {"path": "/dev/a"}}, "a list of objects"),
        ("blkio_config", {"read_bps": []}, "unknown key 'read_bps'"),
        ("shm_size", 0, "at least 1b"),
    ],
)
def test_what_is_wrong_is_said_with_what_was_expected(name: str, written: Any, words: str) -> None:
    assert words in faults(name, written)


@pytest.mark.parametrize(
    "host",
    [
        {},
        {
            "MemorySwappiness": None,
            "OomKillDisable": False,
            "PidsLimit": None,
            "ShmSize": 64 * MIB,
            "OomScoreAdj": 0,
            "Ulimits": None,
            "BlkioDeviceReadBps": None,
            "CpusetCpus": "",
        },
        {"MemorySwappiness": -1, "OomKillDisable": None, "PidsLimit": 0, "Ulimits": [], "BlkioWeightDevice": []},
        {"PidsLimit": -1, "CpuShares": 1024, "CpuPeriod": 100000, "CpuQuota": -1, "MemoryReservation": -1},
        {"MemorySwap": -1},
    ],
)
def test_what_an_engine_fills_in_of_itself_was_not_asked(host: dict[str, Any]) -> None:
    assert drift({}, shown(**host)) == ()
    names = [name for name, row in SETTINGS.items() if row.group == "resources"]
    assert [name for name in names if shown(**host)[name] != SETTINGS[name].undeclared] == []


@pytest.mark.parametrize(
    ("name", "written", "host"),
    [
        ("shm_size", "64m", {"ShmSize": 64 * MIB}),
        ("cpu_shares", 1024, {"CpuShares": 1024}),
        ("cpu_period", 100000, {"CpuPeriod": 100000}),
        ("pids_limit", -1, {"PidsLimit": None}),
        ("oom_kill_disable", False, {"OomKillDisable": None}),
        ("memswap_limit", -1, {"MemorySwap": -1}),
        ("ulimits", {"nproc": 5}, {"Ulimits": [{"Name": n, "Soft": 5, "Hard": 5} for n in ("nproc", "nofile")]}),
        ("ulimits", {}, {"Ulimits": None}),
        ("blkio_config", {}, {"BlkioWeight": 0}),
    ],
)
def test_a_declared_value_that_is_the_usual_one_is_no_difference(name: str, written: Any, host: dict[str, Any]) -> None:
    assert drift({name: normal(name, written)}, shown(**host)) == ()


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("cpu_shares", {"CpuShares": 512}),
        ("cpu_period", {"CpuPeriod": 50000}),
        ("cpu_quota", {"CpuQuota": 20000}),
        ("mem_reservation", {"MemoryReservation": 64 * MIB}),
        ("pids_limit", {"PidsLimit": 5}),
        ("restart", {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}}),
    ],
)
def test_what_nobody_declared_is_taken_back_in_the_container_that_runs(name: str, host: dict[str, Any]) -> None:
    (difference,) = differences({}, shown(**host))
    assert (difference.setting, difference.in_place) == (name, True)
    assert drift({}, shown(**{**host, **update_body({}, [name])})) == ()


@pytest.mark.parametrize(
    "host", [{"Memory": 64 * MIB, "MemorySwap": 128 * MIB}, {"NanoCpus": 500000000}, {"CpusetCpus": "0"}]
)
def test_what_an_engine_can_not_take_back_takes_another_container(host: dict[str, Any]) -> None:
    (difference,) = differences({}, shown(**host))
    assert not difference.in_place


def test_swap_that_nobody_declared_becomes_again_as_much_as_memory() -> None:
    memory = {"mem_limit": 64 * MIB}
    host = {"Memory": 64 * MIB, "MemorySwap": -1}
    (difference,) = differences(memory, shown(**host))
    assert (difference.setting, difference.in_place) == ("memswap_limit", True)
    assert drift(memory, shown(**{**host, **update_body(memory, ["memswap_limit"])})) == ()


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"cpus": 1, "cpu_quota": 5000}, "cpus and cpu_quota exclude each other"),
        ({"cpus": 1, "cpu_period": 5000}, "cpus and cpu_period exclude each other"),
        ({"memswap_limit": "64m"}, "takes a mem_limit beside it"),
        ({"mem_limit": "64m", "memswap_limit": "32m"}, "32m are less than mem_limit 64m"),
        ({"mem_limit": "64m", "mem_reservation": "128m"}, "128m are more than mem_limit 64m"),
        ({"cpu_rt_period": 1000, "cpu_rt_runtime": 2000}, "more than the whole period"),
        ({"uts": "host", "hostname": "db"}, "the host's name"),
        ({"cpu_quota": 5000, "deploy": {"resources": {"limits": {"cpus": "1"}}}}, "exclude each other"),
    ],
)
def test_settings_that_an_engine_refuses_together_are_named(container: dict[str, Any], words: str) -> None:
    (message,) = messages(read(document(declared(container=container))))
    assert words in message


def test_settings_that_go_together_are_left_alone() -> None:
    container = {"mem_limit": "64m", "memswap_limit": "64m", "mem_reservation": "64m", "cpus": 1, "cpu_shares": 5}
    assert valid(document(declared(container=container)))
    assert list(conflicts({"memswap_limit": -1})) == []


def test_only_settings_that_there_are_are_compared() -> None:
    assert set(COMPARED) <= set(SETTINGS)
