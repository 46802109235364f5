"""Answers what the control socket is asked. Reads freely; changes only by messages to the loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.controller.records import ConfirmRemoval, LookNow, TakeDown
from reconciler.daemon import image_listing, volumes
from reconciler.daemon.assembly import Parts
from reconciler.daemon.log_following import LogFollower
from reconciler.daemon.pacing import Pace
from reconciler.daemon.patience import Patience, waited_for
from reconciler.daemon.requests import check
from reconciler.daemon.short_names import find_chunk
from reconciler.daemon.turns import turns_now
from reconciler.daemon.verdict import TIMED_OUT, exit_code, finished_applying, finished_confirmed, finished_removing
from reconciler.daemon.viewing import unknown_domain
from reconciler.intent.model import ChunkId, Domain
from reconciler.planner.following import rejected_image

SETTLE_SECONDS = 0.1
LOOK_SECONDS = 5.0
WORD_SECONDS = 1.0
ALL_FILES_SECONDS = 30.0


class Handler:
    """One coroutine a command; each yields answers, the last one with ``done``."""

    def __init__(self, parts: Parts) -> None:
        self._controller = parts.controller
        self._engine = parts.engine

    async def handle(self, request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Answer one request. Raises PnrError, which the server passes on: BadRequest before anything is done."""
        check(request)
        match request["command"]:
            case "ping":
                yield {"done": True}
            case "status":
                written = self._controller.known.recorder.is_up_to_date
                view = await self._controller.view_in_turns(self._told(request))
                view["daemon"] |= turns_now()
                yield {"view": view, "written": written, "done": True}
            case "watch":
                async for view in self._views():
                    yield {"view": view}
            case "apply":
                async for answer in self._apply(request):
                    yield answer
            case "down":
                async for answer in self._down(self._only(request), request.get("volumes", False)):
                    yield answer
            case "volumes":
                names = self._only(request) or tuple(self._controller.known.domains)
                observed = self._controller.known.world.observed()
                yield {"volumes": await volumes.rows(self._engine, observed, names)}
            case "confirm-removal":
                # A file that went a moment ago may be what is meant. While git is at work no more is known than before.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        for pause in (0.0, SETTLE_SECONDS):
                            await asyncio.sleep(pause)
                            await self._controller.look_at_source()
                async for answer in self._confirm(self._only(request)):
                    yield answer
            case "logs":
                async for answer in self._logs(request):
                    yield answer
            case "images":
                ask, rejected = not request.get("offline", False), self._rejected()
                yield {"images": await image_listing.rows(self._engine, self._declared(), ask=ask, rejected=rejected)}
            case "prune":
                yield await self._prune(request)

    def _declared(self) -> list[Domain]:
        return [record.domain for record in self._controller.known.domains.values() if record.domain is not None]

    def _rejected(self) -> dict[ChunkId, str]:
        found = {id: rejected_image(record.memory) for id, record in self._controller.known.chunks.items()}
        return {id: image for id, image in found.items() if image}

    async def _prune(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Which images can go or, with ``ids``, what became of those of them."""
        if not self._controller.first_pass_done:
            raise image_listing.DomainUnclear("the daemon has just started: try again in a moment")
        unknown = [record.name for record in self._controller.known.domains.values() if record.unknown]
        unclear = sorted([*unknown, *self._controller.intake.file_errors])
        if unclear:
            raise image_listing.DomainUnclear(
                f"it is not known which images {', '.join(unclear)} needs: run `pnr validate`"
            )
        found = await image_listing.prunable(self._engine, self._declared())
        if "ids" not in request:
            return {"unused": [image_listing.document(image) for image in found]}
        return {"removed": await image_listing.prune(self._engine, found, list(request["ids"]))}

    def _only(self, request: Mapping[str, Any]) -> tuple[str, ...]:
        only = tuple(request.get("only", ()))
        unknown = [name for name in only if name not in self._controller.known.domains]
        if unknown:
            raise unknown_domain(unknown, self._controller.known.domains)
        return only

    def _told(self, request: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of domains, or of files that are not valid, that are asked for. Raises UnknownDomain."""
        only = tuple(request.get("only", ()))
        if only:
            errors = self._controller.intake.file_errors.values()
            known = {*self._controller.known.domains, *(found[0].place.file for found in errors if found)}
            unknown = [name for name in only if name not in known]
            if unknown:
                raise unknown_domain(unknown, known)
        return only

    async def _views(self) -> AsyncIterator[dict[str, Any]]:
        pace, seen = Pace(), -1
        while True:
            seen = await self._controller.changed(seen)
            with pace.making():
                view = await self._controller.view_in_turns()
            yield view
            await pace.pause()

    async def _apply(self, request: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        wait, limit = request.get("wait", False), request.get("timeout")
        now = asyncio.get_running_loop().time
        patience = Patience(now(), None if limit is None else float(limit))
        # A file that was dropped a moment ago may be what is asked for, and be taken once it is seen unchanged.
        for pause in (0.0, SETTLE_SECONDS):
            await asyncio.sleep(pause)
            async for word in self._while(self._controller.look_at_source(), patience, wait=wait):
                yield {"waiting": word}
        only = self._only(request)
        if not wait:
            self._controller.post(LookNow(only))
            await asyncio.sleep(0)
            yield await self._outcome(only)
            return
        if not patience.is_over(now()):
            async for word in self._while(self._controller.look_now(only), patience, wait=True):
                yield {"waiting": word}
        pace, seen = Pace(), -1
        while not patience.is_over(now()):
            with pace.making():
                view = await self._controller.view_in_turns()
            if finished_applying(view, only):
                yield await self._outcome(only)
                return
            word = patience.word(now(), view, only)
            if word:
                yield {"waiting": word}
            if self._controller.version != seen:
                seen = self._controller.version
                yield {"view": view}
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WORD_SECONDS):
                    await self._controller.changed(seen)
            await pace.pause()
        waits = waited_for(await self._controller.view_in_turns(), only)
        yield {**await self._outcome(only), "exit": TIMED_OUT, "waiting": self._controller.known.files_wait or waits}

    async def _outcome(self, only: tuple[str, ...]) -> dict[str, Any]:
        view = await self._controller.view_in_turns()
        return {"view": view, "exit": exit_code(view, only), "done": True}

    async def _while(self, work: Coroutine[Any, Any, None], patience: Patience, *, wait: bool) -> AsyncIterator[str]:
        """Words while some work is waited for: to its end or, where nobody waits, until it is known to take long."""
        now = asyncio.get_running_loop().time
        task, pace = asyncio.ensure_future(work), Pace()
        try:
            while not task.done() and not patience.is_over(now()):
                await asyncio.wait({task}, timeout=pace.pause_seconds)
                if task.done():
                    break
                with pace.making():
                    view = await self._controller.view_in_turns()
                word = patience.word(now(), view)
                if word:
                    yield word
                if word and not wait:
                    return
            if task.done():
                task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _down(self, only: tuple[str, ...], volumes: bool) -> AsyncIterator[dict[str, Any]]:
        known = self._controller.known
        if not only:
            # Files that were dropped a moment ago are meant, too; not those that git is just putting there.
            look = asyncio.ensure_future(self._controller.look_at_source())
            for seconds in (LOOK_SECONDS, ALL_FILES_SECONDS):
                if not (look.done() or known.files_wait):
                    await asyncio.wait({look}, timeout=seconds)
            look.cancel()
            await asyncio.gather(look, return_exceptions=True)
        names = only or tuple(known.domains)
        self._controller.post(TakeDown(names, volumes))
        await asyncio.sleep(0)
        async for answer in self._until(lambda: not names or finished_removing(known, names), names):
            yield answer

    async def _until(self, is_done: Callable[[], bool], names: Sequence[str]) -> AsyncIterator[dict[str, Any]]:
        """Views, until something is done and no work on these domains is in flight. What else there is to do is not
        waited for."""
        pace, seen = Pace(), -1
        while self._controller.is_at_work_on(names) or not is_done():
            if self._controller.version != seen:
                seen = self._controller.version
                with pace.making():
                    view = await self._controller.view_in_turns()
                yield {"view": view}
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WORD_SECONDS):
                    await self._controller.changed(seen)
            await pace.pause()
        yield {"view": await self._controller.view_in_turns(), "done": True}

    async def _confirm(self, only: tuple[str, ...]) -> AsyncIterator[dict[str, Any]]:
        names = self._controller.intake.removals.chosen(only)
        yield {"confirmed": names}
        self._controller.post(ConfirmRemoval(tuple(names)))
        await asyncio.sleep(0)
        known = self._controller.known
        async for answer in self._until(lambda: not names or finished_confirmed(known, names), names):
            yield answer

    def _find(self, name: str) -> tuple[ChunkId, tuple[ChunkId, ...]]:
        """The chunk that a name means, and those of its copies that it means; (): all of them (``web#2`` is one)."""
        chunks = {replace(id, replica=1) for id in self._controller.known.chunks}
        known = {str(id): id for id in sorted({*chunks, *self._controller.known.chunks})}
        found = known[find_chunk(name, known, "`pnr status` lists them")]
        return replace(found, replica=1), (found,) if "#" in name else ()

    async def _logs(self, request: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        chunk, copies = self._find(request["chunk"])
        tail = request.get("tail", 100)
        if request.get("follow", False):
            async for answer in LogFollower(self._controller, self._engine, chunk, copies, tail).answers():
                yield answer
            yield {"done": True}
            return
        known = self._controller.known
        ids = copies or sorted(id for id in known.chunks_of(chunk.domain) if replace(id, replica=1) == chunk)
        for id in ids:
            containers = known.world.of(id)
            if containers:
                newest = max(containers, key=lambda c: c.run)
                text = await self._engine.last_output(newest.id, tail)
                yield {"text": _prefixed(text, id.unit) if len(ids) > 1 else text}
        yield {"done": True}


def _prefixed(text: str, name: str) -> str:
    return "".join(f"{name} | {line}\n" for line in text.splitlines())
