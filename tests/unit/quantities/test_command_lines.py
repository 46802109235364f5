"""Command lines as a POSIX shell splits them, and as Compose does."""

from __future__ import annotations

import shlex
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.quantities.command_lines import Operator, read, read_as_compose


@pytest.mark.parametrize("written", [r"a\ b 'c d' " '"e \\" f" g\'\'h', " x\ty\n", 'a="b c"', r"'\'"])
def test_lines_are_split_as_a_posix_shell_does(written: str) -> None:
    assert read(written) == shlex.split(written)


@given(st.lists(st.text(st.characters(exclude_characters="\0")), max_size=5))
def test_any_words_survive_quoting_and_splitting(words: list[str]) -> None:
    assert read(shlex.join(words)) == words


def test_a_quoted_operator_is_a_word_like_any_other() -> None:
    assert read("find . -exec echo {} ';'") == ["find", ".", "-exec", "echo", "{}", ";"]
    assert read("curl http://x/?a=1&b=2") == ["curl", "http://x/?a=1&b=2"]


@pytest.mark.parametrize("operator", ["&&", "|", ">", "2>&1"])
def test_an_operator_on_its_own_is_refused(operator: str) -> None:
    with pytest.raises(Operator) as caught:
        read(f"a {operator} b")
    assert caught.value.word == operator


@pytest.mark.parametrize(("line", "why"), [("a\\", "a lone backslash"), ("'a", "not closed"), ('a "b', "not closed")])
def test_a_line_that_does_not_end_is_refused(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(line)


@pytest.mark.parametrize(
    ("line", "words", "dropped"),
    [
        ("a 'b c' \"d e\" f\\ g", ["a", "b c", "d e", "f g"], ""),
        ('sh -c "a && b"', ["sh", "-c", "a && b"], ""),
        ("a && b", ["a"], "&& b"),
        ("a 2>b", ["a"], ">b"),
        ("a '' b", ["a", "", "b"], ""),
        ("echo $(a b)", ["echo", "$(a b)"], ""),
        ("", [], ""),
    ],
)
def test_a_line_as_compose_splits_it(line: str, words: list[str], dropped: str) -> None:
    assert read_as_compose(line) == (words, dropped)


@pytest.mark.parametrize("line", ["'a", 'a "b', "a (b)", "a\\", "$(a"])
def test_a_line_that_compose_does_not_take(line: str) -> None:
    with pytest.raises(ValueError, match="not closed"):
        read_as_compose(line)


@pytest.mark.parametrize(
    ("line", "words", "as_compose"),
    [
        ("a;b", ["a;b"], ["a"]),
        ("curl http://x/?a=1&b=2", ["curl", "http://x/?a=1&b=2"], ["curl", "http://x/?a=1"]),
        (r'"a\b"', [r"a\b"], ["ab"]),
        ("echo $(a b)", ["echo", "$(a", "b)"], ["echo", "$(a b)"]),
        ("`a b`", ["`a", "b`"], ["`a b`"]),
    ],
)
def test_where_the_two_readings_differ(line: str, words: list[str], as_compose: list[str]) -> None:
    assert (read(line), read_as_compose(line)[0]) == (words, as_compose)


@given(st.text("ab '\"\\`$();&|<>2\n", max_size=12) | st.text(max_size=40))
def test_no_line_breaks_a_reading(line: str) -> None:
    for reading in (read, read_as_compose):
        with suppress(ValueError):
            reading(line)
