"""What is written piece by piece reads as what was written at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.controller.status_parts import MOST_ERRORS, FilesTold, as_documents, most_errors
from reconciler.daemon.encoding import encoded
from reconciler.diagnostics import Diagnostic, Place


def problems(file: str, count: int) -> tuple[Diagnostic, ...]:
    return tuple(Diagnostic((), "Bad", f"the „{number}“ is bad", place=Place(file, number)) for number in range(count))


@pytest.mark.parametrize(
    "answer",
    [
        {"done": True},
        {"view": {"domains": []}},
        {"view": {"daemon": {"notes": ['"']}, "domains": [{"name": "a"}, {"name": "b"}]}},
        {"view": {"daemon": {}, "domains": [{"name": "ä"}], "more": None}, "written": True, "done": True},
        {
            "view": {
                "domains": [
                    {
                        "name": "big",
                        "cpuxs": [
                            {"name": name, "facts": {f"f{n}": {"tv": "Y"} for n in range(facts)}, "chunks": chunks}
                            for name, facts, chunks in (
                                ("main", 450, [{"name": f"c{n}"} for n in range(41)]),
                                ("none", 0, []),
                                ("one", 1, [{"name": "c"}]),
                            )
                        ],
                    },
                    {"name": "empty", "cpuxs": []},
                ]
            }
        },
        {"view": None, "exit": 3},
    ],
)
async def test_every_answer_reads_as_it_is(answer: dict[str, Any]) -> None:
    assert json.loads(await encoded(answer)) == answer


async def test_files_that_are_as_they_were_are_told_by_the_same_documents() -> None:
    told, bad = FilesTold(), {"b.json": problems("b.json", 2), "a.json": problems("a.json", 1)}
    said = {"a.json": ("a",)}
    before = told.documents(bad, said, 9)
    assert [document["file"] for document in before] == ["a.json", "b.json"]
    assert json.loads(await encoded({"view": {"domains": before}})) == {"view": {"domains": before}}
    after = told.documents({**bad, "b.json": problems("b.json", 1)}, said, 9)
    assert after[0] is before[0]
    assert len(after[1]["errors"]) == 1


def test_of_very_many_problems_each_file_is_told_with_its_first() -> None:
    few = [problems("a.json", 100), problems("b.json", 100)]
    assert [len(as_documents(each, most_errors(few))) for each in few] == [100, 100]
    many = [problems(f"{number}.json", 100) for number in range(1000)]
    shown = [as_documents(each, most_errors(many)) for each in many]
    assert sum(map(len, shown)) <= 2 * MOST_ERRORS
    assert shown[0][-1]["code"] == "MoreProblems"
