"""The JSON Schema (2020-12) of the domain file, for editors and for people. Made from the models, never by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from reconciler.intent.check_types import CheckType
from reconciler.intent.document import DomainFile
from reconciler.intent.model import FACT_CHECK

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out the titles that pydantic makes from field names: they tell an editor nothing new."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def domain_schema(check_types: Mapping[str, CheckType]) -> dict[str, Any]:
    """The schema of a domain file in which health checks may have the ``check_types`` (and ``fact``)."""
    schema = DomainFile.model_json_schema(by_alias=True, schema_generator=_WithoutTitles)
    _describe_checks(schema["$defs"]["HealthCheck"], check_types)
    _tidy(schema)
    return {"$schema": DIALECT, **schema, "title": "pnr domain"}


def _tidy(schema: Any) -> None:
    """Say that names of another shape are errors, and leave out that what may be left out is null then."""
    if isinstance(schema, dict):
        if "patternProperties" in schema and "unevaluatedProperties" not in schema:
            schema.setdefault("additionalProperties", False)
        if schema.get("default", "") is None:
            del schema["default"]
        for part in schema.values():
            _tidy(part)
    elif isinstance(schema, list):
        for part in schema:
            _tidy(part)


def _describe_checks(schema: dict[str, Any], check_types: Mapping[str, CheckType]) -> None:
    """Give the health check its types, and each type its own settings."""
    known = {FACT_CHECK: CheckType(), **check_types}
    schema["properties"]["type"]["enum"] = sorted(known)
    schema["allOf"] = [_only_for(name, known[name]) for name in sorted(known)]
    schema.pop("additionalProperties", None)
    schema["unevaluatedProperties"] = False


def _only_for(name: str, check_type: CheckType) -> dict[str, Any]:
    option_schema = check_type.option_schema
    required = [*option_schema.get("required", ()), *(["port_key"] if check_type.needs_port else [])]
    own: dict[str, Any] = {"properties": _extensible(option_schema.get("properties", {}))}
    if required:
        own["required"] = required
    return {"if": {"properties": {"type": {"const": name}}, "required": ["type"]}, "then": own}


def _extensible(schema: Any) -> Any:
    """The same schema, in which each object of settings may have keys that begin with ``x-``."""
    if isinstance(schema, list):
        return [_extensible(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {key: _extensible(part) for key, part in schema.items()}
    if "properties" in made and made.get("additionalProperties") is False:
        made["patternProperties"] = {"^x-": {}}
    return made
