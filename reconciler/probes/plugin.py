"""Judges a class that a plug-in offers as a health-check type, before anything relies on it. Pure."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")

# What the loader understands, so that a schema does not promise checks that nobody makes.
_KEYWORDS = frozenset(
    [
        "type",
        "enum",
        "const",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "items",
        "minItems",
        "maxItems",
        "properties",
        "required",
        "default",
        "additionalProperties",
        "propertyNames",
        "anyOf",
        "oneOf",
        "description",
        "examples",
        "title",
        "$comment",
        "deprecated",
    ]
)
_TYPES = frozenset(["string", "integer", "number", "boolean", "array", "object", "null"])


def faults(offered: object, common_keys: frozenset[str]) -> list[str]:
    """What keeps ``offered`` from being a health-check type; empty where all is well.

    ``common_keys`` are the settings that every type has, which a schema can't declare anew.
    """
    if not inspect.isclass(offered):
        return ["it is not a class"]
    found = [
        f"it has no coroutine {name}()"
        for name in ("probe", "close")
        if not inspect.iscoroutinefunction(getattr(offered, name, None))
    ]
    if not isinstance(getattr(offered, "needs_port", None), bool):
        found.append("needs_port must be true or false")
    schema = getattr(offered, "option_schema", None)
    if not isinstance(schema, Mapping):
        return [*found, "option_schema must be a JSON Schema object"]
    found.extend(_schema_faults(schema, "option_schema"))
    properties = schema.get("properties", {})
    if isinstance(properties, Mapping):
        taken = sorted(common_keys.intersection(properties))
        found.extend(f"option_schema declares {key!r}, which every health check has" for key in taken)
    return found


def _schema_faults(schema: Any, where: str) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        yield f"{where} must be an object"
        return
    unknown = sorted(str(key) for key in schema if key not in _KEYWORDS)
    if unknown:
        yield f"{where} has keywords that pnr does not know: {', '.join(unknown)}"
    kinds = schema.get("type", ())
    for kind in (kinds,) if isinstance(kinds, str) else kinds:
        if kind not in _TYPES:
            yield f"{where}.type: there is no type {kind!r}"
    yield from _pattern_faults(schema, where)
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        yield f"{where}.properties must be an object"
        return
    for key in schema.get("required", ()):
        if key not in properties:
            yield f"{where}.required names {key!r}, which properties do not have"
    for key, inner in properties.items():
        yield from _schema_faults(inner, f"{where}.properties.{key}")
    for keyword in ("items", "additionalProperties", "propertyNames"):
        if keyword in schema and not isinstance(schema[keyword], bool):
            yield from _schema_faults(schema[keyword], f"{where}.{keyword}")
    for keyword in ("anyOf", "oneOf"):
        for index, inner in enumerate(schema.get(keyword, ())):
            yield from _schema_faults(inner, f"{where}.{keyword}[{index}]")


def _pattern_faults(schema: Mapping[str, Any], where: str) -> Iterator[str]:
    if "pattern" in schema:
        try:
            re.compile(schema["pattern"])
        except (re.error, TypeError) as error:
            yield f"{where}.pattern is not a regular expression: {error}"
