"""Files of the host that containers have mounted one by one: when another file in their place is a reason to act."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.intent.model import Chunk, Kind, OnFileChange
from reconciler.planner import mounts
from reconciler.planner.mounts import FileChange, FileNews, Node, NodeKind, judge
from reconciler.planner.observed import Condition, Container
from reconciler.planner.retry_state import RetryState
from reconciler.states import Reason, State
from tests.unit.planner.build import chunk, container, healthy, situation, steps, think

OLD = Node(NodeKind.FILE, 1, 10, 3, 100, "abc")
FOLDER = Node(NodeKind.FOLDER, 1, 20)
SOCKET = Node(NodeKind.OTHER, 1, 30)
CONF = {"type": "bind", "source": "/srv/app.conf", "target": "/etc/app.conf", "read_only": True}


@pytest.mark.parametrize(
    ("had", "now", "change"),
    [
        (OLD, OLD, FileChange.SAME),
        (OLD, replace(OLD, changed_ns=200), FileChange.SAME),  # touched
        (
            OLD,
            replace(OLD, size=9, changed_ns=200, digest="xyz"),
            FileChange.SAME,
        ),  # written into: the container sees it
        (OLD, replace(OLD, inode=11, changed_ns=200), FileChange.SAME),  # another file with the same content
        (OLD, replace(OLD, inode=11, digest="xyz"), FileChange.REPLACED),
        (OLD, replace(OLD, inode=11, size=9, digest="xyz"), FileChange.REPLACED),
        (OLD, replace(OLD, device=2, digest="xyz"), FileChange.REPLACED),
        (replace(OLD, digest=""), replace(OLD, inode=11, digest=""), FileChange.SAME),  # too large to be read
        (replace(OLD, digest=""), replace(OLD, inode=11, digest="", changed_ns=200), FileChange.REPLACED),
        (OLD, None, FileChange.MISSING),
        (OLD, FOLDER, FileChange.NO_FILE),
        (OLD, SOCKET, FileChange.NO_FILE),
        (FOLDER, OLD, FileChange.REPLACED),  # the engine makes a directory where a file is missing
        (FOLDER, FOLDER, FileChange.SAME),
        (FOLDER, replace(FOLDER, inode=21), FileChange.FOLDER_REPLACED),
        (FOLDER, None, FileChange.MISSING),
        (SOCKET, replace(SOCKET, inode=31), FileChange.SAME),
        (SOCKET, None, FileChange.SAME),
        (SOCKET, OLD, FileChange.SAME),
    ],
)
def test_what_became_of_a_mount(had: Node, now: Node | None, change: FileChange) -> None:
    assert judge(had, now) is change


def mounting(**more: Any) -> Chunk:
    return chunk(settings={"volumes": [CONF]}, **more)


def has(of: Chunk, condition: Condition = Condition.RUNNING, **more: Any) -> Container:
    return container(of, condition, settings={"volumes": [CONF]}, **more)


def news(c: Container, token: str = "t1", change: FileChange = FileChange.REPLACED) -> mounts.News:
    return {c.id: (FileNews("/srv/app.conf", "/etc/app.conf", change, token),)}


def test_a_container_whose_file_was_replaced_is_replaced_as_for_a_changed_config() -> None:
    wanted = mounting()
    there = has(wanted)
    _, decision = think(situation(wanted, there, files=news(there), health=healthy()))
    assert decision.reason is Reason.UPDATING
    assert "/srv/app.conf was replaced on the host" in decision.message
    assert any(step.startswith("CreateContainer") for step in steps(decision))


@pytest.mark.parametrize(
    "change", [FileChange.MISSING, FileChange.NO_FILE, FileChange.FOLDER_REPLACED, FileChange.SAME]
)
def test_nothing_else_that_becomes_of_a_mount_is_a_reason_to_act(change: FileChange) -> None:
    wanted = mounting()
    there = has(wanted)
    _, decision = think(situation(wanted, there, files=news(there, change=change)))
    assert (decision.state, decision.work) == (State.COMPLETED, None)


@pytest.mark.parametrize(
    "more", [{"on_file_change": OnFileChange.IGNORE}, {"ignore_drift": ("volumes",)}, {"kind": Kind.JOB}]
)
def test_it_can_be_left_alone_and_then_a_note_says_so(more: dict[str, Any]) -> None:
    wanted = mounting(**more)
    there = has(wanted)
    _, decision = think(situation(wanted, there, files=news(there)))
    assert decision.work is None
    if wanted.kind is Kind.SERVICE:
        assert "keeps, at /etc/app.conf" in " ".join(mounts.notes(wanted, there, news(there)))


def test_no_note_is_made_of_what_is_being_done() -> None:
    wanted = mounting()
    there = has(wanted)
    assert not list(mounts.notes(wanted, there, news(there)))


def test_a_file_that_could_not_be_brought_along_is_not_put_up_with() -> None:
    wanted = mounting()
    there = has(wanted)
    words = tuple(str(one) for one in mounts.differences(wanted, there, news(there)))
    _, decision = think(
        situation(wanted, there, files=news(there), memory=RetryState(tolerated=words, files="/srv/app.conf=t1"))
    )
    assert decision.reason is Reason.UPDATING


def test_what_was_rejected_with_one_file_is_tried_with_another() -> None:
    wanted = mounting()
    there = has(wanted)
    rejected = RetryState(
        rejected=wanted.container.digest, files="/srv/app.conf=t1", proven_run="run1", made=3, made_at=990.0
    )
    _, decision = think(situation(wanted, there, files=news(there), memory=rejected, health=healthy()))
    assert decision.reason is Reason.ROLLED_BACK
    memory, decision = think(situation(wanted, there, files=news(there, "t2"), memory=rejected, health=healthy()))
    assert decision.reason is Reason.UPDATING
    assert memory.made == 3  # so that what is replaced again and again has no container made each time
