"""Three-valued facts and gates."""

from __future__ import annotations

import pytest

from reconciler.facts import (
    SYSTEM_READY,
    TV,
    FactRef,
    GateEntry,
    Pnr,
    is_closed,
    is_open,
    missing,
    resolve,
)

REF = FactRef("shop", "main", "db_ready")


def entry(tv: TV, *responses: str) -> GateEntry:
    return GateEntry(REF, Pnr("", responses, tv))


@pytest.mark.parametrize(
    ("text", "tv"), [("y", TV.Y), ("Y", TV.Y), ("n", TV.N), ("u", TV.U), ("UN", TV.U), ("un", TV.U)]
)
def test_truth_values_are_read_in_any_case(text: str, tv: TV) -> None:
    assert TV.parse(text) is tv


@pytest.mark.parametrize("text", ["", "yes", "true", "X"])
def test_anything_else_is_no_truth_value(text: str) -> None:
    with pytest.raises(ValueError):
        TV.parse(text)


def test_a_name_with_one_part_means_the_own_cpux() -> None:
    assert resolve("db_ready", domain="shop", cpux="main") == REF


def test_a_name_with_two_parts_means_another_cpux_of_the_domain() -> None:
    assert resolve("data/db_ready", domain="shop", cpux="main") == FactRef("shop", "data", "db_ready")


def test_a_name_with_three_parts_means_another_domain() -> None:
    assert resolve("infra/data/db_ready", domain="shop", cpux="main") == FactRef("infra", "data", "db_ready")


def test_system_ready_is_the_programs_own_fact_everywhere() -> None:
    assert resolve("system_ready", domain="shop", cpux="main") == SYSTEM_READY


@pytest.mark.parametrize("name", ["", "a//b", "/a", "a/", "a/b/c/d"])
def test_a_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        resolve(name, domain="shop", cpux="main")


def test_an_entry_holds_when_truth_and_one_response_agree() -> None:
    fact = Pnr("", ("yes", "primary"), TV.Y)
    assert entry(TV.Y, "primary", "secondary").holds(fact)
    assert entry(TV.Y).holds(fact)
    assert not entry(TV.Y, "secondary").holds(fact)
    assert not entry(TV.N).holds(fact)


def test_a_fact_that_nobody_answered_is_unknown_and_can_be_waited_for() -> None:
    assert is_open((entry(TV.U, "yes"),), {})
    assert not is_open((entry(TV.Y),), {})


def test_a_gate_can_wait_for_a_no() -> None:
    assert is_open((entry(TV.N),), {REF: Pnr("", ("no",), TV.N)})


def test_an_empty_gate_is_open() -> None:
    assert is_open((), {})


def test_unknown_leaves_a_gate_neither_open_nor_closed() -> None:
    gate = (entry(TV.Y),)
    assert not is_open(gate, {})
    assert not is_closed(gate, {})
    assert is_closed(gate, {REF: Pnr("", ("no",), TV.N)})


def test_missing_names_the_entries_that_do_not_hold() -> None:
    other = GateEntry(FactRef("shop", "main", "x"), Pnr("", (), TV.N))
    assert missing((entry(TV.Y), other), {REF: Pnr("", (), TV.Y)}) == (other,)
