"""What is told of files: one shape for all of it."""

from __future__ import annotations

import pytest

from reconciler.diagnostics import MOST_TOLD, Diagnostic, Diagnostics, Place, cut_off, escaped, render

HERE = Place("shop.json", 3, 7)


class Invalid(Exception):
    pass


def test_paths_are_written_for_people() -> None:
    assert (
        render(("cpuxs", "shop", "design_chunks", 0, "labels", "io.pnr"))
        == 'cpuxs.shop.design_chunks[0].labels["io.pnr"]'
    )
    assert render(("a\x1b[31m",)) == r'["a\u001b[31m"]'
    assert len(render(("x" * 10_000,) * 1000)) < 4000


def test_text_is_shown_without_control_characters_and_shortened() -> None:
    assert escaped("a\x00\x1b\u202eb\U000e0001") == r"a\u0000\u001b\u202eb\U000e0001"
    assert escaped("x" * 1000) == "x" * 59 + "…"


def test_a_diagnostic_says_place_path_message_and_code_as_far_as_there_are_such() -> None:
    assert str(Diagnostic(("a", 0), "Bad", "it is bad", place=HERE)) == "shop.json:3:7: a[0]: it is bad [Bad]"
    assert str(Diagnostic.of_file("shop.json", "Bad", "it is bad")) == "shop.json: it is bad [Bad]"
    assert Diagnostic(("a", 0), "Bad", "it is bad", place=HERE).as_dict() == {
        "file": "shop.json",
        "line": 3,
        "column": 7,
        "path": "a[0]",
        "code": "Bad",
        "message": "it is bad",
    }


def test_what_is_no_error_says_so_first() -> None:
    assert str(Diagnostic(("a",), "Odd", "it is odd", "warning", HERE)) == "warning: shop.json:3:7: a: it is odd [Odd]"


def test_each_is_kept_once_in_the_order_in_which_they_were_found() -> None:
    report = Diagnostics("shop.json")
    report.error(("b",), "Bad", "it is bad")
    report.warning(("a",), "Odd", "it is odd")
    report.error(("b",), "Bad", "it is bad")
    assert [(one.where, one.severity) for one in report] == [("b", "error"), ("a", "warning")]
    assert report.of("error") == (Diagnostic(("b",), "Bad", "it is bad", place=Place("shop.json")),)


def test_only_errors_are_raised() -> None:
    report = Diagnostics("shop.json")
    report.warning((), "Odd", "it is odd")
    report.note((), "Note", "it is so")
    report.raise_if_any(Invalid)
    report.error((), "Bad", "it is bad")
    with pytest.raises(Invalid, match="it is bad"):
        report.raise_if_any(Invalid)


def test_of_very_many_as_many_are_told_as_people_read() -> None:
    many = [Diagnostic.of_file("shop.json", "Bad", f"{number}") for number in range(MOST_TOLD + 5)]
    assert cut_off(many[:MOST_TOLD]) == tuple(many[:MOST_TOLD])
    *told, last = cut_off(many, more=2)
    assert len(told) == MOST_TOLD
    assert str(last) == "shop.json: … and 7 more problems [MoreProblems]"
