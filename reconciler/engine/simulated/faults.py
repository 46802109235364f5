"""What can go wrong in a simulation, and when: plain values, so that a schedule replays exactly. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """At ``at`` seconds something happens.

    To a container, picked by ``pick`` (0 … 1) among ours: ``die``, ``stop``, ``remove``, ``rename``, ``disconnect``,
    ``pause``, ``update`` (a setting is changed), ``ill`` (for ``seconds`` it runs and answers no probe).

    To the engine, for ``seconds``: ``down`` (it goes away), ``reboot`` (it goes away, and all containers end), ``fail``
    (half of the calls fail), ``late`` (calls and looks take long), ``lost`` (half of the calls are carried out and
    reported as failed), ``deaf`` (no hints come), ``stutter`` (hints come twice, late and in any order), ``drop`` (the
    stream of hints breaks off, and there is no other; all else answers), ``stuck`` (no container can be removed),
    ``half`` (half of the calls are carried out and answered with a failure), ``held`` (somebody has all host ports),
    ``refuse`` (no network can be made).

    To the whole machine: ``starved`` (again and again nobody has a turn for a while, where the event loop can do that).
    """

    at: float
    kind: str
    seconds: float = 0.0
    pick: float = 0.0


FaultSchedule = tuple[Fault, ...]
HITTING = ("die", "stop", "remove", "rename", "disconnect", "pause", "update", "ill")
WEATHER = (
    *("down", "reboot", "fail", "late", "lost", "deaf", "stutter", "drop", "stuck", "half", "held", "refuse"),
    "starved",
)


def schedule(seed: int, *, until: float = 300.0, count: int = 12) -> FaultSchedule:
    """A schedule of ``count`` faults in the first ``until`` seconds; the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311 - a schedule that can be made again
    faults = [
        Fault(rng.uniform(0.0, until), rng.choice(HITTING + WEATHER), rng.uniform(0.5, 20.0), rng.random())
        for _ in range(count)
    ]
    return tuple(sorted(faults, key=lambda fault: fault.at))


@dataclass(slots=True)
class Weather:
    """Until when each trouble of the engine lasts, in the loop's seconds."""

    failing_until: float = 0.0
    late_until: float = 0.0
    losing_until: float = 0.0
    stuck_until: float = 0.0
    halving_until: float = 0.0
    ports_held_until: float = 0.0
    deaf_until: float = 0.0
    stuttering_until: float = 0.0
    streamless_until: float = 0.0
