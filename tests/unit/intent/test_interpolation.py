"""Variables in strings, as Docker Compose has them, but for missing values, which are errors."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.diagnostics import Diagnostics
from reconciler.intent.interpolation import (
    FromVariables,
    InterpolationError,
    MissingVariable,
    Variables,
    interpolate,
    interpolate_tree,
)

VARIABLES = Variables(
    domain={
        "A": "a",
        "EMPTY": "",
        "PORT": 8080,
        "RATIO": 0.5,
        "ON": True,
        "NOTHING": None,
        "mongodb": {"url": "mongodb://db", "options": {"w": 1}},
        "flat.key": "flat",
        "BOTH": "domain",
        "DOLLAR": "$A ${A}",
        "LIST": [1],
    },
    environment={"BOTH": "daemon", "HOME": "/root", "SECRET": "hunter2"},
    allowed=("BOTH", "SECRET", "NOTHING", "UNSET"),
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("$A", "a"),
        ("${A}", "a"),
        ("x${A}y$A-z", "xaya-z"),
        ("$A.b", "a.b"),
        ("$$A", "$A"),
        ("$${A}", "${A}"),
        ("$$$A", "$a"),
        ("${EMPTY}", ""),
        ("${PORT}:${RATIO}:${ON}", "8080:0.5:true"),
        ("${mongodb.url}/x", "mongodb://db/x"),
        ("${mongodb.options.w}", "1"),
        ("${flat.key}", "flat"),
        ("${BOTH}", "domain"),
        ("${SECRET}", "hunter2"),
        ("${DOLLAR}", "$A ${A}"),
        ("${NO:-default}", "default"),
        ("${NO-default}", "default"),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY-default}", ""),
        ("${NOTHING-default}", "default"),
        ("${NO:-}", ""),
        ("${NO:-${A}}", "a"),
        ("${NO:-${NO2:-${A}b}c}", "abc"),
        ("${NO:-$$A}", "$A"),
        ("${NO:-a:-b}", "a:-b"),
        ("${A:-${NO}}", "a"),
        ("${A:?needed}", "a"),
        ("${EMPTY?needed}", ""),
        ("${A:+other}", "other"),
        ("${EMPTY:+other}", ""),
        ("${EMPTY+other}", "other"),
        ("${NO+other}", ""),
        ("${NO:+${NO2}}", ""),
        ("a}b", "a}b"),
        ("{{.Name}}", "{{.Name}}"),
    ],
)
def test_variables_are_replaced_as_compose_does(text: str, value: str) -> None:
    assert interpolate(text, VARIABLES) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${NO}", "NO has no value"),
        ("$NO", "NO has no value"),
        ("${HOME}", "allow the name"),
        ("${NOTHING}", "NOTHING has no value"),
        ("${EMPTY:?say which}", "say which"),
        ("${NO?}", "it is required"),
        ("${A:+${NO}}", "NO has no value"),
        ("${mongodb.nothing}", "mongodb.nothing has no value"),
    ],
)
def test_a_missing_value_is_an_error(text: str, words: str) -> None:
    with pytest.raises(MissingVariable, match=words.replace("?", r"\?")):
        interpolate(text, VARIABLES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("$", "write \\$\\$"),
        ("5$ ", "write \\$\\$"),
        ("$1", "write \\$\\$"),
        ("${", "variable's name"),
        ("${}", "variable's name"),
        ("${1}", "variable's name"),
        ("${A", "found the end"),
        ("${A b}", "expected }"),
        ("${A:b}", "expected }"),
        ("${A:-b", "never closed"),
        ("${A.}", "expected }"),
        ("${mongodb}", "is a map"),
        ("${LIST}", "is a list"),
        ("${A:-" * 40 + "}" * 40, "nested deeper"),
    ],
)
def test_what_is_no_variable_is_an_error_that_says_what_to_write(text: str, words: str) -> None:
    with pytest.raises(InterpolationError, match=words):
        interpolate(text, VARIABLES)


def test_an_error_never_shows_a_value() -> None:
    for text in ("${NO:?${SECRET}}", "${SECRET} ${NO}", "${SECRET} $"):
        with pytest.raises(InterpolationError) as caught:
            interpolate(text, VARIABLES)
        assert "hunter2" not in str(caught.value)


def test_a_string_remembers_the_template_it_came_from() -> None:
    value = interpolate("${SECRET}", VARIABLES)
    assert isinstance(value, FromVariables)
    assert value.source == "${SECRET}"
    assert not isinstance(interpolate("plain", VARIABLES), FromVariables)


def test_a_tree_is_replaced_everywhere_but_in_keys_and_skipped_parts() -> None:
    tree = {"$A": ["$A", {"x": "${A}"}, 1, None, True], "env": {"B": "$A"}, "n": "$NO", "m": "${"}
    report = Diagnostics()
    made = interpolate_tree(tree, VARIABLES, report, skip=("env",))
    assert made == {"$A": ["a", {"x": "a"}, 1, None, True], "env": {"B": "$A"}, "n": "$NO", "m": "${"}
    assert [(one.path, one.code) for one in report] == [(("n",), "MissingVariable"), (("m",), "BadInterpolation")]


def test_many_strings_together_have_a_limit() -> None:
    variables = Variables({"A": "x" * 100_000}, {}, ())
    report = Diagnostics()
    made = interpolate_tree(["$A"] * 1000, variables, report)
    assert [one.code for one in report] == ["TooLarge"]
    assert sum(map(len, made)) < 10_000_000


@given(st.text("$}{:-?+AN_. ", max_size=40))
def test_any_text_is_replaced_or_refused(text: str) -> None:
    with suppress(InterpolationError):
        assert isinstance(interpolate(text, VARIABLES), str)


@given(st.text(max_size=40))
def test_doubled_dollar_signs_give_the_text_itself(text: str) -> None:
    assert interpolate(text.replace("$", "$$"), VARIABLES) == text


@given(st.dictionaries(st.text("AB", min_size=1, max_size=3), st.integers() | st.booleans() | st.none() | st.text()))
def test_only_declared_values_are_found(domain: dict[str, Any]) -> None:
    variables = Variables(domain, {"Z": "z"}, ())
    assert variables.lookup("Z") is None
    for name, value in domain.items():
        assert (variables.lookup(name) is None) == (value is None)
