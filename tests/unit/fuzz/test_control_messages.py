"""Whatever comes in on the control socket is answered in one line that can be read, and quickly."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.daemon import address
from reconciler.daemon.assembly import Parts
from reconciler.daemon.control import ControlServer
from reconciler.daemon.handler import Handler
from reconciler.daemon.requests import COMMANDS, BadRequest, check, parse
from tests.unit.fuzz.material import DICE, damaged, deep, encoded, mutated, values
from tests.unit.fuzz.turns import in_short_turns, quick

WORDS = sorted({*COMMANDS, *(field for fields in COMMANDS.values() for field in fields), "command", "token", "shop"})
VALUES = values(WORDS)
PLAIN: list[Any] = [
    {"command": command, **{field: example for field in fields for example in (["shop"], True, 1, "shop/main/web")}}
    for command, fields in COMMANDS.items()
]
MIB = 1 << 20


@given(DICE, st.data())
def test_any_message_is_a_request_or_refused(dice: random.Random, data: st.DataObject) -> None:
    message = dice.choice(PLAIN)
    for _ in range(dice.randrange(1, 5)):
        message = mutated(message, dice, lambda: data.draw(VALUES), WORDS)
    line = encoded(message, dice)

    def judge() -> str:
        try:
            request = parse(line)
            check(request)
        except BadRequest as error:
            return str(error)
        assert set(request) - {"command"} <= set(COMMANDS[request["command"]])
        return ""

    assert len(quick(judge)) < 500


@pytest.mark.parametrize(
    "line",
    [
        b'{"command": "down", "only": [' + b'"a",' * (MIB // 4) + b'"a"]}',
        b'{"command": "down", "only": [' + b"1," * (MIB // 2) + b"1]}",
        b'{"command": "' + b"a" * MIB + b'"}',
        b'{"command": "ping"' + b', "a": 1' * (MIB // 8) + b"}",
        b"[" * MIB,
        b'{"a":' * (MIB // 5),
        b'{"command": "ping", "only": ' + b"9" * 4000 + b"}",
        b"\\" * MIB,
        b'"' * MIB,
    ],
    ids=["names", "numbers", "command", "twice", "lists", "objects", "digits", "backslashes", "quotes"],
)
def test_what_is_too_much_for_a_message_is_refused_before_it_is_read(line: bytes) -> None:
    def judge() -> None:
        with pytest.raises(BadRequest):
            check(parse(line[: address.MOST_REQUEST_BYTES]))

    quick(judge)


async def _said(lines: list[bytes]) -> list[dict[str, Any]]:
    """What a server answers to each, which has nothing that it could do something with."""
    nothing = cast(Parts, SimpleNamespace(controller=object(), engine=object()))
    handler = Handler(nothing)

    async def handle(request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        check(request)
        if request["command"] != "ping":
            yield {"taken": True}
            return
        async for answer in handler.handle(request):
            yield answer

    with tempfile.TemporaryDirectory() as state:
        server = ControlServer(Path(state), handle)
        await server.start()
        try:
            return [answer for line in lines for answer in await _asked(Path(state), line)]
        finally:
            await server.close()


async def _asked(state: Path, line: bytes) -> list[dict[str, Any]]:
    reader, writer = await asyncio.open_unix_connection(str(state / address.SOCKET_NAME))
    try:
        writer.write(line.replace(b"\n", b" ") + b"\n")
        writer.write_eof()
        return [json.loads(answer) for answer in (await reader.read()).splitlines() if answer]
    finally:
        writer.close()


@given(DICE, st.data())
def test_a_server_answers_whatever_it_is_told(dice: random.Random, data: st.DataObject) -> None:
    lines = []
    for _ in range(5):
        message = mutated(dice.choice(PLAIN), dice, lambda: data.draw(VALUES), WORDS)
        lines.append(damaged(encoded(message, dice), dice))
    lines.append(json.dumps({"command": "ping", "x": deep(1, 400)}).encode())
    lines.append(b'{"command": "ping"}')
    answers = in_short_turns(lambda: _said(lines))
    assert not [answer for answer in answers if answer.get("error", {}).get("code") == "InternalError"]
    assert answers[-1].get("done")
