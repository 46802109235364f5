"""All that a rehearsal starts from: what was read of the files, the state directory, the engine and the registries."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from reconciler.controller.protocols import Judged
from reconciler.controller.recorder import Restored
from reconciler.engine.protocol import EngineInfo
from reconciler.intent.model import Chunk, Domain
from reconciler.planner.mounts import News
from reconciler.planner.observed import Container, ImageSeen, Observed
from reconciler.sources.protocol import Scan


@dataclass(frozen=True, slots=True)
class Ground:
    """See the module's text.

    ``judged`` is what the files of ``scan`` came to mean, ``last`` what the stored texts mean, by the domain's name.
    ``images`` are those that the engine has, by the names that are asked for; ``digests`` is what registries have under
    those names, where that was asked. ``examined`` are the containers of others that may be taken over, with what was
    asked of them, by id. ``at`` is when all this was read, and ``now`` the same on the clock that only grows, as
    ``stirred_at`` is, when something changed last in the domains directory. ``is_watched``: a daemon is at work with
    these files, so that what is gone went under its eyes. ``is_confirmed``: a person has confirmed every removal.
    """

    scan: Scan
    judged: Judged
    restored: Restored
    last: Mapping[str, Domain]
    info: EngineInfo
    observed: Observed
    images: Mapping[str, ImageSeen] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    examined: Mapping[str, Container] = field(default_factory=dict)
    files: News = field(default_factory=dict)
    may_take_up: Callable[[str, str], bool] = lambda image, domain: False
    now: float = field(default_factory=time.monotonic)
    stirred_at: float = 0.0
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    is_watched: bool = False
    is_confirmed: bool = False

    def chunks(self) -> list[Chunk]:
        """The chunks that were declared, and those that are."""
        return [chunk for of in (self.last, self.judged.domains) for one in of.values() for chunk in one.chunks()]
