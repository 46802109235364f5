"""Judges together what files came to mean, in the process in which small files are loaded.

Who is wrong in itself has no part in it, and what costs least comes first. Where it still takes too much, those files
are found beside which the others can be judged.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from reconciler.daemon.intake import Entry, Judged, Key
from reconciler.daemon.judging_lanes import Lane
from reconciler.daemon.judging_messages import Forget, Keep, Put, Ref, Together, Verdict
from reconciler.daemon.judging_process import Failed, Process, ProcessEnded
from reconciler.daemon.sparing import too_many
from reconciler.daemon.unjudged import too_costly
from reconciler.diagnostics import Diagnostic
from reconciler.intent.judgement import InForce
from reconciler.intent.model import Domain

SHARE = 0.2
"""Of the time for all together, for what each costs beside nothing else: it may be looked at several times."""
SHORT_SECONDS, LONG_SECONDS = 1.0, 10.0
"""So long what is being loaded in the process is waited for, at first, and where something has ended the process."""
MOST_FAILURES = 24
"""So often it is tried to find the files at whose cost the others can't be judged."""

Wanted = dict[str, Key | Diagnostic]
"""What is to be judged, by the files' names: what is remembered of one, or why there is nothing to be judged."""


class JudgingTogether:
    """Judges ``entries``, which its owner keeps. ``failed`` is told which of them are too costly."""

    def __init__(self, lane: Lane, entries: Mapping[Key, Entry], failed: Callable[[Key, Diagnostic], None]) -> None:
        self._lane = lane
        self._entries = entries
        self._failed = failed
        self._process: Process | None = None
        self._there: dict[Key, Process] = {}  # which process knows what a file means
        self._numbers: dict[int, tuple[Domain, int]] = {}  # domains that it knows by a number, by identity
        self._next_number = 0

    def knows(self, key: Key, process: Process | None) -> None:
        """Which process has loaded what this file means now."""
        if process is not None:
            self._there[key] = process
        else:
            self._there.pop(key, None)

    def forget(self, gone: set[Key], in_force: Sequence[InForce]) -> None:
        """Nobody asks for these any more, nor for what is not in force."""
        kept = {id(one.domain) for one in in_force if one.domain is not None}
        numbers = {at: number for at, (_, number) in self._numbers.items() if at not in kept}
        for at in numbers:
            del self._numbers[at]
        process = self._lane.process
        known = [key for key in gone if self._there.pop(key, None) is process]
        if process.is_alive and (known or numbers):
            process.tell(Forget(tuple(known), tuple(numbers.values())))

    async def judge(self, wanted: Wanted, in_force: Sequence[InForce], *, cpu_seconds: int) -> Judged:
        """Judge files by their names, beside what is in force. Raises ProcessEnded, CantStart."""
        with contextlib.suppress(ProcessEnded):  # a file that was being loaded may have ended it
            async with self._lane.undisturbed(SHORT_SECONDS) as process:
                return await self._judge(process, wanted, in_force, cpu_seconds)
        try:
            return await self._undisturbed(wanted, in_force, cpu_seconds)
        except ProcessEnded:
            await self._find_costly(wanted, in_force, cpu_seconds)
            return await self._undisturbed(wanted, in_force, cpu_seconds)

    async def _undisturbed(self, wanted: Wanted, in_force: Sequence[InForce], cpu_seconds: int) -> Judged:
        """Raises ProcessEnded."""
        async with self._lane.undisturbed(LONG_SECONDS) as process:
            return await self._judge(process, wanted, in_force, cpu_seconds)

    async def _judge(self, process: Process, wanted: Wanted, in_force: Sequence[InForce], cpu_seconds: int) -> Judged:
        """Raises ProcessEnded."""
        if process is not self._process:  # a new one knows nothing
            self._process = process
            self._numbers.clear()
        keys = {name: what for name, what in wanted.items() if isinstance(what, tuple)}
        entries = dict(self._entries)  # some may be loaded again meanwhile
        by_name = {name: entries[key] for name, key in keys.items()}
        valid = {name: keys[name] for name, entry in by_name.items() if not entry.loaded.errors}
        excess = await asyncio.to_thread(too_many, valid, entries, in_force, cpu_seconds * SHARE)
        errors: dict[str, tuple[Diagnostic, ...]]
        errors = {name: (what,) for name, what in wanted.items() if isinstance(what, Diagnostic)}
        errors |= {name: entry.loaded.errors for name, entry in by_name.items() if name not in valid}
        errors |= {name: (error,) for name, error in excess.items()}
        broken = {name: _name(by_name.get(name)) for name in errors}
        for name, key in keys.items():
            if name in valid or by_name[name].refers:
                await self._put(process, key, by_name[name])
        by_id = {id(entry.loaded.domain): key for key, entry in entries.items() if entry.loaded.domain is not None}
        refs: list[Ref | None] = []
        for one in in_force:
            refs.append(None if one.domain is None else await self._ref(process, one.domain, by_id, entries))
        said = tuple((one.name, one.file, ref, one.gone, one.absent) for one, ref in zip(in_force, refs, strict=True))
        asked = {name: key for name, key in valid.items() if name not in excess}
        try:
            verdict: Verdict = await process.ask(lambda id: Together(id, cpu_seconds, asked, broken, said))
        except Failed as failed:
            self._there.clear()
            raise ProcessEnded(str(failed)) from failed
        errors |= verdict.judged.errors

        def domain(ref: Ref) -> Domain:
            if isinstance(ref, int):
                return next(domain for domain, number in self._numbers.values() if number == ref)
            found = entries[ref].loaded.domain
            assert found is not None
            return found

        return replace(
            verdict.judged,
            domains={name: domain(ref) for name, ref in verdict.domains.items()},
            readable={name: domain(ref) for name, ref in verdict.readable.items()},
            errors={name: errors[name] for name in sorted(errors)},
            said={name: by_name[name].said for name in sorted(errors) if name in by_name},
        )

    async def _find_costly(self, wanted: Wanted, in_force: Sequence[InForce], cpu_seconds: int) -> None:
        """Find the files at whose cost the others can't be judged: those in force come first, then what costs least."""
        known = {one.domain.digest for one in in_force if one.domain is not None}
        keys = {name: what for name, what in wanted.items() if isinstance(what, tuple)}
        sound: Wanted = {name: what for name, what in wanted.items() if isinstance(what, Diagnostic)}
        failures = 0

        async def add(names: list[str]) -> None:
            nonlocal failures
            if failures >= MOST_FAILURES:
                for name in names:
                    self._failed(keys[name], too_costly(name, "beside the others"))
                return
            try:
                await self._undisturbed({**sound, **{name: keys[name] for name in names}}, in_force, cpu_seconds)
            except ProcessEnded as ended:
                failures += 1
                if len(names) == 1:
                    self._failed(keys[names[0]], too_costly(names[0], f"beside the others, {ended.why}"))
                    return
                await add(names[: len(names) // 2])
                await add(names[len(names) // 2 :])
            else:
                sound.update({name: keys[name] for name in names})

        ordered = sorted(keys, key=lambda name: (self._entries[keys[name]].cost, name))
        for is_known in (True, False):
            names = [name for name in ordered if (keys[name][1].hex() in known) is is_known]
            if names:
                await add(names)

    async def _put(self, process: Process, key: Key, entry: Entry) -> None:
        if self._there.get(key) is not process:
            self._there[key] = process
            await process.send(Put(key, entry if entry.loaded.domain is not None else replace(entry, data=b"")))

    async def _ref(
        self, process: Process, domain: Domain, by_id: Mapping[int, Key], entries: Mapping[Key, Entry]
    ) -> Ref:
        key = by_id.get(id(domain))
        if key is not None:
            await self._put(process, key, entries[key])
            return key
        found = self._numbers.get(id(domain))
        if found is None:
            self._next_number += 1
            found = self._numbers[id(domain)] = (domain, self._next_number)
            await process.send(Keep(self._next_number, domain))
        return found[1]


def _name(entry: Entry | None) -> str | None:
    """The domain that a file would declare, where that can be told."""
    if entry is None:
        return None
    return entry.loaded.domain.name if entry.loaded.domain is not None else entry.loaded.name
