"""The settings that only one type of health check knows, judged by the JSON Schema that the type brings. Pure.

A small part of JSON Schema is enough for that: type, enum, const, minimum, maximum, exclusiveMinimum,
exclusiveMaximum, minLength, maxLength, pattern, format (regex), items, minItems, maxItems, properties, required,
default, additionalProperties, propertyNames, anyOf, oneOf. Unlike in JSON Schema, keys that ``properties`` does not
know are errors unless ``additionalProperties`` says otherwise.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.diagnostics import Diagnostics
from reconciler.intent import regexes
from reconciler.intent.interpolation import found
from reconciler.intent.positions import KEY
from reconciler.intent.settings import Interpolated
from reconciler.intent.settings.faults import shown

Schema = Mapping[str, Any]

_WORDS = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_TRUTH = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}


def read(
    schema: Schema, values: Mapping[str, Any], report: Diagnostics, *, taken_by: str = "", others: Iterable[str] = ()
) -> dict[str, Any]:
    """``values`` with defaults filled in. What is wrong with them is reported; of a key that nobody knows it is said
    what it would be ``taken_by``, and which one is meant, be it one of ``others``."""
    return _object(schema, values, report, taken_by, others)


def _value(schema: Schema, value: Any, report: Diagnostics) -> Any:
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if alternatives:
        return _first_that_fits(alternatives, value, report)
    types = _types(schema)
    value = _converted(value, types)
    if types and not any(_is_a(value, kind) for kind in types):
        report.error((), "WrongType", f"expected {describe(schema)}, found {found(value)}")
        return value
    message = _outside(schema, value)
    if message:
        report.error((), "InvalidValue", f"expected {message}, found {found(value)}")
    elif isinstance(value, Mapping):
        return _object(schema, value, report)
    elif isinstance(value, list):
        items = schema.get("items", {})
        return [_value(items, item, report.at(index)) for index, item in enumerate(value)]
    return str(value) if isinstance(value, Interpolated) else value


def _object(
    schema: Schema, values: Mapping[str, Any], report: Diagnostics, taken_by: str = "", others: Iterable[str] = ()
) -> dict[str, Any]:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    additional = schema.get("additionalProperties", False)
    result: dict[str, Any] = {}
    names: Schema = schema.get("propertyNames", {})
    for key, value in values.items():
        if message := _outside(names, key):
            report.error((key, KEY), "BadName", f"expected {message}, found {found(key)}")
        elif key in properties:
            result[key] = _value(properties[key], value, report.at(key))
        elif additional is False:
            hint = report.nearest(key, (*properties, *others))
            report.error((key, KEY), "UnknownKey", f"unknown key {shown(key)}{taken_by}{hint}")
        else:
            result[key] = _value({} if additional is True else additional, value, report.at(key))
    for key in schema.get("required", ()):
        if key not in values:
            report.error((), "MissingKey", f"the key {key!r} is missing")
    for key, property_schema in properties.items():
        if key not in result and "default" in property_schema:
            result[key] = copy.deepcopy(property_schema["default"])
    return result


def _first_that_fits(alternatives: Any, value: Any, report: Diagnostics) -> Any:
    for schema in alternatives:
        inner = report.apart()
        result = _value(schema, value, inner)
        if not any(inner):
            return result
        if isinstance(value, list | Mapping) and any(_is_a(value, kind) for kind in _types(schema)):
            # The right shape with something wrong inside: tell what, rather than list the alternatives.
            report.add(*inner)
            return result
    message = f"expected {' or '.join(describe(schema) for schema in alternatives)}, found {found(value)}"
    report.error((), "InvalidValue", message)
    return value


def describe(schema: Schema) -> str:
    """What a schema wants, for people."""
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(str(known) for known in schema["enum"])
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if alternatives:
        return " or ".join(describe(one) for one in alternatives)
    words = " or ".join(_WORDS.get(kind, kind) for kind in _types(schema)) or "a value"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        words += f" from {low} to {high}"
    elif low is not None:
        words += f" of at least {low}"
    elif high is not None:
        words += f" of at most {high}"
    if "pattern" in schema and "string" in _types(schema):
        examples = schema.get("examples")
        words += f" such as {examples[0]!r}" if examples else f" that matches {schema['pattern']}"
    return words


def _types(schema: Schema) -> tuple[str, ...]:
    declared = schema.get("type", ())
    return (declared,) if isinstance(declared, str) else tuple(declared)


def _is_a(value: Any, kind: str) -> bool:
    if isinstance(value, bool) or kind == "boolean":
        return isinstance(value, bool) and kind == "boolean"
    match kind:
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        case "number":
            return isinstance(value, int | float)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, Mapping)
    return kind == "null" and value is None


def _converted(value: Any, types: tuple[str, ...]) -> Any:
    """A string that came from variables as the number or boolean that is wanted."""
    if not isinstance(value, Interpolated) or "string" in types:
        return value
    if "boolean" in types and value.lower() in _TRUTH:
        return _TRUTH[value.lower()]
    if ("integer" in types or "number" in types) and re.fullmatch(r"-?[0-9]{1,15}", value):
        return int(value)
    if "number" in types and re.fullmatch(r"-?[0-9]{1,15}\.[0-9]{1,15}", value):
        return float(value)
    return value


def _outside(schema: Schema, value: Any) -> str | None:
    """What was expected, where a value of the right type is not right itself."""
    if "const" in schema and value != schema["const"]:
        return describe(schema)
    if "enum" in schema and value not in schema["enum"]:
        return describe(schema)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _out_of_range(schema, value)
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            return _length(schema.get("minLength", 0), schema.get("maxLength"), "characters")
        if "pattern" in schema and not re.search(_at_the_end(schema["pattern"]), value):
            return describe(schema)
        if schema.get("format") == "regex":
            return _bad_pattern(value)
    if isinstance(value, list) and not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return _length(schema.get("minItems", 0), schema.get("maxItems"), "items")
    return None


def _at_the_end(pattern: str) -> str:
    """``$`` at the end of a JSON Schema's pattern is the very end, in Python it lets a newline pass."""
    return pattern[:-1] + r"\Z" if pattern.endswith("$") and not pattern.endswith(r"\$") else pattern


def _out_of_range(schema: Schema, value: float) -> str | None:
    if value < schema.get("minimum", value) or value > schema.get("maximum", value):
        return describe(schema)
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        return f"a number above {schema['exclusiveMinimum']}"
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        return f"a number below {schema['exclusiveMaximum']}"
    return None


def _length(low: int, high: int | None, what: str) -> str:
    return f"at least {low} {what}" if high is None else f"{low} to {high} {what}"


def _bad_pattern(value: str) -> str | None:
    try:
        regexes.check(value)
    except re.error as error:
        return f"a regular expression ({error})"
    return None
