"""Drift: the sentences about what was changed behind our back."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.intent.settings import SETTINGS
from tests.drifted import drift

MIB = 1024**2


@pytest.mark.parametrize(
    ("name", "declared", "found", "sentence"),
    [
        ("mem_limit", 64 * MIB, 128 * MIB, "mem_limit: 64m declared, 128m found"),
        ("mem_limit", 64 * MIB, None, "mem_limit: 64m declared, nothing found"),
        ("cpus", 0.5, 1.0, "cpus: 0.5 declared, 1 found"),
        ("restart", "no", "always", "restart: no declared, always found"),
        ("read_only", True, False, "read_only: true declared, false found"),
        ("stop_grace_period", 90.0, None, "stop_grace_period: 1m30s declared, nothing found"),
        ("labels", {"a": "1", "b": "2"}, {"a": "1", "b": "3"}, "labels: b not as declared"),
        ("command", ["a", "b"], ["c"], 'command: ["a", "b"] declared, ["c"] found'),
        (
            "ports",
            [{"target": "80/tcp", "host_ip": "::1", "published": 8080}],
            [],
            "ports: [::1]:8080->80/tcp declared, none found",
        ),
        (
            "volumes",
            [{"type": "bind", "source": "/a", "target": "/b", "read_only": True}],
            [],
            "volumes: /a:/b:ro declared, none found",
        ),
        ("healthcheck", {"interval": 30.0}, {}, "healthcheck: interval 30s declared, the image's found"),
    ],
)
def test_a_difference_is_a_sentence(name: str, declared: Any, found: Any, sentence: str) -> None:
    assert drift({name: declared}, {name: found}) == (sentence,)


def test_equal_settings_are_no_drift() -> None:
    assert drift({"mem_limit": 64 * MIB, "user": "1"}, {"mem_limit": 64 * MIB, "user": "1", "hostname": "x"}) == ()


def test_the_value_of_a_variable_is_never_shown() -> None:
    (sentence,) = drift(
        {"environment": {"PASSWORD": "hunter2", "A": "1"}}, {"environment": {"PASSWORD": "s3cret", "A": "1"}}
    )
    assert sentence == "environment: PASSWORD not as declared"


def test_many_variables_are_counted_not_listed() -> None:
    declared = {f"V{n}": "x" for n in range(9)}
    assert drift({"environment": declared}, {"environment": {}}) == (
        "environment: V0, V1, V2, V3, V4 and 4 more not as declared",
    )


def test_a_limit_that_was_set_by_hand_is_drift_although_nothing_was_declared() -> None:
    found = {"mem_limit": 64 * MIB, "cpus": None, "restart": "always", "hostname": "abc"}
    assert drift({}, found) == ("restart: no declared, always found", "mem_limit: nothing declared, 64m found")


def test_a_setting_declared_as_null_is_not_declared() -> None:
    assert drift({"command": None}, {"command": ["x"]}) == ()


def test_long_values_are_shortened_and_control_characters_escaped() -> None:
    (sentence,) = drift({"user": "\x1b[31m" + "x" * 200}, {"user": "y"})
    assert "\x1b" not in sentence
    assert len(sentence) < 120


def test_a_setting_that_could_not_be_read_is_reported_and_not_taken_as_equal() -> None:
    for name, setting in SETTINGS.items():
        declared = setting.parse(setting.example)
        assert len(drift({name: declared}, {})) == 1
