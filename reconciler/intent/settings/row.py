"""What a row of the table of container settings is. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

Send = Callable[[Any, dict[str, Any]], None]
Read = Callable[[Mapping[str, Any]], Any]

_LONGEST_VALUE = 60


def equal(declared: Any, found: Any) -> bool:
    """The usual comparison."""
    return bool(declared == found)


def brief(value: Any) -> str:
    """A value for people: a string as it is, anything else as JSON, control characters escaped, shortened."""
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) and value and value.isprintable() else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def declared_and_found(show: Callable[[Any], str]) -> Callable[[Any, Any], str]:
    """The usual words for a difference: ``64m declared, 128m found``."""

    def tell(declared: Any, found: Any) -> str:
        words = ["nothing" if value is None else brief(show(value)) for value in (declared, found)]
        return f"{words[0]} declared, {words[1]} found"

    return tell


tell_values = declared_and_found(brief)
"""The same for values that people can read as they are."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What an engine must be to honour a value: ``since_api`` such as ``"1.44"``, ``what`` is the part of the setting
    that needs it (``start_interval``)."""

    since_api: str
    what: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One container setting: how it is written, sent to the engine, read back and compared.

    ``name`` is Compose's. ``parse`` turns what stands in the file into the normal form (plain JSON values, equal
    when the meaning is equal) or raises pydantic errors with messages for people; ``accepts`` is the JSON Schema of
    what may stand there. ``send`` puts the normal form into the body of ``POST /containers/create`` (Engine API
    1.41), ``read`` takes it from that of ``GET /containers/{id}/json``. ``same`` tells whether what is found
    fulfils what was declared: what an engine or image adds by itself is no difference. ``tell`` puts a difference
    into words, never showing what may be secret.

    ``read`` gives ``undeclared`` where nothing was asked and the engine shows what it fills in by itself, whichever
    release it is; ``same`` accepts that for a declared value that means the same.

    ``live``: ``POST /containers/{id}/update`` can change it in a container that runs; ``send`` then writes into
    ``HostConfig`` alone, and what it writes there is also the body of that call. ``unset`` is what such a call sends
    to take the setting back (None: it can't be taken back in a container that runs).

    ``nothing`` are the normal forms that say the same as leaving the setting out, on every engine and with every image:
    a container is not replaced for one of them.

    ``chosen_by_engine``: where nothing is declared an engine shows its own choice, from which nothing can be told.

    ``since_api`` is the Engine API that first knows the setting, where that is later than 1.41; ``systems`` are the
    operating systems of an engine that can honour it. A setting that only some values need newer engines for has
    ``needs``: from the normal form to what it takes (None: any engine does).
    """

    name: str
    group: str
    doc: str
    example: Any
    parse: Callable[[Any], Any]
    accepts: Mapping[str, Any]
    send: Send
    read: Read
    same: Callable[[Any, Any], bool] = equal
    tell: Callable[[Any, Any], str] = tell_values
    live: bool = False
    undeclared: Any = None
    unset: Mapping[str, Any] | None = None
    since_api: str = ""
    systems: tuple[str, ...] = ("linux", "windows")
    chosen_by_engine: bool = False
    needs: Callable[[Any], Needs | None] | None = None
    nothing: tuple[Any, ...] = ([], {}, "")

    def says_nothing(self, value: Any) -> bool:
        """Whether a normal form is the same as leaving the setting out."""
        return value is None or any(value == one and type(value) is type(one) for one in self.nothing)

    @property
    def type(self) -> Any:
        """The setting as a pydantic annotation, with its JSON Schema."""
        schema = {**self.accepts, "description": self.doc, "examples": [self.example]}
        return Annotated[Any, BeforeValidator(self.parse), WithJsonSchema(schema)]
