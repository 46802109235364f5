"""What plain scalars of YAML mean to Compose, and how values look as text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.compose.scalars import resolved, shown_as_text, single


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("n", "n"),
        ("true", True),
        ("FALSE", False),
        ("", None),
        ("~", None),
        ("Null", None),
        ("0777", 511),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0b11", -3),
        ("1_000", 1000),
        ("+5", 5),
        ("08", 8.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("22:22", "22:22"),
        ("1.2.3", "1.2.3"),
        ("18446744073709551615", 2**64 - 1),
        ("-", "-"),
        ("1e999", "1e999"),
        ("2024-05-01", datetime(2024, 5, 1, tzinfo=UTC)),
        ("2024-13-01", "2024-13-01"),
        ("2024-5-1 1:2:3", datetime(2024, 5, 1, 1, 2, 3, tzinfo=UTC)),
    ],
)
def test_a_plain_scalar(text: str, value: Any) -> None:
    found = resolved(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (1.0, "1"),
        (1.10, "1.1"),
        (1e6, "1e+06"),
        (123456.0, "123456"),
        (1e-5, "1e-05"),
        (0.0001, "0.0001"),
    ],
)
def test_a_value_as_text(value: Any, text: str) -> None:
    assert shown_as_text(value) == text


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_number_of_32_bits_keeps_its_value_in_few_digits(value: float) -> None:
    found = single(value)
    assert single(found) == found
    assert abs(found - value) <= abs(value) * 1e-6 + 1e-44


@given(st.text(max_size=20))
def test_any_text_is_a_scalar_of_some_kind(text: str) -> None:
    resolved(text)
