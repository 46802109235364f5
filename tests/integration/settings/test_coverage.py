"""No setting is forgotten: what may stand in a container has a case, or stands in a list with the reason."""

from __future__ import annotations

from reconciler.intent.container_document import Container
from reconciler.intent.elsewhere import IN_A_CONTAINER
from reconciler.intent.settings import SETTINGS
from tests.integration.settings import public_suite
from tests.integration.settings.all_cases import CASES
from tests.integration.settings.case import NOTHING, UPDATED
from tests.integration.settings.cases_security import NOT_MADE_HERE, NOT_STARTED_HERE
from tests.integration.settings.cases_storage import OF_NO_EFFECT, TESTED_ELSEWHERE

WITH_CASES = {case.setting for case in CASES}


def test_everything_that_may_stand_in_a_container_has_a_case_or_a_reason() -> None:
    lists = (NOT_STARTED_HERE, NOT_MADE_HERE, TESTED_ELSEWHERE, OF_NO_EFFECT, IN_A_CONTAINER)
    listed = [name for names in lists for name in names]
    assert len(listed) == len(set(listed))
    assert WITH_CASES.isdisjoint(listed)
    assert WITH_CASES | set(listed) == set(Container.model_fields)


def test_every_row_of_the_table_is_among_them() -> None:
    assert set(SETTINGS) <= WITH_CASES | {*NOT_STARTED_HERE, *NOT_MADE_HERE, *TESTED_ELSEWHERE}


def test_every_row_that_can_be_changed_as_it_runs_has_a_case_that_says_so() -> None:
    assert {name for name, row in SETTINGS.items() if row.live} <= {c.setting for c in CASES if c.change == UPDATED}


def test_every_row_that_can_be_left_out_has_a_case_that_does() -> None:
    always_there = {"volumes_from", "external_links"}
    assert {case.setting for case in CASES if case.second is None} >= (WITH_CASES & set(SETTINGS)) - always_there


def test_the_cases_have_names_of_their_own() -> None:
    assert len({case.id for case in CASES}) == len(CASES)


def test_the_public_suite_is_a_part_of_this_one() -> None:
    known = WITH_CASES | {*NOT_STARTED_HERE, *TESTED_ELSEWHERE}
    assert set(public_suite.HAS_CASES.values()) <= known
    assert len(public_suite.HAS_CASES) >= 65
    assert not set(public_suite.HAS_CASES) & {*public_suite.COVERED_ELSEWHERE, *public_suite.HAS_NO_MEANING}


def test_a_change_that_must_do_nothing_says_the_same_in_other_words() -> None:
    for case in CASES:
        assert case.change != NOTHING or case.first != case.second or callable(case.first), case.id
