"""Bad domain files get every error that is in them, with its place, and hurt nobody."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from reconciler.intent.loader import load
from reconciler.intent.model import Loaded
from reconciler.probes.registry import known_types
from tests.corpus.bad_files import CASES, BadFile, chunk

CHECK_TYPES = known_types()
MIB = 1024 * 1024


def read(data: bytes) -> Loaded:
    return load(
        data, "bad.json", base_dir="/srv/domains", env={"HOME": "/root"}, allowed_env=(), check_types=CHECK_TYPES
    )


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: bad.name)
def test_a_bad_file_gets_all_its_errors_with_line_column_and_path(bad: BadFile) -> None:
    loaded = read(bad.data)
    found = [(p.code, p.place.line, p.place.column, p.place.path) for p in loaded.problems]
    assert found == list(bad.expected), "\n".join(map(str, loaded.problems))
    assert loaded.domain is None


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: bad.name)
def test_a_message_can_be_shown_on_a_terminal(bad: BadFile) -> None:
    for problem in read(bad.data).problems:
        assert str(problem).isprintable()
        assert 10 < len(str(problem)) < 1500
        assert "[" + problem.code + "]" in str(problem)
        json.dumps(problem.as_dict()).encode("utf-8")


def test_the_corpus_is_large_and_its_names_are_unique() -> None:
    assert len(CASES) >= 80
    assert len({bad.name for bad in CASES}) == len(CASES)


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def one(**more: Any) -> dict[str, Any]:
    return {"name": "d", "cpuxs": {"main": {"design_chunks": [{"name": "a", "container": {"image": "x"}, **more}]}}}


HUGE: dict[str, tuple[bytes, str]] = {
    "duplicate keys": (b"{" + b",".join([b'"a":1'] * 40_000) + b"}", "MoreProblems"),
    "nine thousand unknown keys": (compact(one(**{f"k{n}": 1 for n in range(9000)})), "MoreProblems"),
    "100,000 unknown keys": (compact(one(**{f"{n:x}": 1 for n in range(100_000)})), "TooMany"),
    "empty chunks": (b'{"name":"d","cpuxs":{"a":{"design_chunks":[' + b"{}," * 300_000 + b"{}]}}}", "TooMany"),
    "many lists of empty chunks": (
        compact({"name": "d", "cpuxs": {f"c{n}": {"design_chunks": [{}] * 9000} for n in range(30)}}),
        "TooMany",
    ),
    "nine thousand empty chunks": (
        compact({"name": "d", "cpuxs": {"a": {"design_chunks": [{}] * 9000}}}),
        "MoreProblems",
    ),
    "CPUXs of numbers": (compact({"name": "d", "cpuxs": {f"c{n}": n for n in range(9000)}}), "MoreProblems"),
    "a long name": (compact({"name": "x" * 900_000, "cpuxs": {}}), "NothingDeclared"),
    "a long port": (compact(one(container={"image": "x", "ports": ["1:" * 400_000]})), "InvalidValue"),
    "a long image": (compact(one(container={"image": "a/" * 400_000})), "BadName"),
    "a long fact": (compact(one(gatekeeper={"a/" * 400_000: {}})), "BadName"),
    "dollar signs": (compact(one(description="${a" * 300_000)), "BadInterpolation"),
    "brackets": (b'{"a":' + b"[" * 30 + b"[]," * 60_000, "Truncated"),
    "an open string": (b'{"a":"' + b"\\\\" * 500_000, "Truncated"),
}


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_bad_file_costs_a_bounded_amount_of_memory_and_few_problems(name: str) -> None:
    data, last = HUGE[name]
    assert len(data) <= MIB
    tracemalloc.start()
    try:
        loaded = read(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert loaded.problems[-1].code == last
    assert len(loaded.problems) <= 101
    assert peak < 160 * MIB


def test_with_many_problems_the_rest_is_counted() -> None:
    problems = read(compact(one(**{f"k{n}": 1 for n in range(5000)}))).problems
    assert len(problems) == 101
    assert problems[-1].message == "… and 4900 more problems"


def test_an_unknown_key_names_the_nearest_known_one() -> None:
    for text, nearest in (
        (chunk('"gate_keeper": {}'), "gatekeeper"),
        (chunk().replace('"image": "x"', '"image": "x", "volums": []'), "volumes"),
        (chunk('"health_check": {"type": "tcp", "port_key": 80, "timeout": 3}'), "timeout_seconds"),
        (chunk('"health_check": {"type": "http", "port_key": 80, "body_regexp": "a"}'), "body_regex"),
        (chunk('"health_check": {"type": "htp", "port_key": 80}'), "http"),
        (chunk('"flowout": {"up": {"promt": "?"}}').replace('"flowout": {}, ', ""), "prompt"),
    ):
        (problem,) = read(text.encode()).problems
        assert f"did you mean {nearest!r}?" in problem.message


def test_the_name_of_a_broken_domain_is_known_where_it_can_be_read() -> None:
    assert read(chunk('"bad": 1').encode()).name == "d"
    assert read(b'{"name": "d"').name is None
    assert read(b'{"name": "../d"}').name is None
