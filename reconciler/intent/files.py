"""How secrets and configs, ``env_file`` and ``label_file`` are written: their forms, and their normal forms. Pure.

The names, short forms and long forms are those of the Compose specification (``secrets``, ``configs``, ``env_file``,
``label_file``); ``credential``, ``sops`` and ``age`` are pnr's own. What they refer to is read in
:mod:`reconciler.intent.referenced_contents`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.intent.settings.faults import Faults, expected, object_of, shown, wrong
from reconciler.intent.settings.values import container_path, flag, integer, is_windows_path, text

SECRETS_FOLDER = "/run/secrets"
CONFIGS_FOLDER = "/"
DEFAULT_MODE = 0o444
MAX_ID = 2**32 - 2

NO_CONTENT = (
    "content is for configs: the text of a secret must not stand in a domain file; name a file, environment,"
    " credential, sops or age"
)

_LONGEST_PATH = 4096
_OCTAL = re.compile(r"0?[0-7]{3}|0o[0-7]{3}")
# Numbers that are written as people write modes, and that as numbers are modes that nobody wants: 440 is 0670.
_OCTAL_IN_DISGUISE = re.compile(r"[04567]{3}")

_ID = {"anyOf": [{"type": "string", "pattern": r"^[0-9]+$|\$"}, {"type": "integer", "minimum": 0}]}
_USE = {
    "type": "object",
    "properties": {
        "source": {"type": "string"},
        "target": {"type": "string"},
        "uid": _ID,
        "gid": _ID,
        "mode": {"anyOf": [{"type": "string", "pattern": r"^(0o?)?[0-7]{3}$|\$"}, {"type": "integer", "minimum": 0}]},
    },
    "required": ["source"],
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
}
USES = {"type": "array", "items": {"anyOf": [{"type": "string"}, _USE]}}
"""The JSON Schema of ``secrets`` and ``configs`` in a container."""

_ENV_FILE = {
    "type": "object",
    "properties": {
        "path": {"type": "string"},
        "required": {"type": "boolean"},
        "format": {"enum": ["raw"]},
    },
    "required": ["path"],
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
}
ENV_FILES = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"anyOf": [{"type": "string"}, _ENV_FILE]}}],
}
"""The JSON Schema of ``env_file``."""
LABEL_FILES = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
"""The JSON Schema of ``label_file``."""


@dataclass(frozen=True, slots=True)
class Use:
    """A secret or config that a container has as a file. ``target`` is an absolute path in the container; ``uid`` and
    ``gid`` are None where nothing is said."""

    name: str
    target: str
    uid: str | None = None
    gid: str | None = None
    mode: int = DEFAULT_MODE


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A file of variables. ``raw``: nothing in it is replaced and no quotes are taken off."""

    path: str
    required: bool = True
    raw: bool = False


def file_path(value: Any) -> str:
    """The path of a file on the host."""
    path = text(value)
    if not path or len(path) > _LONGEST_PATH or not path.isprintable():
        raise expected("the path of a file", value)
    if path.startswith("~"):
        raise wrong(f"{shown(value)}: ~ has no meaning for a service; write the whole path")
    return path


def refused(why: str) -> Callable[[Any], None]:
    """A reader of what may be left out or empty, and is otherwise answered with ``why``."""

    def read(value: Any) -> None:
        if value not in (None, False, "", {}, []):
            raise wrong(why)

    return read


def mode(value: Any) -> int:
    """Permission bits: octal digits in quotes (``"0440"``), or the number itself (288), as Compose gets it from
    YAML's ``0440``."""
    if isinstance(value, str):
        if not _OCTAL.fullmatch(value):
            raise expected('a mode such as "0440"', value)
        return int(value.removeprefix("0o"), 8)
    if isinstance(value, bool) or not isinstance(value, int):
        raise expected('a mode such as "0440" (octal, in quotes)', value)
    if 0 <= value < 1000 and _OCTAL_IN_DISGUISE.fullmatch(str(value)):
        raise wrong(f'the number {value} is the mode "0{value:o}"; if "0{value}" is meant, write it in quotes')
    if not 0 <= value <= 0o777:
        raise expected('a mode such as "0440" (octal, in quotes)', value)
    return value


_number = integer("a number of a user or group", 0, MAX_ID, digits_in_quotes=True)


def _id(value: Any) -> str:
    if isinstance(value, str) and not value.isdecimal():
        raise expected("the number of a user or group (a file has no other names for them)", value)
    return str(_number(value))


def uses(what: str, folder: str) -> Callable[[Any], list[Use]]:
    """A reader of a container's ``secrets`` or ``configs`` (``what`` is the singular): names, or objects with source,
    target, uid, gid and mode. A target that is not absolute is below ``folder``."""

    def read_one(item: Any) -> Use:
        if isinstance(item, str):
            return Use(_source(item), _target(item))
        if not isinstance(item, Mapping):
            raise expected(f"the name of a {what}, or an object with source and target", item)
        known = {key: part for key, part in item.items() if not str(key).startswith("x-")}
        parsers = {"source": _source, "target": _target, "uid": _id, "gid": _id, "mode": mode}
        parts = object_of({key: part for key, part in known.items() if part is not None}, parsers)
        if "source" not in parts:
            raise wrong(f"source, the name of the {what}, is missing")
        target = parts.get("target") or _target(parts["source"])
        return Use(parts["source"], target, parts.get("uid"), parts.get("gid"), parts.get("mode", DEFAULT_MODE))

    def _source(value: Any) -> str:
        name = text(value)
        if not name:
            raise expected(f"the name of a {what}", value)
        return name

    def _target(value: Any) -> str:
        path = text(value)
        if not path or path.endswith("/"):
            raise expected("the path of a file in the container", value)
        if is_windows_path(path):
            raise wrong(f"{shown(value)}: secrets and configs are for Linux containers; write a path such as /app/key")
        return container_path(path if path.startswith("/") else f"{folder.rstrip('/')}/{path}")

    def read(value: Any) -> list[Use]:
        if not isinstance(value, list | tuple):
            raise expected(f'a list of {what}s such as ["{what}_name"]', value)
        faults = Faults()
        found = [faults.read((index,), read_one, item) for index, item in enumerate(value)]
        faults.throw()
        return [use for use in found if use is not None]

    return read


secret_uses = uses("secret", SECRETS_FOLDER)
config_uses = uses("config", CONFIGS_FOLDER)


def env_files(value: Any) -> list[EnvFile]:
    """``env_file``: a path, or a list of paths and of objects with path, required and format."""

    def read_one(item: Any) -> EnvFile:
        if isinstance(item, Mapping):
            parts = object_of(item, {"path": file_path, "required": flag, "format": _format})
            if "path" not in parts:
                raise wrong("path is missing")
            return EnvFile(parts["path"], parts.get("required", True), parts.get("format") == "raw")
        return EnvFile(file_path(item))

    return _one_or_many(value, read_one)


def label_files(value: Any) -> list[EnvFile]:
    """``label_file``: a path, or a list of paths."""
    return _one_or_many(value, lambda item: EnvFile(file_path(item)))


def _one_or_many(value: Any, read_one: Callable[[Any], EnvFile]) -> list[EnvFile]:
    if isinstance(value, str):
        return [read_one(value)]
    if not isinstance(value, list | tuple):
        raise expected('a path such as "./app.env", or a list of them', value)
    faults = Faults()
    found = [faults.read((index,), read_one, item) for index, item in enumerate(value)]
    faults.throw()
    return [file for file in found if file is not None]


def _format(value: Any) -> str:
    if value != "raw":
        raise expected('"raw" (or nothing)', value)
    return "raw"
