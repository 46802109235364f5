"""Containers that end."""

from __future__ import annotations

from typing import Any

from tests.integration.faults.scene import Injected, Scene, injects


def _runs(s: Scene, script: str, **more: Any) -> Injected:
    return s.of(s.chunk(command=["sh", "-c", script], **more))


@injects("exits-1")
def _(s: Scene) -> Injected:
    return _runs(s, "echo no DATABASE_URL given >&2; exit 1")


@injects("exits-0")
def _(s: Scene) -> Injected:
    return _runs(s, "echo all done")


@injects("out-of-memory")
def _(s: Scene) -> Injected:
    return _runs(s, "exec tail /dev/zero", mem_limit="16m", memswap_limit="16m")


@injects("crashes-again")
def _(s: Scene) -> Injected:
    return _runs(s, "echo serving; sleep 7; echo lost the queue; exit 4")


@injects("command-not-there")
def _(s: Scene) -> Injected:
    return s.of(s.chunk(command=["serve-shop", "--port", "80"]))


@injects("not-executable")
def _(s: Scene) -> Injected:
    return s.of(s.chunk(command=["/www/index.html"]))


@injects("read-only-file-system")
def _(s: Scene) -> Injected:
    return _runs(s, "touch /var-run.pid || exit 1; sleep 86400", read_only=True)


@injects("name-unknown-to-dns")
def _(s: Scene) -> Injected:
    return _runs(s, "echo \"wget: bad address 'databse:5432'\" >&2; exit 1")


@injects("job-exits-3")
def _(s: Scene) -> Injected:
    chunk = s.chunk(command=["sh", "-c", "echo migration 12 failed; exit 3"])
    return s.of({**chunk, "kind": "job"})


@injects("memory-below-least")
def _(s: Scene) -> Injected:
    return s.of(s.chunk(mem_limit="1m"))
