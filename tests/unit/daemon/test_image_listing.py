"""What `pnr images` shows and `pnr prune` removes, on the simulated engine."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import exits
from reconciler.cli.main import main
from reconciler.daemon import image_listing
from reconciler.engine.protocol import RegistryFailed
from reconciler.engine.simulated import SimulatedEngine
from reconciler.intent.model import Domain
from reconciler.planner.actions import CreateContainer, CreateNetwork, EnsureImage, StartContainer
from tests.unit.intent.reading import declared, document, valid

PINNED = f"pinned@sha256:{'a' * 64}"


@pytest.fixture
def engine() -> SimulatedEngine:
    return SimulatedEngine(pull_seconds=(0.0, 0.0), start_seconds=(0.0, 0.0), stop_seconds=(0.0, 0.0))


def domain(*wanted: str, **more: Any) -> Domain:
    chunks = [declared(f"c{number}", container={"image": image}) for number, image in enumerate(wanted)]
    return valid(document(*chunks, **more))


async def bring_up(engine: SimulatedEngine, of: Domain) -> None:
    await engine.connect()
    for network in of.networks:
        await engine.perform(CreateNetwork(network.name, of.name, network))
    for chunk in of.chunks():
        await engine.perform(EnsureImage(chunk.container.image, None, "missing"))
        await engine.perform(CreateContainer(chunk.container.name, chunk, 1, 1))
        await engine.perform(StartContainer(chunk.container.name))


def states(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["image"]: row["state"] for row in rows}


async def test_an_image_is_the_newest_until_its_tag_moves(engine: SimulatedEngine) -> None:
    shop = domain("web:1", "db:1")
    await bring_up(engine, shop)
    rows = await image_listing.rows(engine, [shop])
    assert states(rows) == {"web:1": "newest", "db:1": "newest"}
    assert rows[0]["running"] == [rows[0]["newest"]]
    engine.release("web:1")
    rows = await image_listing.rows(engine, [shop])
    assert states(rows) == {"web:1": "newer", "db:1": "newest"}
    assert rows[0]["running"] != [rows[0]["newest"]]
    await engine.close()


async def test_a_newer_image_that_was_rejected_is_told_as_that(engine: SimulatedEngine) -> None:
    shop = domain("web:1", "db:1")
    await bring_up(engine, shop)
    for image in ("web:1", "db:1"):
        engine.release(image)
        await engine.perform(EnsureImage(image, None, "always"))
    web, _ = shop.chunks()
    bad = (await engine.images_named({"web:1"}))["web:1"]
    assert states(await image_listing.rows(engine, [shop], rejected={web.id: bad.id})) == {
        "web:1": "rejected",
        "db:1": "newer",
    }
    engine.release("web:1")
    assert states(await image_listing.rows(engine, [shop], rejected={web.id: bad.id}))["web:1"] == "newer"
    await engine.close()


async def test_what_is_not_known_is_told_with_its_reason(engine: SimulatedEngine) -> None:
    shop = domain("web:1", PINNED)
    await bring_up(engine, shop)
    engine.fate("web:1").missing = True
    web, pinned = await image_listing.rows(engine, [shop])
    assert (web["state"], web["newest"], pinned["state"]) == ("unknown", None, "fixed")
    assert "does not have web:1" in web["message"]
    (web, _) = await image_listing.rows(engine, [shop], ask=False)
    assert (web["state"], web["message"]) == ("unknown", "registries were not asked")
    await engine.close()


async def test_a_registry_that_does_not_answer_holds_up_nobody(
    engine: SimulatedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(image: str, logins: Any = None) -> str:
        if image == "slow:1":
            await asyncio.Event().wait()
        raise RegistryFailed("it is down")

    monkeypatch.setattr(image_listing, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(engine, "newest_digest", slow)
    await engine.connect()
    rows = await image_listing.rows(engine, [domain("slow:1", "down:1")])
    assert [row["message"] for row in rows] == ["no answer within 0.05 s", "it is down"]


async def test_only_what_nobody_declares_and_nothing_uses_is_pruned(engine: SimulatedEngine) -> None:
    shop = domain("web:1", "db:1")
    await bring_up(engine, shop)
    await engine.perform(EnsureImage("old:1", None, "missing"))
    await engine.perform(EnsureImage("kept:1", None, "missing"))
    engine.images.add("foreign:1")
    declares = [domain("kept:1", name="other")]
    found = await image_listing.prunable(engine, declares)
    assert [image.names for image in found] == [("old:1",)]
    told = await image_listing.prune(engine, found, [image.id for image in found])
    assert [(entry["names"], entry["error"]) for entry in told] == [(["old:1"], "")]
    assert await image_listing.prunable(engine, declares) == []
    assert engine.images == {"web:1", "db:1", "kept:1", "foreign:1"}
    await engine.close()


async def test_what_came_into_use_meanwhile_stays(engine: SimulatedEngine) -> None:
    await engine.connect()
    await engine.perform(EnsureImage("web:1", None, "missing"))
    found = await image_listing.prunable(engine, [])
    await bring_up(engine, domain("web:1"))
    (told,) = await image_listing.prune(engine, found, [image.id for image in found])
    assert "in use" in told["error"]
    await engine.close()


async def test_only_what_was_asked_for_is_removed(engine: SimulatedEngine) -> None:
    await engine.connect()
    await engine.perform(EnsureImage("web:1", None, "missing"))
    assert await image_listing.prune(engine, await image_listing.prunable(engine, []), ["another"]) == []


# --- the commands, without a daemon -----------------------------------------------------------------------------


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    (tmp_path / "domains").mkdir()
    (tmp_path / "state").mkdir()
    return ["--domains", str(tmp_path / "domains"), "--state", str(tmp_path / "state"), "--engine", "simulated"]


def test_images_are_listed_without_a_daemon(
    folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["images", *folders]) == exits.OK
    assert "no chunk" in capsys.readouterr().out
    (tmp_path / "domains" / "d.json").write_text(json.dumps(document(declared(container={"image": "web:1"}))))
    assert main(["images", *folders]) == exits.OK
    out = capsys.readouterr().out
    assert "d/main/a" in out
    assert "not running" in out
    assert main(["images", "--json", "--offline", *folders]) == exits.OK
    (row,) = json.loads(capsys.readouterr().out)
    assert row["state"] == "unknown"


def test_there_may_be_nothing_to_prune(folders: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prune", *folders]) == exits.OK
    assert "no image of ours is unused" in capsys.readouterr().out
    assert main(["prune", "--json", "--dry-run", *folders]) == exits.OK
    assert json.loads(capsys.readouterr().out) == []


def test_nothing_is_pruned_while_a_file_can_not_be_read(
    folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "domains" / "d.json").write_text("{")
    assert main(["prune", "--yes", *folders]) == exits.UNAVAILABLE
    assert "it is not known which images d.json needs" in capsys.readouterr().err


def test_nothing_is_pruned_while_the_domains_are_not_there(
    folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "domains").rmdir()
    assert main(["prune", "--yes", *folders]) == exits.UNAVAILABLE
    assert "there is no directory" in capsys.readouterr().err


UNUSED = {"id": f"sha256:{'1' * 64}", "names": ["old:1"], "bytes": 5_000_000}


class Daemon:
    """Stands in for what `pnr prune` asks; ``asked`` holds the ids that it was told to remove."""

    def __init__(self, error: str = "") -> None:
        self.asked: list[list[str]] = []
        self._error = error

    def __call__(self, args: object, ids: list[str] | None) -> dict[str, Any]:
        if ids is None:
            return {"unused": [UNUSED]}
        self.asked.append(ids)
        return {"removed": [{**UNUSED, "error": self._error}]}


@pytest.mark.parametrize(("answer", "removes"), [("y", True), ("YES", True), ("n", False), ("", False)])
def test_a_person_is_asked_before_anything_is_removed(
    folders: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, removes: bool
) -> None:
    daemon = Daemon()
    monkeypatch.setattr("reconciler.cli.prune._asked", daemon)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    assert main(["prune", *folders]) == exits.OK
    out = capsys.readouterr().out
    assert "old:1" in out
    assert daemon.asked == ([[UNUSED["id"]]] if removes else [])
    assert ("removed 1 image" if removes else "nothing is removed") in out


def test_where_nobody_can_be_asked_nothing_is_removed(folders: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = Daemon()
    monkeypatch.setattr("reconciler.cli.prune._asked", daemon)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert main(["prune", *folders]) == exits.USAGE
    assert main(["prune", "--dry-run", *folders]) == exits.OK
    assert daemon.asked == []


def test_what_could_not_be_removed_is_told(
    folders: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("reconciler.cli.prune._asked", Daemon("it has children"))
    assert main(["prune", "--yes", *folders]) == exits.FAILED
    assert "old:1 stays: it has children" in capsys.readouterr().err
