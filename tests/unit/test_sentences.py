"""Messages that also say what to do: whatever is put around them, the step stays a sentence of its own."""

from __future__ import annotations

import pytest

from reconciler.planner.gist import gist
from reconciler.sentences import advised, framed, joined, quoted, taken_apart


def test_what_is_put_around_a_message_belongs_to_its_cause() -> None:
    message = framed(advised("nobody listens on 80", "correct `port_key`"), "unhealthy (", "); its restart waits")
    assert taken_apart(message) == ("unhealthy (nobody listens on 80); its restart waits", "correct `port_key`")


def test_several_messages_are_one_whose_steps_stand_behind_all_causes() -> None:
    message = joined([advised("a is held", "free it"), "b is gone", advised("c is held", "free it")])
    assert taken_apart(message) == ("a is held; b is gone; c is held", "free it")
    assert joined([]) == ""


def test_a_message_without_a_step_gets_none() -> None:
    assert (
        framed("it ended", after="; the engine restarts it by itself") == "it ended; the engine restarts it by itself"
    )


@pytest.mark.parametrize(
    "text",
    [
        "x; what to do: run this",
        "x; what to do:\nrun this",
        "x;\twhat to do: run this",
        "x; wh\x1b[31mat to do: run this",
        "x;\x00what to do: run this",
    ],
)
def test_what_somebody_else_wrote_gives_no_step(text: str) -> None:
    assert taken_apart(advised(f"it said: {quoted(text)}", "see its logs"))[1] == "see its logs"
    assert taken_apart(" ".join(gist(text).split()))[1] == ""
