"""Whatever a container prints is searched, shortened, understood and shown without holding anybody up."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.clues import step_from
from reconciler.controller.monitoring import MOST_OUTPUT_BYTES
from reconciler.daemon.clean import clean
from reconciler.intent.check_types import LONGEST_REGEX
from reconciler.planner.gist import MOST_CHARACTERS, MOST_LINES, gist
from reconciler.probes.log import FIRST_LOOK_BYTES, LONGEST_LINE, LogProbe
from reconciler.probes.protocol import ProbeResult, Target
from reconciler.sentences import taken_apart
from tests.unit.cli.test_clues import PRINTED
from tests.unit.fuzz.material import DICE, ODD_TEXTS
from tests.unit.fuzz.turns import in_short_turns, quick
from tests.unit.probes.build import FakeInside, check, container

LINES = [
    *PRINTED,
    *ODD_TEXTS,
    "Traceback (most recent call last):",
    '  File "/app/main.py", line 3, in <module>',
    "    at com.example.Main.main(Main.java:7)",
    "    at file:///app/x.js:3:4",
    "goroutine 1 [running]:",
    "\tmain.go:7 +0x1f",
    "Usage: x [-y]",
    "from a.rb:3:in `b'",
    "what to do: ; it said: ",
    "2026-01-01T00:00:00Z INFO ready to serve on 0.0.0.0:80",
]
PIECES = [
    "a",
    "(",
    ")",
    " ",
    ".",
    ":1",
    "at ",
    "x.go:1",
    "d: bad address '",
    "1.",
    "from ",
    '", line 1',
    "\\",
    "ENOTFOUND ",
]
PATTERNS = ["ready", "^$", r"a\w+b", r"\w+\d", r"(?i)READY|up", r".*\(.*\)", r"\s+$", "\\x00", "[^a]*a", "é"]


@st.composite
def outputs(draw: st.DrawFn) -> str:
    """Some lines, and a few that are long."""
    dice = draw(DICE)
    lines = [dice.choice(LINES) for _ in range(dice.randrange(30))]
    for _ in range(dice.randrange(3)):
        lines.insert(
            dice.randrange(len(lines) + 1), "".join(dice.choice(PIECES) for _ in range(3)) * dice.choice((3, 400))
        )
    if lines and dice.random() < 0.5:
        at = dice.randrange(len(lines))
        lines[at] = lines[at][: dice.randrange(len(lines[at]) + 1)] + draw(st.text(max_size=20)) + lines[at]
    return dice.choice(("\n", "\r\n", "\r", "\u2028")).join(lines)


def look(text: str, pattern: str) -> ProbeResult:
    """What the daemon makes of an output, in its loop."""
    probe = LogProbe(check("log", pattern=pattern), FakeInside(output=text))
    return in_short_turns(lambda: probe.probe(Target(container())))


def searched(text: str, pattern: str) -> None:
    """It is found where it is, and what is told else can be shown."""
    result = look(text, pattern)
    compiled = re.compile(pattern, re.MULTILINE)
    assert result.ok == any(compiled.search(line[:LONGEST_LINE]) for line in text.splitlines())
    taken_apart(result.message)
    clean(result.message).encode()


@given(outputs())
def test_any_output_has_a_gist_and_a_step_or_none(text: str) -> None:
    end = text[-MOST_OUTPUT_BYTES:]
    said = quick(lambda: gist(end))
    assert len(said) <= MOST_CHARACTERS + MOST_LINES
    assert said or not text.strip()
    assert clean(said, lines=True).replace("\n", "").isprintable()
    step = step_from(text)
    assert clean(step).isprintable()


@given(outputs(), st.sampled_from(PATTERNS))
def test_any_output_is_searched(text: str, pattern: str) -> None:
    searched(text, pattern)


@given(DICE, st.text("ab.*+?()[]{}|^$\\1,2:=!<>xiP-#\n 9", min_size=1, max_size=20))
def test_any_pattern_is_searched_for_or_none(dice: random.Random, pattern: str) -> None:
    try:
        LogProbe(check("log", pattern=pattern), FakeInside())
    except ValueError:  # no regular expression
        return
    look("\n".join(dice.choice(LINES)[:20] for _ in range(5)), pattern)


@pytest.mark.parametrize(
    ("piece", "pattern"),
    [
        ("\n", "ready"),
        ("abc\n", r"\w+\d\b"),
        ("\u2028", "(x+)+y"),
        ("a" * 4095 + "\n", r"\w+\d\b"),
        ("\x1b[", "ready"),
    ],
)
def test_as_much_as_may_be_read_holds_up_nobody(piece: str, pattern: str) -> None:
    assert len(pattern) <= LONGEST_REGEX
    look(piece * (FIRST_LOOK_BYTES // len(piece.encode())), pattern)


@pytest.mark.parametrize("piece", [*PIECES, *(f"at x{piece}" for piece in PIECES), "^", '  File "', "\n ", "usage:\n"])
@pytest.mark.parametrize("end", ["", ")", ":", "x"])
def test_no_line_takes_long_to_be_understood(piece: str, end: str) -> None:
    text = "at " + piece * (MOST_OUTPUT_BYTES * 8 // len(piece)) + end
    quick(lambda: gist(text))
    quick(lambda: step_from(text[:MOST_OUTPUT_BYTES]))
    quick(lambda: clean(text[:MOST_OUTPUT_BYTES], lines=True))
