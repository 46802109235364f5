"""The lines of ``pnr import``: few of many."""

from __future__ import annotations

from reconciler.cli.import_told import remark_lines, verdict_lines, warning_lines
from reconciler.daemon.takeover import Verdict
from reconciler.diagnostics import Diagnostic, Place, Severity


def remark(number: int, code: str, *, loss: bool = False) -> Diagnostic:
    severity: Severity = "loss" if loss else "note"
    return Diagnostic(("services", f"s{number}"), code, f"said of s{number}", severity, Place("c.yaml", number, 1))


def test_notes_of_one_kind_are_one_line_that_names_the_others() -> None:
    notes = [remark(number, "A") for number in range(1, 13)] + [remark(20, "B")]
    first, second = remark_lines(notes, verbose=False)
    assert first.startswith("note: c.yaml:1:1: services.s1: said of s1")
    assert first.endswith("(and 11 more such: s2, s3, s4, s5, s6, s7, and 5 more; --verbose lists them)")
    assert second.startswith("note: c.yaml:20:1: services.s20: said of s20")
    assert len(list(remark_lines(notes, verbose=True))) == 13


def test_of_many_kinds_no_more_than_ten_lines_are_told_and_losses_before_notes() -> None:
    remarks = [remark(number, f"N{number}") for number in range(1, 13)]
    remarks += [remark(number, "Lost", loss=True) for number in (20, 21, 22)]
    lines = list(remark_lines(remarks, verbose=False))
    assert len(lines) == 10
    assert [line.startswith("note: ") for line in lines] == [False] * 3 + [True] * 7
    assert lines[-1] == "note: and 6 more notes: --verbose lists all"


def test_a_few_losses_are_told_each_and_many_as_one() -> None:
    losses = [remark(number, "Lost", loss=True) for number in range(1, 5)]
    assert len(list(remark_lines(losses[:3], verbose=False))) == 3
    (line,) = remark_lines(losses, verbose=False)
    assert "and 3 more such: s2, s3, s4" in line


def test_warnings_of_compose_are_cut_short() -> None:
    warnings = [Diagnostic((), "Unset", word, "warning") for word in "abcd"]
    assert len(list(warning_lines(warnings[:3], verbose=False))) == 3
    lines = list(warning_lines(warnings, verbose=False))
    assert lines == ["warning: a", "warning: b", "warning: and 2 more warnings of Compose's own: --verbose lists them"]


def test_of_containers_those_that_want_attention_have_a_line_of_their_own() -> None:
    good = [Verdict(f"d/main/c{number}", f"c{number}", "0" * 64, ()) for number in range(5)]
    other = Verdict("d/main/x", "x", "1" * 64, ("image: a declared, b found",))
    refused = Verdict("d/main/y", "y", "2" * 64, (), "it would run without volumes[0]: the policy refuses it")
    lines = list(verdict_lines([*good, other, refused], verbose=False))
    assert lines[0].startswith("5 containers: as declared")
    assert "left alone, since it is not as declared: image: a declared" in lines[1]
    assert "left alone, since its chunk is not in the domain: it would run without volumes[0]: the policy" in lines[2]
    assert len(list(verdict_lines([*good, other, refused], verbose=True))) == 7
