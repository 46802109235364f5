"""Control characters in a domain file: a line end in the name of a header or an option is never meant, and whoever gets
it may take what follows for something else. Pure.

Keys have none, wherever they stand, and values only where people write text or commands; of ``NAME=value`` the same
holds for the name. What a health check takes is in the schema of its type.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.diagnostics import Diagnostics, Path
from reconciler.intent.positions import KEY

_ANY = object()
"""Text for people, or for the container: anything may stand in it."""


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Names with values: anything may stand in the values. In a text a name ends at the first of these ``signs``."""

    signs: str = "="

    def name_in(self, text: str) -> str:
        return re.split(f"[{self.signs}]", text, maxsplit=1)[0]


_PAIRS = _Pairs()

_EACH = "*"
_NAMED = {_EACH: None}
"""Objects whose keys are names: one that begins with ``x-`` is a name as well, and no extension of the file."""
_FACTS = {_EACH: {"prompt": _ANY, "response": _ANY}}
_OPTIONS = {"driver_opts": _PAIRS, "labels": _PAIRS}
_CONTAINER = {
    **dict.fromkeys(("command", "entrypoint", "description"), _ANY),
    **dict.fromkeys(("environment", "env", "labels", "annotations"), _PAIRS),
    "security_opt": _Pairs("=:"),
    **dict.fromkeys(("sysctls", "extra_hosts", "ulimits", "storage_opt"), _NAMED),
    "networks": {_EACH: {"driver_opts": _NAMED}},
    "logging": {"options": _PAIRS},
    "healthcheck": {"test": _ANY},
    "build": {"args": _PAIRS, "labels": _PAIRS, "dockerfile_inline": _ANY, "extra_hosts": _NAMED},
}
_CHUNK = {
    "description": _ANY,
    "status": _ANY,
    **dict.fromkeys(("gatekeeper", "flowin", "flowout"), _FACTS),
    "health_check": {"type": None, "port_key": None, _EACH: _ANY},
    "container": _CONTAINER,
}
_FILE = {
    "description": _ANY,
    "env": _PAIRS,
    "cpuxs": {
        _EACH: {"id": _ANY, "description": _ANY, "rt_state": _FACTS, "design_chunks": {_EACH: _CHUNK}},
    },
    "networks": {_EACH: {**_OPTIONS, "ipam": {"options": _NAMED, "config": {_EACH: {"aux_addresses": _NAMED}}}}},
    "volumes": {_EACH: _OPTIONS},
    "configs": {_EACH: {"content": _ANY, "labels": _PAIRS}},
    "secrets": {_EACH: {"labels": _PAIRS}},
    "registries": _NAMED,
}


def crosscheck(tree: Mapping[str, Any], report: Diagnostics) -> None:
    """Tell every control character that is not meant, but where it is told already what is wrong."""
    told = {one.path[:-1] if one.path[-1:] == (KEY,) else one.path for one in report}
    for path, code, message in _within(tree, (), _FILE):
        if (path[:-1] if path[-1] == KEY else path) not in told:
            report.error(path, code, message)


def _within(node: Any, path: Path, free: Any) -> Iterator[tuple[Path, str, str]]:
    if free is _ANY:
        return
    if isinstance(node, str):
        is_pair = isinstance(free, _Pairs)
        if path and (odd := bad_character(free.name_in(node) if is_pair else node, is_name=is_pair)):
            yield path, "InvalidValue", f"{odd} in {'the name of ' * is_pair}this value: take it out"
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _within(item, (*path, index), free if isinstance(free, _Pairs) else _of(free, _EACH))
    elif isinstance(node, dict):
        for key, part in node.items():
            if odd := bad_character(key, is_name=True):
                yield (*path, key, KEY), "BadName", f"{odd} in this key: take it out"
            elif not isinstance(free, _Pairs) and (_EACH in (free or ()) or not key.startswith("x-")):
                yield from _within(part, (*path, key), _of(free, key))


def _of(free: Any, key: str) -> Any:
    return free.get(key, free.get(_EACH)) if isinstance(free, dict) else None


def bad_character(text: str, *, is_name: bool = False) -> str:
    """The first control character of a text, in words; "" where there is none. In a name a tab is one, and a character
    that nobody sees: two names that look the same would be two."""
    if text.isprintable():
        return ""
    for character in text:
        category = unicodedata.category(character)
        if category in _CATEGORIES or character in _TURNING:
            if is_name or character != "\t":
                return _WORDS.get(character) or f"a control character (U+{ord(character):04X})"
        elif is_name and category == _INVISIBLE:
            return f"an invisible character (U+{ord(character):04X})"
    return ""


_CATEGORIES = ("Cc", "Zl", "Zp")
"""Control characters; separators of lines and paragraphs end a line as well."""
_INVISIBLE = "Cf"
"""Joiners, spaces of no width, marks of direction, byte-order marks, tags."""
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They turn the direction of what is shown after them."""
_WORDS = {"\0": "a NUL character", "\n": "a line end", "\r": "a carriage return", "\t": "a tab"}
