"""The daemon: the controller, the control socket and systemd's notifications around it; and its one-shot forms."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

from reconciler.controller.loop import Controller
from reconciler.controller.records import Beat, ConfirmRemoval, TakeDown
from reconciler.daemon.assembly import assembled
from reconciler.daemon.control import ControlServer
from reconciler.daemon.garbage import little_at_a_time
from reconciler.daemon.handler import Handler
from reconciler.daemon.pacing import Pace
from reconciler.daemon.patience import Patience, waited_for
from reconciler.daemon.policy_watching import PolicyFile, watch_policy
from reconciler.daemon.protocol import ServiceOptions
from reconciler.daemon.state_keeping import keep_state
from reconciler.daemon.systemd import Notifier
from reconciler.daemon.turns import measure_from_here
from reconciler.daemon.verdict import (
    TIMED_OUT,
    exit_code,
    finished_applying,
    finished_confirmed,
    finished_removing,
    status_sentence,
)
from reconciler.daemon.viewing import unknown_domain

TELL_ANYWAY_SECONDS = 60.0

OnView = Callable[[dict[str, Any]], None]
OnWord = Callable[[str], None]
OnJournal = Callable[[Mapping[str, Any]], None]


async def serve(
    options: ServiceOptions,
    *,
    stop: asyncio.Event,
    on_view: OnView | None = None,
    on_journal: OnJournal | None = None,
) -> None:
    """Run until ``stop`` is set, then leave the containers as they are. Raises PnrError on a failure to start."""
    async with assembled(options, on_journal=on_journal, lasting=True) as parts:
        notifier = Notifier()
        handler = Handler(parts)
        tasks: list[Coroutine[Any, Any, None]] = [
            parts.controller.run(),
            _notify(parts.controller, notifier),
        ]
        if on_view is not None:
            tasks.append(_show(parts.controller, on_view))
        server = ControlServer(options.state, handler.handle, parts.controller.answering)
        await server.start()
        tasks.append(keep_state(options.state, parts, server))
        tasks.append(watch_policy(PolicyFile(options, parts.policy), parts.controller.policy_said))
        measure_from_here()
        try:
            with little_at_a_time():
                await _until(stop, tasks)
        finally:
            notifier.send(STOPPING="1", STATUS="stopping; containers go on")
            await server.close()
            notifier.close()


async def apply_once(
    options: ServiceOptions,
    *,
    only: Sequence[str] = (),
    on_view: OnView | None = None,
    on_journal: OnJournal | None = None,
    on_word: OnWord | None = None,
    limit_seconds: float | None = None,
) -> tuple[dict[str, Any], int]:
    """Converge without a daemon until everything is settled, failed or stalled, or for so long at most; the view as it
    is then, and the exit code that says which. ``on_word`` is told now and then what is waited for."""
    async with assembled(options, on_journal=on_journal) as parts:
        controller = parts.controller
        running = asyncio.create_task(controller.run())
        try:
            now, chosen = asyncio.get_running_loop().time, tuple(only)
            patience = Patience(now(), limit_seconds)

            def watch(view: dict[str, Any]) -> None:
                word = patience.word(now(), view, chosen)
                if word and on_word is not None:
                    on_word(word)
                if on_view is not None:
                    on_view(view)

            def is_over() -> bool:
                return patience.is_over(now())

            await _while_running(running, controller, lambda: controller.first_pass_done or is_over(), watch)
            looked = False
            if controller.first_pass_done:
                look = asyncio.ensure_future(controller.look_now(chosen))
                await _while_running(running, controller, lambda: look.done() or is_over(), watch)
                looked = look.done()
                look.cancel()
                await asyncio.gather(look, return_exceptions=True)

            def is_done() -> bool:
                return finished_applying(controller.view(), chosen)

            await _while_running(running, controller, lambda: is_done() or is_over(), watch)
            view = controller.view()
            if looked and finished_applying(view, chosen):
                return view, exit_code(view, chosen)
            if on_word is not None:
                on_word(str(view["daemon"].get("files_wait") or waited_for(view, chosen)))
            return view, TIMED_OUT
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def take_down(
    options: ServiceOptions, *, only: Sequence[str] = (), volumes: bool = False, on_journal: OnJournal | None = None
) -> dict[str, Any]:
    """Remove what domains have made, dependents first, without a daemon; the view as it is then."""

    def chosen(name: str) -> bool:
        return not only or name in only

    async with assembled(options, on_journal=on_journal, keep_down=chosen) as parts:
        controller = parts.controller
        running = asyncio.create_task(controller.run())
        try:
            await _while_running(running, controller, lambda: controller.first_pass_done, None)
            controller.post(TakeDown(tuple(only), volumes))
            await asyncio.sleep(0)
            await _while_running(
                running,
                controller,
                lambda: (
                    not controller.known.engine_up or (controller.idle and finished_removing(controller.known, only))
                ),
                None,
            )
            view = controller.view()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        return view


async def confirm_removal(
    options: ServiceOptions,
    *,
    only: Sequence[str] = (),
    on_names: Callable[[list[str]], None] | None = None,
    on_journal: OnJournal | None = None,
) -> tuple[list[str], dict[str, Any]]:
    """Let domains go whose files are gone, without a daemon: their names, which ``on_names`` is given before anything
    is removed, and the view as it is then. Raises UnknownDomain, NotHeld."""
    async with assembled(options, on_journal=on_journal) as parts:
        controller = parts.controller
        known = controller.known
        running = asyncio.create_task(controller.run())
        try:
            await _while_running(running, controller, lambda: controller.first_pass_done, None)
            unknown = [name for name in only if name not in known.domains]
            if unknown:
                raise unknown_domain(unknown, known.domains)
            names = controller.intake.removals.chosen(only)
            if on_names is not None:
                on_names(names)
            controller.post(ConfirmRemoval(tuple(names)))
            await asyncio.sleep(0)

            def done() -> bool:
                removed = controller.idle and finished_confirmed(known, names)
                taken = all(name not in known.domains or known.domains[name].gone for name in names)
                return not names or removed or (taken and not known.engine_up)

            await _while_running(running, controller, done, None)
            return names, controller.view()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def _until(stop: asyncio.Event, jobs: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run jobs until ``stop`` is set or one of them ends (which is an error it then raises)."""
    stopping = asyncio.create_task(stop.wait())
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for waiting in (stopping, *tasks):
            waiting.cancel()
        await asyncio.gather(stopping, *tasks, return_exceptions=True)


