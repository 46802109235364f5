"""Names belong to the file that has them: copies, moves, swaps and edits that would take something away."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from reconciler.daemon import intake
from reconciler.sources.protocol import FileSeen
from tests.simulation.seeds import seeds
from tests.simulation.world import STACK, World, chunk, domain, judge_files


def put(w: World, **files: dict[str, Any] | str | None) -> None:
    """Write files by their names, all at once; None removes one."""
    for name, document in files.items():
        if document is None:
            w.files.texts.pop(f"{name}.json", None)
        else:
            text = document if isinstance(document, str) else json.dumps(document)
            w.files.texts[f"{name}.json"] = text.encode()
    w.files.tell()


def errors(w: World) -> dict[str, list[str]]:
    """The codes of errors by file."""
    found: dict[str, list[str]] = {}
    for shown in w.view()["domains"]:
        for error in shown["errors"]:
            found.setdefault(error["file"], []).append(error["code"])
    return found


def runs(w: World) -> dict[str, tuple[str, str]]:
    """What runs, by name: its id, and which run of it."""
    return {c.name: (c.id, c.run) for c in w.engine.containers.values()}


def copy_of(document: dict[str, Any], **environment: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(document))
    for one in made["cpuxs"]["main"]["design_chunks"]:
        one["container"]["environment"] = environment
    return made


@pytest.mark.parametrize("copy", ["blog", "zzz"])
@pytest.mark.parametrize("broken", [False, True])
async def test_a_copied_file_changes_nothing_wherever_its_name_sorts_and_after_a_restart(
    copy: str, broken: bool
) -> None:
    async with World() as w:
        put(w, shop=STACK)
        await w.until_settled()
        before = runs(w)
        put(w, **{copy: copy_of(STACK, WHO="copy"), "shop": "{" if broken else STACK})
        await w.until(lambda: errors(w).get(f"{copy}.json") == ["DuplicateDomain"])
        await asyncio.sleep(5)
        await w.kill()
        w.start()
        await w.until(lambda: errors(w).get(f"{copy}.json") == ["DuplicateDomain"])
        await asyncio.sleep(60)
        assert runs(w) == before
        assert w.domain("shop")["file"] == "shop.json"


@pytest.mark.parametrize("edit", ["cut short", "a comma too many", "marks of a merge"])
async def test_a_file_that_is_no_json_any_more_and_renamed_is_still_its_domain(edit: str) -> None:
    async with World() as w:
        put(w, shop=STACK)
        await w.until_settled()
        before, text = runs(w), json.dumps(STACK)
        broken = {
            "cut short": text[:-3],
            "a comma too many": text[:-1] + ",}",
            "marks of a merge": f"<<<<<<< HEAD\n{text}\n=======\n{text}\n>>>>>>> other\n",
        }[edit]
        put(w, shop=broken)
        await w.until(lambda: "shop.json" in errors(w))
        put(w, shop=None, store=broken)
        await w.until(lambda: "store.json" in errors(w))
        await asyncio.sleep(90)
        await w.kill()
        w.start()
        await asyncio.sleep(90)
        assert runs(w) == before
        put(w, store=STACK)
        await w.until_settled()
        assert runs(w) == before


async def test_several_newcomers_in_one_scan_get_nothing_of_what_is_in_force() -> None:
    async with World() as w:
        put(w, shop=domain(chunk("db", container={"name": "xx", "ports": {"80": "8080"}})))
        await w.until_settled()
        before = runs(w)
        a = domain(chunk("a", container={"name": "xx"}), name="a")
        b = domain(chunk("b", container={"name": "yy", "ports": {"80": "8080"}}), name="b")
        put(w, a=a, b=b, c=domain(chunk("c"), name="shop"))
        await w.until(lambda: len(errors(w)) == 3)
        assert errors(w) == {
            "a.json": ["ContainerNameClash"],
            "b.json": ["HostPortClash"],
            "c.json": ["DuplicateDomain"],
        }
        await asyncio.sleep(60)
        assert runs(w) == before


@pytest.mark.parametrize("killed", [False, True])
async def test_a_domain_that_gets_another_name_in_its_file_goes_and_the_new_one_comes(killed: bool) -> None:
    async with World() as w:
        put(w, shop=domain(chunk("web")))
        await w.until_settled()
        if killed:
            await asyncio.sleep(1)
            await w.kill()
        put(w, shop=domain(chunk("web"), name="store"))
        if killed:
            # It may be another folder: at a start, nothing of all that is known is removed without a person's word.
            w.start()
            await w.until(lambda: w.held() == {"shop"})
            told = [str(entry["message"]) for entry in w.stores.entries if entry["kind"] == "held"]
            assert told[-1].startswith("shop.json declares another domain now, and its removal is held")
            assert "is gone" not in told[-1]
            w.ask_confirm("shop")
        await w.until(lambda: {one["name"] for one in w.view()["domains"]} == {"store"}, limit=60)
        await w.until_settled()
        assert {c.owner.domain for c in w.engine.containers.values() if c.owner} == {"store"}


@pytest.mark.parametrize("killed", [False, True])
async def test_a_file_that_is_renamed_is_a_move_and_restarts_nothing(killed: bool) -> None:
    async with World() as w:
        put(w, shop=STACK)
        await w.until_settled()
        before, generation = runs(w), w.domain("shop")["generation"]
        if killed:
            await asyncio.sleep(1)
            await w.kill()
        put(w, shop=None, store=STACK)
        if killed:
            w.start()
        await w.until(lambda: w.domain("shop").get("file") == "store.json")
        await asyncio.sleep(5)
        # The claim is the new file's, also in the state.
        await w.kill()
        put(w, shop=STACK)
        w.start()
        await w.until(lambda: errors(w) == {"shop.json": ["DuplicateDomain"]})
        await asyncio.sleep(60)
        assert runs(w) == before
        assert w.domain("shop")["generation"] == generation


async def test_a_copy_takes_over_when_the_file_that_it_is_of_goes() -> None:
    async with World() as w:
        put(w, shop=STACK)
        await w.until_settled()
        before = runs(w)
        put(w, copied=STACK)
        await w.until(lambda: "copied.json" in errors(w))
        put(w, shop=None)
        await w.until(lambda: w.domain("shop")["file"] == "copied.json" and not errors(w))
        await asyncio.sleep(60)
        assert runs(w) == before


async def test_a_domain_that_moves_into_a_file_that_is_not_valid_stays_as_it_is() -> None:
    async with World() as w:
        put(w, shop=STACK, other=domain(chunk("o", container={"name": "oo"}), name="other"))
        await w.until_settled()
        before = runs(w)
        put(w, shop=None, store=domain(chunk("web", "nobody")))
        await w.until(lambda: errors(w) == {"store.json": ["UnsatisfiableGate"]})
        await asyncio.sleep(60)
        assert runs(w) == before


async def test_two_files_that_swap_their_domains_restart_nothing() -> None:
    async with World() as w:
        one = domain(chunk("a", container={"name": "xx"}), name="one")
        two = domain(chunk("b", container={"name": "yy"}), name="two")
        put(w, a=one, b=two)
        await w.until_settled()
        before = runs(w)
        put(w, a=two, b=one)
        await w.until(lambda: w.domain("one")["file"] == "b.json" and w.domain("two")["file"] == "a.json")
        await asyncio.sleep(60)
        assert not errors(w)
        assert runs(w) == before


async def test_what_a_domain_has_is_free_once_it_is_gone_and_then_taken_without_a_request() -> None:
    async with World() as w:
        old = domain(chunk("a", container={"name": "xx", "ports": {"80": "8080"}}), name="old")
        new = domain(chunk("b", container={"name": "xx", "ports": {"80": "8080"}}), name="new")
        put(w, a=old)
        await w.until_settled()
        put(w, a=None, b=new)
        await w.until(lambda: not errors(w) and w.settled("new"))
        assert {c.name: c.owner.domain for c in w.engine.containers.values() if c.owner} == {"xx": "new"}


async def test_what_a_chunk_had_that_left_its_file_is_free() -> None:
    async with World() as w:
        put(w, a=domain(chunk("one", container={"name": "xx"}), chunk("two", container={"name": "yy"}), name="a"))
        await w.until_settled()
        put(w, a=domain(chunk("two", container={"name": "yy"}), name="a"))
        put(w, b=domain(chunk("b", container={"name": "xx"}), name="b"))
        await w.until(lambda: w.domain("b")["cpuxs"] and w.settled("b") and w.settled("a") and not errors(w))
        assert {c.name: c.owner.domain for c in w.engine.containers.values() if c.owner} == {"xx": "b", "yy": "a"}


async def test_an_edit_that_no_gate_can_live_with_is_refused_and_the_last_good_one_stays() -> None:
    async with World() as w:
        put(w, shop=STACK)
        await w.until_settled()
        before = runs(w)
        put(w, shop=domain(chunk("api", "db"), chunk("web", "api")))
        await w.until(lambda: errors(w) == {"shop.json": ["UnsatisfiableGate"]})
        put(w, shop=domain(chunk("db", "web"), chunk("api", "db"), chunk("web", "api")))
        await w.until(lambda: errors(w) == {"shop.json": ["GateCycle"]})
        await asyncio.sleep(60)
        assert runs(w) == before
        assert not w.domain("shop")["settled"]


async def test_an_edit_does_not_take_away_what_another_domain_waits_for() -> None:
    async with World() as w:
        data = domain(chunk("db", container={"name": "db"}), name="data")
        shop = domain(chunk("web", "data/main/db_ready", container={"name": "web"}))
        put(w, data=data, shop=shop)
        await w.until_settled()
        before = runs(w)
        put(w, data=domain(chunk("other", container={"name": "other"}), name="data"))
        await w.until(lambda: errors(w) == {"data.json": ["UnsatisfiableGate"]})
        await asyncio.sleep(60)
        assert runs(w) == before
        put(w, shop=domain(chunk("web", container={"name": "web"})))
        await w.until(lambda: not errors(w) and w.settled())
        assert set(runs(w)) == {"other", "web"}


def edit(w: World, rng: random.Random) -> None:
    """Something happens to the folder."""
    name = rng.choice(["a", "b", "c"])
    there = sorted(w.files.texts)
    match rng.choice(["write", "write", "write", "break", "copy", "move", "remove"]):
        case "write":
            called = rng.choice([name, name, rng.choice(["a", "b", "c"])])
            needs = rng.choice([[], ["c0"], [f"{rng.choice('abc')}/main/c{rng.randint(0, 1)}_ready"]])
            container: dict[str, Any] = {"name": rng.choice(["xx", "yy", "zz", f"{called}_c1"])}
            if rng.random() < 0.3:
                container["ports"] = {"80": str(8000 + rng.randint(0, 1))}
            first = chunk("c0", container={"name": f"{called}_c0"})
            put(w, **{name: domain(first, chunk("c1", *needs, container=container), name=called)})
        case "break":
            put(w, **{name: "{"})
        case "copy" | "move" as deed if there:
            chosen = rng.choice(there)
            text = w.files.texts[chosen]
            if deed == "move" and f"{name}.json" != chosen:
                del w.files.texts[chosen]
            w.files.texts[f"{name}.json"] = text
            w.files.tell()
        case "remove" if len(there) > 1:
            put(w, **{name: None})


@pytest.mark.parametrize("seed", seeds(100))
async def test_after_any_edits_the_daemon_says_what_validate_says_and_runs_what_is_valid(seed: int) -> None:
    rng = random.Random(seed)
    async with World(seed=seed) as w:
        for _ in range(12):
            for _ in range(rng.randint(1, 2)):
                edit(w, rng)
            if rng.random() < 0.2:
                await asyncio.sleep(0.3)
                await w.kill()
                w.start()
            await asyncio.sleep(rng.choice([0.05, 0.5, 20.0]))
        await asyncio.sleep(120)
        assert {file: set(codes) for file, codes in errors(w).items()} == validated(w)
        records = _controller(w).known.domains.values()
        # Who waits for a domain that nothing declares waits, and so does who waits for such.
        waiting = any(record.warnings for record in records)
        for record in records:
            assert record.file in w.files.texts or record.held
            assert record.file in errors(w) or record.held or waiting or w.settled(record.name)
        owners = [c.owner.domain for c in w.engine.containers.values() if c.owner is not None]
        assert set(owners) <= set(_controller(w).known.domains)


def _controller(w: World) -> Any:
    assert w.controller is not None
    return w.controller


def validated(w: World) -> dict[str, set[str]]:
    """What `pnr validate` says beside the state as it is written."""
    files = {name: FileSeen(name, text, None) for name, text in w.files.texts.items()}
    stored = intake.what_is_in_force(judge_files.loading, list(w.stores.texts.values()), w.stores.documents)
    judged = intake.judge(judge_files.loading, files, in_force=stored)
    return {file: {problem.code for problem in problems} for file, problems in judged.errors.items()}
