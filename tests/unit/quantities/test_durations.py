"""Lengths of time as pnr reads them and as Compose does, and how they are written."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.quantities.durations import (
    SECOND,
    as_go,
    exact,
    in_one_unit,
    is_written,
    read,
    read_as_compose,
    rounded,
)

NONE = None


def result(reading: Callable[[str], int], text: str) -> int | None:
    try:
        return reading(text)
    except ValueError:
        return NONE


@pytest.mark.parametrize(
    ("text", "strict", "as_compose"),
    [
        ("90s", 90 * SECOND, 90 * SECOND),
        ("1m30s", 90 * SECOND, 90 * SECOND),
        ("30s1m", 90 * SECOND, 90 * SECOND),
        ("1.5h", 5400 * SECOND, 5400 * SECOND),
        ("500ms", SECOND // 2, SECOND // 2),
        ("2d", 172_800 * SECOND, 172_800 * SECOND),
        ("1w", 604_800 * SECOND, 604_800 * SECOND),
        ("7us", 7000, 7000),
        ("7\u00b5s", 7000, 7000),
        ("7\u03bcs", NONE, 7000),
        ("0", 0, 0),
        (" 5s ", 5 * SECOND, NONE),
        ("-5s", NONE, -5 * SECOND),
        ("+5s", NONE, 5 * SECOND),
        (".5s", NONE, SECOND // 2),
        ("1.s", NONE, SECOND),
        ("", NONE, NONE),
        ("10", NONE, NONE),
        ("s", NONE, NONE),
        ("1x", NONE, NONE),
        ("1 s", NONE, NONE),
        ("1S", NONE, NONE),
        ("9999999w", NONE, NONE),
    ],
)
def test_a_length_of_time_in_each_reading(text: str, strict: int | None, as_compose: int | None) -> None:
    assert (result(read, text), result(read_as_compose, text)) == (strict, as_compose)
    assert is_written(text) or strict in (None, 0)


@given(st.text("0123456789.+- nusmhdw\u00b5", max_size=12) | st.text(max_size=20))
def test_no_text_breaks_a_reading(text: str) -> None:
    assert (result(read, text) or 0) >= 0
    result(read_as_compose, text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("90s", "1m30s"), ("1.5h", "1h30m0s"), ("1d", "24h0m0s"), ("500ms", "500ms"), ("0", "0s"), ("1.25s", "1.25s")],
)
def test_compose_writes_what_it_has_read_as_go_does(text: str, shown: str) -> None:
    assert as_go(read_as_compose(text)) == shown


@given(st.integers(min_value=0, max_value=2**62))
def test_what_go_has_written_is_read_as_it_was(count: int) -> None:
    assert abs(read_as_compose(as_go(count)) - count) <= max(1, count * 1e-15)


@given(st.integers(min_value=0, max_value=10**12))
def test_an_exact_text_is_read_as_it_was(milliseconds: int) -> None:
    count = milliseconds * 10**6
    assert abs(read(exact(count / SECOND)) - count) <= count * 1e-15


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (90, "1m30s"), (86_400, "24h"), (0.25, "250ms")])
def test_an_exact_text_has_only_units_that_it_needs(seconds: float, text: str) -> None:
    assert exact(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(61, "61s"), (90.5, "90.5s"), (120, "2m"), (43_200, "12h"), (172_800, "2d"), (604_800, "1w")]
)
def test_one_unit_is_the_largest_of_which_it_is_whole(seconds: float, text: str) -> None:
    assert in_one_unit(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0s"), (59, "59s"), (60, "1m"), (7199, "1h"), (100_000, "27h"), (200_000, "2d")]
)
def test_ages_have_one_unit(seconds: int, shown: str) -> None:
    assert rounded(seconds) == shown