async def _while_running(
    running: asyncio.Task[None], controller: Controller, done: Callable[[], bool], on_view: OnView | None
) -> None:
    """Wait until ``done``; raises what ended the controller if it ends before."""
    pace, seen = Pace(shortest_seconds=0.0), -1
    while not done():
        change = asyncio.create_task(controller.changed(seen))
        try:
            await asyncio.wait({running, change}, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
        finally:
            change.cancel()
            await asyncio.gather(change, return_exceptions=True)
        seen = controller.version
        if running.done():
            running.result()
            return
        if on_view is not None:
            with pace.making():
                view = await controller.view_in_turns(in_passing=True)
            on_view(view)
            await pace.pause()


async def _show(controller: Controller, on_view: OnView) -> None:
    pace, seen = Pace(), -1
    while True:
        seen = await controller.changed(seen)
        with pace.making():
            view = await controller.view_in_turns(in_passing=True)
        on_view(view)
        await pace.pause()


async def _notify(controller: Controller, notifier: Notifier) -> None:
    """Tell systemd when the first reconcile is done, how things stand, and that the loop lives."""
    if not notifier.active:
        await asyncio.Event().wait()
    period = min((notifier.watchdog_seconds or 30.0) / 3, 5.0)

    def beat() -> None:
        notifier.send(WATCHDOG="1")

    controller.on_beat = beat
    # While git holds its lock nobody can say when the files can be read: the daemon is up all the same.
    while not (controller.first_pass_done or controller.known.files_wait):
        controller.post(Beat())
        await asyncio.sleep(0.05)
    notifier.send(READY="1", STATUS=status_sentence(await controller.view_in_turns()))
    told = asyncio.create_task(_tell_how_things_stand(controller, notifier, period))
    try:
        while True:
            controller.post(Beat())
            await asyncio.wait({told}, timeout=period)
            if told.done():
                told.result()
    finally:
        told.cancel()
        await asyncio.gather(told, return_exceptions=True)


async def _tell_how_things_stand(controller: Controller, notifier: Notifier, period: float) -> None:
    """Tell systemd how things stand, now and whenever they have changed, or after a while anyway."""
    pace, seen = Pace(period), -1
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(TELL_ANYWAY_SECONDS):
                seen = await controller.changed(seen)
        with pace.making():
            view = await controller.view_in_turns(in_passing=True)
        notifier.send(STATUS=status_sentence(view))
        await pace.pause()
