"""What containers print: read to the end or until somebody has had enough, with only the newest of it kept."""

from __future__ import annotations

import time
from collections import deque
from datetime import datetime
from typing import Any

import docker

from reconciler.engine.docker.breaking import break_off
from reconciler.engine.docker.refusals import of_run_inside
from reconciler.engine.protocol import RunOutput
from reconciler.planner.observed import Container

TIMED_OUT = 124
_FEWEST_LINES = 200
_BYTES_A_LINE = 64
_LONGEST_LINE = 64 * 1024  # the engine cuts lines long before
_STAMP_PRECISION = 2e-6  # its stamps are in nanoseconds: what is newer than this one must not be that line
_NEVER = 0.0
_EARLY_SECONDS = 1.0
_LATE_SECONDS = 0.05  # so long after the end of a run its last lines may be stamped; no other begins as soon
_BUSY_SECONDS = 10.0  # an engine without a turn stamps lines that much later, or calls a container started
_WRITTEN_AT_ONCE = ("json-file", "local")
"""The log drivers that have written all before the engine tells of an end. Of others it may come any time later."""


class Tail:
    """The newest ``limit`` bytes of what is added."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: deque[bytes] = deque()
        self._size = 0
        self.count = 0

    def add(self, part: bytes) -> None:
        """Take one more piece."""
        self.count += 1
        self._parts.append(part)
        self._size += len(part)
        while self._size - len(self._parts[0]) >= self._limit:
            self._size -= len(self._parts.popleft())

    @property
    def full(self) -> bool:
        """Whether as much is kept as may be."""
        return self._size >= self._limit

    def text(self) -> str:
        """What is kept; bytes that are no UTF-8 are replaced."""
        return b"".join(self._parts)[-self._limit :].decode(errors="replace") if self._limit > 0 else ""


class Reading:
    """One stream of the SDK, which the thread that reads it can't leave by itself: another one lets go of it."""

    def __init__(self) -> None:
        self._stream: Any = None
        self.left = False

    def into(self, tail: Tail, stream: Any) -> None:
        """Read a stream to its end, or until it is let go."""
        self._stream = stream
        if self.left:
            self._close()
        for part in stream:
            tail.add(part)
        self._stream = None

    def let_go(self) -> None:
        """Break the reading off, from any thread; nothing where it has ended."""
        self.left = True
        self._close()

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        break_off(stream)


def run_inside(
    client: docker.APIClient, container_id: str, command: list[str], limit_bytes: int, reading: Reading
) -> tuple[int, str]:
    """Run a command in a container: its exit code and the tail of both streams. Raises the SDK's errors."""
    made = client.exec_create(container_id, command, stdout=True, stderr=True)
    tail = Tail(limit_bytes)
    reading.into(tail, client.exec_start(made["Id"], stream=True))
    pause = 0.005
    while not reading.left:
        seen = client.exec_inspect(made["Id"])
        if not seen.get("Running") and seen.get("ExitCode") is not None:
            return int(seen["ExitCode"]), of_run_inside(tail.text())
        # The end of the output can be told before the end of the process.
        time.sleep(pause)
        pause = min(pause * 2, 0.2)
    return TIMED_OUT, tail.text()


def last_lines(client: docker.APIClient, container_id: str, lines: int, limit_bytes: int, reading: Reading) -> str:
    """The last lines, of which at most ``limit_bytes``. Raises the SDK's errors."""
    tail = Tail(limit_bytes)
    reading.into(tail, client.logs(container_id, stdout=True, stderr=True, stream=True, follow=False, tail=lines))
    return tail.text()


