"""What hostile input is made of: words that mean something, texts and numbers that are odd, and mutations of both."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

ODD_TEXTS = (
    *(
        "",
        " ",
        "\0",
        "\n",
        "\r\n",
        "\t",
        "\x1b[2J",
        "\x1b]0;x\x07",
        "\u202e",
        "\u2028",
        "\ufeff",
        "\U0010ffff",
        "é",
        "e\u0301",
    ),
    *(
        "İ",
        "ß",
        "٣",
        "½",
        "a" * 300,
        "a" * 5000,
        "../" * 50,
        "/" * 300,
        "//",
        "/.",
        "..",
        "~",
        "~root",
        "C:\\x",
        "\\\\?\\x",
    ),
    *(
        "$",
        "$$",
        "${",
        "${A",
        "${A:-${A:-}}",
        "$A$A",
        "@domain",
        "@domains/..",
        "...",
        "*",
        "**",
        "?",
        "[",
        "(",
        "(a+)+$",
    ),
    *(
        "0",
        "-1",
        "+1",
        "1e400",
        "1_000",
        "0x10",
        "9" * 400,
        "1.5",
        "inf",
        "nan",
        "true",
        "null",
        "1s",
        "-1s",
        "9" * 30 + "h",
    ),
    *(
        "1g",
        "-1g",
        "1e9g",
        "0.0.0.0/0",
        "::/0",
        "::ffff:127.0.0.1",
        "127.1",
        "0x7f.1",
        "unix:///run/docker.sock",
        "a:b:c:d",
    ),
    *(
        "sha256:" + "a" * 64,
        "x@sha256:" + "a" * 64,
        "host",
        "none",
        "default",
        "container:x",
        "service:web",
        "npipe:////./x",
    ),
)
ODD_NUMBERS = (0, -1, 1, 2, 65535, 65536, 1 << 31, 1 << 63, 1 << 64, -(1 << 63), 10**30, 0.1, -0.0, 1e-320, 1.7e308)

TEXTS = st.sampled_from(ODD_TEXTS) | st.text(max_size=12)
DICE = st.integers(0, (1 << 64) - 1).map(random.Random)
SCALARS = st.none() | st.booleans() | st.sampled_from(ODD_NUMBERS) | st.integers() | TEXTS


def values(words: list[str]) -> st.SearchStrategy[Any]:
    """Any JSON in which words that mean something are frequent."""
    keys = st.sampled_from(words) | TEXTS
    return st.recursive(
        SCALARS | st.sampled_from(words),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
        max_leaves=15,
    )


def nodes(tree: Any) -> Iterator[Any]:
    """A value and all that are in it."""
    yield tree
    for inner in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from nodes(inner)


def words_of(trees: list[Any]) -> list[str]:
    """The keys and texts of documents."""
    found = {one for tree in trees for one in nodes(tree) if isinstance(one, str)}
    found |= {key for tree in trees for one in nodes(tree) if isinstance(one, dict) for key in one}
    return sorted(found)


def mutated(tree: Any, dice: random.Random, put: Callable[[], Any], words: list[str]) -> Any:
    """A document with one thing in it changed: ``put`` makes what comes in."""
    if isinstance(tree, dict | list) and tree and dice.random() < 0.85:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        key = dice.choice(keys)
        changed: Any = dict(tree) if isinstance(tree, dict) else list(tree)
        changed[key] = mutated(tree[key], dice, put, words)
        return changed
    what = dice.randrange(6)
    if isinstance(tree, dict) and what < 3:
        return {**tree, dice.choice(words): put()}
    if isinstance(tree, dict) and tree and what == 3:
        gone = dice.choice(list(tree))
        return {(dice.choice(words) if key == gone else key): value for key, value in tree.items()}
    if isinstance(tree, list) and what < 3:
        return [*tree, *([dice.choice(tree)] if tree and what else [put()])] * (dice.choice((1, 1, 1, 40)))
    if what == 4:
        return deep(tree, dice.choice((2, 28, 40)))
    if isinstance(tree, str) and what == 5:
        at = dice.randrange(len(tree) + 1)
        return tree[:at] + dice.choice(ODD_TEXTS) + tree[at:]
    return put()


def deep(tree: Any, levels: int) -> Any:
    """A value in lists and objects by turns."""
    for level in range(levels):
        tree = {"a": tree} if level % 2 else [tree]
    return tree


def damaged(data: bytes, dice: random.Random) -> bytes:
    """A text with one thing in it changed that no writer of such texts would write."""
    at, end = dice.randrange(len(data) + 1), dice.randrange(len(data) + 1)
    match dice.randrange(6):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
        case 2:
            return data[: min(at, end)] + data[max(at, end) :]
        case 3:
            return data[:at] + data[min(at, end) : max(at, end)] + data[at:]
        case 4:
            return data[:at] + dice.choice(
                (b"[" * 200, b'"\\ud800"', b"\xff", b"\xef\xbb\xbf", b"\0", b"NaN", b"1e999")
            )
        case _:
            return data.replace(b'"', b'"a":1,"a":2,"', 1)


def encoded(tree: Any, dice: random.Random) -> bytes:
    """As a file; now and then as no writer would write it."""
    data = json.dumps(tree, ensure_ascii=dice.random() < 0.5, indent=dice.choice((None, 1))).encode(errors="replace")
    return damaged(data, dice) if dice.random() < 0.2 else data
