"""The one walk over CPUXs and chunks, each with its place in the file."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.diagnostics import Path
from reconciler.intent.chunks import chunks_of, chunks_of_file, chunks_of_tree, copies_of, cpuxs_of_tree
from reconciler.intent.document import DomainFile
from tests.unit.intent.reading import valid

FIRST: Path = ("cpuxs", "a", "design_chunks", 0)
SECOND: Path = ("cpuxs", "a", "design_chunks", 1)
OTHER: Path = ("cpuxs", "b", "design_chunks", 0)


def chunk(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "container": {"image": "busybox:1"}, **more}


def tree() -> dict[str, Any]:
    of_a = [chunk("one", replicas=2), chunk("two")]
    return {"name": "d", "cpuxs": {"a": {"design_chunks": of_a}, "b": {"design_chunks": [chunk("one")]}, "c": {}}}


def test_a_tree_a_file_and_a_domain_have_the_same_chunks_at_the_same_places() -> None:
    places = [("one", FIRST), ("two", SECOND), ("one", OTHER)]
    assert [(found["name"], path) for found, path in chunks_of_tree(tree())] == places
    assert [(found.name, path) for found, path in chunks_of_file(DomainFile.model_validate(tree()))] == places
    assert [(found.id.chunk, path) for found, path in chunks_of(valid(tree()))] == places


def test_equal_copies_have_one_place() -> None:
    found = [(one.id.chunk, one.id.replica, path) for one, path in copies_of(valid(tree()))]
    assert found == [("one", 1, FIRST), ("one", 2, FIRST), ("two", 1, SECOND), ("one", 1, OTHER)]


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        7,
        [],
        {},
        {"cpuxs": None},
        {"cpuxs": [{}]},
        {"cpuxs": {"a": None}},
        {"cpuxs": {"a": {"design_chunks": {"0": {}}}}},
        {"cpuxs": {"a": {"design_chunks": [None, 7, "one", []]}}},
    ],
)
def test_of_a_tree_that_is_wrong_only_what_is_a_chunk_comes(wrong: Any) -> None:
    assert list(chunks_of_tree(wrong)) == []


def test_what_stands_for_the_chunks_of_a_cpux_comes_as_it_is() -> None:
    wrong = {"cpuxs": {"none": {}, "no list": {"design_chunks": 7}, "no object": 3, "empty": {"design_chunks": []}}}
    assert list(cpuxs_of_tree(wrong)) == [("none", []), ("no list", 7), ("no object", None), ("empty", [])]


def test_the_index_counts_what_is_no_chunk_as_well() -> None:
    assert [path for _, path in chunks_of_tree({"cpuxs": {"a": {"design_chunks": [None, {}]}}})] == [SECOND]
