"""A container is given up at its deadline only where it was asked, and the machine had the time to ask."""

from __future__ import annotations

from dataclasses import replace

from reconciler.facts import TV
from reconciler.intent.model import HealthCheck
from reconciler.planner.health import Health, is_overdue, judged, without_lost

CHECK = HealthCheck(type="tcp", port_key="80", deadline_seconds=30.0)
ASKED = Health(run="run1", since=100.0, last_at=130.0)


def test_who_was_asked_and_is_not_healthy_at_his_deadline_is_overdue() -> None:
    assert not is_overdue(ASKED, CHECK, 129.0)
    assert is_overdue(ASKED, CHECK, 130.0)


def test_who_was_not_asked_of_late_is_asked_first() -> None:
    assert not is_overdue(replace(ASKED, last_at=105.0), CHECK, 200.0)
    assert is_overdue(replace(ASKED, last_at=199.0), CHECK, 200.0)


def test_what_nobody_asks_for_is_judged_by_the_clock() -> None:
    assert is_overdue(replace(ASKED, last_at=105.0), replace(CHECK, type="docker"), 200.0)
    assert is_overdue(replace(ASKED, last_at=None), CHECK, 200.0)


def test_time_in_which_the_machine_stood_still_does_not_count() -> None:
    assert without_lost(ASKED, 10.0, 130.0).since == 110.0
    assert without_lost(ASKED, 1000.0, 130.0).since == 130.0
    assert without_lost(ASKED, 0.0, 130.0) is ASKED


def test_it_is_known_since_when_it_is_healthy_without_a_break() -> None:
    up = judged(ASKED, replace(ASKED, tv=TV.Y), 140.0)
    assert up.good_since == 140.0
    assert judged(up, replace(up, successes=5), 150.0).good_since == 140.0
    assert judged(up, replace(up, tv=TV.N), 160.0).good_since is None
