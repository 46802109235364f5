"""Equal copies of a chunk, shown as the one chunk that they are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.controller.records import ChunkRecord
from reconciler.facts import TV
from reconciler.planner.observed import Condition, Container
from reconciler.states import State

_WORST_FIRST = (State.FAILED, State.EXECUTING, State.READY, State.COMPLETED)
_INNER = ("number", "up")

View = dict[str, Any]


def together(views: Sequence[View]) -> View:
    """One view of all copies: that of the copy that is worst off (the first of them), which says of how many it is
    one; their containers and counts are those of all.

    The views are those of :mod:`reconciler.controller.status_view`; ``number`` is which copy one is of, ``up``
    whether that serves, as it is declared or as it was before an update.
    """
    worst = min(views, key=lambda view: (_WORST_FIRST.index(view["state"]), view["number"]))
    if len(views) == 1:
        return {key: value for key, value in worst.items() if key not in _INNER}
    up = sum(view["up"] for view in views)
    message = worst["message"]
    if worst["state"] != State.COMPLETED:
        message = f"{up} of {len(views)} replicas are up; replica {worst['number']}: {message or worst['reason']}"
    elif message:
        message = f"{up} of {len(views)} replicas are up: {message}"
    return {
        **{key: value for key, value in worst.items() if key not in _INNER},
        "message": message,
        "restarts": sum(view["restarts"] for view in views),
        "attempts": sum(view["attempts"] for view in views),
        "replicas": [replica for view in views for replica in view["replicas"]],
        "stalled": any(view["stalled"] for view in views),
        "file_notes": [note for view in views for note in view["file_notes"]],
        "urls": [url for view in views for url in view["urls"]],
        "mended": _mended_last(views),
        "ended_away": max((view["ended_away"] for view in views if view["ended_away"]), default=None),
        "copies": [
            {key: view[key] for key in ("number", "state", "reason", "message", "since", "last_error")}
            for view in views
        ],
    }


def _mended_last(views: Sequence[View]) -> View | None:
    """What somebody did to one of the copies last, and to which."""
    found = [(view["mended"]["at"], view["number"], view["mended"]["text"]) for view in views if view["mended"]]
    if not found:
        return None
    at, number, text = max(found)
    return {"at": at, "text": f"(replica {number}) {text}"}


def is_up(record: ChunkRecord, containers: Sequence[Container]) -> bool:
    """Whether a copy serves: as it is declared, or what an update is to replace."""
    ill = record.health.run if record.health.tv is TV.N else ""
    proven = record.memory.proven_run
    serves = any(one.condition is Condition.RUNNING and proven and ill != one.run == proven for one in containers)
    return record.state == State.COMPLETED or serves
