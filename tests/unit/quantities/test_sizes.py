"""Sizes as pnr reads them, as Go's programs do, and as the kernel does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.quantities.sizes import exact, read, read_as_go, read_as_kernel, rounded, rounded_memory

KIB, MIB, GIB = 2**10, 2**20, 2**30
NONE = None


def result(reading: Callable[[str], int], text: str) -> int | None:
    try:
        return reading(text)
    except ValueError:
        return NONE


@pytest.mark.parametrize(
    ("text", "strict", "as_go", "as_kernel"),
    [
        ("7", 7, 7, 7),
        ("0", 0, 0, 0),
        ("64m", 64 * MIB, 64 * MIB, 64 * MIB),
        ("1M", MIB, MIB, MIB),
        ("1g", GIB, GIB, GIB),
        ("2t", 2 * 2**40, 2 * 2**40, NONE),
        ("1p", 2**50, 2**50, NONE),
        ("7b", 7, 7, NONE),
        ("64mb", 64 * MIB, 64 * MIB, NONE),
        ("10kib", 10 * KIB, 10 * KIB, NONE),
        ("10KiB", 10 * KIB, 10 * KIB, NONE),
        ("2Gi", 2 * GIB, NONE, NONE),
        ("1.5 GB", 3 * GIB // 2, 3 * GIB // 2, NONE),
        ("1  g", GIB, NONE, NONE),
        (" 1g ", GIB, NONE, GIB),
        (".5k", NONE, 512, NONE),
        ("1.k", NONE, KIB, NONE),
        ("1e3", NONE, 1000, NONE),
        ("+1k", NONE, KIB, NONE),
        ("-1", NONE, NONE, NONE),
        ("1e999", NONE, NONE, NONE),
        ("", NONE, NONE, NONE),
        ("g", NONE, NONE, NONE),
        ("1gg", NONE, NONE, NONE),
        ("1bb", NONE, NONE, NONE),
        ("1xib", NONE, NONE, NONE),
        ("1,5g", NONE, NONE, NONE),
        ("50%", NONE, NONE, NONE),
        ("0x10", NONE, NONE, NONE),
        ("\u0661", NONE, NONE, NONE),
        ("1\u212a", NONE, NONE, NONE),
    ],
)
def test_a_size_in_each_reading(text: str, strict: int | None, as_go: int | None, as_kernel: int | None) -> None:
    assert (result(read, text), result(read_as_go, text), result(read_as_kernel, text)) == (strict, as_go, as_kernel)


def test_the_strict_reading_is_exact_for_any_number_of_digits() -> None:
    assert read("1048576.000000001p") == 2**70 + 2**50 // 10**9
    assert read("0.000000000000001p") == 1


@given(st.text("0123456789.eE+- kmgtpib", max_size=12) | st.text(max_size=20))
def test_no_text_breaks_a_reading(text: str) -> None:
    for reading in (read, read_as_go, read_as_kernel):
        assert (result(reading, text) or 0) >= 0


@given(st.integers(min_value=0, max_value=2**60))
def test_an_exact_text_is_read_as_it_was(count: int) -> None:
    assert read(exact(count)) == count
    assert read_as_go(exact(count)) == pytest.approx(count, rel=1e-15)


@pytest.mark.parametrize(("count", "text"), [(0, "0b"), (1000, "1000b"), (64 * MIB, "64m"), (3 * GIB // 2, "1536m")])
def test_an_exact_text_has_the_largest_unit_of_which_it_is_whole(count: int, text: str) -> None:
    assert exact(count) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (12_345, "12.3 kB"), (5_000_000, "5.0 MB"), (2_500_000_000, "2.50 GB")],
)
def test_sizes_are_shown_as_docker_does(count: int, text: str) -> None:
    assert rounded(count) == text


@pytest.mark.parametrize(
    ("count", "text"), [(512, "512 B"), (6 * KIB, "6 KiB"), (64 * MIB, "64 MiB"), (3 * GIB // 2, "1.5 GiB")]
)
def test_limits_of_memory_are_shown_as_they_are_declared(count: int, text: str) -> None:
    assert rounded_memory(count) == text
