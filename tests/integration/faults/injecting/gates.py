"""Gates that do not open."""

from __future__ import annotations

from tests.integration.faults.scene import Injected, Scene, injects


@injects("cause-three-levels-up")
def _(s: Scene) -> Injected:
    root = s.chunk("db", command=["sh", "-c", "echo disk is read-only; exit 5"])
    return s.of(root, s.chunk("api", after="db"), s.chunk("shop", after="api"), s.chunk(after="shop"))


@injects("gate-wants-another-response")
def _(s: Scene) -> Injected:
    web = s.chunk()
    web["gatekeeper"] = {"db_ready": {"prompt": "?", "response": ["primary"], "tv": "Y"}}
    return s.of(s.chunk("db"), web)
