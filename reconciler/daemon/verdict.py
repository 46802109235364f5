"""Reads a view for its meaning: is it done, how did it end, in one sentence. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.controller.loop_state import LoopState
from reconciler.daemon.unjudged import BEING_READ
from reconciler.daemon.viewing import chunks
from reconciler.planner import networks_and_volumes
from reconciler.states import Reason

SETTLED, FAILED, INVALID, STALLED, HELD, TIMED_OUT = 0, 1, 2, 3, 5, 124

UNDER_WAY = ("removing", "vanished", "leaving", "asking_registries", "arranging")
"""What is still to be waited for, of a domain as the view shows it."""


def chosen_domains(view: Mapping[str, Any], only: Sequence[str]) -> list[Mapping[str, Any]]:
    """The domains of these names; all where none is named."""
    return [domain for domain in view["domains"] if not only or domain["name"] in only]


def exit_code(view: Mapping[str, Any], only: Sequence[str] = ()) -> int:
    """What ``pnr apply`` ends with: 0 settled, 1 failed, 2 invalid, 3 stalled, 5 a removal is held."""
    domains = chosen_domains(view, only)
    if any(domain["errors"] for domain in domains):
        return INVALID
    if any(each.state == "failed" for each in chunks(domains)):
        return FAILED
    if any(domain["stalled"] for domain in domains):
        return STALLED
    if any(domain.get("held") for domain in domains):
        return HELD
    return SETTLED if all(domain["settled"] for domain in domains) else FAILED


def is_done(chunk: Mapping[str, Any]) -> bool:
    """Whether nobody waits for a chunk."""
    return bool(chunk["state"] == "completed" or chunk["reason"] == Reason.SUSPENDED)


def finished_applying(view: Mapping[str, Any], only: Sequence[str] = ()) -> bool:
    """Whether waiting longer can't change the verdict soon: settled, or nothing executes any more.

    A failed chunk tries again by itself; who waits for it is told about the failure first.
    """
    if not view["daemon"]["ready"]:
        return not view["daemon"].get("engine_up", True) and bool(view["daemon"].get("message"))
    domains = chosen_domains(view, only)
    if any(domain.get(work) for domain in domains for work in UNDER_WAY):
        return False
    if any(error.get("code") == BEING_READ for domain in domains for error in domain.get("errors") or ()):
        return False
    known = list(chunks(domain for domain in domains if not domain.get("unknown")))
    if any(each.state == "executing" for each in known):
        return False
    waiting = [each for each in known if each.state == "ready" and each.reason != Reason.SUSPENDED]
    if waiting and not any(each.state == "failed" for each in known):
        can_wait_for_ever = all(
            each.chunk.get("stalled") or each.reason == Reason.WAITING_FOR_GATEKEEPER for each in waiting
        )
        return can_wait_for_ever and any(domain["stalled"] for domain in domains)
    return True


def finished_removing(known: LoopState, only: Sequence[str]) -> bool:
    """Whether everything of the chosen domains is gone."""
    names = [name for name in known.domains if not only or name in only]
    for name in names:
        record = known.domains[name]
        if record.elsewhere:
            continue  # nothing of it is ours to remove
        if any(id.domain == name for id in known.world.by_owner):
            return False
        seen = known.world.observed()
        left = networks_and_volumes.leftovers(name, None, record.domain, seen, volumes_too=record.volumes_too)
        if any(str(work.key) not in known.object_trouble for work in left.work):
            return False
    return True


def finished_confirmed(known: LoopState, names: Sequence[str]) -> bool:
    """Whether of these domains, whose removal was confirmed, nothing is left, or their files are back."""
    absent = [name for name in names if name in known.domains and known.domains[name].missed_at is not None]
    return all(known.domains[name].gone for name in absent) and (not absent or finished_removing(known, absent))


def status_sentence(view: Mapping[str, Any]) -> str:
    """How things stand, for ``systemctl status``."""
    if not view["daemon"].get("engine_up", True):
        return f"the engine does not answer: {view['daemon'].get('message', '')}"
    domains = view["domains"]
    count = Counter(each.state for each in chunks(domains))
    parts = [f"{count['completed']} of {count.total()} chunks completed in {len(domains)} domains"]
    parts.extend(f"{count[state]} {state}" for state in ("executing", "ready", "failed") if count[state])
    invalid = sum(bool(domain["errors"]) for domain in domains)
    if invalid:
        parts.append(f"{invalid} files not valid")
    held = sum(bool(domain.get("held")) for domain in domains)
    if held:
        parts.append(f"{held} removals held")
    return ", ".join(parts)
