"""How a container ended, in words, and whether that was its own doing. Pure."""

from __future__ import annotations

from dataclasses import replace

from reconciler.intent.model import Kind
from reconciler.intent.settings.references import containers_shared
from reconciler.planner.observed import Container
from reconciler.planner.situation import ChunkInput, beside
from reconciler.quantities import sizes
from reconciler.states import Reason

KILLED = 137
"""The exit code of what was killed: 128 and the number of the signal."""


def ended_by_others(i: ChunkInput, c: Container) -> str:
    """That it is not known to have ended by itself, for people: that is no verdict on a new version."""
    if i.chunk is None or i.chunk.kind is not Kind.SERVICE:
        return ""
    if c.run == i.told_run:
        return "it was stopped from outside"
    if how := ended_with_owner(i, c):
        return how
    return "it ended while the engine or pnr did not run" if c.run in i.ended_unseen else ""


def ended_with_owner(i: ChunkInput, c: Container) -> str:
    """That a kernel ended it together with the container whose processes it shares; nothing where that is not so."""
    owner = containers_shared(i.chunk.container.settings).get("pid") if i.chunk is not None else None
    if owner is None or c.exit_code != KILLED or c.oom_killed:
        return ""
    first = i.memory.beside
    is_another = first.startswith(f"{c.run} ") and first != beside(i, c)
    return f"container {owner}, whose processes it shares, ended" if is_another or not i.runs.get(owner) else ""


def as_before(i: ChunkInput, c: Container) -> Container:
    """The container as it most likely ended. On a busy machine an engine does not always learn that the kernel killed
    one for want of memory. Where it said so of an earlier end in the same crash loop, the next kill is taken for one
    as well."""
    if _is_kill_of_nobody(i, c) and i.memory.runs_of == c.id and any(run.oom for run in i.memory.runs):
        return replace(c, oom_killed=True)
    return c


def _is_kill_of_nobody(i: ChunkInput, c: Container) -> bool:
    """Whether it was killed, and nothing is known that says by whom."""
    is_kill = c.exit_code == KILLED and not c.oom_killed
    return is_kill and c.run != i.told_run and not ended_with_owner(i, c)


def how_it_ended(i: ChunkInput, c: Container) -> tuple[Reason, str]:
    """Reason and message of an end."""
    if c.oom_killed:
        return Reason.OOM_KILLED, killed(c.exit_code, memory_limit(i))
    if c.exit_code == 0:
        return Reason.EXITED, "ended with exit code 0"
    return Reason.EXITED_NON_ZERO, exit_code(c.exit_code, memory_limit(i) if _is_kill_of_nobody(i, c) else None)


def memory_limit(i: ChunkInput) -> object:
    """The limit of memory that a chunk declares, in bytes; None where it has none."""
    return i.chunk.container.settings.get("mem_limit") if i.chunk is not None else None


def killed(code: int | None, limit: object) -> str:
    """What is said of one that was killed for lack of memory."""
    at = f": it wanted more than its limit of {sizes.rounded_memory(limit)}" if isinstance(limit, int) and limit else ""
    return f"killed for lack of memory (exit code {code}){at}"


def exit_code(code: int | None, limit: object) -> str:
    """What is said of an exit code alone. Who has a ``limit`` of memory and was killed by nobody who is known most
    likely wanted more: an engine that does not watch yet, or is busy, does not learn why the kernel killed one."""
    return f"most likely {killed(code, limit)}" if code == KILLED and limit else f"exit code {code}"
