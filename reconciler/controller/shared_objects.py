"""What domains share with others: a table that the loop writes, and that whoever judges requests reads from threads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.controller.records import DomainRecord
from reconciler.intent.sharing import allows, lent


class SharedObjects:
    """See :class:`reconciler.engine.protocol.Lending`. The table is put there as a whole, so that no reader sees half
    of it."""

    def __init__(self) -> None:
        self._lent: Mapping[tuple[str, str, str], tuple[str, ...]] = {}

    def take(self, records: Iterable[DomainRecord]) -> bool:
        """Take over what the intents in force say; whether that is something else than before. One that a person has
        taken down goes on sharing what is left of it."""
        now = lent(record.domain for record in records if record.domain is not None and not record.gone)
        changed, self._lent = now != self._lent, now
        return changed

    def shares(self, kind: str, name: str, owner: str, domain: str) -> bool:
        """Whether ``owner`` lets ``domain`` have its network or volume (``kind``) of this name."""
        return allows(self._lent.get((owner, kind, name), ()), domain)
