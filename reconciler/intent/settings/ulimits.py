"""``ulimits``: a limit for both, or a soft and a hard one. Pure.

Normal form: ``{"nofile": [1024, 4096]}``, soft before hard; -1 is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.intent.settings.faults import expected, object_of, wrong
from reconciler.intent.settings.values import integer

NAMES = (
    "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
    "rttime", "sigpending", "stack",
)  # fmt: skip
_LIMIT = integer("a limit (-1: none)", -1, 2**63 - 1, digits_in_quotes=True)
_NUMBER = {"type": ["integer", "string"]}
ACCEPTS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {
        "anyOf": [
            _NUMBER,
            {"type": "object", "properties": {"soft": _NUMBER, "hard": _NUMBER}, "required": ["soft", "hard"]},
        ]
    },
}


def _limits(value: Any) -> list[int]:
    if not isinstance(value, Mapping):
        limit = _LIMIT(value)
        return [limit, limit]
    read = object_of(value, {"soft": _LIMIT, "hard": _LIMIT})
    if len(read) < 2:
        raise expected("a number, or an object with soft and hard", value)
    soft, hard = int(read["soft"]), int(read["hard"])
    if hard != -1 and (soft == -1 or soft > hard):
        raise wrong(f"the soft limit {soft} is above the hard one {hard}")
    return [soft, hard]


def parse(value: Any) -> dict[str, list[int]]:
    """The limits by their names, sorted."""
    if not isinstance(value, Mapping):
        raise expected("an object of limits by name", value)
    return dict(sorted(object_of(value, dict.fromkeys(NAMES, _limits)).items()))


def to_api(value: Mapping[str, list[int]]) -> list[dict[str, Any]]:
    """As ``HostConfig.Ulimits`` has it."""
    return [{"Name": name, "Soft": soft, "Hard": hard} for name, (soft, hard) in value.items()]


def from_api(value: Any) -> dict[str, list[int]] | None:
    """The way back; None where there is none."""
    found = {str(one["Name"]): [int(one["Soft"]), int(one["Hard"])] for one in value or ()}
    return dict(sorted(found.items())) or None
