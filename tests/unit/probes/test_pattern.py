from __future__ import annotations

import asyncio
import re

import pytest

from reconciler.probes.pattern import Pattern

LINES = ["2026-01-01T00:00:00Z INFO some line of the usual length, nothing special in it"] * 500


@pytest.mark.parametrize("text", ["ready", "listening on port", r"ready.*\d", "^started$", "ready|started", "https?:"])
def test_what_people_write_is_searched_at_once(text: str) -> None:
    assert Pattern(text).is_quick(LINES)


@pytest.mark.parametrize(
    "text",
    [
        r"(\w+ ?)+ready",
        r"(a|a)*b",
        r"(a*){2,9}b",
        r"(.)\1",
        r"(?x)(a+) +b",
        r"\w+\s*\w+\s*\w+x",
        "(?:a+)*z",
        r"(?x:(?:a+) +)b",
    ],
)
def test_what_may_backtrack_for_long_is_not_searched_at_once(text: str) -> None:
    assert not Pattern(text).is_quick(LINES)


def test_a_long_text_makes_a_repeat_slow() -> None:
    assert Pattern(r"\w+\d").is_quick(["a" * 1000])
    assert not Pattern(r"\w+\d").is_quick(["a" * 65536])


def test_many_alternatives_in_a_row_are_not_searched_at_once() -> None:
    assert not Pattern("(a|a)" * 30 + "b").is_quick(["a" * 64])


@pytest.mark.parametrize(("text", "found"), [("ready", True), (r"^(\w+ ?)+ready$", True), (r"^(x+)+y$", False)])
async def test_both_ways_of_searching_find_the_same(text: str, found: bool) -> None:
    parts = ["not yet", "now it is ready"]
    assert await Pattern(text).found_in(parts) is found


async def test_each_line_of_a_part_has_its_own_beginning_and_end() -> None:
    assert await Pattern("^ready$").found_in(["a\nready\nb"])
    assert await Pattern("^(ready)+$").found_in(["a\nready\nb"])


async def test_any_text_reaches_the_search() -> None:
    assert await Pattern("^(\udcff|é|\\x00)+$").found_in(["\udcffé\x00"])


async def test_a_search_without_end_ends_at_the_deadline() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await Pattern("^(a+)+$").found_in(["a" * 100 + "b"])


def test_what_is_no_regular_expression_is_refused() -> None:
    with pytest.raises(re.error):
        Pattern("(")


async def test_many_searches_without_end_do_not_run_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    running: list[int] = []
    most = 0
    found_by_child = Pattern._found_by_child

    async def counted(self: Pattern, parts: list[str]) -> bool:
        nonlocal most
        running.append(1)
        most = max(most, len(running))
        try:
            return await found_by_child(self, parts)
        finally:
            running.pop()

    monkeypatch.setattr(Pattern, "_found_by_child", counted)
    assert await asyncio.gather(*(Pattern("^(a+)+$").found_in(["aaab"]) for _ in range(9))) == [False] * 9
    assert most == 4


def test_to_compile_is_put_off_where_it_takes_long() -> None:
    assert not Pattern("(?i)" + "[\0-\U0010ffff]" * 100).is_quick(["a"])
