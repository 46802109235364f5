"""Readers of the values that a domain file has outside the container settings: names, facts, times. Pure.

Each takes what stands in the file and gives its normal form, or raises an error that says what was expected
and what was found. They are the types of :mod:`reconciler.intent.document`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pydantic_core import PydanticCustomError

from reconciler.diagnostics import nearest
from reconciler.facts import SYSTEM_READY, TV
from reconciler.intent import image_names
from reconciler.intent.model import Adopt
from reconciler.intent.settings import SETTINGS, Interpolated, ports
from reconciler.intent.settings.faults import Faults, shown
from reconciler.intent.settings.values import as_list, choice, flag, sorted_set, text

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"
CONTAINER_NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]{1,252}"
ENGINE_NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,252}"
FACT_NAME_PATTERN = rf"{NAME_PATTERN}(?:/{NAME_PATTERN}){{0,2}}"

VARIABLE_PATTERN = r"[A-Za-z_][A-Za-z0-9_]*"

_NAME_WORDS = "letters, digits, _ . and -, the first a letter or digit, at most 63"
_DECIMAL = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_INTEGER = re.compile(r"[0-9]{1,12}")

_LONGEST_PATH = 4096


def fault(kind: str, message: str) -> PydanticCustomError:
    """The error to raise: ``kind`` is the code in snake case, ``message`` for people."""
    return PydanticCustomError(kind, "{message}", {"message": message})


def wrong_type(what: str, value: Any) -> PydanticCustomError:
    """For a value of another JSON type than is wanted."""
    return fault("wrong_type", f"expected {what}, found {shown(value)}")


def named(what: str, pattern: str = NAME_PATTERN, words: str = _NAME_WORDS) -> Callable[[Any], str]:
    """A reader of names; ``what`` says of what, ``words`` what they are made of."""
    compiled = re.compile(pattern)

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise wrong_type(f"{what} (a string)", value)
        if not compiled.fullmatch(value):
            raise fault("bad_name", f"{shown(value)} is not a {what}: {words}")
        return str(value)

    return read


_domains = named("name of a domain, or a pattern", r"[A-Za-z0-9_.*-]{1,63}", "letters, digits, _ . - and *, at most 63")


def shared_with(value: Any) -> tuple[str, ...]:
    """Names of domains, in which ``*`` stands for any characters."""
    if not isinstance(value, list):
        raise wrong_type('a list of domains such as ["shop", "team-*"]', value)
    return tuple(as_list(_domains, "a list of domains")(value))


container_name = named(
    "name of a container",
    CONTAINER_NAME_PATTERN,
    "two or more letters, digits, _ . and -, the first a letter or digit, at most 253",
)
engine_name = named(
    "name in the engine",
    ENGINE_NAME_PATTERN,
    "letters, digits, _ . and -, the first a letter or digit, at most 253",
)
variable_name = named("name of a variable", VARIABLE_PATTERN, "letters, digits and _, the first no digit")
fact_name = named("name of a fact", FACT_NAME_PATTERN, f"key, cpux/key or domain/cpux/key, each of {_NAME_WORDS}")
_fact_key = named("key of a fact", NAME_PATTERN, f"{_NAME_WORDS} (no slash: a fact is answered in its own CPUX only)")


def fact_key(value: Any) -> str:
    """The key of a fact that the file itself answers."""
    if value == SYSTEM_READY.key:
        raise fault("bad_name", f"{SYSTEM_READY.key} is answered by pnr itself: choose another key")
    return _fact_key(value)


def truth(value: Any) -> TV:
    """``Y``, ``N``, ``U`` or ``UN`` in any case."""
    if not isinstance(value, str):
        raise wrong_type('"Y", "N" or "U"', value)
    try:
        return TV.parse(value)
    except ValueError:
        raise fault("invalid_value", f'expected "Y", "N" or "U" (also "UN"), found {shown(value)}') from None


def responses(value: Any) -> tuple[str, ...]:
    """A string, or a list of strings."""
    if isinstance(value, str):
        return (text(value),)
    if not isinstance(value, list):
        raise wrong_type('a response such as "yes", or a list of them', value)
    faults = Faults()
    found = [faults.read((index,), text, item) for index, item in enumerate(value)]
    faults.throw()
    return tuple(item or "" for item in found)


def seconds(low: float, high: float) -> Callable[[Any], float]:
    """A reader of seconds from ``low`` to ``high``."""

    def read(value: Any) -> float:
        if isinstance(value, Interpolated) and _DECIMAL.fullmatch(value):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong_type("a number of seconds", value)
        if not low <= value <= high:
            raise fault("out_of_range", f"expected {low:g} to {high:g} seconds, found {shown(value)}")
        return float(value)

    return read


def count(low: int, high: int) -> Callable[[Any], int]:
    """A reader of whole numbers from ``low`` to ``high``."""

    def read(value: Any) -> int:
        if isinstance(value, Interpolated) and _INTEGER.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type("a whole number", value)
        if not low <= value <= high:
            raise fault("out_of_range", f"expected a whole number from {low} to {high}, found {shown(value)}")
        return value

    return read


def port_key(value: Any) -> str:
    """A container port as ``27017`` or ``53/udp``."""
    return ports.port_key(value).removesuffix("/tcp")


def one_of(*known: str) -> Callable[[Any], str]:
    """A reader of one of a few words; the nearest one is named."""
    known = tuple(str(word) for word in known)
    read_known = choice(*known)

    def read(value: Any) -> str:
        if isinstance(value, str) and value not in known:
            message = f"expected one of {', '.join(known)}, found {shown(value)}{nearest(value, known)}"
            raise fault("invalid_value", message)
        return read_known(value)

    return read


NOT_SETTINGS = ("image", "networks")
"""What may drift besides settings."""


def ignored(value: Any) -> list[str]:
    """The names of settings that may drift, sorted."""
    known = one_of(*SETTINGS, *NOT_SETTINGS)
    names: list[str] = sorted_set(as_list(known, "a list of names of settings")(value))
    return names


def adopt(value: Any) -> Adopt:
    """``true``, ``false`` or ``"replace"``."""
    if value == Adopt.REPLACE:
        return Adopt.REPLACE
    return Adopt.MATCHING if flag(value) else Adopt.NO


NO_PASSWORD = (
    "the password must not stand in a domain file: put it into the domain's secrets, and name that secret as"  # noqa: S105
    " password_secret"
)


def image(value: Any) -> str:
    """The reference of an image: ``redis``, ``ghcr.io/team/api:1.2``, ``redis:7@sha256:…``."""
    if not isinstance(value, str):
        raise wrong_type('the name of an image such as "redis:7"', value)
    try:
        image_names.parse_declared(value)
    except image_names.BadImageName as error:
        raise fault("bad_name", f"no name of an image: {error}") from None
    return str(value)


def registry_host(value: Any) -> str:
    """The host of a registry, in the form that names of images have it."""
    if not isinstance(value, str):
        raise wrong_type('the host of a registry such as "ghcr.io"', value)
    try:
        return image_names.registry_host(value)
    except image_names.BadImageName as error:
        raise fault("bad_name", str(error)) from None


def user_name(value: Any) -> str:
    """The name of a user of a registry."""
    name = text(value)
    if not name or ":" in name or not name.isprintable():
        raise fault("invalid_value", f"expected the name of a user, found {shown(value)}")
    return name


def path(value: Any) -> str:
    """The path of a directory on the host."""
    if not isinstance(value, str):
        raise wrong_type("the path of a directory", value)
    if not value or len(value) > _LONGEST_PATH or not value.isprintable():
        raise fault("invalid_value", f"expected the path of a directory, found {shown(value)}")
    if value.startswith("~"):
        raise fault("invalid_value", f"{shown(value)}: ~ has no meaning for a service; write the whole path")
    return str(value)
