"""The program on a stage: domain files, the real controller, the real engine behind a wire that counts.

All is as ``pnr run`` puts it together, but in this process, so that a look at everything takes no minute of waiting.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from docker import APIClient

from reconciler.controller.loop import Controller
from reconciler.controller.records import LookNow, TakeDown
from reconciler.daemon.assembly import Parts, assembled
from reconciler.daemon.protocol import ServiceOptions
from reconciler.daemon.verdict import finished_removing
from reconciler.planner.situation import NEXT_SUFFIX
from tests.integration.settings.shown import essence
from tests.integration.wire import Call, Wire

SHORTLY = 0.003  # a busy loop would take from the engine what it waits for
LIMIT_SECONDS = 240.0

Runs = dict[str, tuple[str, str]]
"""Of each chunk: its container's id, and when that was started."""


@dataclass
class Stage:
    """One domain. ``looks`` counts those at everything. ``there`` is what the engine had once the newest file was
    applied, ``shown`` what it showed of them; ``whose`` are the chunks of all containers that there ever were, by their
    ids and names."""

    domain: str
    folder: Path
    api: APIClient
    wire: Wire
    controller: Controller
    engine: Any
    journal: list[Mapping[str, Any]]
    running: asyncio.Task[None]
    looks: int = 0
    there: Runs = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    whose: dict[str, str] = field(default_factory=dict)

    async def apply(self, document: dict[str, Any]) -> None:
        """Put a file into place and wait until the program has done what it can about it."""
        for chunk in document["cpuxs"]["main"]["design_chunks"]:
            self.whose[chunk["container"]["name"]] = chunk["name"]
            chunk.setdefault("stable_seconds", 0)
        text = json.dumps(document).encode()
        digest = hashlib.sha256(text).hexdigest()
        temporary = self.folder / "new"
        temporary.write_bytes(text)
        temporary.rename(self.folder / f"{self.domain}.json")
        await self.until(lambda: self.view().get("digest") == digest or self._errors(text), "the file to be in force")
        assert not self._errors(text), self._errors(text)
        await self.settle()
        self.there = self.runs()

    def _errors(self, text: bytes) -> list[str]:
        """What is wrong with the file, where it was read."""
        shown = [domain for domain in self.controller.view()["domains"] if domain["file"] == f"{self.domain}.json"]
        return [f"{error['path']}: {error['message']}" for domain in shown for error in domain["errors"]]

    async def settle(self) -> None:
        """Wait until each chunk is up, or was tried and is not, and nothing is under way."""

        def settled() -> bool:
            return self.controller.idle and all(
                chunk["state"] == "completed" or chunk["attempts"] or chunk["state"] == "failed"
                for chunk in self.chunks().values()
            )

        await self.until(settled, "every chunk to be up or to have failed")

    async def resync(self, *, anew: bool = False) -> None:
        """Look at everything, as for `pnr apply` and each minute, and wait for what follows from it. ``anew``: inspect
        also what the list shows unchanged, as after a lost connection."""
        if anew:
            self.engine._known = {}
        before = self.looks
        self.controller.post(LookNow())
        await self.until(lambda: self.looks > before, "a look at everything", SHORTLY)
        for _ in range(5):
            await asyncio.sleep(0)
        await self.until(lambda: self.controller.idle, "what follows from the look", SHORTLY)

    async def until(self, holds: Callable[[], object], what: str, pause: float = 0.1) -> None:
        """Wait for something, generously."""
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                while not holds():
                    if self.running.done():
                        self.running.result()
                    await asyncio.sleep(pause)
        except TimeoutError:
            open_ones = {name: chunk for name, chunk in self.chunks().items() if chunk["state"] != "completed"}
            raise AssertionError(f"waited for {what}: {json.dumps(open_ones, indent=1)[:4000]}") from None

    def view(self) -> dict[str, Any]:
        """The domain as ``pnr status --json`` shows it."""
        domains = self.controller.view()["domains"]
        return next((dict(domain) for domain in domains if domain["name"] == self.domain), {})

    def chunks(self) -> dict[str, dict[str, Any]]:
        """The domain's chunks by name."""
        return {chunk["name"]: chunk for cpux in self.view().get("cpuxs", []) for chunk in cpux["chunks"]}

    def runs(self) -> Runs:
        """The domain's containers as they are on the engine."""
        found: Runs = {}
        self.shown = {}
        for summary in self.api.containers(all=True, filters={"label": f"io.pnr.domain={self.domain}"}):
            shown = self.api.inspect_container(summary["Id"])
            chunk = shown["Config"]["Labels"]["io.pnr.chunk"]
            assert chunk not in found, f"{chunk} has two containers"
            found[chunk] = (shown["Id"], shown["State"]["StartedAt"])
            self.shown[chunk] = essence(shown)
            self.whose[shown["Id"]] = self.whose[shown["Name"].lstrip("/")] = chunk
        return found

    def calls_by_chunk(self, calls: Iterable[Call]) -> dict[str, list[str]]:
        """What was sent about the container of each chunk, without its id; what is about none stands under ``""``. Look
        at the runs before and after it first, so that all ids are known."""
        found: dict[str, list[str]] = {}
        for call in calls:
            about = self._about(call)
            said = "/".join(part for part in f"{call.method} {call.path}".split("/") if part not in self.whose)
            found.setdefault(self.whose.get(about, about), []).append(said)
        return found

    @staticmethod
    def _about(call: Call) -> str:
        parts = [unquote(part) for part in call.path.strip("/").split("/")]
        if parts[0] == "networks" and isinstance(call.body, dict) and "Container" in call.body:
            return str(call.body["Container"])
        if parts[:2] == ["containers", "create"]:
            return call.query.get("name", "").removesuffix(NEXT_SUFFIX)
        return parts[1] if parts[0] == "containers" else ""


@asynccontextmanager
async def on_stage(domain: str, root: Path, api: APIClient, wire: Wire) -> AsyncIterator[Stage]:
    """A stage, cleared at the end. DOCKER_HOST must be the wire's address."""
    folder = root / "domains"
    folder.mkdir()
    journal: list[Mapping[str, Any]] = []
    options = ServiceOptions(domains=folder, state=root / "state", policy="open")
    async with assembled(options, on_journal=journal.append) as parts:
        running = asyncio.create_task(parts.controller.run())
        stage = Stage(domain, folder, api, wire, parts.controller, parts.engine, journal, running)
        _count_looks(parts, stage)
        try:
            yield stage
            parts.controller.post(TakeDown((), True))
            await asyncio.sleep(0)
            await stage.until(
                lambda: parts.controller.idle and finished_removing(parts.controller.known, ()), "everything to go"
            )
            _assert_gone(domain, api, parts.controller.known.object_trouble)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def _assert_gone(domain: str, api: APIClient, trouble: Mapping[str, str]) -> None:
    """Nothing of the domain is there, but for a network that Docker itself can't remove (moby/moby#42119), of which the
    program says so."""
    mine = {"label": f"io.pnr.domain={domain}"}
    left = [f"network:{network['Name']}" for network in api.networks(filters=mine)]
    left += [f"volume:{volume['Name']}" for volume in api.volumes(filters=mine)["Volumes"] or ()]
    assert [key for key in left if "a fault of Docker" not in trouble.get(key, "")] == [], trouble
    assert api.containers(all=True, filters=mine) == []


def _count_looks(parts: Parts, stage: Stage) -> None:
    engine: Any = parts.engine
    observe = engine.observe

    async def counted() -> Any:
        seen = await observe()
        stage.looks += 1
        return seen

    engine.observe = counted
