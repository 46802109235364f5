"""Bad domain files get every error that is in them, with its place, and hurt nobody."""

from __future__ import annotations

import json
from functools import cache

import pytest

from reconciler.intent.loader import load
from reconciler.intent.model import Loaded
from reconciler.probes.registry import known_types
from tests.corpus.bad_files import CASES, BadFile, chunk
from tests.corpus.huge_files import HUGE, MIB, compact, one

CHECK_TYPES = known_types()


@cache
def read(data: bytes) -> Loaded:
    return load(
        data, "bad.json", base_dir="/srv/domains", env={"HOME": "/root"}, allowed_env=(), check_types=CHECK_TYPES
    )


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: bad.name)
def test_a_bad_file_gets_all_its_errors_with_line_column_and_path(bad: BadFile) -> None:
    loaded = read(bad.data)
    found = [(p.code, p.place.line, p.place.column, p.where) for p in loaded.errors]
    assert found == list(bad.expected), "\n".join(map(str, loaded.errors))
    assert loaded.domain is None


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: bad.name)
def test_a_message_can_be_shown_on_a_terminal(bad: BadFile) -> None:
    for problem in read(bad.data).errors:
        assert str(problem).isprintable()
        assert 10 < len(str(problem)) < 1500
        assert "[" + problem.code + "]" in str(problem)
        json.dumps(problem.as_dict()).encode("utf-8")


def test_the_corpus_is_large_and_its_names_are_unique() -> None:
    assert len(CASES) >= 80
    assert len({bad.name for bad in CASES}) == len(CASES)


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_bad_file_gives_few_problems(name: str) -> None:
    data, last = HUGE[name]
    assert len(data) <= MIB
    loaded = read(data)
    assert loaded.errors[-1].code == last
    assert len(loaded.errors) <= 101


def test_with_many_problems_the_rest_is_counted() -> None:
    problems = read(compact(one(**{f"k{n}": 1 for n in range(5000)}))).errors
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
        (problem,) = read(text.encode()).errors
        assert f"did you mean {nearest!r}?" in problem.message


def test_the_name_of_a_broken_domain_is_known_where_it_can_be_read() -> None:
    assert read(chunk('"bad": 1').encode()).name == "d"
    assert read(b'{"name": "d"').name == "d"
    assert read(b'{"cpuxs": {"m": {"name": "x"}},\n<<<<<<< ours\n"name": "d",\n=======\n').name == "d"
    assert read(b'{"x": "\\"name\\":", "name": "d", "name": "e"}').name == "d"
    assert read(b'{"name": "cut sho').name is None
    assert read(b'{"cpuxs": {"m": {"name": "x"').name is None
    assert read(b'["name", ":", "d"]').name is None
    assert read(b'{"name": "../d"}').name is None
