"""Whatever a container writes to /runtime is read or told, in a moment, and can be shown."""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.facts import Pnr
from reconciler.intent.model import ChunkId
from reconciler.intent.strict_json import BadJson, parse, parse_briefly
from reconciler.sources import runtime
from reconciler.sources.runtime import RuntimeFacts
from tests.unit.fuzz.material import DICE, damaged, deep, encoded, mutated, values
from tests.unit.fuzz.turns import quick

ID = ChunkId("shop", "main", "api")
FACT = {"prompt": "?", "response": ["yes"], "tv": "y"}
WORDS = ["prompt", "response", "tv", "y", "N", "u", "Y", "api_ready", "maybe"]
VALUES = values(WORDS)
GOOD: list[Any] = [{"api_ready": FACT}, {"a": FACT, "b": {**FACT, "tv": "N"}}, {"a": {"response": "yes"}}, {}]
NAMES = ["a.json", "b.json", "\udcff.json", "\n.json", "\x1b[2J.json", ".json", "é.json", "a.JSON", "x" * 200 + ".json"]


def read(files: dict[str, bytes]) -> runtime.RuntimeAnswers:
    """What is read of these, in one turn of the loop."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "shop" / "main" / "api"
        folder.mkdir(parents=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        said = quick(lambda: RuntimeFacts(Path(root)).read(ID))
    assert len(said.problems) <= runtime.MOST_PROBLEMS
    for problem in said.problems:
        assert problem.isprintable()
        assert len(problem) < 1000
    for key, fact in said.answers.items():
        assert isinstance(fact, Pnr)
        json.dumps([key, fact.prompt, fact.response], ensure_ascii=False).encode()
    return said


@given(DICE, st.data())
def test_files_like_good_ones_are_read_or_told(dice: random.Random, data: st.DataObject) -> None:
    files = {}
    for _ in range(dice.randrange(1, 4)):
        document = dice.choice(GOOD)
        for _ in range(dice.randrange(4)):
            document = mutated(document, dice, lambda: data.draw(VALUES), WORDS)
        files[dice.choice(NAMES)] = encoded(document, dice)
    read(files)


@given(DICE, st.data())
def test_what_is_read_briefly_is_what_is_read_with_places(dice: random.Random, data: st.DataObject) -> None:
    document = mutated(dice.choice(GOOD), dice, lambda: data.draw(VALUES), WORDS)
    text = encoded(document, dice)
    if dice.random() < 0.5:
        text = damaged(text, dice)
    read_it: list[Any] = []
    for reader in (parse, parse_briefly):
        try:
            read_it.append(reader(text, "a.json"))
        except BadJson:
            read_it.append("refused")
    assert read_it[0] == read_it[1]


SIZE = runtime.LARGEST_FILE
LARGE = {
    "keys that stand twice": "{" + ",".join(['"a":1'] * (SIZE // 6 - 2)) + "}",
    "keys that stand twice at the end": "{" + "".join(f'"{n:x}":1,' for n in range(6000)) + '"0":1}',
    "half characters": json.dumps(["\ud800"] * (SIZE // 10)),
    "no numbers": "[" + ",".join(["NaN"] * (SIZE // 4 - 2)) + "]",
    "large numbers": "[" + ",".join(["1e999"] * (SIZE // 6 - 2)) + "]",
    "long numbers": "[" + ",".join(["9" * 400] * (SIZE // 401 - 2)) + "]",
    "an endless number": "9" * SIZE,
    "brackets": "[" * SIZE,
    "brackets as deep as they may be": '{"a":' + "[" * 30 + "[]," * (SIZE // 3 - 20),
    "objects": '{"a":' * (SIZE // 5),
    "facts": json.dumps({f"k{n}": FACT for n in range(SIZE // 60)}),
    "no facts": json.dumps({f"k{n}": deep(n, 10) for n in range(SIZE // 90)}),
    "texts": json.dumps({f"k{n}": {**FACT, "response": ["x"] * 900} for n in range(10)}),
    "backslashes": '"' + "\\" * (SIZE - 1),
    "line ends": "\n" * SIZE,
    "conflicts": "<<<<<<< a\n" * (SIZE // 10),
    "nulls": "\0" * SIZE,
    "no UTF-8": "\udcff" * SIZE,
}


@pytest.mark.parametrize("text", LARGE.values(), ids=list(LARGE))
def test_as_much_as_may_be_is_read_in_one_turn(text: str) -> None:
    data = text.encode("utf-8", "surrogateescape")
    assert len(data) <= SIZE
    read({f"{number:02}.json": data for number in range(runtime.MOST_FILES)})
