"""What a `.dockerignore` leaves out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.intent.dockerignore import MOST_PATTERNS, NO_PATTERN, BadPattern, parse


@pytest.mark.parametrize(
    ("content", "out", "kept"),
    [
        ("", [], ["a", "a/b"]),
        ("# comment\n\n  \n", [], ["a", "# comment"]),
        ("a", ["a", "a/b", "a/b/c"], ["b", "b/a", "ab"]),
        ("/a/", ["a", "a/b"], ["b/a"]),
        ("./a/../b", ["b"], ["a"]),
        ("*.log", ["x.log"], ["a/x.log", "x.logs"]),
        ("*/*.log", ["a/x.log"], ["x.log", "a/b/x.log"]),
        ("**/*.log", ["x.log", "a/x.log", "a/b/x.log"], ["a/log"]),
        ("**", ["a", "a/b"], []),
        ("a/**", ["a/b", "a/b/c"], ["a", "b"]),
        ("a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["z"]),
        ("?", ["a"], ["ab", "a.b"]),
        ("[ab].c", ["a.c", "b.c"], ["c.c"]),
        ("[^ab].c", ["c.c"], ["a.c"]),
        (r"\*", ["*"], ["a"]),
        ("*\n!keep", ["a"], ["keep", "keep/b"]),
        ("a\n!a/keep\na/keep/not", ["a", "a/b", "a/keep/not"], ["a/keep", "a/keep/b"]),
        ("!a\na", ["a"], []),
        (".\n..\n../x", [], ["a", "x"]),
        ("\ufeffa", ["a"], []),
        ("a b", ["a b"], ["a"]),
        ("a.b+c", ["a.b+c"], ["axb+c", "a.bbc"]),
    ],
)
def test_the_last_pattern_that_matches_decides(content: str, out: list[str], kept: list[str]) -> None:
    ignored = parse(content)
    assert [path for path in [*out, *kept] if ignored(path)] == out


def test_what_is_decided_of_a_folder_is_handed_down_to_what_is_in_it() -> None:
    ignored = parse("a\n!a/b\na/b/c/d\n*.log")
    decided = {"": NO_PATTERN}
    for path in ("a", "a/x", "a/b", "a/b/c", "a/b/c/d", "a/b/c/d/e", "b", "b/a"):
        decided[path] = ignored.decided(path, decided[path.rpartition("/")[0]])
        assert ignored.leaves_out(decided[path]) is ignored(path)
    assert decided == {"": NO_PATTERN, "a": 0, "a/x": 0, "a/b": 1, "a/b/c": 1, "a/b/c/d": 2, "a/b/c/d/e": 2,
                       "b": NO_PATTERN, "b/a": NO_PATTERN}  # fmt: skip


@pytest.mark.parametrize(
    ("content", "wholly"),
    [
        ("a", True),
        ("a\n!a/b", False),
        ("a\n!a/b/c", False),
        ("a\n!b", True),
        ("a\n!ab/c", True),
        ("a\n!*/c", False),
        ("a\n!**/c", False),
        ("a\n!a", True),
    ],
)
def test_a_folder_is_passed_over_only_where_nothing_in_it_is_taken_back(content: str, wholly: bool) -> None:
    assert parse(content).wholly("a") is wholly


@pytest.mark.parametrize("content", ["a\n!", "[a", "a[z-a]b"])
def test_a_line_that_is_no_pattern_is_named(content: str) -> None:
    with pytest.raises(BadPattern, match=f"line {content.count(chr(10)) + 1}"):
        parse(content)


def slow(pattern: str) -> str:
    """The plain regular expression of a pattern, which may go back and forth."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "[^a]": "[^a]", "[ab]": "[ab]"}
    parts = re.findall(r"\*\*/(?!$)|\*\*|\*|\?|\[.*?\]|.", pattern)
    at_end = ["(?:.*/)?" if part == "**" and number < len(parts) - 1 else "" for number, part in enumerate(parts)]
    return "".join(other or words.get(part) or re.escape(part) for part, other in zip(parts, at_end, strict=True))


@given(
    st.lists(st.sampled_from(["a", "b", "/", "*", "?", "**/", "[^a]", "[ab]"]), min_size=1, max_size=8),
    st.lists(st.text("ab/", min_size=1, max_size=10), max_size=6),
)
def test_no_way_to_match_quickly_decides_otherwise(parts: list[str], paths: list[str]) -> None:
    ignored = parse("".join(parts))
    for path in paths:
        known = re.fullmatch(slow(ignored.patterns[0].text), path, re.DOTALL) if ignored.patterns else None
        assert (ignored.decided(path) == 0) is (known is not None), (ignored.patterns, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 100 + "b", "a" * 255),
        ("**/" + "*a" * 100 + "b", "/".join(["a" * 250] * 10)),
        ("**/a/" * 20 + "b", "/".join("a" * 100)),
        ("**a" * 30 + "b", "a" * 255),
        ("*[^b]" * 30 + "b", "a" * 255),
        ("*/" * 50 + "b", "/".join(["a" * 60] * 49)),
        ("*?" * 60 + "b", "a" * 255),
    ],
)
def test_no_pattern_goes_back_and_forth_without_end(pattern: str, path: str) -> None:
    assert parse(pattern).decided(path) == NO_PATTERN


def test_patterns_without_end_are_refused() -> None:
    assert parse("a\n" * MOST_PATTERNS)("a")
    with pytest.raises(BadPattern, match="more than"):
        parse("a\n" * (MOST_PATTERNS + 1))
