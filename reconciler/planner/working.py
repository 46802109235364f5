"""What is remembered of work on a chunk as it begins, of its steps, and where it ends early. Pure."""

from __future__ import annotations

from dataclasses import replace

from reconciler.planner import following, kept_endpoints
from reconciler.planner.actions import (
    Action,
    AdoptContainer,
    ConnectNetwork,
    CreateContainer,
    DisconnectNetwork,
    ExamineMounts,
    RenameContainer,
    StartContainer,
    StopContainer,
    UnpauseContainer,
    UpdateContainer,
    Work,
)
from reconciler.planner.compare import Difference, differences
from reconciler.planner.endpoints import NETWORKS
from reconciler.planner.observed import Container
from reconciler.planner.retry_state import RetryState, attempt_begins, making, update_begins
from reconciler.planner.situation import ChunkInput, differing, roles
from reconciler.states import Reason

UNKNOWN_RUN = "unknown"
"""Stands for the run whose mounts were judged, where that was not the one that is there."""

_CURES = (UpdateContainer,)
"""What these do not cure is not tried again."""

_OF_STEPS = ("counted_run", "stopped_run", "restart_on_open", "tolerated", "made", "made_at")
"""What is remembered of work as it begins, for what its steps do."""


def work_begins(i: ChunkInput, work: Work) -> RetryState:
    """The memory once ``work`` is under way: the attempt is made, and what we stop ourselves is no setback."""
    m = i.memory
    if work.label == Reason.CLEANING_UP or all(isinstance(action, ExamineMounts) for action, _ in work.steps):
        return m
    parts = roles(i)
    if not parts.rolled_back:
        m = attempt_begins(m)
    makes = any(isinstance(action, CreateContainer) for action, _ in work.steps)
    if makes:
        m = making(m, i.now)
    if parts.current is not None:
        m = replace(m, kept=kept_endpoints.changing(m.kept, parts.current, work.steps))
    main = parts.main
    stopped = {action.name for action, _ in work.steps if isinstance(action, StopContainer)}
    if main is not None and main.name in stopped:
        m = replace(m, counted_run=main.run, stopped_run=main.run, restart_on_open=False)
    if makes and parts.current is None and parts.previous is not None and not parts.rolled_back:
        m = update_begins(m)
        changes = tuple(str(one) for one in differing(i, parts.previous) if not one.is_passing)
        m = replace(m, tolerated=changes) if changes else m
        if i.chunk is not None and (wanted := following.wanted_id(i.chunk, m, i.image)):
            m = following.aim(m, wanted, parts.previous.id)
    elif parts.current is not None and any(isinstance(action, _CURES) for action, _ in work.steps):
        of_settings = (one for one in differing(i, parts.current) if one.setting != NETWORKS)
        m = replace(m, tolerated=(*m.tolerated, *map(str, of_settings)))
    return m


def work_ended(i: ChunkInput, work: Work, m: RetryState, begun: int, *, failed: bool = False) -> RetryState:
    """The memory ``m`` once work that began in a situation is over, of which only the first ``begun`` steps were begun:
    what was expected of the others is set back, unless it is another by now. ``failed``: the last of them was not
    done, as far as is known: that it cures nothing is not known either."""
    if failed and begun and isinstance(work.steps[begun - 1][0], _CURES):
        m = replace(m, tolerated=i.memory.tolerated)
    if begun >= len(work.steps):
        return m
    expected = work_begins(i, work)
    reached = work_begins(i, replace(work, steps=work.steps[:begun]))
    for name in _OF_STEPS:
        if getattr(m, name) == getattr(expected, name) != getattr(reached, name):
            m = replace(m, **{name: getattr(reached, name)})
    return m


def mending(work: Work) -> str:
    """What somebody did to a container that is up, where the work does nothing but put that right; else ""."""
    found = []
    for action, cause in work.steps:
        match action:
            case UnpauseContainer():
                found.append("was paused")
            case ConnectNetwork():
                found.append(f"was disconnected from network {action.network}")
            case DisconnectNetwork():
                found.append(f"was connected to network {action.network}")
            case UpdateContainer():
                found.append(f"was changed ({cause})")
            case RenameContainer():
                found.append(f"was renamed to {action.name}")
            case _:
                return ""
    return " and ".join(found)


def step_told(m: RetryState, action: Action, container: Container) -> RetryState:
    """The memory once a step has made or changed a container: what the engine warned of, and what it did not take of
    what was asked. To make it again would not help."""
    if isinstance(action, StartContainer | ExamineMounts):
        # One that ran already was started by somebody else.
        return m if container.was_there else replace(m, judged_run=container.run)
    if isinstance(action, AdoptContainer) and container.run:
        return replace(m, judged_run=UNKNOWN_RUN)
    if isinstance(action, ConnectNetwork):
        # What this does not cure is not tried again either.
        cured = str(Difference(NETWORKS, action.mends))
        return replace(m, tolerated=(*m.tolerated, cured)) if action.mends else m
    if container.was_there:
        return m  # what differs in it is not what the engine made of our request: a tool may have been faster than we
    if isinstance(action, CreateContainer):
        spec, ignored = action.chunk.container, action.chunk.ignore_drift
        found = differences(spec.settings, container.settings, ignored) if container.settings is not None else ()
        not_taken = (str(difference) for difference in found if not difference.in_place)
        tolerated = tuple(dict.fromkeys((*m.tolerated, *not_taken)))
        return replace(m, warnings=container.warnings, warned_of=container.id, tolerated=tolerated)
    if isinstance(action, UpdateContainer) and container.warnings:
        before = m.warnings if m.warned_of == container.id else ()
        warnings = tuple(dict.fromkeys((*before, *container.warnings)))
        return replace(m, warnings=warnings, warned_of=container.id)
    return m
