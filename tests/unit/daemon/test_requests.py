"""What may be asked of the daemon: all that is not of the table is refused before anything is done."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.daemon import protocol
from reconciler.daemon.assembly import Parts
from reconciler.daemon.handler import Handler
from reconciler.daemon.requests import COMMANDS, BadRequest, check, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = sorted({field for fields in COMMANDS.values() for field in fields} | {"domains", "domain", "all", "Only", ""})
REQUESTS = st.builds(
    lambda command, fields: {**fields, "command": command},
    st.sampled_from(sorted(COMMANDS)) | JSON,
    st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), JSON, max_size=4),
)

HOSTILE: list[dict[str, Any]] = [
    {"command": "down", "domains": ["shop"]},
    {"command": "down", "domain": "shop"},
    {"command": "down", "Only": ["shop"]},
    {"command": "down", "only ": ["shop"]},
    {"command": "down", "only": "shop"},
    {"command": "down", "only": None},
    {"command": "down", "only": {"shop": True}},
    {"command": "down", "only": 0},
    {"command": "down", "only": False},
    {"command": "down", "only": [""]},
    {"command": "down", "only": [["shop"]]},
    {"command": "down", "only": ["shop", 1]},
    {"command": "down", "only": ["\ud800"]},
    {"command": "down", "only": ["shop"], "volumes": "no"},
    {"command": "down", "only": ["shop"], "volumes": 1},
    {"command": "down", "only": ["shop"], "volume": False},
    {"command": "down", "only": ["shop"], "dry_run": True},
    {"command": "DOWN"},
    {"command": "down "},
    {"command": ""},
    {"command": None},
    {"command": ["down"]},
    {},
    {"command": "status", "only": "shop"},
    {"command": "watch", "only": ["shop"]},
    {"command": "ping", "": 1},
    {"command": "apply", "timeout": "10"},
    {"command": "apply", "timeout": True},
    {"command": "apply", "timeout": -1},
    {"command": "apply", "timeout": float("inf")},
    {"command": "apply", "timeout": float("nan")},
    {"command": "apply", "timeout": 10**400},
    {"command": "apply", "wait": "false"},
    {"command": "confirm-removal", "names": ["shop"]},
    {"command": "prune", "id": ["sha256:1"]},
    {"command": "prune", "ids": None},
    {"command": "prune", "ids": "sha256:1"},
    {"command": "logs"},
    {"command": "logs", "chunk": None},
    {"command": "logs", "chunk": ["web"]},
    {"command": "logs", "chunk": "web", "tail": 0},
    {"command": "logs", "chunk": "web", "tail": -5},
    {"command": "logs", "chunk": "web", "tail": 1.5},
    {"command": "logs", "chunk": "web", "tail": True},
    {"command": "logs", "chunk": "web", "tail": 10**300},
    {"command": "images", "offline": 0},
    {"command": "volumes", "only": {}},
]

FINE: list[dict[str, Any]] = [
    {"command": "ping"},
    {"command": "status"},
    {"command": "status", "only": ["shop", "broken.json"]},
    {"command": "watch"},
    {"command": "apply"},
    {"command": "apply", "wait": True, "only": ["shop"], "timeout": None},
    {"command": "apply", "timeout": 0.5},
    {"command": "down", "only": [], "volumes": False, "wait": True},
    {"command": "volumes", "only": ["shop"]},
    {"command": "confirm-removal", "only": []},
    {"command": "logs", "chunk": "shop/main/web#2", "tail": 10_000, "follow": False},
    {"command": "images", "offline": True},
    {"command": "prune"},
    {"command": "prune", "ids": ["sha256:1"]},
]


async def answers(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Of a handler that has nothing it could do something with."""
    nothing = cast(Parts, SimpleNamespace(controller=object(), engine=object()))
    return [answer async for answer in Handler(nothing).handle(request)]


@pytest.mark.parametrize("request_", HOSTILE, ids=lambda request: json.dumps(request)[:60])
async def test_what_is_not_of_the_table_is_refused_before_anything_is_done(request_: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        await answers(request_)


@pytest.mark.parametrize("request_", FINE, ids=json.dumps)
def test_what_the_commands_send_is_taken(request_: dict[str, Any]) -> None:
    check(request_)


def test_a_refusal_says_which_key_it_does_not_know_and_which_there_are() -> None:
    with pytest.raises(BadRequest) as caught:
        check({"command": "down", "domains": ["shop"]})
    assert str(caught.value) == 'down has no "domains": it takes only, volumes, wait; nothing was done'


def test_a_refusal_says_what_a_value_is_and_what_it_must_be() -> None:
    with pytest.raises(BadRequest) as caught:
        check({"command": "down", "only": "shop"})
    assert str(caught.value) == 'down.only is "shop"; it must be a list of names; nothing was done'


@pytest.mark.parametrize(
    "value", ["x" * 60_000, json.loads("[" * 900 + "]" * 900), 10**4000], ids=["long", "deep", "big"]
)
def test_a_refusal_repeats_little_of_what_was_said(value: object) -> None:
    for request_ in ({"command": value}, {"command": "down", "only": value}, {"command": "down", "only": [value, 1]}):
        with pytest.raises(BadRequest) as caught:
            check(request_)
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "line",
    [
        b'{"command": "down", "only": ["shop"], "only": []}',
        b'{"command": "status", "command": "down"}',
        b'{"command": "apply", "timeout": NaN}',
        b'{"command": "apply", "timeout": ' + b"9" * 5000 + b"}",
        b'{"command": "ping", "x": ' + b"[" * 50_000,
        b'{"command": "ping"} {"command": "down"}',
        b'["down"]',
        b'"down"',
        b"\xff",
        b"",
    ],
    ids=["only twice", "command twice", "nan", "digits", "deep", "two", "list", "word", "no utf-8", "nothing"],
)
def test_a_line_that_is_not_one_plain_object_is_refused(line: bytes) -> None:
    with pytest.raises(BadRequest):
        parse(line)


@given(REQUESTS)
def test_any_request_is_taken_or_refused_and_nothing_else(request_: dict[str, Any]) -> None:
    try:
        check(request_)
    except BadRequest:
        return
    command = request_["command"]
    assert set(request_) - {"command"} <= set(COMMANDS[command])
    assert isinstance(request_.get("only", []), list)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_line_is_an_object_or_refused(line: bytes) -> None:
    try:
        request_ = parse(line)
    except BadRequest:
        return
    assert isinstance(request_["command"], str)


def test_the_table_says_what_the_protocol_says() -> None:
    said: dict[str, set[str]] = {}
    for ask in get_args(protocol.Request):
        for command in get_args(get_type_hints(ask)["command"]):
            said[command] = set(get_type_hints(ask)) - {"command"}
    assert said == {command: set(fields) for command, fields in COMMANDS.items()}
