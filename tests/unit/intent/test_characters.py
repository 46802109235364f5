"""Control characters in a domain file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.intent.settings import SETTINGS
from tests.unit.intent.reading import declared, document, read, valid

TEXT = {
    "command", "entrypoint", "environment", "env", "labels", "annotations", "healthcheck", "logging",
}  # fmt: skip
"""Settings with values in which line ends are meant."""

ENDS = ("\0", "\n", "\r", "\x1b", "\x7f", "\x85", "\u2028", "\u202e")


def _strings(value: Any, mark: str) -> Iterator[Any]:
    """The same value with the mark in one of its keys or strings, for each of them."""
    if isinstance(value, str):
        yield value[:1] + mark + value[1:]
        yield value + mark
    elif isinstance(value, list):
        for index, item in enumerate(value):
            for odd in _strings(item, mark):
                yield [*value[:index], odd, *value[index + 1 :]]
    elif isinstance(value, dict):
        for key, part in value.items():
            yield {name + mark if name == key else name: one for name, one in value.items()}
            for odd in _strings(part, mark):
                yield {**value, key: odd}


@pytest.mark.parametrize("setting", sorted(SETTINGS.keys() - TEXT))
def test_no_setting_takes_one(setting: str) -> None:
    for end in ENDS:
        for value in _strings(SETTINGS[setting].example, end):
            found = read(document(declared(container={setting: value}), declared("db")))
            assert found.errors, (setting, value)


@pytest.mark.parametrize(
    "container",
    [
        {"environment": {"KEY": "-----BEGIN\nabc\n"}},
        {"environment": ["KEY=a\nb"]},
        {"command": ["sh", "-c", "a\nb\r\n\tc"]},
        {"entrypoint": "a\nb"},
        {"labels": {"traefik.http": "a\nb"}},
        {"labels": ["a=b\nc"]},
        {"logging": {"driver": "loki", "options": {"loki-pipeline-stages": "- regex:\n    expression: x\n"}}},
        {"healthcheck": {"test": ["CMD-SHELL", "a\nb"]}},
        {"build": {"context": "./d", "args": {"A": "b\nc"}, "dockerfile_inline": "FROM x\nRUN a\n"}},
        {"security_opt": ['seccomp:{\n  "defaultAction": "SCMP_ACT_ALLOW"\n}']},
        {"environment": {"KEY": "\ufeffa\u200bb\u200d"}},
        {"command": ["a\u2060b"]},
        {"security_opt": ['seccomp={\n  "defaultAction": "SCMP_ACT_ALLOW"\n}']},
        {"sysctls": {"net.ipv4.tcp_rmem": "4096\t87380\t6291456"}},
    ],
)
def test_text_and_commands_keep_theirs(container: dict[str, Any]) -> None:
    problems = read(document(declared(container=container))).errors
    assert [one for one in problems if one.code != "SourceUnreadable"] == []


def test_what_extends_a_file_may_hold_anything() -> None:
    valid(document({**declared(), "x-note": "a\nb", "x-b": ["\n"]}, **{"x-a": {"c": "\x1b"}}))
    found = read(document(declared(container={"labels": {"x-a\nb": "1"}})))
    assert [problem.code for problem in found.errors] == ["BadName"]


@pytest.mark.parametrize(
    "container",
    [
        {"extra_hosts": {"x-a": "1.2.3.4\n"}},
        {"sysctls": {"x-a": "1\n"}},
        {"storage_opt": {"x-a": "1\n"}},
        {"networks": {"main": {"driver_opts": {"x-a": "1\n"}}}},
    ],
)
def test_a_name_that_begins_as_an_extension_is_a_name(container: dict[str, Any]) -> None:
    assert read(document(declared(container=container), networks={"main": {}})).errors


def test_what_stands_under_such_a_name_is_looked_at() -> None:
    host = declared(container={"extra_hosts": ["a:1.2.3.4\n"]})
    for whole in (
        {"name": "shop", "cpuxs": {"x-main": {"design_chunks": [host]}}},
        document(declared(), networks={"x-net": {"driver_opts": {"a\n": "1"}}}),
        document(declared(), volumes={"x-data": {"driver_opts": {"a\n": "1"}}}),
    ):
        (problem,) = read(whole).errors
        assert problem.message.startswith("a line end in this ")


def test_a_tab_in_a_name_is_told_in_either_way_of_writing() -> None:
    for settings in ({"environment": ["A\tB=1"]}, {"labels": ["a\tb=1"]}, {"labels": {"a\tb": "1"}}):
        (problem,) = read(document(declared(container=settings))).errors
        assert problem.message.startswith("a tab in ")


def test_texts_of_facts_and_checks_keep_theirs() -> None:
    fact = {"prompt": "up?\nreally?", "response": ["yes\n"]}
    check = {"type": "exec", "command": "a\nb", "status_mapping": {"success": {"key": "up", "prompt": "a\nb"}}}
    valid(document(declared(flowout={"up": fact}, health_check=check, description="a\nb"), description="a\n"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("A\nB", "a line end in this key"),
        ("A\rB", "a carriage return in this key"),
        ("A\tB", "a tab in this key"),
        ("A\x1bB", "a control character (U+001B) in this key"),
    ],
)
def test_it_is_told_at_its_place_and_by_its_name(name: str, said: str) -> None:
    (problem,) = read(document(declared(container={"environment": {name: "1"}}))).errors
    assert problem.code == "BadName"
    assert problem.where.startswith("cpuxs.main.design_chunks[0].container.environment[")
    assert problem.place.line == 1
    assert problem.place.column > 1
    assert problem.message == f"{said}: take it out"


@pytest.mark.parametrize("name", ["X-A\nB", "X-A ", "", "X:A", "Ä", "X-A\0"])
def test_a_header_of_a_health_check_has_a_name_as_http_has_it(name: str) -> None:
    check = {"type": "http", "port_key": "80", "headers": {name: "1"}}
    (problem,) = read(document(declared(health_check=check))).errors
    assert (problem.code, problem.place.column > 1) == ("BadName", True)
    assert problem.where.startswith("cpuxs.main.design_chunks[0].health_check.headers")
    assert problem.message.startswith("expected a string such as 'X-Api-Key', found '")


@pytest.mark.parametrize("value", ["a\nb", "a\r", "a\0", " a", "a\t", "ä"])
def test_a_header_of_a_health_check_has_a_value_as_http_has_it(value: str) -> None:
    check = {"type": "http", "port_key": "80", "headers": {"X-A": value}}
    (problem,) = read(document(declared(health_check=check))).errors
    assert (problem.code, problem.where) == (
        "InvalidValue",
        "cpuxs.main.design_chunks[0].health_check.headers.X-A",
    )


def test_so_many_headers_are_had_and_no_more() -> None:
    def errors(count: int, length: int) -> list[str]:
        check = {"type": "http", "port_key": "80", "headers": {f"X-{number}": "a" * length for number in range(count)}}
        return [problem.message for problem in read(document(declared(health_check=check))).errors]

    assert errors(100, 8000) == []
    assert errors(101, 1) == ["expected 0 to 100 entries, found 101"]
    assert errors(1, 8001) == ["expected 0 to 8000 characters, found 8001"]


def test_usual_headers_are_taken() -> None:
    headers = {
        "Host": "a.example:80",
        "X-A!#$%&'*+.^_`|~1": "a\tb c; q=0.5",
        "Authorization": "Basic YTpi",
        "X-Empty": "",
    }
    valid(document(declared(health_check={"type": "http", "port_key": "80", "headers": headers})))


@pytest.mark.parametrize(
    "sign", ["\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2060", "\ufeff", "\U000e0041", "\u00ad"]
)
def test_no_name_has_a_character_that_nobody_sees(sign: str) -> None:
    for container in ({"environment": {f"A{sign}": "1"}}, {"labels": {f"a{sign}b": "1"}}, {"sysctls": {f"{sign}a": 1}}):
        found = read(document(declared(container=container))).errors
        assert [problem.code for problem in found] == ["BadName"], container
        assert f"an invisible character (U+{ord(sign):04X}) in this key: take it out" in found[0].message
    (problem,) = read(document(declared(container={"environment": [f"A{sign}=1"]}))).errors
    assert "an invisible character" in problem.message
    (problem,) = read(document(declared(), env={f"A{sign}": "1"})).errors
    assert "an invisible character" in problem.message
