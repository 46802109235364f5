"""The example plug-in of the documentation works as it stands there."""

from __future__ import annotations

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from reconciler.probes.ask import ask
from reconciler.probes.protocol import Probe
from reconciler.probes.registry import GROUP, Registry, discover
from tests.integration.probes.servers import Reader, Writer, refusing_port, serving, target
from tests.unit.probes.build import FakeInside, check

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "pnr-probe-redis"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The types as they are with the example installed: its entry points, and its folder to import from."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    declared = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["entry-points"][GROUP]
    return discover([EntryPoint(name, value, GROUP) for name, value in declared.items()])


def _redis(installed: Registry, **options: bool) -> Probe:
    return installed.make(check("redis", "6379", **options), FakeInside())


async def _ask(probe: Probe, answer: bytes, got: list[bytes] | None = None) -> tuple[bool, str]:
    async def behave(reader: Reader, writer: Writer) -> None:
        line = await reader.readline()
        if got is not None:
            got.append(line)
        writer.write(answer)
        await writer.drain()

    async with serving(behave) as port:
        result = await ask(probe, target(port), 20.0)
    return result.ok, result.message


def test_its_entry_point_makes_it_a_type(installed: Registry) -> None:
    assert installed.problems == ()
    known = installed.known_types()["redis"]
    assert known.needs_port
    assert known.asks_from_outside
    assert known.url_scheme is None
    assert "accept_noauth" in known.option_schema["properties"]


async def test_pong_is_success(installed: Registry) -> None:
    got: list[bytes] = []
    assert await _ask(_redis(installed), b"+PONG\r\n", got) == (True, "redis answered PONG")
    assert got == [b"PING\r\n"]


async def test_a_server_that_still_loads_is_not_up(installed: Registry) -> None:
    ok, message = await _ask(_redis(installed), b"-LOADING Redis is loading the dataset in memory\r\n")
    assert not ok
    assert "LOADING" in message


async def test_a_server_that_wants_a_password_is_up_where_that_was_said(installed: Registry) -> None:
    answer = b"-NOAUTH Authentication required.\r\n"
    assert not (await _ask(_redis(installed), answer))[0]
    assert (await _ask(_redis(installed, accept_noauth=True), answer))[0]


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n", b"\x00" * 10_000])
async def test_something_else_is_not_up(installed: Registry, answer: bytes) -> None:
    ok, message = await _ask(_redis(installed), answer)
    assert not ok
    assert "raised" not in message


async def test_a_refused_connection_is_a_failure(installed: Registry) -> None:
    result = await ask(_redis(installed), target(refusing_port()), 20.0)
    assert not result.ok
