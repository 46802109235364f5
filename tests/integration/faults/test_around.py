"""What is the matter around the containers: the engine, the right to use it, the disk of the state folder."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from docker import APIClient

from reconciler.cli.explain import explain
from reconciler.errors import PnrError
from tests.integration.daemon.conftest import Daemon, stack
from tests.integration.faults.catalogue import FAULTS
from tests.integration.faults.texts.fault import says
from tests.integration.wire import tapped

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


@contextmanager
def running(root: Path, api: APIClient, socket: Path) -> Iterator[Daemon]:
    """A daemon that reaches the engine through this socket."""
    daemon = Daemon(root, api)
    daemon.environment["DOCKER_HOST"] = f"unix://{socket}"
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.kill(signal.SIGTERM)


def is_said(daemon: Daemon, fault: str, chunk: str, values: dict[str, str]) -> bool:
    """Whether `pnr why` says what the catalogue has for the fault."""
    try:
        first, second, *rest = [*explain(daemon.view(), chunk).splitlines(), "", ""]
    except PnrError:
        return False
    it = FAULTS[fault]
    return (
        says(first, it.cause, values) and says(second, it.step, values) and any(says(x, it.more, values) for x in rest)
    )


def test_an_engine_that_stops_is_told_and_what_ran_goes_on_when_it_is_back(
    tmp_path: Path, docker_api: APIClient, engine_socket: Path, unique: Callable[[str], str], busybox_image: str
) -> None:
    name = unique("shop")
    (tmp_path / "wire").mkdir()
    with ExitStack() as stack_of:
        wire = ExitStack()
        socket = wire.enter_context(tapped(tmp_path / "wire", engine_socket)).path
        daemon = stack_of.enter_context(running(tmp_path, docker_api, socket))
        daemon.settle(name, stack(name, {"name": "web", "stable_seconds": 0, "container": {"image": busybox_image}}))
        values = {"socket": str(socket)}
        wire.close()
        socket.unlink(missing_ok=True)
        what = f"{name}/main/web"
        daemon.until(lambda: is_said(daemon, "engine-stopped", what, values), "the stopped engine to be told")
        with tapped(tmp_path / "wire", engine_socket):
            daemon.until(lambda: bool(daemon.view()["daemon"].get("engine_up")), "the engine to be back")
            daemon.until(lambda: daemon.settled(name), "the domain to be settled again")
        told = [entry["message"] for entry in daemon.journal() if entry["kind"] == "engine"]
        assert "all containers that ran before (1) ran on while it was away" in told


def test_an_engine_that_may_not_be_used_is_told_with_who_may(
    tmp_path: Path, docker_api: APIClient, engine_socket: Path, unique: Callable[[str], str], busybox_image: str
) -> None:
    name = unique("shop")
    (tmp_path / "wire").mkdir()
    with tapped(tmp_path / "wire", engine_socket) as wire:
        with running(tmp_path, docker_api, wire.path) as daemon:
            daemon.settle(
                name, stack(name, {"name": "web", "stable_seconds": 0, "container": {"image": busybox_image}})
            )
        # Root that may not override rights, and a socket of somebody else.
        os.chown(wire.path, 65534, 65534)
        wire.path.chmod(0o600)
        dropped = "-dac_override,-dac_read_search"
        with (tmp_path / "log").open("ab") as log:
            daemon.process = subprocess.Popen(
                ["setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}", *daemon.command("run")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=daemon.environment,
                start_new_session=True,
            )
        try:
            values = {"socket": str(wire.path)}
            what = f"{name}/main/web"
            daemon.until(lambda: is_said(daemon, "no-right-on-socket", what, values), "the want of rights to be told")
        finally:
            daemon.kill(signal.SIGTERM)


def test_a_state_folder_whose_disk_is_full_is_told(
    tmp_path: Path, docker_api: APIClient, engine_socket: Path, unique: Callable[[str], str], busybox_image: str
) -> None:
    name = unique("shop")
    state = tmp_path / "state"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs", str(state)], check=True)
    try:
        with running(tmp_path, docker_api, engine_socket) as daemon:
            web = {"name": "web", "stable_seconds": 0, "container": {"image": busybox_image}}
            daemon.settle(name, stack(name, web))
            filling = state / "filling"
            with pytest.raises(OSError, match="No space"):
                filling.write_bytes(b"x" * (2 << 20))
            other = unique("other")
            daemon.write(other, stack(other, web))
            daemon.until(
                lambda: is_said(daemon, "state-disk-full", f"{name}/main/web", {"name": name, "state": str(state)}),
                "the full disk to be told",
            )
            filling.unlink()
            daemon.until(lambda: not daemon.view()["daemon"].get("message"), "the disk to be written to again")
    finally:
        subprocess.run(["umount", "--lazy", str(state)], check=True)
