"""Which file each domain's name belongs to: permissions are given to files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.daemon.intake import Judged, Stored
from reconciler.intent.judgement import InForce


class Owners:
    """The files that have claimed the names of domains, as of the last judgement. It is replaced as a whole by the one
    who judges; others may ask from any thread."""

    def __init__(self) -> None:
        self._files: Mapping[str, str] = {}

    def __call__(self, domain: str) -> str | None:
        """The file's path in the domains directory; None where nobody knows."""
        return self._files.get(domain)

    def recalled(self, stored: Sequence[Stored]) -> None:
        """Forget what was, and know whose the intents are that were stored."""
        self._files = {one.domain: one.file for one in stored}

    def judged(self, judged: Judged, in_force: Sequence[InForce]) -> None:
        """Forget what was, and know whose the domains are that were judged, and that are in force."""
        held = {one.name: one.file for one in in_force}
        self._files = held | {domain.name: domain.file for domain in judged.domains.values()}
