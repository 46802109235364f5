"""What ``pnr images`` shows and ``pnr prune`` removes, through a daemon or without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from reconciler.daemon.assembly import make_contents, make_engine, make_judge
from reconciler.daemon.policy import make_policy
from reconciler.daemon.protocol import ServiceOptions
from reconciler.engine.protocol import Engine, EngineError, EngineUnavailable
from reconciler.errors import PnrError
from reconciler.intent.image_names import parse
from reconciler.intent.model import Chunk, ChunkId, Domain
from reconciler.intent.settings.volumes import images_mounted
from reconciler.planner.image_use import registry_digests, unused
from reconciler.planner.observed import Container, ImageSeen
from reconciler.sources.directory import DirectorySource
from reconciler.sources.protocol import FileSeen
from reconciler.state.intents import IntentStore

ANSWER_SECONDS = 10.0
"""So long a registry has to say what its newest digest is."""


class DomainUnclear(PnrError):
    """Something that takes knowing what all domains want, while that of one is not known."""

    code = "DomainUnclear"


@dataclass(frozen=True, slots=True)
class Newest:
    """What a registry has under a name, or why that is not known."""

    digest: str | None
    message: str = ""


async def rows(
    engine: Engine, domains: Iterable[Domain], *, ask: bool = True, rejected: Mapping[ChunkId, str] | None = None
) -> list[dict[str, Any]]:
    """One entry a chunk, as ``pnr images --json`` prints it. With ``ask`` the registries are asked, all at once.
    ``rejected`` are the ids of images that updates of chunks were given up for."""
    chunks = [chunk for domain in domains for chunk in domain.chunks() if chunk.id.replica == 1]
    containers = list((await engine.observe()).containers.values())
    wanted = {chunk.container.image: chunk for chunk in chunks if _is_asked_for(chunk)} if ask else {}
    found = dict(zip(wanted, await asyncio.gather(*(newest(engine, c) for c in wanted.values())), strict=True))
    ids = {container.image_id for container in containers if container.owner is not None}
    rejected = rejected or {}
    ids.update(rejected.values())
    seen = dict(zip(ids, await asyncio.gather(*(engine.image(id) for id in ids)), strict=True))
    return [_row(chunk, containers, seen, found, ask, rejected.get(chunk.id, "")) for chunk in chunks]


def _is_asked_for(chunk: Chunk) -> bool:
    return chunk.container.build is None and not parse(chunk.container.image).is_fixed


async def newest(engine: Engine, chunk: Chunk) -> Newest:
    """What a registry has under the name that a chunk has. Raises EngineUnavailable."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return Newest(await engine.newest_digest(chunk.container.image, chunk.container.logins))
    except TimeoutError:
        return Newest(None, f"no answer within {ANSWER_SECONDS:g} s")
    except EngineUnavailable:
        raise
    except EngineError as error:
        return Newest(None, str(error))


def _row(
    chunk: Chunk,
    containers: Iterable[Container],
    seen: Mapping[str, ImageSeen | None],
    newest: Mapping[str, Newest],
    asked: bool,
    rejected: str,
) -> dict[str, Any]:
    image = chunk.container.image
    own = [c for c in containers if c.owner is not None and c.owner in chunk.id.copies(chunk.replicas)]
    found = newest.get(image, Newest(None))
    running = sorted({_digest(seen.get(c.image_id), c.image_id, image, found.digest) for c in own})
    message = found.message
    if chunk.container.build is not None:
        state = "built"
    elif parse(image).is_fixed:
        state = "fixed"
    elif found.digest is None:
        state = "unknown"
        message = message or ("" if asked else "registries were not asked")
    elif not running:
        state = "not running"
    else:
        given_up = bool(rejected) and found.digest == _digest(seen.get(rejected), rejected, image, found.digest)
        state = "newest" if running == [found.digest] else "rejected" if given_up else "newer"
    return {
        "chunk": f"{chunk.id.domain}/{chunk.id.cpux}/{chunk.id.chunk}",
        "image": image,
        "running": running,
        "newest": found.digest,
        "state": state,
        "message": message,
    }


def _digest(seen: ImageSeen | None, image_id: str, image: str, newest: str | None) -> str:
    """The registry's digest of what runs; the engine's id for what came from no registry."""
    digests = registry_digests(seen, image) if seen is not None else frozenset()
    return newest if newest in digests and newest is not None else min(digests, default=image_id)


async def prunable(engine: Engine, domains: Iterable[Domain]) -> list[ImageSeen]:
    """The images of ours that neither a container has nor a domain declares."""
    own = await engine.own_images()
    used = {container.image_id for container in (await engine.observe()).containers.values()}
    declared = [
        name
        for domain in domains
        for chunk in domain.chunks()
        for name in (
            chunk.container.image,
            *(chunk.container.build.tags if chunk.container.build is not None else ()),
            *images_mounted(chunk.container.settings),
        )
    ]
    return unused(own, used, declared)


async def prune(engine: Engine, images: Iterable[ImageSeen], only: Collection[str]) -> list[dict[str, Any]]:
    """Remove those of ``images`` whose ids are in ``only``; what became of each. Raises EngineUnavailable."""
    told = []
    for image in images:
        if image.id not in only:
            continue
        error = ""
        try:
            await engine.remove_image(image.id)
        except EngineUnavailable:
            raise
        except EngineError as caught:
            error = str(caught)
        told.append({**document(image), "error": error})
    return told


def document(image: ImageSeen) -> dict[str, Any]:
    """An image as ``pnr prune --json`` prints it; ``bytes`` counts layers that it shares with others, too."""
    return {"id": image.id, "names": list(image.names), "bytes": image.size}


@asynccontextmanager
async def alone(options: ServiceOptions, *, complete: bool = False) -> AsyncIterator[tuple[Engine, list[Domain]]]:
    """The engine and the domains where no daemon runs: those of the files, and those whose last good text is kept.

    With ``complete`` a file that is not valid is an error, for nobody can tell what it declares. Raises PnrError.
    """
    policy = make_policy(options)
    contents = make_contents(options, policy, make_key=False)
    engine, _, _ = make_engine(options, contents, policy)
    judge = make_judge(options, contents, policy)
    source = DirectorySource(options.domains, polling=True)
    try:
        scan = await anext(source.scans())
        files = scan.files
        if complete and scan.root_missing:
            raise DomainUnclear(f"there is no directory {options.domains}: it is not known which images are needed")
        stored = {f"{kept.domain} (kept)": _kept(kept.data) for kept in IntentStore(options.state).load_all()}
        # Apart from one another: the kept text of a domain must not collide with its file.
        judged = [await judge(some, ()) for some in (stored, files)]
        found = [one.readable.values() for one in judged]
        unreadable = sorted(set(judged[1].errors) - set(judged[1].readable))
        if complete and unreadable:
            raise DomainUnclear(f"it is not known which images {', '.join(unreadable)} needs: run `pnr validate`")
        await engine.connect()
        yield engine, list({domain.name: domain for some in found for domain in some}.values())
    finally:
        await source.close()
        await judge.close()
        await engine.close()


def _kept(data: bytes) -> FileSeen:
    return FileSeen("", data, None)
