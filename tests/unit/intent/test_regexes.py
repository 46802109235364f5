"""What an expression may cost is told by its parse tree, however it is written."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.intent import regexes

UNBOUNDED = [
    r"(?x:(?:a+) +)b",
    r"(?x)(?:a+) +b",
    "(?x:(?:a+)\n\t+)b",
    "(?x:(?:a+)# a comment )\n+)b",
    r"(?x: (?:a | a) * )b",
    r"(a+)+b",
    r"(?:a+)+b",
    r"(?:(?:(?:a+))){2,}b",
    r"(?:a+){2,9}b",
    r"(?:a|a)*b",
    r"(?:a|ab)*?c",
    r"(?:a?){40}b",
    r"(?:a*)*",
    r"(?:a+)++b",
    r"(?>(a+)+)b",
    r"(\w+\s?)+ready",
    r"(.)\1",
    r"(?P<x>.)(?P=x)",
    r"(a)?(?(1)b|c)",
    r"(?=(a+)+)b",
    r"(?!a)b",
    r"(?<=a)b",
    r"(?<!(?:a))b",
    r"(?i:[\0-\U0010ffff])x",
    "(?i)" + "[\0-\U0010ffff]" * 150,
    r"((?i:b)[\u0100-\uffff])",
    r"(?:^)*a",
    r"(?s:.(?-s:.))*",
]
BOUNDED = {
    "ready": (0, 0),
    r"listening on port \d+": (1, 0),
    r"ready.*\d": (1, 0),
    "^started$": (0, 0),
    "https?:": (0, 1),
    r"\[INFO\] +\w+: up": (2, 0),
    r"(?i:ready) to (?:serve|accept)?": (0, 2),
    r"(?P<name>x{3})y": (1, 0),
    r"\(+\)\*": (1, 0),
    r"[*+{]a": (0, 0),
    r"a\+b\{2\}": (0, 0),
    r"(?x) a b  # (c+)+": (0, 0),
}


@pytest.mark.parametrize("text", UNBOUNDED)
def test_what_may_take_for_ever_is_known(text: str) -> None:
    begun = time.process_time()
    assert not regexes.cost(text, re.MULTILINE).is_bounded
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("text", BOUNDED)
def test_what_people_write_is_counted(text: str) -> None:
    cost = regexes.cost(text)
    assert cost.is_bounded
    assert cost.is_cheap
    assert (cost.repeats, cost.choices) == BOUNDED[text]


@pytest.mark.parametrize("text", ["(", "a{99999999999}", "*", "[", "(?P<n>", "(?<=a+)b", "(" * 5000 + ")" * 5000])
def test_what_is_none_is_an_error_and_nothing_else(text: str) -> None:
    with pytest.raises(re.error):
        regexes.check(text)


@given(st.text("ab.*+?()[]{}|^$\\1,2:=!<>xiP-#\n 9", max_size=30))
def test_any_text_has_a_cost_or_is_none(text: str) -> None:
    try:
        cost = regexes.cost(text)
    except re.error:
        return
    if cost.is_bounded and cost.repeats <= 3 and cost.choices <= 8:
        # What is counted as bounded is: this would not end otherwise.
        re.search(text, "ab" * 20 + "c")


def test_what_is_compiled_is_what_was_judged() -> None:
    for text in BOUNDED:
        regexes.check(text)
