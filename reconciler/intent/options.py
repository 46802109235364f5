"""The settings that only one type of health check knows, judged by the model that the type brings. Pure.

Pydantic finds what is wrong; what was expected is told in the words of the rest of the file, from the model's schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reconciler.diagnostics import Diagnostics, Path
from reconciler.intent.check_types import Options, Schema, schema_of
from reconciler.intent.interpolation import found
from reconciler.intent.locating import MOST_CONSIDERED
from reconciler.intent.model_errors import real_path, without_secrets
from reconciler.intent.positions import KEY
from reconciler.intent.settings import Interpolated
from reconciler.intent.settings.faults import shown
from reconciler.sentences import quoted

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
_OWN_WORDS = ("value_error", "assertion_error")


def read(
    kind: type[Options],
    values: Mapping[str, Any],
    report: Diagnostics,
    *,
    taken_by: str = "",
    others: Iterable[str] = (),
) -> Options | None:
    """The settings; None where something is wrong with them, which is reported. Of a key that nobody knows it is said
    what it would be ``taken_by``, and which one is meant, be it one of ``others``."""
    schema = schema_of(kind)
    nulls = list(_nulls(schema, values))
    for path in nulls:
        wanted = _schema_at(schema, path)
        report.error(path, _code(wanted, is_of_a_type=True), f"expected {describe(wanted)}, found {found(None)}")
    try:
        read = kind.model_validate_json(json.dumps(_plain(schema, values)))
        return None if nulls else read
    except ValidationError as error:
        _report_errors(error, schema, values, nulls, report, taken_by, others)
    except Exception as error:  # noqa: BLE001  a plug-in's validator may raise anything, and must not end the daemon
        said = _in_a_line(f"{type(error).__name__}: {error}")
        report.error((), "InvalidValue", f"its settings can't be judged: {said}")
    return None


def _report_errors(
    error: ValidationError,
    schema: Schema,
    values: Any,
    nulls: Iterable[Path],
    report: Diagnostics,
    taken_by: str,
    others: Iterable[str],
) -> None:
    lines = [(real_path(line["loc"], values), line) for line in error.errors(include_url=False)[:MOST_CONSIDERED]]
    # Of alternatives none of which fits, the one of the right shape is told of, with what is wrong inside.
    lines.sort(key=lambda line: not line[1]["type"].startswith("too_"))
    around = {path[:length] for path, _ in lines for length in range(1, len(path))}
    told = set(nulls)
    for path, line in lines:
        kind, value, wanted = line["type"], _at(values, path), _schema_at(schema, path)
        if kind == "missing" and isinstance(value, list):
            report.error(path, *_wrong("too_short", line, value, wanted))
        elif kind == "missing":
            report.error(path, "MissingKey", f"the key {line['loc'][-1]!r} is missing")
        elif kind == "extra_forbidden":
            key, is_top = str(path[-1]), len(path) == 1
            known = _schema_at(schema, path[:-1]).get("properties", {})
            hint = report.nearest(key, (*known, *others) if is_top else known)
            report.error((*path, KEY), "UnknownKey", f"unknown key {shown(key)}{taken_by if is_top else ''}{hint}")
        elif line["loc"][-1:] == ("[key]",):
            expected = describe(_schema_at(schema, path[:-1]).get("propertyNames", {}))
            report.error((*path, KEY), "BadName", f"expected {expected}, found {found(path[-1])}")
        elif path not in told and path not in around:
            told.add(path)
            report.error(path, *_wrong(kind, line, value, wanted))


def _wrong(kind: str, line: ErrorDetails, value: Any, wanted: Schema) -> tuple[str, str]:
    """Code and message of an error about a value."""
    if kind in _OWN_WORDS:
        said = without_secrets(str(line["ctx"]["error"]), value)
        return "InvalidValue", f"{_in_a_line(said)}, found {found(value)}"
    if kind == "invalid_value":
        return "InvalidValue", without_secrets(line["msg"], value)
    is_of_a_type = kind.endswith("_type") or (kind == "literal_error" and _is_of_another_type(wanted, value))
    has_length = "too_" in kind and isinstance(value, Sized) and not isinstance(value, Interpolated)
    given = str(len(value)) if has_length else found(value)
    return _code(wanted, is_of_a_type), f"expected {_expected(wanted, kind)}, found {given}"


def _in_a_line(said: str) -> str:
    """What a plug-in says, as a part of a message that is pnr's."""
    return " ".join(quoted(said).split())


def _code(wanted: Schema, is_of_a_type: bool) -> str:
    return "WrongType" if is_of_a_type and len(_alternatives(wanted)) == 1 else "InvalidValue"


