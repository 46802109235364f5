"""What a health-check type says of itself, so that a file can be judged without running anything. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from reconciler.intent import regexes
from reconciler.intent.model import HealthCheck
from reconciler.intent.settings import faults

LONGEST_REGEX = 1000

Schema = Mapping[str, Any]


class Options(BaseModel):
    """The settings that only one type of health check knows: a type with some of its own has a model derived from this
    one. Nothing is converted (no "5" for 5, no "yes" for true), and a key that is no field is an error."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @classmethod
    def of(cls, check: HealthCheck) -> Self:
        """The settings of a check that has been judged."""
        return cls.model_validate_json(json.dumps(check.options))

    def document(self, *, declared_only: bool = False) -> dict[str, Any]:
        """The settings as JSON, with their defaults or without. None by default is the same as nothing."""
        told = self.model_dump(mode="json", by_alias=True, exclude_unset=declared_only)
        nothing = {field.alias or name for name, field in type(self).model_fields.items() if field.default is None}
        return {key: value for key, value in told.items() if value is not None or key not in nothing}


@dataclass(frozen=True, slots=True)
class CheckType:
    """``options`` are the settings that only this type knows; ``needs_port`` says that ``port_key`` must be given.

    ``asks_from_outside``: it asks the container itself, over its network, and not through the engine; that costs
    little, and what it finds says nothing of the engine. ``url_scheme`` is that of the URLs at which the container's
    published ports can be opened; None where there are none."""

    options: type[Options] = Options
    needs_port: bool = False
    asks_from_outside: bool = False
    url_scheme: str | None = None

    @property
    def option_schema(self) -> Schema:
        """The settings as a JSON Schema, without references."""
        return schema_of(self.options)


def _judged_regex(value: str) -> str:
    try:
        regexes.check(value)
    except re.error as error:
        said = f"expected a regular expression ({error}), found {faults.shown(value)}"
        raise PydanticCustomError("invalid_value", "{said}", {"said": said}) from None
    return value


Regex = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_REGEX, json_schema_extra={"format": "regex"}),
    AfterValidator(_judged_regex),
]
"""A regular expression of Python's, which is not searched for longer than a bound."""


@cache
def schema_of(options: type[Options]) -> Schema:
    """A model as a JSON Schema in which nothing is a reference, nothing has a title, and what may be left out need not
    be null. Raises ValueError for a model that has itself in it."""
    schema = options.model_json_schema()
    if options is Options:
        del schema["description"]  # that is for authors of plug-ins
    definitions = schema.pop("$defs", {})
    plain: dict[str, Any] = _without_references(schema, definitions, ())
    return plain


def _without_references(node: Any, definitions: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_without_references(part, definitions, inside) for part in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        if name in inside:
            raise ValueError(f"{name} has itself in it")
        more = {key: part for key, part in node.items() if key != "$ref"}
        return _without_references({**definitions[name], **more}, definitions, (*inside, name))
    found = {
        key: {name: _without_references(one, definitions, inside) for name, one in part.items()}
        if key == "properties"
        else _without_references(part, definitions, inside)
        for key, part in node.items()
        if key != "title" or not isinstance(part, str)
    }
    if patterns := found.pop("patternProperties", None):
        [(pattern, found["additionalProperties"])] = patterns.items()  # pydantic's form of a map with names of a shape
        found.setdefault("propertyNames", {"type": "string", "pattern": pattern})
    alternatives = [one for one in found.get("anyOf", ()) if one != {"type": "null"}]
    if "default" in found and found["default"] is None and len(alternatives) < len(found.get("anyOf", ())):
        del found["default"]
        if len(alternatives) == 1:
            del found["anyOf"]
            return {**alternatives[0], **found}
        found["anyOf"] = alternatives
    return found
