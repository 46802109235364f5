"""What the journal of a chunk that is stuck says again is counted."""

from __future__ import annotations

from typing import Any

from reconciler.controller.repeats import Repeats

Entry = dict[str, Any]


def said(kind: str, message: str, at: str = "", **more: Any) -> Entry:
    return {"at": at, "kind": kind, "domain": "shop", "cpux": "main", "chunk": "web", **more, "message": message}


def attempt(at: str) -> list[Entry]:
    return [
        said("transition", "no container yet", at, to="executing"),
        said("action", "created container web", at),
        said("error", "host port 80 is held", at),
        said("transition", "host port 80 is held", at, to="failed"),
    ]


def written(repeats: Repeats, entries: list[Entry], now: float) -> list[Entry]:
    return [one for entry in entries for one in repeats.take(entry, now)]


def test_the_first_attempt_is_written_in_full_and_those_like_it_are_counted() -> None:
    repeats = Repeats()
    assert written(repeats, attempt("0"), 0.0) == attempt("0")
    # What came before the first failure of a chunk was not yet known to be said again.
    assert len(written(repeats, attempt("1"), 1.0)) == 2
    for second in range(2, 30):
        assert written(repeats, attempt(str(second)), second) == []


def test_what_is_said_for_long_is_told_again_ever_less_often_with_how_often() -> None:
    repeats = Repeats()
    told = [
        (now, entry["repeated"])
        for now in range(0, 1000, 10)
        for entry in written(repeats, [said("error", "no")], float(now))
        if "repeated" in entry
    ]
    assert told == [(60, 6), (180, 12), (420, 24), (900, 48)]


def test_something_new_is_written_at_once() -> None:
    repeats = Repeats()
    written(repeats, attempt("0"), 0.0)
    assert repeats.take(said("error", "no such image"), 1.0) == [said("error", "no such image")]


def test_once_up_it_is_told_how_often_it_failed_and_all_is_written_again() -> None:
    repeats = Repeats()
    for second in range(5):
        written(repeats, attempt(str(second)), second)
    up = said("transition", "running", "9", to="completed")
    assert repeats.take(up, 9.0) == [said("error", "host port 80 is held", "9", repeated=4), up]
    assert written(repeats, attempt("10"), 10.0) == attempt("10")


def test_chunks_are_counted_for_themselves_and_what_is_no_chunks_is_always_written() -> None:
    repeats = Repeats()
    written(repeats, attempt("0"), 0.0)
    other = {**said("error", "host port 80 is held"), "chunk": "api"}
    assert repeats.take(other, 1.0) == [other]
    of_nobody: Entry = {"at": "", "kind": "error", "message": "no"}
    assert written(repeats, [of_nobody, of_nobody], 1.0) == [of_nobody, of_nobody]


def test_what_differs_only_in_the_id_of_a_container_was_said_before() -> None:
    repeats = Repeats()
    first = said("error", "the build failed: Running in 0123456789ab: no such package")
    assert repeats.take(first, 0.0) == [first]
    assert repeats.take(said("error", "the build failed: Running in ba9876543210: no such package"), 1.0) == []
    assert repeats.take(said("error", "the build failed: Running in deadbeefcafe: no such file"), 2.0) != []
