"""What ``pnr apply`` waits for, and what it ends with."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.daemon.verdict import exit_code, finished_applying
from tests.unit.daemon.views import chunk, domain, view


def test_what_is_settled_ends_with_0() -> None:
    shown = view(domain("shop", chunk("web")))
    assert finished_applying(shown)
    assert exit_code(shown) == 0


@pytest.mark.parametrize("what", ["removing", "vanished", "leaving", "arranging", "asking_registries"])
def test_what_is_under_way_is_waited_for_though_nothing_executes(what: str) -> None:
    more: dict[str, Any] = {what: True, "settled": False}
    shown = view(domain("shop", chunk("web"), **more))
    assert not finished_applying(shown)


def test_a_removal_that_is_held_is_not_waited_for_and_ends_with_a_code_of_its_own() -> None:
    shown = view(domain("shop", chunk("web"), settled=False, held="all files are gone"))
    assert finished_applying(shown)
    assert exit_code(shown) == 5


def test_what_failed_says_more_than_what_is_held() -> None:
    failed = domain("shop", chunk("web", "failed", "ExitedNonZero"), settled=False)
    shown = view(failed, domain("other", chunk("api"), settled=False, held="all files are gone"))
    assert exit_code(shown) == 1


def test_other_domains_that_are_held_are_no_concern_of_who_names_his() -> None:
    shown = view(domain("shop", chunk("web")), domain("other", chunk("api"), settled=False, held="gone"))
    assert exit_code(shown, ("shop",)) == 0