def since(
    client: docker.APIClient,
    container_id: str,
    start: float | None,
    limit_bytes: int,
    reading: Reading,
    until: float | None = None,
) -> str:
    """The newest ``limit_bytes`` since a Unix time, or of the container's current run, and not after ``until``. Raises
    the SDK's errors.

    What was printed in a week need not be read for the newest of it: a number of lines is asked for, and more only
    where they were too few.
    """
    options: dict[str, Any] = {"stdout": True, "stderr": True, "stream": True, "follow": False}
    if start is None:
        start = beginning_of_run(client.inspect_container(container_id).get("State") or {})
        if start is None:
            return ""
    if start > 0:
        options["since"] = float(start)
    if until is not None:
        options["until"] = float(until)
    lines = max(_FEWEST_LINES, limit_bytes // _BYTES_A_LINE)
    while True:
        tail = Tail(limit_bytes)
        reading.into(tail, client.logs(container_id, tail=lines, **options))
        if tail.full or tail.count < lines or reading.left:
            return tail.text()
        lines *= 8


def of_run(
    client: docker.APIClient, ended: Container, after: float | None, limit_bytes: int, reading: Reading
) -> RunOutput:
    """What a run printed that ended as seen here, after the run before it had ended. Raises the SDK's errors.

    Lines belong to a run by their stamps alone, and a busy engine stamps late. So where nothing is found it is looked
    for more widely; what is found there is the run's own only if no other can have printed it. As long as no other has
    begun, all that is newer than ``after`` is the run's own, however late it is stamped.
    """
    began = ended.began if ended.began is not None else unix(ended.run)
    if after is not None:
        start, widest = after + _LATE_SECONDS, after
    else:
        start, widest = (began or 0.0) - _EARLY_SECONDS, (began or 0.0) - _BUSY_SECONDS
    start, widest = max(start, 0.0), max(widest, 0.0)
    text = since(client, ended.id, start, limit_bytes, reading)
    at = _last_stamp(client, ended.id, start, reading)
    now, is_last = _is_last(client, ended)
    if not is_last and ended.finished is not None:
        until = ended.finished + _LATE_SECONDS
        text = since(client, ended.id, start, limit_bytes, reading, until)
        at = _last_stamp(client, ended.id, start, reading, until)
    if text.strip():
        return RunOutput(text, printed_at=at)
    text = since(client, ended.id, widest, limit_bytes, reading)
    at = _last_stamp(client, ended.id, widest, reading)
    now, is_last = _is_last(client, ended)
    if text.strip():
        is_its_own = is_last and after is not None
        return RunOutput(text, is_its_own, at if is_its_own else None)
    log = (now.get("HostConfig") or {}).get("LogConfig") or {}
    buffered = (log.get("Config") or {}).get("mode") == "non-blocking"
    return RunOutput("", is_its_own=log.get("Type") in _WRITTEN_AT_ONCE and not buffered)


def _is_last(client: docker.APIClient, ended: Container) -> tuple[dict[str, Any], bool]:
    """The container as it is now, and whether no other run of it has begun since."""
    now = client.inspect_container(ended.id)
    return now, str((now.get("State") or {}).get("StartedAt") or "") == ended.run


def _last_stamp(
    client: docker.APIClient, container_id: str, start: float, reading: Reading, until: float | None = None
) -> float | None:
    """By when the engine had taken the last line in a span of time; None where there is none any more."""
    options: dict[str, Any] = {"stdout": True, "stderr": True, "stream": True, "follow": False, "timestamps": True}
    if start > 0:
        options["since"] = float(start)
    if until is not None:
        options["until"] = float(until)
    tail = Tail(_LONGEST_LINE)
    reading.into(tail, client.logs(container_id, tail=1, **options))
    at = unix(tail.text().partition(" ")[0])
    return at + _STAMP_PRECISION if at is not None else None


def beginning_of_run(state: dict[str, Any]) -> float | None:
    """From when on output belongs to the container's current (or last) run; None where it never ran.

    The engine stamps the first lines before the moment at which it calls the container started. While it runs, the
    end of its previous run is the border that is exact (0 where there is none). Once it has ended that is no longer
    known: then rather a line too many of the run before than the first of this one too few.
    """
    started = unix(str(state.get("StartedAt") or ""))
    if started is None or started <= _NEVER:
        return None
    finished = unix(str(state.get("FinishedAt") or ""))
    if finished is None or finished <= _NEVER:
        return 0.0
    return finished if finished < started else started - _EARLY_SECONDS


def unix(stamp: str) -> float | None:
    """A time of the engine's (RFC 3339, up to nanoseconds) as Unix seconds; None for one that can't be read."""
    head, dot, rest = stamp.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    zone = rest[len(digits) :] if dot else ""
    text = f"{head}.{digits[:6].ljust(6, '0')}{zone}" if dot else head
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None
