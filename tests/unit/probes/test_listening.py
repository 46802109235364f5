"""What is said of the ports that a container listens on: its own, and nothing of the engine's."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.probes import listening
from reconciler.probes.listening import listening_ports

_TABLE = """  sl  local_address rem_address   st
   0: 0B00007F:A877 00000000:0000 0A
   1: 00000000:0051 00000000:0000 0A
   2: 0100007F:0052 00000000:0000 0A
   3: 00000000:0053 00000000:0000 01
"""


def test_the_engines_resolver_is_no_listener_of_the_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    process = tmp_path / "42"
    (process / "net").mkdir(parents=True)
    (process / "cgroup").write_text("0::/docker/c0ffee")
    (process / "net" / "tcp").write_text(_TABLE)
    monkeypatch.setattr(listening, "PROCESSES", tmp_path)
    assert listening_ports(42, "c0ffee") == [(81, False), (82, True)]


def test_of_a_million_sockets_the_first_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    process = tmp_path / "42"
    (process / "net").mkdir(parents=True)
    (process / "cgroup").write_text("0::/docker/c0ffee")
    lines = [f"{number:7}: 00000000:{number % 65536:04X} 00000000:0000 0A\n" for number in range(100_000)]
    (process / "net" / "tcp").write_text("  sl  local_address rem_address   st\n" + "".join(lines))
    monkeypatch.setattr(listening, "PROCESSES", tmp_path)
    found = listening_ports(42, "c0ffee")
    assert found is not None
    assert [port for port, _ in found] == list(range(len(found)))
    assert len(found) * len(lines[0]) <= listening.MOST_TABLE_BYTES < (len(found) + 2) * len(lines[0])
