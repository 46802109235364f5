"""What people read of an action: plain verbs with the kind of thing and its name, never the name of a class."""

from __future__ import annotations

import re

import pytest

from reconciler.planner import actions
from reconciler.planner.actions import (
    Action,
    ConnectNetwork,
    CreateContainer,
    DisconnectNetwork,
    RenameContainer,
    StartContainer,
    UnpauseContainer,
    UpdateContainer,
)
from tests.unit.planner.build import chunk

EVERY = [
    one for one in vars(actions).values() if isinstance(one, type) and issubclass(one, Action) and one is not Action
]


@pytest.mark.parametrize("kind", EVERY)
def test_each_action_has_words_for_while_it_is_done_and_once_it_is(kind: type[Action]) -> None:
    for verb in kind.verbs:
        assert re.fullmatch(r"[a-z ]+ (container|network|volume|image)", verb)


@pytest.mark.parametrize(
    ("action", "doing", "done"),
    [
        (UnpauseContainer("web"), "unpausing container web", "unpaused container web"),
        (StartContainer("web"), "starting container web", "started container web"),
        (RenameContainer("web", "old"), "renaming container web to old", "renamed container web to old"),
        (
            ConnectNetwork("web", "front", ()),
            "connecting container web to network front",
            "connected container web to network front",
        ),
        (
            DisconnectNetwork("web", "front"),
            "disconnecting container web from network front",
            "disconnected container web from network front",
        ),
        (
            UpdateContainer("web", {}, ("mem_limit", "cpus")),
            "changing settings of container web (mem_limit, cpus)",
            "changed settings of container web (mem_limit, cpus)",
        ),
        (CreateContainer("web", chunk(), 1, 1), "creating container web", "created container web"),
    ],
)
def test_an_action_is_told_with_what_it_is_done_to(action: Action, doing: str, done: str) -> None:
    assert (action.doing, action.done) == (doing, done)
