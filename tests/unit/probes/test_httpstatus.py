from __future__ import annotations

from typing import Any

import pytest

from reconciler.probes.httpstatus import describe, expected_statuses


@pytest.mark.parametrize(
    ("declared", "good", "bad", "shown"),
    [
        (200, [200], [201, 404], "200"),
        ("2xx", [200, 204, 299], [199, 300], "2xx"),
        ([200, "3xx"], [200, 301, 399], [201, 400], "200 or 3xx"),
        (200.0, [200], [201], "200.0"),
    ],
)
def test_a_status_a_class_or_a_list_can_be_expected(declared: Any, good: list[int], bad: list[int], shown: str) -> None:
    expected = expected_statuses(declared)
    assert all(expected(status) for status in good)
    assert not any(expected(status) for status in bad)
    assert str(expected) == shown


@pytest.mark.parametrize("declared", ["ok", "9xx", "20x", "xx", ""])
def test_what_is_no_class_of_statuses_is_refused(declared: str) -> None:
    with pytest.raises(ValueError, match="neither a status"):
        expected_statuses(declared)


def test_a_status_is_told_with_its_name_where_it_has_one() -> None:
    assert describe(503) == "503 (Service Unavailable)"
    assert describe(599) == "599"
