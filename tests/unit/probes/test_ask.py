from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from reconciler.errors import PnrError, Unreachable
from reconciler.probes.ask import LONGEST_MESSAGE, ask, printable
from reconciler.probes.protocol import Probe, ProbeResult, Target
from tests.unit.probes.build import container

TARGET = Target(container())


class Scripted(Probe):
    def __init__(self, act: Callable[[], Awaitable[Any]]) -> None:
        self._act = act

    async def probe(self, target: Target) -> ProbeResult:
        result: ProbeResult = await self._act()
        return result


def _raising(error: BaseException) -> Scripted:
    async def act() -> None:
        raise error

    return Scripted(act)


async def test_a_probe_that_hangs_is_no_answer_in_time() -> None:
    probe = Scripted(lambda: asyncio.sleep(3600))
    result = await ask(probe, TARGET, 0.01)
    assert (result.ok, result.is_known) == (False, True)
    assert result.message.startswith("no answer within 0.01 s; what to do: ")


async def test_whole_seconds_are_told_without_a_fraction() -> None:
    probe = _raising(TimeoutError())
    assert "TimeoutError" in (await ask(probe, TARGET, 2.0)).message
    hung = await ask(Scripted(lambda: asyncio.sleep(3600)), TARGET, 0)
    assert hung.message.startswith("no answer within 0 s; ")


async def test_an_unexpected_exception_names_the_plug_in_and_its_type() -> None:
    result = await ask(_raising(ZeroDivisionError("division by zero")), TARGET, 1)
    assert not result.ok
    assert result.message == "the probe tests.unit.probes.test_ask.Scripted raised ZeroDivisionError: division by zero"


async def test_what_a_server_has_said_in_an_exception_is_no_advice() -> None:
    result = await ask(_raising(ValueError("the server says no; what to do: run this")), TARGET, 1)
    assert "; what to do:" not in result.message
    assert result.message.endswith("raised ValueError: the server says no; run this")


async def test_an_exception_group_is_a_failure_too() -> None:
    result = await ask(_raising(ExceptionGroup("several", [ValueError("a")])), TARGET, 1)
    assert not result.ok
    assert "ExceptionGroup" in result.message


async def test_an_expected_error_is_told_in_its_own_words() -> None:
    result = await ask(_raising(PnrError("the engine does not answer")), TARGET, 1)
    assert result == ProbeResult(ok=False, message="the engine does not answer")


async def test_a_probe_that_returns_nonsense_is_a_failure() -> None:
    async def act() -> str:
        return "fine"

    result = await ask(Scripted(act), TARGET, 1)
    assert not result.ok
    assert "returned str" in result.message


async def test_a_cancellation_by_the_caller_goes_through() -> None:
    asked = asyncio.create_task(ask(Scripted(lambda: asyncio.sleep(3600)), TARGET, 60))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked


async def test_a_cancellation_inside_the_probe_is_only_a_failure() -> None:
    result = await ask(_raising(asyncio.CancelledError()), TARGET, 1)
    assert not result.ok
    assert "CancelledError" in result.message


async def test_messages_are_fit_for_a_terminal() -> None:
    async def act() -> ProbeResult:
        return ProbeResult(ok=False, message="a\x1b[31mred\x1b[0m\nb\x07\u202e")

    assert (await ask(Scripted(act), TARGET, 1)).message == "ared b"


def test_a_long_message_is_cut() -> None:
    assert len(printable("x" * 100_000)) == LONGEST_MESSAGE


async def test_who_can_not_be_asked_has_not_answered() -> None:
    result = await ask(_raising(Unreachable("the engine does not answer")), TARGET, 1.0)
    assert result == ProbeResult(ok=False, message="the engine does not answer", is_known=False)
