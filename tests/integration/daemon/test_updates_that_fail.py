"""Updates of which a step fails, on a real engine: what serves goes on serving, and what can pass is tried again."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from docker.errors import APIError, NotFound

from tests.integration.daemon.conftest import Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

GET_FLAGS, SET_FLAGS, IMMUTABLE = 0x80086601, 0x40086602, 0x10  # FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_IMMUTABLE_FL


@pytest.fixture
def shop_name(unique: Callable[[str], str]) -> str:
    """The name of the domain, with which everything in it begins."""
    return unique("shop")


def set_immutable(path: Path, on: bool) -> None:
    """What ``chattr +i`` and ``chattr -i`` do."""
    handle = os.open(path, os.O_RDONLY)
    try:
        flags = struct.unpack("l", fcntl.ioctl(handle, GET_FLAGS, struct.pack("l", 0)))[0]
        fcntl.ioctl(handle, SET_FLAGS, struct.pack("l", flags | IMMUTABLE if on else flags & ~IMMUTABLE))
    finally:
        os.close(handle)


@contextmanager
def not_removable(api: APIClient, name: str) -> Iterator[Path]:
    """The engine can't remove a container, while this lasts: there is a file in its layer that nobody can remove."""
    path = Path(api.inspect_container(name)["GraphDriver"]["Data"]["UpperDir"]) / "immutable"
    path.touch()
    set_immutable(path, True)
    try:
        yield path
    finally:
        if path.exists():
            set_immutable(path, False)


def version(daemon: Daemon, name: str) -> str:
    """The version that a container was made from; "" while there is none."""
    try:
        environment = daemon.container(name)["Config"]["Env"]
    except NotFound:
        return ""
    return next((entry[2:] for entry in environment if entry.startswith("V=")), "")


def test_a_failure_beside_the_new_version_costs_neither_the_old_one_nor_the_new_one(
    daemon: Daemon, web: Build, shop_name: str, tmp_path: Path
) -> None:
    name = f"{shop_name}_web"

    def shop(v: str, **container: Any) -> dict[str, Any]:
        check = {"type": "http", "port_key": "80", "path": "/", "interval_seconds": 1}
        settings = {"environment": {"V": v}, **container}
        return stack(shop_name, web("web", prefix=shop_name, container=settings, health_check=check))

    daemon.settle(shop_name, shop("1"))

    # What can't even be made interrupts nothing, and leaves nothing behind.
    before, missing = daemon.run_of(name), tmp_path / "missing"
    mount = {"type": "bind", "source": str(missing), "target": "/x", "read_only": True}
    mount["bind"] = {"create_host_path": False}
    daemon.allow_everything()
    daemon.write(shop_name, shop("2", volumes=[mount]))
    daemon.until(lambda: daemon.chunk(shop_name, "web")["reason"] == "CreateFailed", "the failure")
    assert str(missing) in daemon.chunk(shop_name, "web")["message"]
    assert "exit code" not in daemon.pnr("why", f"{shop_name}/main/web").stdout
    assert (daemon.run_of(name), daemon.names(shop_name)) == (before, [name])
    missing.mkdir()
    daemon.pnr("apply", shop_name)
    daemon.until(lambda: version(daemon, name) == "2" and daemon.settled(shop_name), "the second version")

    # An old container that can't be removed is no fault of the new one.
    with not_removable(daemon.api, name):
        daemon.write(shop_name, shop("3"))
        daemon.until(lambda: "can't be removed yet" in daemon.chunk(shop_name, "web")["message"], "it to be told")
        serving = daemon.run_of(name)
        assert (version(daemon, name), daemon.chunk(shop_name, "web")["state"]) == ("3", "completed")
        assert any("can't be removed yet" in note for note in daemon.domain(shop_name)["notes"])
        assert "can't be removed yet" in daemon.pnr("why", f"{shop_name}/main/web").stdout
    daemon.pnr("apply", shop_name)
    daemon.until(lambda: daemon.names(shop_name) == [name] and daemon.settled(shop_name), "the old one to be gone")
    assert daemon.run_of(name) == serving

    # One that a person has removed by half keeps nobody down.
    with not_removable(daemon.api, name):
        with pytest.raises(APIError, match="immutable"):
            daemon.api.remove_container(name, force=True)
        daemon.until(lambda: daemon.run_of(name)[0] not in ("", serving[0]), "another one")
        daemon.until(lambda: daemon.chunk(shop_name, "web")["state"] == "completed", "it to serve")
    daemon.pnr("apply", shop_name)
    daemon.until(lambda: daemon.names(shop_name) == [name] and daemon.settled(shop_name), "the half one to be gone")


def test_a_port_that_is_held_in_the_middle_of_an_update_is_no_bad_version(
    daemon: Daemon, web: Build, shop_name: str
) -> None:
    name = f"{shop_name}_web"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])

    def shop(v: str, published: int) -> dict[str, Any]:
        container = {"environment": {"V": v}, "ports": {"80": str(published)}}
        return stack(shop_name, web("web", prefix=shop_name, container=container))

    daemon.settle(shop_name, shop("1", port))
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        daemon.write(shop_name, shop("2", int(holder.getsockname()[1])))
        daemon.until(lambda: daemon.chunk(shop_name, "web")["reason"] == "RolledBack", "the way back")
        daemon.until(lambda: daemon.fact(shop_name, "web_ready") == "Y", "the old one to serve")
        assert version(daemon, name) == "1"
        told = daemon.chunk(shop_name, "web")
        assert told["next_try"]
        assert "tried again by itself" in told["message"]
    daemon.pnr("apply", shop_name)  # it would come by itself, a minute after it failed
    daemon.until(lambda: version(daemon, name) == "2" and daemon.settled(shop_name), "the new version")
    assert daemon.names(shop_name) == [name]


def test_another_health_check_restarts_nothing(daemon: Daemon, web: Build, shop_name: str) -> None:
    def shop(path: str) -> dict[str, Any]:
        check = {"type": "http", "port_key": "80", "path": path, "interval_seconds": 1, "deadline_seconds": 60}
        return stack(shop_name, web("web", prefix=shop_name, health_check=check))

    daemon.settle(shop_name, shop("/"))
    before = daemon.run_of(f"{shop_name}_web")
    daemon.write(shop_name, shop("/nothing-there"))
    daemon.until(lambda: daemon.chunk(shop_name, "web")["reason"] == "Probing", "the new check to be asked")
    daemon.until(lambda: "404" in daemon.chunk(shop_name, "web")["message"], "what it answers")
    daemon.settle(shop_name, shop("/index.html"))
    assert daemon.run_of(f"{shop_name}_web") == before
