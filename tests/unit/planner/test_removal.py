"""A removal is judged for the folder as a whole, by all that went within the last minute."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.planner.removal import Absent, Folder, Hold, LetGo, Place, Verdict, judge

LONG_AGO, NOW = 0.0, 1000.0


def folder(
    *gone: str, known: int = 5, let_go: tuple[str, ...] = (), came: tuple[str, ...] = (), place: Place = Place.SAME
) -> Folder:
    """``known`` domains a, b, c … of which these have just ``gone``, others were ``let_go`` before, and more came in
    the same stir."""
    names = "abcdefghij"[:known]
    return Folder(
        known={**{name: LONG_AGO for name in names if name not in let_go}, **dict.fromkeys(came, NOW)},
        absent={name: Absent(NOW) for name in gone},
        let_go={name: LetGo(NOW - 40) for name in let_go},
        place=place,
    )


def turned(at: Folder, *names: str, **marks: bool) -> Folder:
    """The same, with marks on these of the absent (on all, where none is named)."""
    absent = {name: replace(one, **marks) if name in names or not names else one for name, one in at.absent.items()}
    return replace(at, absent=absent)


@pytest.mark.parametrize(
    ("at", "hold"),
    [
        (folder("a", known=1), None),
        (folder("a", known=2), None),
        (folder("a", "b", known=2), Hold.ALL_GONE),
        (folder("a", "b", known=3), None),
        (folder("a", "b", "c", known=3), Hold.ALL_GONE),
        (folder("a", "b", known=4), None),
        (folder("a", "b", "c", known=4), Hold.MOST_GONE),
        (folder("a", "b", known=5), None),
        (folder("a", "b", "c", known=5), Hold.MOST_GONE),
        (folder("a", "b", "c", "d", "e", known=5), Hold.ALL_GONE),
        (folder(*"abcde", known=10), None),
        (folder(*"abcdef", known=10), Hold.MOST_GONE),
        (folder("a", known=1, place=Place.MISSING), Hold.FOLDER_MISSING),
        (folder("a", known=1, place=Place.REPLACED), Hold.FOLDER_REPLACED),
        (folder("a", known=5, place=Place.REPLACED), Hold.FOLDER_REPLACED),
        (folder("a", "b", known=2, place=Place.REPLACED), Hold.FOLDER_REPLACED),
        (folder("b", known=2, let_go=("a",)), Hold.ALL_GONE),
        (folder("c", known=5, let_go=("a", "b")), Hold.MOST_GONE),
        (folder("c", known=6, let_go=("a", "b")), None),
        (folder("a", "b", known=2, came=("x", "y", "z")), Hold.ALL_GONE),
        (folder("a", "b", "c", known=5, came=("x", "y", "z")), Hold.MOST_GONE),
        (folder("a", known=1, came=("x",)), None),
    ],
)
def test_what_went_in_the_last_minute_is_judged_as_a_whole(at: Folder, hold: Hold | None) -> None:
    verdict = judge(at)
    assert verdict.hold is hold
    assert set(verdict.held if hold else verdict.go) == at.absent.keys()
    assert not (verdict.go if hold else verdict.held)


def test_the_counts_tell_what_led_to_it() -> None:
    assert judge(folder("c", known=5, let_go=("a", "b"))) == Verdict([], ["c"], Hold.MOST_GONE, 3, 5)
    assert judge(folder("a", "b", known=2, came=("x",))) == Verdict([], ["a", "b"], Hold.ALL_GONE, 2, 2)


def test_none_of_the_known_ones_at_the_start_is_no_wish_however_few_they_are() -> None:
    for at in (folder("a", known=1), folder("a", known=1, came=("x",)), folder("a", "b", known=2)):
        assert judge(turned(at, seen=False)).hold is Hold.NONE_AT_START
    assert judge(turned(folder("a", known=2), seen=False)).hold is None
    assert judge(turned(folder("a", "b", known=2), "a", seen=False)).hold is Hold.ALL_GONE


def test_what_a_commit_removes_is_meant_unless_it_takes_all() -> None:
    four_of_five = turned(folder(*"abcd", known=5), by_commit=True)
    assert judge(four_of_five) == Verdict(list("abcd"), [], None, 4, 5)
    assert judge(turned(folder(*"abcde", known=5), by_commit=True)).hold is Hold.ALL_GONE
    assert judge(turned(folder("a", known=1), by_commit=True)).go == ["a"]
    replaced = turned(folder("a", "b", known=5, place=Place.REPLACED), "a", by_commit=True)
    assert (judge(replaced).go, judge(replaced).held) == (["a"], ["b"])
    assert not judge(turned(folder("a", "b", known=2, place=Place.REPLACED), by_commit=True)).go
    by_hand_beside = turned(folder(*"abcd", known=10), "a", by_commit=True)
    assert judge(by_hand_beside).hold is None
    before = replace(folder("e", known=5, let_go=tuple("abcd")), let_go={n: LetGo(NOW - 9, True) for n in "abcd"})
    assert judge(before).hold is Hold.ALL_GONE
    assert judge(turned(before, by_commit=True)).hold is Hold.ALL_GONE
    before = replace(folder("e", known=9, let_go=tuple("abcd")), let_go={n: LetGo(NOW - 9, True) for n in "abcd"})
    assert judge(before).hold is None


def test_what_is_held_counts_as_gone_until_a_person_or_a_commit_means_it() -> None:
    at = turned(folder("a", "b", known=5), "a", held=True)
    assert (judge(at).go, judge(at).held, judge(at).hold) == (["b"], ["a"], None)
    at = turned(folder("a", "b", "c", known=5), "a", "b", held=True)
    assert (judge(at).held, judge(at).hold) == (["a", "b", "c"], Hold.MOST_GONE)
    assert judge(turned(at, "a", confirmed=True)).go == ["a"]
    meant = judge(turned(at, "a", by_commit=True))
    assert (meant.go, meant.held) == (["a", "c"], ["b"])  # two of the four that the commit left


def test_what_a_person_took_down_goes_and_holds_nobody() -> None:
    for place in Place:
        assert judge(turned(folder("a", "b", known=2, place=place), confirmed=True)).go == ["a", "b"]
    at = turned(folder("a", "b", known=2), "a", confirmed=True)
    assert (judge(at).go, judge(at).held) == (["a"], ["b"])


def test_a_file_that_came_long_ago_is_known_and_one_that_came_and_went_holds_nothing() -> None:
    at = folder("a", "b", known=2)
    assert judge(replace(at, known={**at.known, "x": NOW - 1})).hold is None
    came_and_went = replace(at, known={**at.known, "x": NOW}, absent={**at.absent, "x": Absent(NOW)})
    assert judge(came_and_went).held == ["a", "b", "x"]
    all_new = Folder(known=dict.fromkeys("abcde", NOW), absent={name: Absent(NOW) for name in "ab"})
    assert judge(all_new).go == ["a", "b"]
