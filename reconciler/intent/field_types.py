"""What may stand in a domain file, in the small: values with a reader and a schema, and what every object has. Pure.

The models of :mod:`reconciler.intent.document` are made of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

from reconciler.facts import TV
from reconciler.intent import field_readers, files, networks
from reconciler.intent.settings import SETTINGS
from reconciler.intent.settings.values import flag, text
from reconciler.intent.settings.words import driver_options, labels


@dataclass(frozen=True, slots=True, eq=False)  # in a union it must be hashable
class Read:
    """An annotation: the value is what ``reader`` makes of it, and ``accepts`` is its JSON Schema."""

    reader: Callable[[Any], Any]
    accepts: Mapping[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.reader)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return dict(self.accepts)


VARIABLE = {"type": "string", "pattern": r"\$"}


def one_of(*known: str) -> Read:
    """One of a few words."""
    return Read(field_readers.one_of(*known), {"anyOf": [{"enum": list(known)}, VARIABLE]})


def seconds(low: float, high: float) -> Read:
    """A number of seconds in bounds."""
    number = {"type": "number", "minimum": low, "maximum": high}
    return Read(field_readers.seconds(low, high), {"anyOf": [number, VARIABLE]})


def count(low: int, high: int) -> Read:
    """A whole number in bounds."""
    number = {"type": "integer", "minimum": low, "maximum": high}
    return Read(field_readers.count(low, high), {"anyOf": [number, VARIABLE]})


def name_of(reader: Callable[[Any], str], pattern: str) -> Read:
    """A name as a value, in which a variable may stand."""
    return Read(reader, {"type": "string", "pattern": rf"^({pattern})$|\$"})


def key_of(reader: Callable[[Any], str], pattern: str) -> Read:
    """A name as the key of an object."""
    return Read(reader, {"type": "string", "pattern": f"^({pattern})$"})


TEXTS = {"type": "array", "items": {"type": "string"}}
PAIRS = SETTINGS["labels"].accepts

Text = Annotated[str, Read(text, {"type": "string"})]
Flag = Annotated[bool, Read(flag, {"anyOf": [{"type": "boolean"}, VARIABLE]})]
Labels = Annotated[dict[str, str], Read(labels, PAIRS)]
Driver = Annotated[str, Read(networks.driver, {"type": "string"})]
DriverOpts = Annotated[dict[str, str], Read(driver_options, networks.DRIVER_OPTS)]
SharedWith = Annotated[tuple[str, ...], Read(field_readers.shared_with, TEXTS)]
External = Annotated[bool | str, Read(networks.external, networks.EXTERNAL)]
Truth = Annotated[TV, Read(field_readers.truth, {"type": "string", "pattern": r"^([yY]|[nN]|[uU][nN]?)$|\$"})]
Responses = Annotated[tuple[str, ...], Read(field_readers.responses, {"anyOf": [{"type": "string"}, TEXTS]})]
DomainName = Annotated[str, name_of(field_readers.named("name of a domain"), field_readers.NAME_PATTERN)]
ChunkName = Annotated[str, name_of(field_readers.named("name of a chunk"), field_readers.NAME_PATTERN)]
EngineName = Annotated[str, name_of(field_readers.engine_name, field_readers.ENGINE_NAME_PATTERN)]
CpuxName = Annotated[str, key_of(field_readers.named("name of a CPUX"), field_readers.NAME_PATTERN)]
NetworkName = Annotated[str, key_of(field_readers.named("name of a network"), field_readers.NAME_PATTERN)]
VolumeName = Annotated[str, key_of(field_readers.named("name of a volume"), field_readers.NAME_PATTERN)]
RegistryHost = Annotated[str, Read(field_readers.registry_host, {"type": "string"})]
FactKey = Annotated[str, key_of(field_readers.fact_key, field_readers.NAME_PATTERN)]
FactName = Annotated[str, key_of(field_readers.fact_name, field_readers.FACT_NAME_PATTERN)]
SecretName = Annotated[str, key_of(field_readers.named("name of a secret"), field_readers.NAME_PATTERN)]
ConfigName = Annotated[str, key_of(field_readers.named("name of a config"), field_readers.NAME_PATTERN)]
CredentialName = Annotated[str, name_of(field_readers.named("name of a credential"), field_readers.NAME_PATTERN)]
VariableName = Annotated[str, name_of(field_readers.variable_name, field_readers.VARIABLE_PATTERN)]
FilePath = Annotated[str, Read(files.file_path, {"type": "string"})]


class Part(BaseModel):
    """An object in a domain file. Unknown keys are errors; those that begin with ``x-`` are ignored."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"patternProperties": {"^x-": {}}})

    @model_validator(mode="before")
    @classmethod
    def _without_extensions(cls, value: Any) -> Any:
        if isinstance(value, dict) and any(key.startswith("x-") for key in value):
            return {key: part for key, part in value.items() if not key.startswith("x-")}
        return value
