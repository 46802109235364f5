"""Every word that the Compose specification has for a service is known: honoured, or answered with what to do."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.intent.container_document import Container
from reconciler.intent.elsewhere import IN_A_CONTAINER
from tests.unit.intent.reading import chunk, declared, document, messages, read

OF_A_SERVICE = [
    "annotations",
    "attach",
    "blkio_config",
    "build",
    "cap_add",
    "cap_drop",
    "cgroup",
    "cgroup_parent",
    "command",
    "configs",
    "container_name",
    "cpu_count",
    "cpu_percent",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "cpu_shares",
    "cpus",
    "cpuset",
    "credential_spec",
    "depends_on",
    "deploy",
    "develop",
    "device_cgroup_rules",
    "devices",
    "dns",
    "dns_opt",
    "dns_search",
    "domainname",
    "entrypoint",
    "env_file",
    "environment",
    "expose",
    "extends",
    "external_links",
    "extra_hosts",
    "gpus",
    "group_add",
    "healthcheck",
    "hostname",
    "image",
    "init",
    "ipc",
    "isolation",
    "label_file",
    "labels",
    "links",
    "logging",
    "mac_address",
    "mem_limit",
    "mem_reservation",
    "mem_swappiness",
    "memswap_limit",
    "models",
    "network_mode",
    "networks",
    "oom_kill_disable",
    "oom_score_adj",
    "pid",
    "pids_limit",
    "platform",
    "ports",
    "post_start",
    "pre_start",
    "pre_stop",
    "privileged",
    "profiles",
    "provider",
    "pull_policy",
    "pull_refresh_after",
    "read_only",
    "restart",
    "runtime",
    "scale",
    "secrets",
    "security_opt",
    "shm_size",
    "stdin_open",
    "stop_grace_period",
    "stop_signal",
    "storage_opt",
    "sysctls",
    "tmpfs",
    "tty",
    "ulimits",
    "use_api_socket",
    "user",
    "userns_mode",
    "uts",
    "volumes",
    "volumes_from",
    "working_dir",
]


def said(container: dict[str, Any]) -> list[str]:
    return messages(read(document(declared(container=container))))


def test_every_word_of_a_service_is_known() -> None:
    assert [word for word in OF_A_SERVICE if word not in Container.model_fields] == []


@pytest.mark.parametrize(("word", "why"), IN_A_CONTAINER.items())
def test_a_word_that_has_no_place_here_is_answered_with_what_to_do(word: str, why: str) -> None:
    assert said({word: ["x"]}) == [why]
    assert chunk(container={word: None})


@pytest.mark.parametrize("word", ["services", "include", "models"])
def test_what_makes_a_file_one_of_composes_is_said(word: str) -> None:
    (message,) = messages(read(document(declared(), **{word: {"a": {}}})))
    assert "Compose" in message or "model" in message


def test_nobodys_output_is_attached_to() -> None:
    assert chunk(container={"attach": False})
    assert "see `pnr logs`" in said({"attach": True})[0]


def test_a_refresh_says_how_often() -> None:
    container = {"pull_policy": "refresh", "pull_refresh_after": "24h"}
    assert chunk(container=container).container.pull_policy == "daily"
    assert chunk(container={**container, "pull_refresh_after": "90m"}).container.pull_policy == "every_90m"
    assert "takes a pull_refresh_after" in said({"pull_policy": "refresh"})[0]
    assert "goes with the pull_policy refresh" in said({"pull_refresh_after": "24h"})[0]
    assert "expected a duration" in said({"pull_policy": "refresh", "pull_refresh_after": "soon"})[0]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("healthcheck", {"test": "true", "retries": "3", "x-note": 1}),
        ("logging", {"driver": "json-file", "x-note": 1}),
        ("devices", [{"source": "/dev/null", "x-note": 1}]),
        ("gpus", [{"driver": "nvidia", "x-note": 1}]),
        ("ports", [{"target": 80, "x-note": 1}]),
        ("ulimits", {"nofile": {"soft": 1, "hard": 2, "x-note": 1}}),
        ("deploy", {"resources": {"limits": {"memory": "64m", "x-note": 1}, "x-note": None}, "x-note": 1}),
        ("credential_spec", {"file": "a", "x-note": 1}),
    ],
)
def test_extensions_are_passed_over_in_every_long_form(name: str, written: Any) -> None:
    assert chunk(container={name: written})


@pytest.mark.parametrize(
    ("name", "written", "setting"),
    [
        ("logging", {"driver": "syslog", "options": {"tag": None}}, {"driver": "syslog", "options": {"tag": ""}}),
        ("ports", ["::1:6000:60"], [{"target": "60/tcp", "host_ip": "::1", "published": 6000}]),
        (
            "ports",
            ["fd00::1:2:6000-6001:60/udp"],
            [{"target": "60/udp", "host_ip": "fd00::1:2", "published": 6000, "until": 6001}],
        ),
        ("ports", {"60": "::1:6000"}, [{"target": "60/tcp", "host_ip": "::1", "published": 6000}]),
        ("pid", None, None),
    ],
)
def test_forms_that_compose_takes_as_well(name: str, written: Any, setting: Any) -> None:
    assert chunk(container={name: written}).container.settings.get(name) == setting


@pytest.mark.parametrize("written", ["8000:9000:80", "1:2:3:4", "::1:6000"])
def test_what_looks_like_an_address_and_is_none_is_told(written: str) -> None:
    (message,) = said({"ports": [written]})
    assert "expected" in message


def test_a_scale_may_stand_in_quotes() -> None:
    assert chunk(container={"scale": "2"}).replicas == 2
