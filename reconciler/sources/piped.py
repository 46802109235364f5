"""Runs a program and takes what it prints, bounded in time and size, through a pipe and without a shell."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Mapping


class TooMuch(Exception):
    """The program printed more than was allowed."""


class TooLong(Exception):
    """The program did not end in time."""


def output(
    command: list[str], *, limit_bytes: int, limit_seconds: float, env: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """The exit code, and what was printed to standard output. ``env`` is its whole environment (None: ours). Blocking.

    The program reads nothing, has no terminal to ask on, and what it prints as errors is thrown away. Raises TooMuch
    and TooLong (it is then killed), and OSError where it can't be run.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=env,
        start_new_session=True,
    )
    assert process.stdout is not None
    read = process.stdout.read
    printed: list[bytes] = []
    # In a thread: what the program started may hold the pipe open after its own end, and nothing ends such a read.
    reading = threading.Thread(target=lambda: printed.append(read(limit_bytes + 1)), name="pnr-piped", daemon=True)
    reading.start()
    try:
        reading.join(limit_seconds)
        if reading.is_alive():
            raise TooLong
        if len(printed[0]) > limit_bytes:
            raise TooMuch
        return process.wait(limit_seconds), printed[0]
    except subprocess.TimeoutExpired:
        raise TooLong from None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if not reading.is_alive():
            process.stdout.close()
