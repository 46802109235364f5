"""Equal copies of a chunk, shown as the one chunk that they are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.lifecycle import State

_WORST_FIRST = (State.FAILED, State.EXECUTING, State.READY, State.COMPLETED)

View = dict[str, Any]


def together(views: Sequence[View]) -> View:
    """One view of all copies: that of the copy that is worst off (the first of them), which says of how many it is
    one; their containers and counts are those of all.

    The views are those of :mod:`reconciler.controller.tell`; ``number`` is which copy one is of.
    """
    worst = min(views, key=lambda view: (_WORST_FIRST.index(view["state"]), view["number"]))
    if len(views) == 1:
        return {key: value for key, value in worst.items() if key != "number"}
    up = sum(view["state"] == State.COMPLETED for view in views)
    message = worst["message"]
    if up < len(views):
        message = f"{up} of {len(views)} replicas are up; replica {worst['number']}: {message}"
    elif message:
        message = f"{up} of {len(views)} replicas are up: {message}"
    return {
        **{key: value for key, value in worst.items() if key != "number"},
        "message": message,
        "restarts": sum(view["restarts"] for view in views),
        "attempts": sum(view["attempts"] for view in views),
        "replicas": [replica for view in views for replica in view["replicas"]],
        "stalled": any(view["stalled"] for view in views),
        "file_notes": [note for view in views for note in view["file_notes"]],
        "urls": [url for view in views for url in view["urls"]],
        "copies": [
            {key: view[key] for key in ("number", "state", "reason", "message", "since", "last_error")}
            for view in views
        ],
    }
