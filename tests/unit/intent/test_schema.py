"""The JSON Schema and the reference page come from the model and know all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reconciler.intent.check_types import CheckType, Options
from reconciler.intent.document import DomainFile
from reconciler.intent.reference import render
from reconciler.intent.schema import domain_schema
from reconciler.intent.settings import SETTINGS
from reconciler.probes.registry import known_types

SCHEMA = domain_schema(known_types())
FIXTURES = Path(__file__).parents[2] / "fixtures"


def test_the_schema_is_of_the_2020_12_dialect_and_plain_json() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_every_container_setting_is_in_the_schema_with_a_description() -> None:
    properties = SCHEMA["$defs"]["Container"]["properties"]
    for name in (*SETTINGS, "image", "name", "build_path", "networks", "env", "pull_policy"):
        assert properties[name]["description"], name


def objects(schema: Any) -> list[dict[str, Any]]:
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    found = [part for value in inner for part in objects(value)]
    return [*found, schema] if isinstance(schema, dict) and "properties" in schema else found


def test_unknown_keys_are_marked_and_extensions_are_not() -> None:
    for model in (SCHEMA, *SCHEMA["$defs"].values()):
        assert model.get("additionalProperties") is False or model.get("unevaluatedProperties") is False
        assert model["patternProperties"]["^x-"] == {}


def test_every_key_has_a_description_for_the_editor() -> None:
    for model in (SCHEMA, *SCHEMA["$defs"].values()):
        for name, property_schema in model["properties"].items():
            assert property_schema.get("description"), name


def test_a_check_type_brings_its_own_settings() -> None:
    check = SCHEMA["$defs"]["HealthCheck"]
    assert {"tcp", "http", "https", "exec", "docker", "log", "fact"} <= set(check["properties"]["type"]["enum"])
    of_http = next(part for part in check["allOf"] if part["if"]["properties"]["type"]["const"] == "http")
    assert "body_regex" in of_http["then"]["properties"]
    assert of_http["then"]["required"] == ["port_key"]


class Inner(Options):
    on: bool


class Outer(Options):
    inner: Inner


def test_each_object_of_a_check_types_settings_may_be_extended() -> None:
    checks = domain_schema({"plug": CheckType(Outer)})["$defs"]["HealthCheck"]["allOf"]
    (own,) = [one["then"] for one in checks if one["if"]["properties"]["type"] == {"const": "plug"}]
    assert own["properties"]["inner"]["patternProperties"] == {"^x-": {}}
    assert own["properties"]["inner"]["additionalProperties"] is False


def used_keys(schema: dict[str, Any], value: Any) -> None:
    """Walk ``value`` along ``schema`` and see that each of its keys is known there."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    for alternative in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        if "$ref" in alternative and isinstance(value, dict):
            used_keys(alternative, value)
    if isinstance(value, list) and "items" in schema:
        for item in value:
            used_keys(schema["items"], item)
    if isinstance(value, dict) and "properties" in schema:
        for key, part in value.items():
            used_keys(schema["properties"][key], part)
    elif isinstance(value, dict):
        for inner in schema.get("patternProperties", {}).values():
            for part in value.values():
                used_keys(inner, part)


def test_the_original_files_use_only_keys_of_the_schema() -> None:
    for name in ("article.json", "go_program.json"):
        used_keys(SCHEMA, json.loads((FIXTURES / name).read_text(encoding="utf-8")))


def test_the_reference_page_names_every_key_and_setting() -> None:
    page = render(known_types())
    for model in (SCHEMA, *SCHEMA["$defs"].values()):
        for name in model["properties"]:
            assert f"`{name}`" in page, name
    for check_type in known_types():
        assert f"type `{check_type}`" in page


def test_every_row_of_a_table_on_the_reference_page_has_three_cells() -> None:
    for line in render(known_types()).splitlines():
        if line.startswith("| `"):
            assert line.replace("\\|", "").count("|") in (3, 4), line


def test_the_models_document_themselves() -> None:
    assert DomainFile.__doc__
