"""Files that are costly to be judged beside others: others are judged again and again, and are not to pay for them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.daemon.intake import Entry, Key
from reconciler.daemon.unjudged import costly_beside_others
from reconciler.diagnostics import Diagnostic, cut_off
from reconciler.intent.judgement import InForce, wrong_in_itself
from reconciler.intent.locating import located
from reconciler.intent.model import Loaded

COSTLY_SECONDS = 0.05
"""Who costs as much to be judged alone is costly beside a thousand others."""


def spared(entry: Entry) -> Entry:
    """The same with what it costs to be judged. Where that is much, and it is wrong whatever others declare, it means
    nothing: so it is never judged beside them."""
    domain = entry.loaded.domain
    if domain is None or entry.loaded.errors:
        return entry
    begun = time.thread_time()
    wrong = [one for one in (*entry.refused, *wrong_in_itself(domain)) if one.severity == "error"]
    cost = time.thread_time() - begun
    if not wrong or cost < COSTLY_SECONDS:
        return replace(entry, cost=cost)
    errors = tuple(located(cut_off(wrong), entry.data.decode("utf-8", "replace"), domain.name))
    return replace(entry, loaded=Loaded(domain.file, None, errors, domain.name), refused=(), borrowed=())


def too_many(
    wanted: Mapping[str, Key], entries: Mapping[Key, Entry], in_force: Sequence[InForce], most_seconds: float
) -> dict[str, Diagnostic]:
    """Those that would take too long to be judged together, by their names: what is in force comes first, then what
    costs least."""
    known = {one.domain.digest for one in in_force if one.domain is not None}

    def order(name: str) -> tuple[bool, float, str]:
        return wanted[name][1].hex() not in known, entries[wanted[name]].cost, name

    spent = 0.0
    found: dict[str, Diagnostic] = {}
    for name in sorted(wanted, key=order):
        spent += entries[wanted[name]].cost
        if spent > most_seconds and order(name)[0]:
            found[name] = costly_beside_others(name)
    return found
