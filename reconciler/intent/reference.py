"""Writes the reference page of the domain file from the models and the table of settings.

``python -m reconciler.intent.reference > docs/domain-reference.md``
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from reconciler.intent import bounds, document, field_readers
from reconciler.intent.check_types import CheckType
from reconciler.intent.container_document import Container
from reconciler.intent.options import describe
from reconciler.intent.schema import domain_schema
from reconciler.intent.settings import SETTINGS

_INTRODUCTION = f"""\
# The domain file

This page is generated from the model in the code (`python -m reconciler.intent.reference`). `pnr schema` prints the
same as a JSON Schema, for editors.

A domain is one JSON file: strict JSON in UTF-8 without a byte-order mark, at most 1 MiB, nested at most 32 levels,
with at most {bounds.MAX_CHUNKS:,} chunks (each replica counts as one) and {bounds.MAX_ENTRIES:,} entries in any one
object or list.
Unknown keys are errors; keys that begin with `x-` are ignored, in every object. Names of domains, CPUXs, chunks and
facts match `{field_readers.NAME_PATTERN}`.

What one chunk may have is bounded, so that no file keeps the daemon busy with it (`TooMany`):

| what | at most |
| --- | ---: |
| entries in a chunk, in all of its objects and lists together | {bounds.MAX_ENTRIES:,} |
| facts in `gatekeeper`, `flowin` and `flowout` of a chunk together; in `rt_state` of a CPUX | {bounds.MAX_FACTS:,} |
| facts of a domain; each replica of a chunk answers its own | {bounds.MAX_FACTS_OF_DOMAIN:,} |
| responses of a fact | {bounds.MAX_RESPONSES:,} |
| `volumes`, `networks` of a container, of each | {bounds.MAX_JOINED:,} |
| `volumes_from`, `links`, `external_links` of a container, of each | {bounds.MAX_LINKS:,} |
| ports that all chunks of a domain publish and expose | {bounds.MAX_PORTS_OF_DOMAIN:,} |
| networks of a domain; subnets of all of them | {bounds.MAX_NETWORKS:,}; {bounds.MAX_SUBNETS:,} |
| addresses that a network keeps (`aux_addresses`) | {bounds.MAX_JOINED:,} |
| variables, and labels, that files bring to a container (`env_file`, `label_file`) | {bounds.MAX_ENTRIES:,} |
| lines of these files in a domain, counted at each use | {bounds.MAX_LINES_READ:,} |
| bytes of them, counted so too | {bounds.MAX_BYTES_READ:,} |

No key has a control character, a line end or an invisible character in it. Values have control characters only where
they are text (prompts, responses, descriptions), commands, values of variables, labels, build arguments and options of
drivers, or the content of configs.

## Variables

In every string (but not in keys, and not in `env` itself) variables are replaced, as in Docker Compose:

| written | becomes |
| --- | --- |
| `${{NAME}}`, `$NAME` | the value; a missing one is an error |
| `${{NAME:-default}}`, `${{NAME-default}}` | the default where it is unset or empty, or only where it is unset |
| `${{NAME:?message}}`, `${{NAME?message}}` | an error with that message, in the same cases |
| `${{NAME:+other}}`, `${{NAME+other}}` | other where it is set and not empty, or where it is set; else nothing |
| `$$` | a dollar sign |

A value comes from the domain's `env`, where `${{a.b}}` reaches into nested maps, then from the daemon's environment if
the name is allowed there. A string with variables may stand where a number or true/false is wanted.
"""

_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", document.DomainFile),
    ("A CPUX (`cpuxs.NAME`)", document.Cpux),
    ("A chunk (`design_chunks[]`)", document.Chunk),
    ("A fact (in `gatekeeper`, `flowin`, `flowout`, `rt_state`)", document.Fact),
    ("A health check (`health_check`)", document.HealthCheck),
    ("Status mapping (`health_check.status_mapping`)", document.StatusMapping),
    ("An answer (`status_mapping.success`, `status_mapping.failure`)", document.Answer),
    ("Update (`update`)", document.Update),
    ("A network (`networks.NAME`)", document.Network),
    ("A volume (`volumes.NAME`)", document.Volume),
    ("A secret (`secrets.NAME`)", document.Secret),
    ("A config (`configs.NAME`)", document.Config),
    ("A login (`registries.HOST`)", document.Registry),
)


def render(check_types: Mapping[str, CheckType]) -> str:
    """The page, in Markdown."""
    schema = domain_schema(check_types)
    parts = [_INTRODUCTION]
    for title, model in _SECTIONS:
        parts.append(f"## {title}\n\n{(model.__doc__ or '').strip()}\n")
        parts.append("\n".join(_table(_fields(model, schema))) + "\n")
        if model is document.HealthCheck:
            parts += _check_sections(check_types)
        if model is document.Chunk:
            parts += _container_sections(schema)
    return "\n".join(parts)


def _table(rows: Iterator[tuple[str, str, str]]) -> Iterator[str]:
    yield "| key | value | meaning |"
    yield "| --- | --- | --- |"
    for cells in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _fields(model: type[BaseModel], schema: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    own = schema if model is document.DomainFile else schema["$defs"][model.__name__]
    for name, field in model.model_fields.items():
        key = field.alias or name
        meaning = field.description or ""
        if field.is_required():
            meaning += " **Required.**"
        elif field.default not in (None, (), {}, [], "", False):
            meaning += f" Default: `{field.default}`."
        yield f"`{key}`", _kind(own["properties"][key]), meaning


def _kind(schema: Mapping[str, Any]) -> str:
    """In a few words what may stand there."""
    for key in ("anyOf", "oneOf"):
        if key in schema:
            kinds = [_kind(one) for one in schema[key] if one.get("pattern") != r"\$" and one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    if "$ref" in schema:
        return "object"
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if "items" in schema:
        return f"list ({_kind(schema['items'])})"
    kind = schema.get("type", "any")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if "minimum" in schema:
        words += (
            f" {schema['minimum']:g} to {schema['maximum']:g}" if "maximum" in schema else f" ≥ {schema['minimum']:g}"
        )
    return words


def _container_sections(schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"## The container (`container`)\n\n{(Container.__doc__ or '').strip()}\n"
    rows = (row for row in _fields(Container, schema) if row[0].strip("`") not in SETTINGS)
    yield "\n".join(_table(rows)) + "\n"
    properties = schema["$defs"]["Container"]["properties"]
    for group in dict.fromkeys(setting.group for setting in SETTINGS.values()):
        yield f"### Container settings: {group}\n"
        of_group = [setting for setting in SETTINGS.values() if setting.group == group]
        yield (
            "\n".join(
                _table(
                    (f"`{s.name}`", _kind(properties[s.name]), f"{s.doc} Example: `{json.dumps(s.example)}`.")
                    for s in of_group
                )
            )
            + "\n"
        )


def _check_sections(check_types: Mapping[str, CheckType]) -> Iterator[str]:
    for name in sorted(check_types):
        schema = check_types[name].option_schema
        yield f"### Health check type `{name}`\n"
        if schema.get("description"):
            yield f"{schema['description']}\n"
        yield "`port_key` is required.\n" if check_types[name].needs_port else "It needs no `port_key`.\n"
        if schema.get("properties"):
            yield "\n".join(_table(_options(schema))) + "\n"


def _options(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for key, one in schema["properties"].items():
        meaning = str(one.get("description", ""))
        if key in schema.get("required", ()):
            meaning += " **Required.**"
        elif one.get("default") is not None:
            meaning += f" Default: `{json.dumps(one['default'])}`."
        yield f"`{key}`", describe(one), meaning
