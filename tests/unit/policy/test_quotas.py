"""How much all of a domain may use, and what its containers get that declare no limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.policy.test_tenants import document, judged, policy, told

# --- quotas ---------------------------------------------------------------------------------------------------------

QUOTAS = policy(
    '[domain."a.json".quotas]\nmemory = "256m"\ncpus = 2\npids = 30\ncontainers = 3\n'
    'volumes = 2\nnetworks = 2\nports = 3\nlogs = "60m"\n'
)
LOGS = {"driver": "json-file", "options": {"max-size": "10m", "max-file": "2"}}


@pytest.mark.parametrize(
    ("container", "more", "rule"),
    [
        ({}, {}, ""),
        ({"cpus": 0.5}, {"chunk": {"replicas": 3}}, ""),
        ({"cpus": 0.5}, {"chunk": {"replicas": 4}}, "quotas.containers"),
        ({"mem_limit": "300m"}, {}, "quotas.memory"),
        ({"mem_limit": "128m"}, {"chunk": {"replicas": 3}}, "quotas.memory"),
        ({"mem_limit": None}, {}, "quotas.memory"),
        ({"mem_limit": "128m", "memswap_limit": -1}, {}, "quotas.memory"),
        ({"mem_limit": "128m", "memswap_limit": "385m"}, {}, "quotas.memory"),
        ({"mem_limit": "128m", "memswap_limit": "384m"}, {}, ""),
        ({"cpus": 1.1}, {"chunk": {"replicas": 2}}, "quotas.cpus"),
        ({"cpus": None}, {}, "quotas.cpus"),
        ({"cpus": None, "cpu_quota": 200_001, "cpu_period": 100_000}, {}, "quotas.cpus"),
        ({"cpus": None, "cpu_quota": 30_000, "cpu_period": 10_000}, {}, "quotas.cpus"),
        ({"cpus": None, "cpu_quota": 150_000}, {}, ""),
        ({"pids_limit": 31}, {}, "quotas.pids"),
        ({"pids_limit": -1}, {}, "quotas.pids"),
        ({"pids_limit": None}, {}, "quotas.pids"),
        ({"logging": None}, {}, "quotas.logs"),
        ({"logging": {"driver": "json-file"}}, {}, "quotas.logs"),
        ({"logging": {"driver": "json-file", "options": {"max-size": "31m", "max-file": "2"}}}, {}, "quotas.logs"),
        ({"logging": {"driver": "local"}}, {}, "quotas.logs"),
        ({"logging": {"driver": "journald"}}, {}, "quotas.logs"),
        ({"logging": {"driver": "gelf", "options": {"gelf-address": "udp://192.0.2.9:12201"}}}, {}, "quotas.logs"),
        ({"logging": {"driver": "fluentd", "options": {"cache-max-size": "61m"}}}, {}, "quotas.logs"),
        ({"logging": {"driver": "splunk", "options": {"cache-disabled": "true"}}}, {}, ""),
        ({"logging": {"driver": "fluentd", "options": {"cache-max-size": "10m"}}}, {}, ""),
        ({"logging": {"driver": "splunk", "options": {"cache-disabled": "no"}}}, {}, "quotas.logs"),
        ({"logging": {"driver": "local", "options": {"max-size": "10m"}}}, {}, ""),
        ({"logging": {"driver": "local", "options": {"max-size": "-1"}}}, {}, "quotas.logs"),
        ({"logging": {"driver": "json-file", "options": {"max-size": "1p"}}}, {}, "quotas.logs"),
        ({"logging": {"driver": "json-file", "options": {"max-size": "0"}}}, {}, "quotas.logs"),
        ({"logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "+99"}}}, {}, "quotas.logs"),
        ({"logging": {"driver": "json-file", "options": {"max-size": "61m", "max-file": "0"}}}, {}, "quotas.logs"),
        ({"logging": {"driver": "none"}}, {}, ""),
        ({"ports": ["8000-8003:80-83"]}, {}, "quotas.ports"),
        ({"ports": ["8000:80", "8000:80/udp", "8001:81", "8002:82"]}, {}, "quotas.ports"),
        ({"ports": ["8000:80", "8001:81", "8002:82"]}, {}, ""),
        ({"volumes": ["aa:/a", "bb:/b", "cc:/c"]}, {"volumes": {"aa": {}, "bb": {}, "cc": {}}}, "quotas.volumes"),
        ({"volumes": ["aa:/a", "bb:/b"]}, {"volumes": {"aa": {}, "bb": {}}}, ""),
        ({"volumes": ["/a", "/b", "/c"]}, {}, "quotas.volumes"),
        ({"networks": ["a", "b", "c"]}, {"networks": {"a": {}, "b": {}, "c": {}}}, "quotas.networks"),
    ],
)
def test_a_quota_holds_for_all_of_a_domain(container: dict[str, Any], more: dict[str, Any], rule: str) -> None:
    wanted = {key: value for key, value in {"logging": LOGS, **container}.items() if value is not None}
    one = document("a", wanted, **more)
    settings = one["cpuxs"]["main"]["design_chunks"][0]["container"]
    for key, value in container.items():
        if value is None:
            settings.pop(key, None)
    said = told(QUOTAS, "a.json", one)
    assert (rule in said) if rule else said == "", said
    assert told(QUOTAS, "b.json", one) == ""


def test_a_quota_counts_all_chunks_and_is_told_at_the_one_with_which_it_is_too_much() -> None:
    chunks = [{"name": f"c{n}", "container": {"image": "x", "mem_limit": "64m"}} for n in range(5)]
    one = {"name": "a", "cpuxs": {"x": {"design_chunks": chunks[:3]}, "y": {"design_chunks": chunks[3:]}}}
    found = judged(policy('[quotas]\nmemory = "256m"\n'), {"a.json": one}).errors["a.json"]
    assert [problem.where for problem in found] == ["cpuxs.y.design_chunks[1].container"]
    assert "more than 268435456 bytes of memory in all of its domain, with this container 335544320" in found[0].message


# --- defaults -------------------------------------------------------------------------------------------------------

DEFAULTS = policy(
    '[domain."a*".defaults]\nmemory = "64m"\ncpus = 0.5\npids = 10\nlogs = "30m"\n'
    '[domain."a*".quotas]\nmemory = "128m"\nlogs = "90m"\n[domain."a*".limits]\nrequired = ["memory", "cpus", "pids"]\n'
)


def settings(file: str, container: Mapping[str, Any]) -> Mapping[str, Any]:
    one = {"name": "any", "cpuxs": {"x": {"design_chunks": [{"name": "c", "container": {"image": "i", **container}}]}}}
    found = judged(DEFAULTS, {file: one})
    assert not found.errors, found.errors
    return next(found.domains["any"].chunks()).container.settings


def test_who_declares_no_limit_gets_what_the_policy_gives_to_his_file() -> None:
    assert settings("a1.json", {}) == {
        "mem_limit": 64 << 20,
        "cpus": 0.5,
        "pids_limit": 10,
        "logging": {"driver": "json-file", "options": {"max-file": "3", "max-size": str(10 << 20)}},
    }
    assert settings("b.json", {}) == {}
    own = {"mem_limit": "32m", "cpus": 0.1, "pids_limit": 3, "logging": {"driver": "none"}}
    assert settings("a1.json", own)["mem_limit"] == 32 << 20
    deployed = {"deploy": {"resources": {"limits": {"memory": "16m", "cpus": "0.2", "pids": 4}}}}
    found = settings("a1.json", deployed)
    assert (found["mem_limit"], found["cpus"], found["pids_limit"]) == (16 << 20, 0.2, 4)


def test_a_default_contradicts_nothing_that_was_declared() -> None:
    assert "cpus" not in settings("a1.json", {"cpu_quota": 20000})
    one = {"name": "any", "cpuxs": {"x": {"design_chunks": [{"name": "c", "container": {"image": "i"}}]}}}
    one["cpuxs"]["x"]["design_chunks"][0]["container"]["mem_reservation"] = "100m"  # type: ignore[index]
    assert "limits.required" in told(DEFAULTS, "a1.json", one)


def test_defaults_count_in_quotas() -> None:
    chunks = [{"name": f"c{n}", "container": {"image": "x"}} for n in range(3)]
    said = told(DEFAULTS, "a1.json", {"name": "any", "cpuxs": {"x": {"design_chunks": chunks}}})
    assert "more than 134217728 bytes of memory in all of its domain, with this container 201326592" in said
    assert told(DEFAULTS, "a1.json", {"name": "any", "cpuxs": {"x": {"design_chunks": chunks[:2]}}}) == ""
