"""How much may stand in a domain file."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.controller.work import ENTRIES_A_CHUNK, work_of
from reconciler.intent import bounds
from tests.unit.intent.reading import declared, document, read, valid

Files = dict[str, Any]


def many(count: int, prefix: str = "k") -> dict[str, Any]:
    return {f"{prefix}{number}": {} for number in range(count)}


def names(count: int) -> list[str]:
    return [f"k{number}" for number in range(count)]


def joined(key: str, value: Any, **top: Any) -> Files:
    return document(declared(container={key: value}), **top)


def file(*chunks: dict[str, Any], **cpux: Any) -> Files:
    return {"name": "d", "cpuxs": {"main": {"design_chunks": list(chunks), **cpux}}}


def answer(count: int) -> Files:
    mapping = {"success": {"key": "up", "response": names(count)}}
    check = {"type": "tcp", "port_key": 80, "status_mapping": mapping}
    return file(declared(flowout={"up": {}}, health_check=check))


FACTS, JOINED = bounds.MAX_FACTS, bounds.MAX_JOINED

TOO_MUCH: list[tuple[str, Files, str]] = [
    ("facts that are answered", file(declared(flowout=many(FACTS + 1))), "cpuxs.main.design_chunks[0].flowout"),
    ("facts of a gate", file(declared(gatekeeper=many(FACTS + 1))), "cpuxs.main.design_chunks[0].gatekeeper"),
    ("facts that are handed over", file(declared(flowin=many(FACTS + 1))), "cpuxs.main.design_chunks[0].flowin"),
    (
        "facts in all",
        file(declared(flowout=many(FACTS // 2), gatekeeper=many(FACTS // 2 + 1))),
        "cpuxs.main.design_chunks[0].gatekeeper",
    ),
    ("facts to begin with", file(declared(), rt_state=many(FACTS + 1)), "cpuxs.main.rt_state"),
    (
        "facts of a domain",
        {"name": "d", "cpuxs": {f"c{n}": {"rt_state": many(FACTS), "design_chunks": [declared()]} for n in range(21)}},
        "cpuxs",
    ),
    ("facts of copies", file(declared(flowout=many(401), replicas=50)), "cpuxs"),
    (
        "responses",
        file(declared(flowout={"up": {"response": names(101)}})),
        "cpuxs.main.design_chunks[0].flowout.up.response",
    ),
    (
        "responses to begin with",
        file(declared(), rt_state={"up": {"response": names(101)}}),
        "cpuxs.main.rt_state.up.response",
    ),
    (
        "responses of a check",
        answer(101),
        "cpuxs.main.design_chunks[0].health_check.status_mapping.success.response",
    ),
    (
        "volumes",
        joined("volumes", [f"/{n}" for n in names(JOINED + 1)]),
        "cpuxs.main.design_chunks[0].container.volumes",
    ),
    (
        "networks of a container",
        joined("networks", names(JOINED + 1), networks=many(bounds.MAX_NETWORKS)),
        "cpuxs.main.design_chunks[0].container.networks",
    ),
    (
        "containers that volumes are taken from",
        joined("volumes_from", [f"container:{name}" for name in names(bounds.MAX_LINKS + 1)]),
        "cpuxs.main.design_chunks[0].container.volumes_from",
    ),
    (
        "links",
        joined("external_links", names(bounds.MAX_LINKS + 1)),
        "cpuxs.main.design_chunks[0].container.external_links",
    ),
    (
        "entries in all",
        document(
            declared(
                container={"environment": dict.fromkeys(names(6000), ""), "labels": dict.fromkeys(names(4000), "")}
            )
        ),
        "cpuxs.main.design_chunks[0]",
    ),
    ("networks", document(declared(), networks=many(bounds.MAX_NETWORKS + 1)), "networks"),
    (
        "subnets",
        document(
            declared(),
            networks={
                f"n{n}": {"ipam": {"config": [{"subnet": f"10.{n}.{m}.0/24"} for m in range(6)]}} for n in range(84)
            },
        ),
        "networks",
    ),
    (
        "addresses that a network keeps",
        document(
            declared(), networks={"n": {"ipam": {"config": [{"subnet": "10.0.0.0/8", "aux_addresses": many(1001)}]}}}
        ),
        "networks.n.ipam.config",
    ),
]


@pytest.mark.parametrize(("what", "declared_in", "where"), TOO_MUCH, ids=[what for what, _, _ in TOO_MUCH])
def test_what_is_more_than_a_turn_of_the_loop_can_decide_about_is_refused(
    what: str, declared_in: Files, where: str
) -> None:
    found = read(declared_in).errors
    assert [(problem.code, problem.where) for problem in found] == [("TooMany", where)], what
    assert found[0].place.line == 1
    assert "at most" in found[0].message


def test_what_a_file_may_have_is_had() -> None:
    valid(file(declared(flowout=many(500), gatekeeper={"system_ready": {}}), rt_state=many(1000, "r")))
    valid(joined("networks", names(250), networks=many(250)))


def test_a_chunk_with_all_that_it_may_have_is_not_much_more_work_than_a_portion() -> None:
    facts = {"flowout": many(FACTS // 2), "flowin": {f"rt/{name}": None for name in names(FACTS // 2)}}
    container = {"volumes": [f"/{name}" for name in names(JOINED)], "networks": names(250)}
    most = {**file(declared(container=container, **facts)), "networks": many(250)}
    most["cpuxs"]["rt"] = {"rt_state": many(FACTS), "design_chunks": []}
    (chunk,) = valid(most).chunks()
    assert work_of(chunk) <= 1 + (FACTS + JOINED + bounds.MAX_NETWORKS) // ENTRIES_A_CHUNK


def test_variables_that_files_bring_are_bounded_too() -> None:
    class Contents:
        def read(self, source: Any) -> bytes:
            return "".join(f"A{number}=1\n" for number in range(bounds.MAX_ENTRIES + 1)).encode()

        def fingerprint(self, source: Any) -> str:
            return "f"

        def stamp(self, source: Any) -> None:
            return None

    (problem,) = read(document(declared(container={"env_file": "./a.env"})), contents=Contents()).errors
    assert (problem.code, problem.where) == ("TooMany", "cpuxs.main.design_chunks[0].container.env_file")


@pytest.mark.parametrize("ports", ["1000-4999", "127.0.0.1:1000-4999:1000-4999/udp", "${RANGE}"])
@pytest.mark.parametrize("written", ["list", "object"])
def test_ports_of_a_domain_are_bounded_by_their_number_and_not_by_what_is_written(ports: str, written: str) -> None:
    target = ports if written == "list" else ports.rpartition(":")[2]
    published = [target] if written == "list" else {target: ""}
    if written == "object" and "$" in target:
        published = {"1000-4999": ports}
    chunks = [declared(f"w{number}", container={"ports": published}) for number in range(26)]
    (problem,) = read(document(*chunks, env={"RANGE": "1000-4999"})).errors
    assert (problem.code, problem.where) == ("TooMany", "cpuxs")
    assert problem.message.startswith("104000 ports in all chunks; a domain may have at most 100000")


def test_all_ports_of_some_chunks_may_be_exposed() -> None:
    valid(document(declared(container={"expose": ["1-65535"], "ports": ["5000-5010:5000-5010"]})))
