"""What others wrote reaches a terminal without anything in it that acts on one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.daemon.clean import clean


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Grüße, 世界", "Grüße, 世界"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPdevice\x1b\\after", "after"),
        ("\x1bcreset", "reset"),
        ("\x1b(Bcharset", "charset"),
        ("\x9b31mred", "red"),
        ("unfinished \x1b]0;title", "unfinished ]0;title"),
        ("bell\x07 null\x00 del\x7f", "bell null del"),
        ("a\u202eb\u2066c\u200fd", "abcd"),
        ("one\ntwo\r\nthree", "one two  three"),
        ("tab\tstop", "tab stop"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("line\u2028separator", "line separator"),
    ],
)
def test_control_characters_and_escape_sequences_are_dropped(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_with_lines_the_line_breaks_stay_and_the_rest_goes() -> None:
    assert clean("one\r\n\x1b[2Jtwo\tx\rthree", lines=True) == "one\ntwo    x three"


@given(st.text(st.characters(categories=None)))
def test_nothing_but_printable_characters_and_line_breaks_is_ever_left(text: str) -> None:
    assert clean(text).isprintable()
    assert all(line.isprintable() for line in clean(text, lines=True).split("\n"))
    clean(text, lines=True).encode()


@given(st.text(st.characters(min_codepoint=0, max_codepoint=0xFF)))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)
