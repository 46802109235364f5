"""What may stand in a file for a setting, as JSON Schema: the forms that several settings share. Data."""

from __future__ import annotations

from typing import Any

TEXT: dict[str, Any] = {"type": "string"}
TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
TEXT_OR_TEXTS: dict[str, Any] = {"anyOf": [TEXT, TEXTS]}
COMMAND: dict[str, Any] = {"anyOf": [TEXT, TEXTS, {"type": "null"}]}
PAIRS: dict[str, Any] = {
    "anyOf": [
        {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}},
        TEXTS,
    ]
}
FLAG: dict[str, Any] = {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": r"\$"}]}
INTEGER: dict[str, Any] = {"type": ["integer", "string"]}
NUMBER_OR_TEXT: dict[str, Any] = {"type": ["number", "string"]}


def object_with(**properties: Any) -> dict[str, Any]:
    """An object with these keys, and Compose's extensions (``x-…``)."""
    return {
        "type": "object",
        "properties": properties,
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }
