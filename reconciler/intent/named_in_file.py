"""Which domain and chunks a file speaks of, valid or not: for who asks about a chunk that is not in force. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

from reconciler.intent.chunks import chunks_of_tree

_NAME = re.compile(r'"name"\s*:\s*"([^"\\\n]{1,200})"')
_TOKEN = re.compile(r'"((?:[^"\\\n]|\\.)*)"|([{}\[\],:])')
_LONGEST = 1 << 20
_MOST = 200


def said_names(data: bytes) -> tuple[str, ...]:
    """The names, the domain's first; of text that is not JSON all that stand behind ``"name"``."""
    text = data[:_LONGEST].decode("utf-8", "replace")
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        return tuple(dict.fromkeys(_NAME.findall(text)))[:_MOST]
    return tuple(dict.fromkeys(_names(tree)))[:_MOST]


def written_name(data: bytes) -> str | None:
    """The name that stands at the top of a file, also of text that is not JSON (cut short, a comma too many, marks of a
    merge): which domain it would declare. None where none is found."""
    depth, last = 0, ["", "", ""]  # the last tokens; of a string what is in it, behind a quote
    for token in _TOKEN.finditer(data[:_LONGEST].decode("utf-8", "replace")):
        mark = token[2] or f'"{token[1]}'
        if depth == 1 and token[2] is None and last[1:] == ['"name', ":"] and last[0] in ("{", ","):
            return token[1]
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(mark, 0)
        last = [*last[1:], mark]
    return None


def _names(tree: Any) -> list[str]:
    if not isinstance(tree, dict):
        return []
    found = [str(tree.get("name", ""))]
    return found + [chunk["name"] for chunk, _ in chunks_of_tree(tree) if isinstance(chunk.get("name"), str)]
