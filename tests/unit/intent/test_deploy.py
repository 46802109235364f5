"""Compose's deploy: what it comes to, and what one host can't honour of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from reconciler.intent.container_document import Container
from reconciler.intent.settings.deploy import Deploy, parse
from reconciler.intent.settings.faults import Faults
from tests.unit.intent.reading import declared, document, messages, read, valid

MIB = 1024**2


def faults(written: Any) -> list[tuple[str, str]]:
    collected = Faults()
    collected.read((), parse, written)
    with pytest.raises(ValidationError) as caught:
        collected.throw()
    return [(".".join(str(part) for part in line["loc"]), line["msg"]) for line in caught.value.errors()]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({}, Deploy()),
        ({"resources": None, "restart_policy": None, "labels": {}, "placement": None}, Deploy()),
        ({"resources": {"limits": {"cpus": "0.5", "memory": None}}}, Deploy({"cpus": 0.5})),
        (
            {"resources": {"limits": {"memory": "64m", "pids": 5}, "reservations": {"memory": "32m"}}},
            Deploy({"mem_limit": 64 * MIB, "pids_limit": 5, "mem_reservation": 32 * MIB}),
        ),
        (
            {"resources": {"reservations": {"devices": [{"capabilities": ["tpu"], "device_ids": ["3"]}]}}},
            Deploy(
                {
                    "gpus": [
                        {"driver": "", "count": 0, "device_ids": ["3"], "capabilities": ["tpu"], "options": {}},
                    ]
                }
            ),
        ),
        ({"restart_policy": {}}, Deploy({"restart": "always"})),
        ({"restart_policy": {"condition": "none"}}, Deploy({"restart": "no"})),
        ({"restart_policy": {"condition": "any", "delay": "0s"}}, Deploy({"restart": "always"})),
        ({"restart_policy": {"condition": "unless-stopped"}}, Deploy({"restart": "unless-stopped"})),
        ({"restart_policy": {"condition": "on-failure"}}, Deploy({"restart": "on-failure"})),
        ({"restart_policy": {"condition": "on-failure", "max_attempts": "3"}}, Deploy({"restart": "on-failure:3"})),
        ({"replicas": "3", "mode": "replicated", "endpoint_mode": "dnsrr"}, Deploy(replicas=3)),
        ({"replicas": 1, "mode": "global"}, Deploy(replicas=1)),
        (
            {"update_config": {"order": "start-first", "failure_action": "pause", "parallelism": 1, "monitor": "0s"}},
            Deploy(strategy="start-first", on_failure="pause"),
        ),
    ],
)
def test_deploy_is_taken_apart(written: Any, meant: Deploy) -> None:
    assert parse(written) == meant


@pytest.mark.parametrize(
    ("written", "place", "words"),
    [
        ([], "", "an object with mode"),
        ({"mode": "global", "replicas": 2}, "", "leave replicas out"),
        ({"mode": "replicated-job"}, "mode", '"kind": "job"'),
        ({"replicas": 0}, "replicas", "from 1 to 1000"),
        ({"endpoint_mode": "vip"}, "endpoint_mode", "only Swarm"),
        ({"placement": {"constraints": ["node.role==manager"]}}, "placement", "only Swarm"),
        ({"labels": {"a": "b"}}, "labels", "labels of the container"),
        ({"rollback_config": {"parallelism": 1}}, "rollback_config", "as the update was"),
        ({"resources": {"reservations": {"cpus": "1"}}}, "resources.reservations.cpus", "cpu_shares"),
        (
            {"resources": {"reservations": {"generic_resources": [{}]}}},
            "resources.reservations.generic_resources",
            "Swarm's",
        ),
        (
            {"resources": {"reservations": {"devices": [{"count": 1}]}}},
            "resources.reservations.devices.0",
            "capabilities is missing",
        ),
        ({"resources": {"limits": {"memory": "1m"}}}, "resources.limits.memory", "at least 6m"),
        ({"resources": {"limit": {}}}, "resources.limit", "did you mean 'limits'"),
        ({"resources": {"limit": None}}, "resources.limit", "did you mean 'limits'"),
        ({"restart_policy": {"max_attempts": 3}}, "restart_policy", "on-failure only"),
        ({"restart_policy": {"window": "5s"}}, "restart_policy.window", "back-off of its own"),
        ({"update_config": {"parallelism": 0}}, "update_config.parallelism", "one after the other"),
        ({"update_config": {"delay": "5s"}}, "update_config.delay", "healthy, not after a time"),
        ({"update_config": {"failure_action": "continue"}}, "update_config.failure_action", "rollback or pause"),
        ({"update_config": {"max_failure_ratio": 0.2}}, "update_config.max_failure_ratio", "no replica may fail"),
        ({"update_config": {"order": "stop"}}, "update_config.order", "stop-first, start-first"),
    ],
)
def test_what_one_host_can_not_honour_is_named_with_its_place(written: Any, place: str, words: str) -> None:
    ((found, message),) = faults(written)
    assert found == place
    assert words in message


def test_all_that_is_wrong_comes_at_once() -> None:
    written = {"endpoint_mode": "vip", "resources": {"limits": {"cpus": "much", "memory": "1m"}}}
    assert [place for place, _ in faults(written)] == [
        "endpoint_mode",
        "resources.limits.cpus",
        "resources.limits.memory",
    ]


@pytest.mark.parametrize(
    ("keys", "container", "words"),
    [
        ({"update": {"strategy": "stop-first"}}, {"deploy": {"update_config": {"order": "start-first"}}}, "otherwise"),
        ({"on_failure": "pause"}, {"deploy": {"update_config": {"failure_action": "rollback"}}}, "otherwise"),
        ({}, {"name": "site", "deploy": {"update_config": {"order": "start-first"}}}, "a name of its own"),
        ({}, {"ports": ["80:80"], "deploy": {"update_config": {"order": "start-first"}}}, "a host port"),
        ({}, {"restart": "no", "deploy": {"restart_policy": {"condition": "any"}}}, "otherwise of restart"),
        ({}, {"gpus": "all", "deploy": {"resources": {"limits": {"pids": 1}}}, "pids_limit": 2}, "of pids_limit"),
        ({"replicas": 2}, {"mac_address": "02:42:ac:11:65:43"}, "two replicas can't have"),
        ({"min_ready": 3}, {"deploy": {"replicas": "2"}}, "never be reached with 2 replicas"),
        ({}, {"scale": 2, "deploy": {"replicas": 3}}, "container.scale 2 and container.deploy.replicas 3"),
        ({}, {"use_api_socket": True}, "root on the host"),
    ],
)
def test_what_contradicts_something_else_is_an_error(
    keys: dict[str, Any], container: dict[str, Any], words: str
) -> None:
    (message,) = messages(read(document(declared(container=container, **keys))))
    assert words in message


def test_what_is_said_twice_alike_is_no_contradiction() -> None:
    deploy = {
        "replicas": 2,
        "resources": {"limits": {"memory": "64m"}},
        "update_config": {"order": "stop-first", "failure_action": "pause"},
    }
    container = {"deploy": deploy, "scale": 2, "mem_limit": 64 * MIB, "use_api_socket": False}
    chunk = declared(container=container, replicas=2, strategy="stop-first", update={"on_failure": "pause"})
    copies = list(valid(document(chunk)).chunks())
    assert [copy.container.settings["mem_limit"] for copy in copies] == [64 * MIB] * 2
    assert (copies[0].strategy, copies[0].on_failure) == ("stop-first", "pause")


def test_numbers_of_replicas_may_come_from_variables() -> None:
    chunk = declared(container={"ports": ["8080-8081:80"]}, replicas="${N}", min_ready="${LEAST}")
    copies = list(valid(document(chunk, env={"N": "2", "LEAST": "1"})).chunks())
    assert [(copy.replicas, copy.min_ready) for copy in copies] == [(2, 1)] * 2
    (message,) = messages(read(document(chunk, env={"N": "2", "LEAST": "3"})))
    assert "never be reached" in message


def test_deploy_has_a_schema_for_editors() -> None:
    schema = TypeAdapter(Container).json_schema()
    found = schema["properties"]["deploy"]["anyOf"][0]
    assert (
        found["properties"]["resources"]["anyOf"][0]["properties"]["limits"]["anyOf"][0]["additionalProperties"]
        is False
    )
