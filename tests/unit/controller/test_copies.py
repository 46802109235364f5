"""Equal copies of a chunk are shown as one chunk, and nothing that happened to one of them is lost."""

from __future__ import annotations

from typing import Any

from reconciler.controller.copies import together


def copy(number: int, **more: Any) -> dict[str, Any]:
    """How one copy is shown that is up."""
    return {
        "number": number,
        "up": True,
        "state": "completed",
        "reason": "Running",
        "message": "running",
        "since": "2026-01-01T00:00:00Z",
        "last_error": "",
        "restarts": 0,
        "attempts": 0,
        "replicas": [],
        "stalled": False,
        "file_notes": [],
        "urls": [],
        "mended": None,
        "ended_away": None,
        **more,
    }


def mended(minute: int, text: str) -> dict[str, str]:
    return {"at": f"2026-01-01T00:0{minute}:00Z", "text": text}


def test_what_was_done_to_any_copy_is_told_the_last_of_it_with_its_number() -> None:
    first = copy(1, mended=mended(1, "was paused"))
    assert together([first, copy(2)])["mended"] == mended(1, "(replica 1) was paused")
    shown = together([first, copy(2, mended=mended(3, "was disconnected from network front")), copy(3)])
    assert shown["mended"] == mended(3, "(replica 2) was disconnected from network front")
    assert together([copy(1), copy(2)])["mended"] is None


def test_that_any_copy_ended_while_the_engine_was_away_is_told() -> None:
    assert together([copy(1), copy(2, ended_away="2026-01-01T00:01:00Z")])["ended_away"] == "2026-01-01T00:01:00Z"
    assert together([copy(1), copy(2)])["ended_away"] is None


def test_one_copy_is_shown_without_a_number() -> None:
    assert together([copy(1, mended=mended(1, "was paused"))])["mended"] == mended(1, "was paused")
