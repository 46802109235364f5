"""The exit codes of every command, documented in docs/commands.md. Scripts rely on them."""

from __future__ import annotations

from reconciler.errors import PnrError

OK = 0  # done; with `apply`: settled
FAILED = 1  # a chunk could not be brought up
INVALID = 2  # a domain file is not valid
STALLED = 3  # a gatekeeper can no longer come to hold
UNAVAILABLE = 4  # no daemon, no engine, or another fault of the machine
HELD = 5  # a removal is held until a person confirms it
USAGE = 64  # the command line makes no sense: an unknown option, chunk or domain
TIMED_OUT = 124  # --timeout is over, as with timeout(1)
INTERRUPTED = 130  # Ctrl-C

_USAGE_CODES = frozenset({"BadRequest", "NotHeld", "UnknownChunk", "UnknownDomain", "UnknownEngine"})


def of(error: PnrError) -> int:
    """The exit code of a command that ended with ``error``."""
    return USAGE if getattr(error, "daemon_code", error.code) in _USAGE_CODES else UNAVAILABLE
