"""Who depends on whom, what is stalled, and plans as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.controller.status_view import at_once
from reconciler.facts import TV, FactRef, GateEntry, Pnr
from reconciler.intent.model import Chunk, ChunkId
from reconciler.planner.observed import ImageSeen, Network, Observed
from reconciler.planner.ordering import Standing, dependencies, needed_first, unreachable_in_steps
from reconciler.states import State
from tests.planned import Wish, plan_all
from tests.unit.planner.build import chunk, container, domain, gate

DB = chunk("db")
API = chunk("api", needs=gate("db_ready"))
WEB = chunk("web", needs=gate("api_ready"))
PAGE = chunk("page", needs=gate("api_ready=N"))
STACK = (WEB, API, DB)


def id(name: str) -> ChunkId:
    return ChunkId("shop", "main", name)


def unreachable(
    chunks: Iterable[Chunk], facts: Mapping[FactRef, Pnr], standing: Mapping[ChunkId, Standing]
) -> dict[ChunkId, tuple[GateEntry, ...]]:
    """All steps of it."""
    return at_once(unreachable_in_steps(chunks, facts, standing))


def test_a_chunk_depends_on_who_answers_its_gate() -> None:
    assert dependencies(STACK) == {
        id("db"): frozenset(),
        id("api"): frozenset({id("db")}),
        id("web"): frozenset({id("api")}),
    }


def test_waiting_for_a_no_is_no_dependency() -> None:
    assert dependencies((API, PAGE))[id("page")] == frozenset()


def test_who_is_needed_comes_before_those_who_need_it() -> None:
    assert needed_first(dependencies(STACK)) == [id("db"), id("api"), id("web")]


def test_an_order_is_found_even_where_gates_form_a_cycle() -> None:
    a, b = chunk("a", needs=gate("b_ready")), chunk("b", needs=gate("a_ready"))
    assert sorted(needed_first(dependencies((a, b)))) == [id("a"), id("b")]


def standing(**states: State) -> dict[ChunkId, Standing]:
    return {id(name): Standing(state) for name, state in states.items()}


def test_a_gate_is_stalled_when_nobody_declared_can_answer_it_as_wanted() -> None:
    lonely = chunk("lonely", needs=gate("nobody_ready"))
    found = unreachable((lonely,), {}, standing(lonely=State.READY))
    assert [entry.ref.key for entry in found[id("lonely")]] == ["nobody_ready"]


def test_a_gate_whose_answerer_still_works_is_not_stalled() -> None:
    assert not unreachable(STACK, {}, standing(db=State.EXECUTING, api=State.READY, web=State.READY))
    assert not unreachable(STACK, {}, standing(db=State.FAILED, api=State.READY, web=State.READY))


def test_what_waits_for_the_no_of_a_completed_chunk_is_stalled() -> None:
    facts = {FactRef("shop", "main", "api_ready"): Pnr("", ("yes",), TV.Y)}
    found = unreachable((API, PAGE), facts, standing(api=State.COMPLETED, page=State.READY))
    assert set(found) == {id("page")}


def test_what_waits_for_a_completed_chunk_that_has_not_answered_yet_is_not_stalled() -> None:
    unanswered = {FactRef("shop", "main", "api_ready"): Pnr("", (), TV.U)}
    for facts in ({}, unanswered):
        states = standing(api=State.COMPLETED, web=State.READY, page=State.READY)
        assert not unreachable((API, WEB, PAGE), facts, states)


def test_stalling_passes_on_to_those_who_wait_for_the_stalled() -> None:
    a = chunk("a", needs=gate("nobody_ready"))
    b = chunk("b", needs=gate("a_ready"))
    assert set(unreachable((a, b), {}, standing(a=State.READY, b=State.READY))) == {id("a"), id("b")}


def test_one_that_will_not_try_again_by_itself_answers_nothing_new() -> None:
    states = {id("db"): Standing(State.FAILED, final=True), id("api"): Standing(State.READY)}
    assert set(unreachable((DB, API), {}, states)) == {id("api")}


def test_a_plan_reads_as_text_in_the_order_in_which_it_can_be_done() -> None:
    images = {"nginx:1": ImageSeen("sha256:1", ("nginx:1",))}
    plan = plan_all([Wish("shop", domain(WEB, API, DB))], Observed(), images=images).plan
    assert str(plan).splitlines() == [
        "[] -> #1 shop, CreateNetwork pnr_shop, no such network yet",
        "[] -> #2 shop/main/db, EnsureImage nginx:1, pull_policy missing",
        "[1, 2] -> #3 shop/main/db, CreateContainer shop_db, no container yet",
        "[3] -> #4 shop/main/db, StartContainer shop_db, no container yet",
        "[4] -> #5 shop/main/api, EnsureImage nginx:1, pull_policy missing",
        "[5] -> #6 shop/main/api, CreateContainer shop_api, no container yet",
        "[6] -> #7 shop/main/api, StartContainer shop_api, no container yet",
        "[7] -> #8 shop/main/web, EnsureImage nginx:1, pull_policy missing",
        "[8] -> #9 shop/main/web, CreateContainer shop_web, no container yet",
        "[9] -> #10 shop/main/web, StartContainer shop_web, no container yet",
    ]


def test_an_image_that_is_not_there_is_fetched_while_its_chunk_waits() -> None:
    plan = plan_all([Wish("shop", domain(WEB, API, DB))], Observed()).plan
    assert "[] -> #2 shop/main/web, EnsureImage nginx:1, it is fetched in advance" in str(plan)


def seen(*chunks: Chunk) -> Observed:
    return Observed(
        {f"{c.id}": replace(container(c), id=f"{c.id}") for c in chunks},
        {"pnr_shop": Network("n1", "pnr_shop", "shop")},
    )


def test_a_world_that_is_as_it_should_be_gives_an_empty_plan() -> None:
    assert len(plan_all([Wish("shop", domain(*STACK))], seen(*STACK)).plan) == 0


def test_only_what_changed_is_in_the_plan() -> None:
    changed = (replace(WEB, container=replace(WEB.container, digest="d2")), API, DB)
    plan = plan_all([Wish("shop", domain(*changed))], seen(*STACK)).plan
    assert {step.resource for step in plan} == {"shop/main/web"}


def test_a_domain_that_goes_is_removed_dependents_first_and_its_network_last() -> None:
    plan = plan_all([Wish("shop", None, last=domain(*STACK))], seen(*STACK)).plan
    removed = [step.action.describe() for step in plan if step.action.describe().startswith("Remove")]
    assert removed == [
        "RemoveContainer shop_web",
        "RemoveContainer shop_api",
        "RemoveContainer shop_db",
        "RemoveNetwork pnr_shop",
    ]


def test_what_has_not_our_labels_is_in_no_plan() -> None:
    foreign = replace(container(DB), owner=None)
    world = Observed({"f": foreign}, {"bridge": Network("b", "bridge"), "pnr_shop": Network("n", "pnr_shop", "shop")})
    whole = plan_all([Wish("shop", domain(DB))], world, images={"nginx:1": ImageSeen("sha256:1", ("nginx:1",))})
    assert len(whole.plan) == 0
    assert [blocked.reason.value for blocked in whole.blocked] == ["NameConflict"]


class Counted(dict[FactRef, Pnr]):
    """Facts that count how often they are looked up."""

    looked_up = 0

    def get(self, key: Any, default: Any = None) -> Any:
        self.looked_up += 1
        return super().get(key, default)


@pytest.mark.parametrize("backwards", [False, True])
def test_what_waits_in_a_long_row_is_found_out_in_one_go_along_it(backwards: bool) -> None:
    rest = [chunk(f"c{n}", needs=gate(f"c{n - 1}_ready")) for n in range(1, 300)]
    row = [chunk("c0", needs=gate("nobody_ready")), *rest]
    states = {one.id: Standing(State.READY) for one in row}
    facts = Counted()
    assert len(unreachable(reversed(row) if backwards else row, facts, states)) == 300
    assert facts.looked_up <= 2 * 300
    facts = Counted()
    free = [chunk("c0"), *rest]
    assert not unreachable(reversed(free) if backwards else free, facts, states)
    assert facts.looked_up <= 2 * 300


def test_equal_copies_are_asked_once_for_what_they_may_answer() -> None:
    copies = [replace(API, id=replace(API.id, replica=n), replicas=200) for n in range(1, 201)]
    states = {one.id: Standing(State.EXECUTING) for one in copies} | standing(page=State.READY)
    facts = Counted()
    assert not unreachable((*copies, PAGE), facts, states)
    assert facts.looked_up <= 3
