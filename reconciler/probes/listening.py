"""Which ports a container listens on, for a check that found nobody on its own: from the kernel's tables.

Only where the engine runs on this machine: the process is looked for by its number, and taken only where the kernel
says that it is the container's. The tables are as long as a container makes them, which may have a million sockets:
those that listen come first, and of the rest nothing is read.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.probes.protocol import Target
from reconciler.sentences import advised

PROCESSES = Path("/proc")
MOST_TABLE_BYTES = 64 * 1024
_LISTENING = "0A"
_TABLES = ("tcp", "tcp6")
_LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")
_RESOLVER = "0B00007F"
"""127.0.0.11, where the engine answers for names in the container's networks: nothing of the container's own."""


def listening_ports(pid: int, container_id: str) -> list[tuple[int, bool]] | None:
    """The TCP ports, each with whether it is bound to the container's loopback only; None where that can't be seen."""
    process = PROCESSES / str(pid)
    try:
        if not pid or container_id not in (process / "cgroup").read_text():
            return None
        tables = [_start_of(process / "net" / table) for table in _TABLES if (process / "net" / table).exists()]
    except OSError:
        return None
    found: dict[int, bool] = {}
    for table in tables:
        for line in table.splitlines()[1:]:
            fields = line.split()
            if len(fields) > 3 and fields[3] == _LISTENING:
                address, _, port = fields[1].rpartition(":")
                if address == _RESOLVER:
                    continue
                number = int(port, 16)
                found[number] = found.get(number, True) and address in _LOOPBACK
    return sorted(found.items())


def _start_of(table: Path) -> str:
    """Its first lines, whole ones."""
    with table.open("rb") as opened:
        text = opened.read(MOST_TABLE_BYTES).decode("ascii", "replace")
    return text if len(text) < MOST_TABLE_BYTES else text[: text.rfind("\n") + 1]


def with_listeners(said: str, target: Target, port: int) -> str:
    """``said`` of a check that found nobody on the container's ``port``, with what it does listen on and what to do."""
    ports = listening_ports(target.container.pid, target.container.id)
    if ports is None:
        return said
    if not ports:
        step = "see what it prints (`pnr logs`): it may still start, or need another setting to listen"
        return advised(f"{said}; the container does not listen on any TCP port", step)
    if dict(ports).get(port):
        step = "let it listen on all of its addresses (0.0.0.0)"
        return advised(f"{said}; the container listens on {port} of its own loopback only", step)
    listed = ", ".join(f"{number}{' (loopback only)' if own else ''}" for number, own in ports)
    step = "correct `port_key` in the health check, or the port that it listens on"
    return advised(f"{said}; the container listens on {listed}", step)
