from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from reconciler.planner.observed import Container
from reconciler.probes.ask import ask
from reconciler.probes.protocol import ProbeResult, Target
from reconciler.probes.tcp import TcpProbe
from reconciler.sentences import taken_apart
from tests.integration.probes.servers import Behaviour, Reader, Writer, hanging, refusing_port, serving, target
from tests.unit.probes.build import FakeInside, check

# An address of this machine at which the port of the checks refuses, as a container's does where nothing listens.
ELSEWHERE = "127.0.0.2"
PORT_KEY = "1"


def _told(container: Container) -> tuple[str, ...]:
    """The addresses of a container as told: here they stand for one that is not an address of this machine."""
    return tuple(address for address in container.networks.values() if address)


async def _probe(where: Target, port_key: str = PORT_KEY) -> ProbeResult:
    return await ask(TcpProbe(check("tcp", port_key), FakeInside(), _told), where, 5.0)


async def _silent(reader: Reader, writer: Writer) -> None:
    await reader.read()


async def _greeting(reader: Reader, writer: Writer) -> None:
    writer.write(b"220 hello\r\n")
    await reader.read()


async def _closing(reader: Reader, writer: Writer) -> None:
    writer.close()


async def _resetting(reader: Reader, writer: Writer) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


async def test_a_listener_at_the_containers_own_address_has_answered() -> None:
    async with serving(_silent) as port:
        assert await _probe(target(port)) == ProbeResult(ok=True, message="tcp 1 answered")


async def test_a_refused_connection_is_told_with_its_address() -> None:
    port = refusing_port()
    result = await _probe(target(port))
    assert result == ProbeResult(ok=False, message=f"tcp 127.0.0.1:{port}: connection refused")


@pytest.mark.parametrize("behave", [_closing, _resetting])
async def test_a_published_port_that_closes_at_once_has_nothing_behind_it(behave: Behaviour) -> None:
    async with serving(behave) as port:
        result = await _probe(target(port, own=ELSEWHERE))
    assert not result.ok
    assert "nothing listens on 1 in the container" in result.message


@pytest.mark.parametrize("behave", [_silent, _greeting])
async def test_a_published_port_that_stays_open_has_answered(behave: Behaviour) -> None:
    async with serving(behave) as port:
        assert (await _probe(target(port, own=ELSEWHERE))).ok


async def test_a_listener_in_the_container_that_closes_at_once_has_answered() -> None:
    async with serving(_closing) as published:
        with socket.create_server(("127.0.0.2", 0)) as own:
            where = target(published, own="127.0.0.2")
            assert (await _probe(where, str(own.getsockname()[1]))).ok


async def test_an_address_of_this_machine_is_not_asked_whatever_is_told_of_the_container() -> None:
    async with serving(_closing) as published:
        with socket.create_server(("127.0.0.2", 0)) as somebody:
            somebody.setblocking(False)
            probe = TcpProbe(check("tcp", str(somebody.getsockname()[1])), FakeInside())
            result = await ask(probe, target(published, own="127.0.0.2"), 5.0)
            with pytest.raises(BlockingIOError):
                somebody.accept()
    assert not result.ok


async def test_a_published_port_works_while_the_containers_address_is_unknown() -> None:
    async with serving(_silent) as port:
        assert (await _probe(target(port, own=""))).ok


async def test_a_published_port_works_where_the_containers_address_leads_nowhere() -> None:
    with hanging("127.0.0.2") as nowhere:
        async with serving(_silent) as port:
            assert (await _probe(target(port, own="127.0.0.2"), str(nowhere))).ok


async def test_a_hanging_connection_ends_at_the_deadline() -> None:
    with hanging() as port:
        result = await ask(TcpProbe(check("tcp", PORT_KEY), FakeInside()), target(port), 0.2)
    assert (result.ok, result.is_known) == (False, True)
    assert taken_apart(result.message)[0].endswith(": no answer within 0.2 s")


async def test_a_udp_port_is_told_to_be_none_for_tcp() -> None:
    assert (await _probe(target(1), "53/udp")).message == "tcp: 53/udp is not a TCP port"


async def test_hundreds_of_probes_at_once_all_get_their_answer() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        where = target(listener.getsockname()[1])
        results = await asyncio.gather(*(_probe(where) for _ in range(300)))
    assert all(result.ok for result in results)
