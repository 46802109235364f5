"""What is done to what runs."""

from __future__ import annotations

from tests.integration.faults.scene import Injected, Scene, injects


@injects("update-crashes")
def _(s: Scene) -> Injected:
    now = s.of(s.chunk())
    bad = s.of(s.chunk(command=["sh", "-c", "echo unknown option --fast; exit 2"]))
    return Injected(s.domain, now.files, now.values, then=lambda daemon: daemon.put(bad.files))


@injects("paused-by-hand")
def _(s: Scene) -> Injected:
    found = s.of(s.chunk())
    found.then = lambda daemon: s.stage.api.pause(f"{s.domain}-main-web-1")
    return found


@injects("disconnected-by-hand")
def _(s: Scene) -> Injected:
    network = f"{s.domain}_front"
    found = s.of(s.chunk(networks=["front"]), networks={"front": {"name": network}}, values={"network": network})
    found.then = lambda daemon: s.stage.api.disconnect_container_from_network(f"{s.domain}-main-web-1", network)
    return found
