"""Ports of the host that pass from one to another."""

from __future__ import annotations

import pytest

from reconciler.intent.claims import Port
from reconciler.intent.model import ChunkId
from reconciler.planner.ports import Exchange, Party, circle, exchange, meet

A, B, C = (ChunkId("shop", "main", name) for name in "abc")


@pytest.mark.parametrize(
    ("one", "other", "do_meet"),
    [
        (Port("127.0.0.1", 80, "tcp"), Port("127.0.0.1", 80, "tcp"), True),
        (Port("127.0.0.1", 80, "tcp"), Port("127.0.0.2", 80, "tcp"), False),
        (Port("0.0.0.0", 80, "tcp"), Port("127.0.0.1", 80, "tcp"), True),
        (Port("::", 80, "tcp"), Port("::1", 80, "tcp"), True),
        (Port("0.0.0.0", 80, "tcp"), Port("0.0.0.0", 80, "udp"), False),
        (Port("0.0.0.0", 80, "tcp"), Port("0.0.0.0", 81, "tcp"), False),
    ],
)
def test_all_addresses_stand_in_the_way_of_each_and_each_of_all(one: Port, other: Port, do_meet: bool) -> None:
    assert meet(one, other) is meet(other, one) is do_meet


def test_a_circle_has_those_who_wait_for_one_another_and_nobody_else() -> None:
    d = ChunkId("other", "main", "d")
    waits = {A: {B}, B: {C}, C: {A}, d: {A}}
    assert circle(A, lambda id: waits.get(id, ())) == {A, B, C}
    assert circle(d, lambda id: waits.get(id, ())) == frozenset()


def party(*holders: ChunkId, is_made: bool = False, has_stopped: bool = False, is_ready: bool = True) -> Party:
    return Party(frozenset(holders), is_made=is_made, has_stopped=has_stopped, is_ready=is_ready)


@pytest.mark.parametrize(
    ("a", "b", "wanted"),
    [
        (party(), party(), Exchange.NONE),
        (party(B), party(), Exchange.BEHIND),
        (party(B), party(A), Exchange.MAKE),
        (party(B), party(A, is_ready=False), Exchange.BEHIND),
        (party(B), party(A, C), Exchange.BEHIND),
        (party(B, is_made=True), party(A), Exchange.MADE),
        (party(B, is_made=True), party(A, is_made=True), Exchange.STOP),
        (party(is_made=True), party(A, is_made=True, has_stopped=True), Exchange.GIVE_UP),
        (party(B, is_made=True, has_stopped=True), party(is_made=True), Exchange.BEHIND),
        (party(B, is_made=True, has_stopped=True), party(), Exchange.OFF),
    ],
)
def test_all_that_is_new_is_made_before_anything_is_stopped(a: Party, b: Party, wanted: Exchange) -> None:
    parties = {A: a, B: b, C: party()}
    assert exchange(A, parties.__getitem__, [id for id in parties if A in parties[id].holders]) is wanted


def test_whose_gate_needs_one_that_waits_for_its_port_gives_that_up() -> None:
    gated = Party(answerers=(frozenset({B, C}),), is_ready=True)
    parties = {A: gated, B: party(A), C: party()}
    assert exchange(A, parties.__getitem__, [B]) is Exchange.NONE
    assert exchange(B, parties.__getitem__, []) is Exchange.MAKE
    parties[B] = party(A, is_made=True)
    assert exchange(A, parties.__getitem__, [B]) is Exchange.GIVE_UP
    assert exchange(B, parties.__getitem__, []) is Exchange.MADE
