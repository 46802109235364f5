"""What is told of how things stand: of all domains or of some, and without holding up what else there is to do."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reconciler.controller import loop as controlling
from reconciler.controller import status_view
from reconciler.daemon import service
from reconciler.daemon.assembly import Parts
from reconciler.daemon.handler import Handler
from reconciler.daemon.systemd import Notifier
from reconciler.daemon.viewing import UnknownDomain
from tests.simulation.virtual_time import VirtualLoop
from tests.simulation.world import World, chunk, domain

MANY = 30


def plain(name: str) -> dict[str, Any]:
    return domain(chunk("web", container={"name": f"{name}_web"}), name=name)


async def status(w: World, *only: str) -> list[dict[str, Any]]:
    """The domains that the daemon tells of when it is asked for these."""
    parts = cast(Parts, SimpleNamespace(controller=w.controller, engine=w.engine))
    request: dict[str, Any] = {"command": "status", **({"only": list(only)} if only else {})}
    (answer,) = [answer async for answer in Handler(parts).handle(request)]
    found: list[dict[str, Any]] = answer["view"]["domains"]
    return found


async def test_the_status_of_some_domains_is_theirs_in_the_status_of_all() -> None:
    async with World() as w:
        for number in range(5):
            w.files.write(f"d{number}", plain(f"d{number}"))
        w.files.texts["broken.json"] = b"{"
        w.files.tell()
        await w.until(lambda: len(w.running()) == 5 and all(w.domain(f"d{n}")["settled"] for n in range(5)), limit=60)
        everything = await status(w)
        assert [one["name"] for one in everything] == [*(f"d{number}" for number in range(5)), "broken.json"]
        assert await status(w, "d3", "d1") == [one for one in everything if one["name"] in ("d1", "d3")]
        assert await status(w, "broken.json") == everything[-1:]


async def test_a_name_that_no_domain_has_is_told_with_those_there_are() -> None:
    async with World() as w:
        for number in range(MANY):
            w.files.write(f"d{number:02}", plain(f"d{number:02}"))
        w.files.texts["broken.json"] = b"{"
        w.files.tell()
        await w.until(lambda: len(w.running()) == MANY, limit=60)
        with pytest.raises(
            UnknownDomain, match=r"there is no domain d3; known are: broken\.json, d00, .* and 11 more$"
        ):
            await status(w, "d3", "d01")


@pytest.mark.parametrize("who", ["terminal", "systemd"])
async def test_views_for_who_watches_are_made_beside_the_work(monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    now, most, told = 0, 0, list[Any]()

    def next_turn(timeout: float | None = None) -> list[Any]:
        nonlocal now
        now = 0
        return select(timeout)

    def counted(*args: Any) -> Any:
        nonlocal now, most
        now += 1
        most = max(most, now)
        return arranged(*args)

    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    select, arranged = loop._jumping.select, status_view._arranged
    monkeypatch.setattr(loop._jumping, "select", next_turn)
    monkeypatch.setattr(controlling, "VIEW_AT_ONCE_SECONDS", 0.0)
    monkeypatch.setattr(controlling, "STEPS_A_LOOK", 1)
    async with World() as w:
        assert w.controller is not None
        for number in range(MANY):
            w.files.write(f"d{number}", plain(f"d{number}"))
        await w.until(lambda: len(w.running()) == MANY, limit=60)
        monkeypatch.setattr(status_view, "_arranged", counted)
        monkeypatch.setattr(Notifier, "send", lambda _, **fields: told.append(fields))
        jobs = {
            "terminal": lambda: service._show(w.controller, told.append),
            "systemd": lambda: service._tell_how_things_stand(w.controller, Notifier({}), 1.0),
        }
        task = loop.create_task(jobs[who]())
        await w.until(lambda: bool(told), limit=60)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert most == 1


async def test_systemd_is_told_again_only_when_something_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    told = list[str]()
    monkeypatch.setattr(Notifier, "send", lambda _, **fields: told.append(fields["STATUS"]))
    async with World() as w:
        assert w.controller is not None
        w.files.write("shop", plain("shop"))
        await w.until_settled(limit=60)
        loop = asyncio.get_running_loop()
        task = loop.create_task(service._tell_how_things_stand(w.controller, Notifier({}), 1.0))
        await asyncio.sleep(service.TELL_ANYWAY_SECONDS / 2)
        before = len(told)
        assert told[-1] == "1 of 1 chunks completed in 1 domains"
        w.files.write("bar", plain("bar"))
        await w.until(lambda: told[-1] == "2 of 2 chunks completed in 2 domains", limit=60)
        assert len(told) > before
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def down(w: World, *only: str) -> list[dict[str, Any]]:
    """What `pnr down` is answered, with the domains that were known each time."""
    parts = cast(Parts, SimpleNamespace(controller=w.controller, engine=w.engine))
    return [answer async for answer in Handler(parts).handle({"command": "down", "only": list(only)})]


async def test_down_waits_for_what_is_taken_down_and_for_no_other_work() -> None:
    async with World() as w:
        w.files.write("shop", plain("shop"))
        await w.until_settled(limit=60)
        w.engine._pull_seconds = (600.0, 600.0)
        w.files.write("other", domain(chunk("web", container={"image": "slow:1", "name": "other_web"}), name="other"))
        await w.until(lambda: w.chunk("web", "other")["reason"] == "PullingImage", limit=60)
        begun = asyncio.get_running_loop().time()
        answers = await down(w, "shop")
        assert asyncio.get_running_loop().time() - begun < 60
        assert answers[-1]["done"]
        assert w.running() == set()
        assert w.chunk("web", "other")["reason"] == "PullingImage"


async def test_down_of_all_takes_files_dropped_just_before_and_none_that_come_later() -> None:
    async with World() as w:
        w.files.write("shop", plain("shop"))
        await w.until_settled(limit=60)
        w.files.write("blog", plain("blog"))
        task = asyncio.ensure_future(down(w))
        await w.until(lambda: w.domain("shop")["suspended"], limit=60)
        w.files.write("later", plain("later"))
        answers = await task
        assert answers[-1]["done"]
        await w.until(lambda: w.running() == {"later_web"}, limit=60)
        assert w.domain("blog")["suspended"]


async def test_down_of_all_where_there_is_nothing_is_done_at_once() -> None:
    async with World() as w:
        await w.until(lambda: w.view()["daemon"]["ready"], limit=60)
        (answer,) = await down(w)
        assert answer["done"]
