"""Ports and ranges of them, as pnr reads them and as Compose does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.quantities.port_ranges import Range, exact, length, read, read_as_compose

NONE = None


def result(reading: Callable[[str], Range | None], text: str) -> Range | None:
    try:
        return reading(text)
    except ValueError:
        return NONE


@pytest.mark.parametrize(
    ("text", "strict", "as_compose"),
    [
        ("80", (80, 80), (80, 80)),
        ("8000-8002", (8000, 8002), (8000, 8002)),
        ("0", (0, 0), (0, 0)),
        ("8002-8000", (8002, 8000), NONE),
        ("70000", (70000, 70000), NONE),
        ("1-2-x", NONE, (1, 2)),
        ("", NONE, NONE),
        ("-", NONE, NONE),
        ("80-", NONE, NONE),
        ("-80", NONE, NONE),
        ("123456", NONE, NONE),
        ("+80", NONE, NONE),
        ("80 - 81", NONE, NONE),
        ("\u0661", NONE, NONE),
    ],
)
def test_a_range_in_each_reading(text: str, strict: Range | None, as_compose: Range | None) -> None:
    assert (result(read, text), result(read_as_compose, text)) == (strict, as_compose)


@given(st.integers(0, 65535), st.integers(0, 100))
def test_an_exact_text_is_read_as_it_was(first: int, more: int) -> None:
    assert read(exact(first, first + more)) == (first, first + more)
    assert length(exact(first, first + more)) == more + 1


def test_any_free_port_is_one_port() -> None:
    assert length("") == 1
