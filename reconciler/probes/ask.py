"""Asks a probe once: puts the deadline around it, and turns whatever goes wrong into a result.

A probe may be somebody else's code. It can hang, raise, or return nonsense; none of it reaches the caller, who
gets a :class:`ProbeResult` with a message that is fit for a terminal. Only a cancellation by the caller goes through.
"""

from __future__ import annotations

import asyncio

from reconciler.errors import PnrError, Unreachable
from reconciler.probes.protocol import Probe, ProbeResult, Target
from reconciler.probes.target import shown
from reconciler.sentences import ESCAPE_SEQUENCE, advised, quoted, shortened

LONGEST_MESSAGE = 500


async def ask(probe: Probe, target: Target, timeout_seconds: float) -> ProbeResult:
    """The probe's answer, or a failing result if there is none within ``timeout_seconds``. Raises nothing."""
    try:
        async with asyncio.timeout(timeout_seconds) as deadline:
            result = await probe.probe(target)
    except TimeoutError as error:
        if deadline.expired():
            where = f"{shown(target.host, target.port)}: " if target.host is not None else ""
            said = f"{where}no answer within {timeout_seconds:g} s"
            return ProbeResult(ok=False, message=advised(said, "see why it is slow, or raise `timeout_seconds`"))
        return _raised(probe, error)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return _raised(probe, error)  # something inside the probe was cancelled, not the one who asks
    except Unreachable as error:
        return ProbeResult(ok=False, message=printable(str(error)), is_known=False)
    except PnrError as error:
        return ProbeResult(ok=False, message=printable(str(error)))
    except Exception as error:  # noqa: BLE001  a plug-in may raise anything, and must not end the daemon
        return _raised(probe, error)
    if not isinstance(result, ProbeResult):
        said = f"{_name(probe)} returned {type(result).__name__}, not a ProbeResult"
        return ProbeResult(ok=False, message=said)
    return ProbeResult(ok=result.ok, message=printable(result.message), is_known=result.is_known)


def printable(text: str) -> str:
    """``text`` on one line, without control characters and colours, and not longer than ``LONGEST_MESSAGE``."""
    text = shortened(ESCAPE_SEQUENCE.sub("", text), LONGEST_MESSAGE)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " for char in text).strip()


def _name(probe: Probe) -> str:
    return f"the probe {type(probe).__module__}.{type(probe).__qualname__}"


def _raised(probe: Probe, error: BaseException) -> ProbeResult:
    said = f": {quoted(str(error))}" if str(error) else ""  # which is often what a server has said
    return ProbeResult(ok=False, message=printable(f"{_name(probe)} raised {type(error).__name__}{said}"))
