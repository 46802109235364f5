"""The statuses that an HTTP health check expects: one, a class such as ``2xx``, or a list of these. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Expected:
    """Call it with a status; ``str`` gives it back as declared."""

    codes: frozenset[int]
    shown: str

    def __call__(self, status: int) -> bool:
        """True when ``status`` is expected."""
        return status in self.codes

    def __str__(self) -> str:
        return self.shown


def expected_statuses(declared: int | str | Sequence[int | str]) -> Expected:
    """Read ``200``, ``"2xx"`` or ``[200, "3xx"]``. Raises ValueError for anything else."""
    entries = list(declared) if isinstance(declared, Sequence) and not isinstance(declared, str) else [declared]
    codes: set[int] = set()
    for entry in entries:
        codes.update(_codes(entry))
    return Expected(frozenset(codes), " or ".join(str(entry) for entry in entries))


def describe(status: int) -> str:
    """``503 (Service Unavailable)``, or the bare number where it has no name."""
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)


def _codes(entry: int | str) -> range:
    if not isinstance(entry, str):
        return range(int(entry), int(entry) + 1)  # 200.0 is a whole number in JSON
    if len(entry) == 3 and entry[0] in "12345" and entry.endswith("xx"):
        first = int(entry[0]) * 100
        return range(first, first + 100)
    raise ValueError(f"{entry!r} is neither a status such as 200 nor a class such as 2xx")
