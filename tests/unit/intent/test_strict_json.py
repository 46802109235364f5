"""JSON as it is meant to be, and where things stand in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.diagnostics import Diagnostic, Path
from reconciler.intent.positions import KEY, locate, path_at
from reconciler.intent.strict_json import MAX_BYTES, MAX_DEPTH, MAX_NUMBER_LENGTH, BadJson, parse

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_what_a_json_writer_writes_is_read_back(value: Any, indent: int | str | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert parse(text.encode(), "x.json") == value


@given(st.binary(max_size=300))
def test_any_bytes_are_either_read_or_refused_with_a_place(data: bytes) -> None:
    problems: tuple[Diagnostic, ...] = ()
    try:
        parse(data, "x.json")
    except BadJson as error:
        problems = error.errors
    assert all(problem.place.line >= 1 and problem.place.column >= 1 for problem in problems)


@given(st.text('{}[]",:\\ \n019-eEtrufalsn\ud800x', max_size=60))
def test_what_looks_like_json_is_judged_as_the_standard_parser_does_or_more_strictly(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    try:
        ours = parse(data, "x.json")
    except BadJson:
        return
    assert ours == json.loads(text)


def test_the_limits_themselves_are_allowed() -> None:
    assert parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, "x.json")
    assert parse(b"9" * MAX_NUMBER_LENGTH, "x.json") == int("9" * MAX_NUMBER_LENGTH)
    assert parse(b" " * (MAX_BYTES - 1) + b"1", "x.json") == 1


def test_brackets_and_digits_inside_strings_do_not_count() -> None:
    value = {"a": "[" * 500 + '"' + "{" * 500, "b": "9" * 5000, "c\\": "]"}
    assert parse(json.dumps(value).encode(), "x.json") == value


def test_a_surrogate_pair_is_a_character() -> None:
    assert parse(rb'"\ud83d\ude00"', "x.json") == "\U0001f600"


def test_a_problem_names_what_was_expected_and_what_was_found() -> None:
    with pytest.raises(BadJson) as caught:
        parse(b'{"name": tru}', "shop.json")
    assert str(caught.value).startswith("shop.json:1:10: name: expected a value")
    assert "found tru}" in str(caught.value)


def test_columns_count_characters_not_bytes() -> None:
    with pytest.raises(BadJson) as caught:
        parse('{"é€😀": x}'.encode(), "x.json")
    assert (caught.value.errors[0].place.line, caught.value.errors[0].place.column) == (1, 9)


def paths_of(value: Any, path: Path = ()) -> set[Path]:
    found = {path}
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found |= paths_of(part, (*path, key))
        if isinstance(key, str):
            found.add((*path, key, KEY))
    return found


@given(VALUES, st.sampled_from([None, 1]))
def test_every_value_and_every_key_has_a_place(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    wanted = paths_of(value)
    places = locate(text, [path for path in wanted if path[-1:] != (KEY,)])
    assert places.keys() == wanted
    lines = text.split("\n")
    decoder = json.JSONDecoder()
    for path, (line, column) in places.items():
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        there = decoder.raw_decode(rest)[0]
        if path[-1:] == (KEY,):
            assert there == path[-2]
        else:
            at: Any = value
            for part in path:
                at = at[part]
            assert there == at


def test_only_the_wanted_places_are_kept() -> None:
    text = '{"a": {"b": [1, 2]}, "c": 3}'
    assert locate(text, [("a", "b", 1), ("c",)]) == {("a", "b", 1): (1, 17), ("c", KEY): (1, 22), ("c",): (1, 27)}


def test_the_path_at_a_place_is_that_of_what_surrounds_it() -> None:
    text = '{"a": {"b": [1, {"c": 2'
    assert path_at(text, len(text)) == ("a", "b", 1, "c")
    assert path_at(text, 1) == ()
    assert path_at('{"a": 1, ', 9) == ()
    assert path_at("]]]}}}", 6) == ()
