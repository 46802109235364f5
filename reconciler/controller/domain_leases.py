"""Whose a domain is on this engine: no two programs act on one at a time, whatever state directories they have."""

from __future__ import annotations

import logging

from reconciler.controller.loop_state import LoopState
from reconciler.controller.protocols import Leases
from reconciler.sentences import advised

log = logging.getLogger("pnr.custody")

LOOK_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
"""So long nobody else must have had a domain before it is taken over: who has it may only be restarted."""


class DomainLeases:
    """Takes the lease of each domain that is known; ``elsewhere`` of its record says where another has it."""

    def __init__(self, *, known: LoopState, leases: Leases | None) -> None:
        self._state = known
        self._leases = leases
        self._engine = ""
        self._ours: set[str] = set()
        self._elsewhere: dict[str, float | None] = {}  # since when the lease is free
        self._look_at = 0.0

    @property
    def due(self) -> float | None:
        """When to look again whether another still has what it had."""
        return self._look_at if self._elsewhere else None

    def see_to_it(self) -> None:
        """Take what is new, let go of what is gone, and look after what another has."""
        engine = self._state.engine_info.id if self._state.engine_info is not None else ""
        if self._leases is None or not engine:
            return
        if engine != self._engine:
            for name in self._ours:
                self._leases.release(self._engine, name)
            self._ours, self._elsewhere, self._engine = set(), {}, engine
        names = self._state.domains.keys()
        for name in self._ours - names:
            self._leases.release(engine, name)
        self._ours &= names
        self._elsewhere = {name: free for name, free in self._elsewhere.items() if name in names}
        new = [name for name, record in self._state.domains.items() if name not in self._ours and not record.elsewhere]
        for name in new:
            self._take(name)
        now = self._state.clock.monotonic()
        if not self._elsewhere or now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        for name, free_since in list(self._elsewhere.items()):
            if not self._leases.is_free(engine, name):
                self._elsewhere[name] = None
            elif free_since is None:
                self._elsewhere[name] = now
            elif now - free_since >= PATIENCE_SECONDS:
                self._take(name)

    def ask_again(self, only: tuple[str, ...]) -> None:
        """A person asked to converge: take at once what nobody has any more."""
        for name in [name for name in self._elsewhere if not only or name in only]:
            self._take(name)

    def _take(self, name: str) -> None:
        assert self._leases is not None
        record = self._state.domains[name]
        holder = self._leases.take(self._engine, name)
        was_elsewhere = name in self._elsewhere
        if not holder:
            self._elsewhere.pop(name, None)
            self._ours.add(name)
            record.elsewhere = ""
            if was_elsewhere:
                message = "no other pnr works on this domain any more: this one takes it over"
                self._state.recorder.journal(kind="intent", domain=name, message=message)
                self._state.mark_domain(name)
                for id in self._state.chunks_of(name):
                    self._state.mark(id)
                for chunk in record.wanted.chunks() if record.wanted is not None else ():
                    self._state.mark(chunk.id)
            return
        self._elsewhere[name] = None
        message = advised(
            f"another pnr ({holder}) works on the domain {name} of this engine, with a state directory of its own: this"
            " one does not touch it",
            "stop the other one, or give this domain another name",
        )
        if record.elsewhere != message:
            record.elsewhere = message
            log.warning("%s", message)
            self._state.recorder.journal(kind="intent", domain=name, message=message)
            self._state.mark_domain(name)