def _is_of_another_type(wanted: Schema, value: Any) -> bool:
    return wanted.get("type") == "string" and not isinstance(value, str)


def _nulls(schema: Schema, value: Any, path: Path = ()) -> Iterator[Path]:
    """Where there is null and the schema has none: what may be left out need not be null."""
    if value is None and "null" not in [kind for one in _alternatives(schema) for kind in _types(one) or ("null",)]:
        yield path
    parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for part, inner in parts:
        yield from _nulls(next(_inner(schema, part), {}), inner, (*path, part))


def _at(values: Any, path: Path) -> Any:
    for part in path:
        values = values[part]
    return values


def _schema_at(schema: Schema, path: Sequence[str | int]) -> Schema:
    for part in path:
        schema = next(_inner(schema, part), {})
    return schema


def _inner(schema: Schema, part: str | int) -> Iterator[Schema]:
    for one in _alternatives(schema):
        if isinstance(part, int) and part < len(one.get("prefixItems", ())):
            yield one["prefixItems"][part]
        elif isinstance(part, int) and "items" in one:
            yield one["items"]
        elif part in one.get("properties", {}):
            yield one["properties"][part]
        elif isinstance(one.get("additionalProperties"), Mapping):
            yield one["additionalProperties"]


def _alternatives(schema: Schema) -> Sequence[Schema]:
    found: Sequence[Schema] = schema.get("anyOf") or schema.get("oneOf") or [schema]
    return found


def _expected(schema: Schema, kind: str) -> str:
    """What was expected, where ``kind`` is what pydantic calls the error."""
    if kind.startswith("string_too") and ("minLength" in schema or "maxLength" in schema):
        return _length(schema.get("minLength", 0), schema.get("maxLength"), "characters")
    if kind.startswith("too_") and ("minProperties" in schema or "maxProperties" in schema):
        return _length(schema.get("minProperties", 0), schema.get("maxProperties"), "entries")
    if kind.startswith("too_"):
        lists = next((one for one in _alternatives(schema) if "items" in one), schema)
        return _length(lists.get("minItems", 0), lists.get("maxItems"), "items")
    if kind == "greater_than" and "exclusiveMinimum" in schema:
        return f"a number above {schema['exclusiveMinimum']}"
    if kind == "less_than" and "exclusiveMaximum" in schema:
        return f"a number below {schema['exclusiveMaximum']}"
    return describe(schema)


def describe(schema: Schema) -> str:
    """What a schema wants, for people."""
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(str(known) for known in schema["enum"])
    alternatives = _alternatives(schema)
    if len(alternatives) > 1:
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


def _length(low: int, high: int | None, what: str) -> str:
    if high == low:
        return f"{low} {what}"
    return f"at least {low} {what}" if high is None else f"{low} to {high} {what}"


def _types(schema: Schema) -> Sequence[str]:
    declared = schema.get("type", ())
    return (declared,) if isinstance(declared, str) else declared


def _plain(schema: Schema, value: Any) -> Any:
    """``value`` with strings that came from variables as what is wanted there, 3.0 as 3, and without extensions."""
    if isinstance(value, Mapping):
        own = {key: part for key, part in value.items() if not _is_extension(schema, key)}
        return {key: _plain(next(_inner(schema, key), {}), part) for key, part in own.items()}
    if isinstance(value, list):
        return [_plain(next(_inner(schema, number), {}), part) for number, part in enumerate(value)]
    types = {kind for one in _alternatives(schema) for kind in _types(one)}
    if isinstance(value, float) and value.is_integer() and "integer" in types:
        return int(value)
    return _converted(value, types) if isinstance(value, Interpolated) else value


def _is_extension(schema: Schema, key: str) -> bool:
    """Whether a key begins with ``x-`` in an object whose keys are settings; in others it is a name."""
    alternatives = [one for one in _alternatives(schema) if "object" in _types(one)]
    is_closed = all("properties" in one and not one.get("additionalProperties") for one in alternatives)
    is_known = any(key in one.get("properties", ()) for one in alternatives)
    return key.startswith("x-") and bool(alternatives) and is_closed and not is_known


def _converted(value: str, types: Iterable[str]) -> Any:
    if "string" not in types:
        if "boolean" in types and value.lower() in _TRUTH:
            return _TRUTH[value.lower()]
        if ("integer" in types or "number" in types) and re.fullmatch(r"-?[0-9]{1,15}", value):
            return int(value)
        if "number" in types and re.fullmatch(r"-?[0-9]{1,15}\.[0-9]{1,15}", value):
            return float(value)
    return str(value)
