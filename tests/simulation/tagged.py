"""A chunk that follows its image's tag, and short questions about it."""

from __future__ import annotations

import asyncio
from typing import Any

from reconciler.planner.observed import Container
from tests.simulation.world import World, chunk, domain

HOUR = 3600.0


def shop(auto_update: Any = "registry", **more: Any) -> dict[str, Any]:
    """A database that is left alone, and a web server that follows its tag."""
    return domain(chunk("db"), chunk("web", "db", auto_update=auto_update, **more))


def named(w: World) -> set[str]:
    return {c.name for c in w.engine.containers.values()}


def web(w: World) -> Container:
    """The web server's container under its own name, whatever its strategy lets that be."""
    names = ("shop_web", "shop-main-web-1")
    return next(c for c in w.engine.containers.values() if c.name in names)


def web_image(w: World) -> str:
    """The id of the web server's image; "" between two containers."""
    return next((c.image_id for c in w.engine.containers.values() if c.name in ("shop_web", "shop-main-web-1")), "")


def in_order(strategy: str) -> dict[str, Any]:
    """A strategy, and the container without a name of its own where that forbids it."""
    return {"strategy": strategy, "container": {"name": None} if strategy == "start-first" else {}}


def asked(w: World, image: str = "web:1") -> int:
    return w.engine.questions.count(image)


def journal(w: World, kind: str) -> list[str]:
    return [str(entry["message"]) for entry in w.stores.entries if entry["kind"] == kind]


async def lasting(seconds: float, w: World, *, state: str = "completed") -> None:
    """Let time pass in which the web server is in one state only."""
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        assert w.chunk("web")["state"] == state, w.chunk("web")
        await asyncio.sleep(10)


def never_ready(w: World, image_id: str) -> None:
    w.engine.fate(image_id).ready_after = 1e9


def check(seconds: float = 30) -> dict[str, Any]:
    return {"health_check": {"type": "tcp", "port_key": "80", "deadline_seconds": seconds}}
