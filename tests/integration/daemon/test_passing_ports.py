"""Ports of the host that pass between containers which take more or less time to stop, on a real engine."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.daemon.conftest import Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

ENDS = {
    "quick": 'trap "exit 0" TERM; httpd -f -p 80 -h /www & wait',
    "slow": 'trap "sleep 3; exit 0" TERM; httpd -p 80 -h /www; sleep 3600 & wait',
    "killed": "exec httpd -f -p 80 -h /www",  # the first process of a container takes no notice of SIGTERM
}

Publishing = Callable[..., dict[str, Any]]


@pytest.fixture
def shop(unique: Callable[[str], str]) -> str:
    """The name of the domain, with which everything in it begins."""
    return unique("shop")


@pytest.fixture
def publishing(web: Build, shop: str) -> Publishing:
    """``publishing("slow", 8080)``: a chunk of that name, which ends like that, and publishes the port."""

    def build(name: str, port: int | str, **more: Any) -> dict[str, Any]:
        check = {"type": "http", "port_key": "80", "path": "/", "interval_seconds": 1}
        container = {"command": ["sh", "-c", ENDS[name]], "stop_grace_period": "5s", "ports": [f"{port}:80"]}
        return web(name, prefix=shop, container=container, health_check=check, **more)

    return build


@pytest.fixture
def first_port() -> int:
    """The first of five free ports in a row."""
    port = 20000 + secrets.randbelow(9000)
    while not all(is_free(port + n) for n in range(5)):
        port += 1
    return port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def port_of(daemon: Daemon, name: str) -> int:
    (bound,) = daemon.container(name)["NetworkSettings"]["Ports"]["80/tcp"]
    return int(bound["HostPort"])


def told(daemon: Daemon, text: str) -> int:
    """How often the journal says so."""
    return sum(entry.get("message") == text for entry in daemon.journal())


def nothing_was_rolled_back(daemon: Daemon) -> None:
    reasons = {entry.get("reason") for entry in daemon.journal()}
    assert not reasons & {"RolledBack", "RollingBack", "PortInUse"}


def test_who_is_to_have_a_port_waits_until_its_holder_has_given_it_up(
    daemon: Daemon, shop: str, publishing: Publishing, first_port: int
) -> None:
    quick, slow, killed = (f"{shop}_{name}" for name in ENDS)
    first = stack(shop, publishing("quick", first_port), publishing("slow", first_port + 1))
    daemon.settle(shop, first)
    # From one that stays, and from one that goes to one that is new.
    daemon.settle(shop, stack(shop, publishing("quick", first_port + 1), publishing("slow", first_port + 2)))
    waited = f"waiting for container {slow} of {shop}/main/slow to give up host port {first_port + 1}"
    assert any(waited in str(entry.get("message")) for entry in daemon.journal())
    assert (port_of(daemon, quick), port_of(daemon, slow)) == (first_port + 1, first_port + 2)
    daemon.settle(shop, stack(shop, publishing("quick", first_port + 1), publishing("killed", first_port + 2)))
    assert port_of(daemon, killed) == first_port + 2
    assert [told(daemon, f"stopped container {name}") for name in (quick, slow, killed)] == [1, 2, 0]
    assert told(daemon, f"created container {killed}") == 1
    nothing_was_rolled_back(daemon)


def test_replicas_whose_ports_move_along_go_from_the_free_end(
    daemon: Daemon, shop: str, publishing: Publishing, first_port: int
) -> None:
    def copies(low: int) -> dict[str, Any]:
        return stack(shop, publishing("slow", f"{low}-{low + 2}", replicas=3))

    names = [f"{shop}_slow-{n}" for n in (1, 2, 3)]
    for low in (first_port, first_port + 1, first_port):
        daemon.settle(shop, copies(low))
        assert [port_of(daemon, name) for name in names] == [low, low + 1, low + 2]
    stops = [entry["message"] for entry in daemon.journal() if str(entry.get("message")).startswith("stopped")]
    assert stops == [f"stopped container {name}" for name in (*reversed(names), *names)]
    nothing_was_rolled_back(daemon)


@pytest.mark.parametrize("apart", [False, True])
def test_those_who_exchange_their_ports_all_get_them(
    daemon: Daemon, shop: str, publishing: Publishing, first_port: int, apart: bool
) -> None:
    def write(*ports: int) -> list[str]:
        chunks = [publishing(name, port) for name, port in zip(ENDS, ports, strict=True)]
        domains = {shop: chunks} if not apart else {f"{shop}-{one['name']}": [one] for one in chunks}
        with daemon.asleep():
            for name, some in domains.items():
                daemon.write(name, stack(name, *some))
        return list(domains)

    def has(*ports: int) -> bool:
        names = [f"{shop}_{name}" for name in ENDS]
        are_up = all(daemon.run_of(name)[0] and daemon.container(name)["State"]["Running"] for name in names)
        return are_up and tuple(port_of(daemon, name) for name in names) == ports

    one, two, three = first_port, first_port + 1, first_port + 2
    domains = write(one, two, three)
    daemon.until(lambda: all(map(daemon.settled, domains)) and has(one, two, three), "all to be up")
    write(two, three, one)
    daemon.until(lambda: all(map(daemon.settled, domains)) and has(two, three, one), "the ports to be exchanged")
    for name in ENDS:
        assert told(daemon, f"stopped container {shop}_{name}") == 1
        assert told(daemon, f"created container {shop}_{name}.pnr-next") == 1
    nothing_was_rolled_back(daemon)
