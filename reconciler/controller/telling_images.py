"""What there is to tell of a chunk's image beside its state, for ``pnr status --json``. Reads only."""

from __future__ import annotations

from typing import Any

from reconciler.controller.clock import iso, wall
from reconciler.controller.image_state import Images
from reconciler.controller.loop_state import LoopState
from reconciler.controller.records import ChunkRecord
from reconciler.intent.model import Chunk
from reconciler.planner import following
from reconciler.planner.compare import is_made_from


def auto_update(c: LoopState, images: Images, record: ChunkRecord, chunk: Chunk | None) -> dict[str, Any] | None:
    """How a chunk follows its image's tag, or why its image can't be fetched ahead; None where neither is so."""
    if chunk is None or c.desired(record.id) is None:
        return None
    question, fetch = images.question(chunk), images.fetch(record.id)
    troubles = [one.trouble for one in (question, fetch) if one is not None and one.trouble]
    if chunk.auto_update is None and not troubles:
        return None
    moments = [question.next_at] if question is not None else []
    if fetch is not None and fetch.trouble and not fetch.is_done:
        moments.append(fetch.next_at)  # what could not be pulled is tried long before the registry is asked again
    answered_at = question.answered_at if question is not None else None
    return {
        "policy": str(chunk.auto_update.policy) if chunk.auto_update is not None else None,
        "newest": (question.newest or None) if question is not None else None,
        "asked_at": iso(answered_at) if answered_at is not None else None,
        "next_at": wall(c.clock, max(min(moments), c.clock.monotonic())) if moments else None,
        "trouble": "; ".join(troubles),
        "rejected": following.rejected_image(record.memory) or None,
    }


def image_moved(c: LoopState, images: Images, record: ChunkRecord, chunk: Chunk | None) -> str:
    """That a container was made from another image than its name stands for by now."""
    if chunk is None or c.desired(record.id) is None or record.busy is not None:
        return ""
    made_from_it = [x for x in c.world.of(record.id) if is_made_from(x, chunk)]
    if not made_from_it:
        return ""
    news = images.news(chunk)
    sentences = (following.moved(chunk, news, x) for x in made_from_it)
    return next((sentence for sentence in sentences if sentence), "")
