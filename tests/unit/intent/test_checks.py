"""Checks before deployment: what is valid in itself, but can't work together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.diagnostics import Diagnostic, Place
from reconciler.facts import TV, FactRef, GateEntry, Pnr, resolve
from reconciler.intent.locating import located
from reconciler.intent.model import Answer, Chunk, ChunkId, ContainerSpec, Cpux, Domain, FactsMode, HealthCheck
from reconciler.intent.settings import SETTINGS
from tests.unit.intent.reading import check


def yes(key: str) -> Pnr:
    return Pnr(f"is {key}?", ("yes",), TV.Y)


def chunk(
    name: str,
    *needs: str,
    answers: tuple[str, ...] | None = None,
    domain: str = "shop",
    cpux: str = "main",
    ports: Any = None,
    container: str = "",
    **more: Any,
) -> Chunk:
    """A chunk that answers ``NAME_ready``; a need is ``fact``, ``fact=N`` or ``fact=Y:response``."""
    gate = []
    for need in needs:
        key, _, wanted = need.partition("=")
        tv, _, response = (wanted or "Y").partition(":")
        fact = Pnr("", (response,) if response else (), TV.parse(tv))
        gate.append(GateEntry(resolve(key, domain=domain, cpux=cpux), fact))
    settings = {} if ports is None else {"ports": SETTINGS["ports"].parse(ports)}
    named = bool(container)
    spec = ContainerSpec(container or f"{domain}_{cpux}_{name}", "img", "", settings, {}, named=named)
    keys = (f"{name}_ready",) if answers is None else answers
    flowout = {key: yes(key) for key in keys}
    return Chunk(ChunkId(domain, cpux, name), spec, gate=tuple(gate), flowout=flowout, **more)


def domain(*chunks: Chunk, name: str = "shop", file: str = "", rt_state: Mapping[str, Pnr] | None = None) -> Domain:
    cpuxs: dict[str, list[Chunk]] = {}
    for each in chunks:
        cpuxs.setdefault(each.id.cpux, []).append(each)
    made = tuple(Cpux(cpux, rt_state or {}, tuple(found)) for cpux, found in cpuxs.items())
    return Domain(name, file or f"{name}.json", "", "", made)


def codes(diagnostics: list[Diagnostic]) -> list[tuple[str, str]]:
    return [(diagnostic.place.file, diagnostic.code) for diagnostic in diagnostics]


def at(*path: str | int, cpux: str = "main") -> tuple[str | int, ...]:
    return ("cpuxs", cpux, "design_chunks", *path)


@pytest.mark.parametrize("name", ["shop_web.pnr-next", "shop_web.pnr-previous", "a.pnr-aside-1"])
def test_no_container_is_called_as_an_update_calls_its_own(name: str) -> None:
    (found,) = check([domain(chunk("a", container=name))])
    assert (found.code, found.severity) == ("ReservedName", "error")
    assert found.path[-2:] == ("container", "name")
    assert check([domain(chunk("a", container="a.pnrnext"))]) == []


def test_a_chain_that_works_has_no_diagnostics() -> None:
    shop = domain(
        chunk("db", "system_ready"),
        chunk("api", "db_ready"),
        chunk("web", "api_ready", "db_ready=Y:yes"),
        chunk("sorry", "api_ready=N"),
    )
    assert check([shop]) == []


@pytest.mark.parametrize(
    ("need", "words"),
    [
        ("db_redy", "no chunk and no rt_state of CPUX main answers db_redy; did you mean db_ready?"),
        ("mian/db_ready", "there is no CPUX mian in domain shop; did you mean main?"),
        ("shop/main/db_redy", "answers db_redy; did you mean db_ready?"),
        ("quite_other", "no chunk and no rt_state of CPUX main answers quite_other"),
        ("other_ready", "did you mean other/other_ready?"),
        ("db_ready=Y:maybe", "db_ready can never be Y ('maybe'): db answers Y ('yes'), N ('no'), U"),
        ("holds=N", "holds can never be N: rt_state answers Y ('yes')"),
        ("holds=U", "holds can never be U: rt_state answers Y ('yes')"),
        ("system_ready=Y:perhaps", "system_ready can never be Y ('perhaps'): pnr answers Y ('yes'), N ('no')"),
    ],
)
def test_a_gate_that_can_never_open_is_an_error_that_says_why(need: str, words: str) -> None:
    shop = domain(chunk("db"), chunk("api", need), chunk("other", cpux="other"), rt_state={"holds": yes("holds")})
    (diagnostic,) = check([shop])
    assert (diagnostic.code, diagnostic.severity) == ("UnsatisfiableGate", "error")
    assert diagnostic.message.endswith(words)
    assert diagnostic.path == at(1, "gatekeeper", need.partition("=")[0].removeprefix("shop/main/"))


@pytest.mark.parametrize(
    "need",
    ["db_ready", "db_ready=N", "db_ready=N:no", "db_ready=U", "db_ready=Y:up", "db_ready=N:down", "holds"],
)
def test_what_a_chunk_its_health_check_or_rt_state_may_answer_can_be_waited_for(need: str) -> None:
    health = HealthCheck(
        "tcp",
        on_success=(Answer("db_ready", Pnr("", ("up",), TV.Y)),),
        on_failure=(Answer("db_ready", Pnr("", ("down",), TV.N)),),
    )
    shop = domain(chunk("db", health=health), chunk("api", need), rt_state={"holds": yes("holds")})
    assert check([shop]) == []


@pytest.mark.parametrize("mode", [FactsMode.OWN, FactsMode.OFFERED])
def test_a_container_that_answers_itself_may_answer_anything(mode: FactsMode) -> None:
    assert check([domain(chunk("db", facts=mode), chunk("api", "db_ready=N:migrating"))]) == []


def test_a_fact_of_a_domain_that_is_not_there_yet_is_a_warning() -> None:
    shop = domain(chunk("api", "data/main/db_ready"))
    (diagnostic,) = check([shop])
    assert (diagnostic.code, diagnostic.severity) == ("UnknownDomainFact", "warning")
    assert diagnostic.path == at(0, "gatekeeper", "data/main/db_ready")
    assert check([shop, domain(chunk("db", domain="data"), name="data")]) == []


def test_a_missing_fact_of_a_present_domain_is_an_error_in_the_domain_that_asks() -> None:
    shop = domain(chunk("api", "data/main/db_redy"))
    data = domain(chunk("db", domain="data"), name="data")
    (diagnostic,) = check([shop, data])
    assert (diagnostic.place.file, diagnostic.code) == ("shop.json", "UnsatisfiableGate")
    assert "did you mean db_ready?" in diagnostic.message


def test_a_flowin_that_nobody_answers_is_a_warning() -> None:
    shop = domain(
        chunk("db"),
        chunk("api", flowin={"DB": FactRef("shop", "main", "db_redy"), "X": FactRef("no", "main", "x")}),
        chunk("web", flowin={"DB": FactRef("shop", "main", "db_ready"), "S": FactRef("", "", "system_ready")}),
    )
    found = check([shop])
    assert [(f.code, f.severity) for f in found] == [("UnknownFact", "warning"), ("UnknownDomainFact", "warning")]
    assert found[0].path == at(1, "flowin", "DB")


def test_two_chunks_that_need_each_other_first_are_a_cycle() -> None:
    (diagnostic,) = check([domain(chunk("api", "db_ready"), chunk("db", "api_ready"))])
    assert diagnostic.code == "GateCycle"
    assert diagnostic.message == (
        "none of these can ever start: api waits for db_ready from db, db waits for api_ready from api"
    )
    assert diagnostic.path == at(0, "gatekeeper", "db_ready")


def test_a_chunk_that_waits_for_its_own_fact_is_a_cycle() -> None:
    (diagnostic,) = check([domain(chunk("api", "api_ready"))])
    assert (diagnostic.code, diagnostic.message) == (
        "GateCycle",
        "api waits for api_ready, which it answers itself once it is up",
    )


def test_waiting_for_a_failure_is_waiting_too() -> None:
    assert codes(check([domain(chunk("a", "b_ready=N"), chunk("b", "a_ready"))])) == [("shop.json", "GateCycle")]


def test_what_holds_from_the_start_makes_no_cycle() -> None:
    assert check([domain(chunk("a", "b_ready=U"), chunk("b", "a_ready"))]) == []
    rt_state = {"b_ready": yes("b_ready")}
    assert check([domain(chunk("a", "b_ready"), chunk("b", "a_ready"), rt_state=rt_state)]) == []


def test_who_only_waits_behind_a_cycle_is_not_reported_and_separate_cycles_are() -> None:
    shop = domain(
        chunk("behind", "a_ready"),
        chunk("a", "b_ready"),
        chunk("b", "a_ready"),
        chunk("c", "d_ready", "a_ready"),
        chunk("d", "e_ready"),
        chunk("e", "c_ready"),
    )
    messages = [diagnostic.message for diagnostic in check([shop])]
    assert len(messages) == 2
    assert all("behind waits" not in message for message in messages)


def test_a_cycle_across_domains_holds_back_the_one_whose_file_sorts_later() -> None:
    shop = domain(chunk("api", "data/main/db_ready"), file="b.json")
    data = domain(chunk("db", "shop/main/api_ready", domain="data"), name="data", file="a.json")
    warning, diagnostic = check([shop, data])
    assert (diagnostic.place.file, diagnostic.code) == ("b.json", "GateCycle")
    assert diagnostic.path == at(0, "gatekeeper", "data/main/db_ready")
    assert (warning.place.file, warning.severity) == ("a.json", "warning")
    assert "b.json, which declares domain shop, is not valid, so nothing answers" in warning.message


def test_a_chain_of_thousands_is_followed_to_its_end() -> None:
    chain = [chunk(f"c{n}", f"c{n + 1}_ready") for n in range(3000)]
    assert check([domain(*chain, chunk("c3000"))]) == []
    (diagnostic,) = check([domain(*chain, chunk("c3000", "c0_ready"))])
    assert "more)" in diagnostic.message
    assert len(diagnostic.message) < 400


def test_two_chunks_that_answer_one_fact_are_an_error_at_the_second() -> None:
    (diagnostic,) = check([domain(chunk("a", answers=("up",)), chunk("b", answers=("up",)))])
    assert diagnostic.code == "DuplicateAnswer"
    assert diagnostic.path == at(1, "flowout", "up")
    assert "answered by chunk a already" in diagnostic.message


def test_one_key_in_two_cpuxs_and_in_rt_state_is_no_duplicate() -> None:
    shop = domain(chunk("a", answers=("up",)), chunk("b", answers=("up",), cpux="other"), rt_state={"up": yes("up")})
    assert check([shop]) == []


@pytest.mark.parametrize(
    ("ports", "key", "words"),
    [
        ({"80": "8080"}, "80", None),
        ({"80": "8080"}, "80/tcp", None),
        ({"80": ""}, "80", None),
        (None, "80", None),
        ({}, "80", None),
        (["8080:80"], "8080", "port_key 8080 is the host's port; the container's own is 80"),
        ({"53/udp": "5353"}, "5353/udp", "port_key 5353/udp is the host's port; the container's own is 53/udp"),
        ({"80": "8080", "443": ""}, "81", "port_key 81 is none of the container's ports: 80, 443"),
        ({"53/udp": "53"}, "53", "port_key 53 is none of the container's ports: 53/udp"),
    ],
)
def test_a_port_key_names_a_port_of_the_container(ports: Any, key: str, words: str | None) -> None:
    found = check([domain(chunk("db", ports=ports, health=HealthCheck("tcp", port_key=key)))])
    assert [diagnostic.message for diagnostic in found] == ([words] if words else [])
    assert all(diagnostic.path == at(0, "health_check", "port_key") for diagnostic in found)


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        (["8080:80"], ["8080:81"], True),
        (["8080:80"], ["8081:80"], False),
        (["8080:80"], ["8080:80/udp"], False),
        (["127.0.0.2:8080:80"], ["8080:80"], False),
        (["0.0.0.0:8080:80"], ["8080:80"], True),
        (["8080:80"], ["0.0.0.0:8080:80"], True),
        (["0.0.0.0:8080:80"], ["0.0.0.0:8080:80"], True),
        (["[::]:8080:80"], ["[::1]:8080:80"], True),
        (["0.0.0.0:8080:80"], ["[::1]:8080:80"], False),
        (["*:8080:80"], ["[::1]:8080:80"], True),
        (["*:8080:80"], ["8080:80"], True),
        (["8080:80"], ["*:8080:80"], True),
        (["[::1]:8080:80"], ["*:8080:80"], True),
        (["*:8080:80"], ["*:8080:80"], True),
        (["*:8080:80"], ["*:8081:80"], False),
        (["80"], ["80"], False),
    ],
)
def test_two_chunks_do_not_publish_one_host_port(first: Any, second: Any, clash: bool) -> None:
    inside = check([domain(chunk("a", ports=first), chunk("b", ports=second))])
    across = check([
        domain(chunk("a", ports=first), file="a.json"),
        domain(chunk("b", ports=second, domain="other"), name="other", file="b.json"),
    ])  # fmt: skip
    assert codes(inside) == ([("shop.json", "HostPortClash")] if clash else [])
    assert codes(across) == ([("b.json", "HostPortClash")] if clash else [])
    for diagnostic, holder in zip((*inside, *across), ("chunk a", "chunk shop/main/a (a.json)"), strict=False):
        assert f"is published by {holder} already" in diagnostic.message
        assert diagnostic.path[-2:] == ("container", "ports")


def test_one_container_that_publishes_a_port_twice_clashes_with_itself() -> None:
    (diagnostic,) = check([domain(chunk("a", ports=["8080:80", "8080:81"]))])
    assert diagnostic.message == "127.0.0.1:8080/tcp of the host is published twice by this container"


def test_one_container_name_for_two_chunks_is_an_error_inside_and_across() -> None:
    shop = domain(chunk("a", container="x"), chunk("b", container="x"), chunk("c", container="y"), file="b.json")
    other = domain(chunk("a", container="y", domain="other"), name="other", file="a.json")
    found = check([shop, other])
    assert [(f.place.file, f.code, f.path) for f in found] == [
        ("b.json", "ContainerNameClash", at(1, "container", "name")),
        ("b.json", "ContainerNameClash", at(2, "container", "name")),
    ]
    assert found[1].message == "the container name y is taken by chunk other/main/a (a.json)"


def test_a_name_that_the_file_does_not_give_is_shown_at_the_chunk() -> None:
    taken = chunk("b")
    taken = replace(taken, container=replace(taken.container, name="x"))
    (diagnostic,) = check([domain(chunk("a", container="x"), taken)])
    assert diagnostic.path == at(1, "name")


def test_two_files_with_one_domain_name_hold_back_the_later_one_and_name_the_first() -> None:
    found = check([domain(chunk("a"), file="b.json"), domain(chunk("a"), file="a.json")])
    assert codes(found) == [("b.json", "DuplicateDomain")]
    assert "a.json" in found[0].message
    assert found[0].path == ("name",)


def test_a_domain_that_is_held_back_is_in_nobodys_way() -> None:
    broken = domain(chunk("a", "nobody", ports=["8080:80"], container="x"), file="a.json")
    good = domain(chunk("b", ports=["8080:80"], container="x", domain="good"), name="good", file="b.json")
    assert codes(check([broken, good])) == [("a.json", "UnsatisfiableGate")]


def test_diagnostics_come_in_the_order_of_the_files_whatever_the_order_given() -> None:
    domains = [domain(chunk("a", "nobody", domain=name), name=name, file=f"{name}.json") for name in ("c", "a", "b")]
    assert [diagnostic.place.file for diagnostic in check(domains)] == ["a.json", "b.json", "c.json"]
    assert check(domains) == check(domains[::-1])


def test_many_mistakes_in_a_large_domain_are_all_found() -> None:
    chunks = [chunk(f"service_{n}", f"servise_{n}_ready", ports=["8080:80"]) for n in range(500)]
    found = check([domain(*chunks)])
    assert sum(diagnostic.code == "UnsatisfiableGate" for diagnostic in found) == 500
    assert sum(diagnostic.code == "HostPortClash" for diagnostic in found) == 499


@pytest.mark.parametrize("written", ["db_redy", "main/db_redy", "shop/main/db_redy"])
def test_a_diagnostic_is_located_however_the_fact_is_written(written: str) -> None:
    entry = {"prompt": "?", "response": [], "tv": "Y"}
    text = json.dumps({"cpuxs": {"main": {"design_chunks": [{"gatekeeper": {written: entry}}]}}}, indent=1)
    diagnostics = check([domain(chunk("api", "db_redy"))])
    (problem,) = located(diagnostics, text, "shop")
    line = next(n for n, row in enumerate(text.splitlines(), 1) if written in row)
    assert (problem.place.file, problem.place.line, problem.place.column) == ("shop.json", line, 7)
    assert problem.where.startswith("cpuxs.main.design_chunks[0].gatekeeper")
    assert problem.code == "UnsatisfiableGate"


def test_what_does_not_stand_in_the_file_is_located_at_its_surrounding() -> None:
    text = '{\n "cpuxs": {"main": {"design_chunks": [{"name": "a"},\n  {"name": "b"}]}}}'
    diagnostic = Diagnostic(at(1, "container", "name"), "X", "words", place=Place("shop.json"))
    (problem,) = located([diagnostic], text, "shop")
    assert (problem.place.line, problem.place.column) == (3, 3)


def test_a_diagnostic_in_a_file_without_text_still_names_file_and_path() -> None:
    diagnostic = Diagnostic(("name",), "DuplicateDomain", "words", place=Place("shop.json"))
    (problem,) = located([diagnostic], "", "shop")
    assert str(problem) == "shop.json: name: words [DuplicateDomain]"
