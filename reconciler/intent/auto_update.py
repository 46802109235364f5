"""``auto_update``: whether a chunk follows its image's tag, and where that is looked up. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.intent.field_readers import one_of, seconds
from reconciler.intent.model import AutoUpdate, AutoUpdatePolicy
from reconciler.intent.pull_policy import SHORTEST_SECONDS
from reconciler.intent.settings.faults import Faults, expected, object_of

LONGEST_SECONDS = 30 * 86400.0

_WORDS = {"enum": [str(policy) for policy in AutoUpdatePolicy]}
ACCEPTS: dict[str, Any] = {
    "anyOf": [
        _WORDS,
        {"enum": [False, None]},
        {"type": "string", "pattern": r"\$"},
        {
            "type": "object",
            "properties": {
                "policy": {"anyOf": [_WORDS, {"type": "string", "pattern": r"\$"}]},
                "interval_seconds": {"type": ["number", "string"]},
            },
            "required": ["policy"],
            "additionalProperties": False,
        },
    ]
}
"""The JSON Schema."""

_read_policy = one_of(*AutoUpdatePolicy)


def read(value: Any) -> AutoUpdate | None:
    """``"registry"``, ``"local"``, or an object with ``policy`` and ``interval_seconds``. None: it follows none."""
    if value is None or value is False:
        return None
    if isinstance(value, str):
        return AutoUpdate(AutoUpdatePolicy(_read_policy(value)))
    if not isinstance(value, Mapping):
        raise expected('"registry", "local", or an object with policy and interval_seconds', value)
    interval = seconds(SHORTEST_SECONDS, LONGEST_SECONDS)
    given = object_of(value, {"policy": _read_policy, "interval_seconds": interval})
    faults = Faults()
    if "policy" not in given:
        faults.add(("policy",), "it is missing: registry or local", None)
    elif given["policy"] == AutoUpdatePolicy.LOCAL and "interval_seconds" in given:
        faults.add(("interval_seconds",), "local is noticed at once and asks no registry: leave it out", value)
    faults.throw()
    return AutoUpdate(**{**given, "policy": AutoUpdatePolicy(given["policy"])})
