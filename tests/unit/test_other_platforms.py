"""What differs between platforms, with the part that differs replaced."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from reconciler.cli.folders import installed
from reconciler.cli.signals import ENDING, stop_on_signals
from reconciler.engine.docker import ports
from reconciler.engine.docker.failures import TakenPort
from reconciler.sources import safe_read
from reconciler.state import files


@pytest.fixture
def put_back() -> object:
    before = {number: signal.getsignal(number) for number in ENDING}
    yield None
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("put_back")
def test_a_signal_stops_where_the_loop_can_not_take_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, whose loops take none."""

    def refuse(*_: object) -> None:
        raise NotImplementedError

    async def story() -> None:
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "add_signal_handler", refuse)
        monkeypatch.setattr(loop, "remove_signal_handler", refuse)
        stop = asyncio.Event()
        stop_on_signals(stop)
        signal.raise_signal(signal.SIGTERM)
        await asyncio.wait_for(stop.wait(), 10)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    asyncio.run(story())


@pytest.mark.usefixtures("put_back")
def test_a_signal_stops_where_the_loop_takes_signals() -> None:
    async def story() -> None:
        stop = asyncio.Event()
        stop_on_signals(stop)
        signal.raise_signal(signal.SIGINT)
        await asyncio.wait_for(stop.wait(), 10)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("platform", "domains"),
    [
        ("linux", "/etc/pnr/domains"),
        ("darwin", "/usr/local/etc/pnr/domains"),
        ("win32", r"D:\Data\pnr\domains"),
    ],
)
def test_each_platform_has_its_own_place_for_the_service(platform: str, domains: str) -> None:
    assert installed(platform, {"PROGRAMDATA": r"D:\Data"})[0] == domains


def test_files_are_read_safely_without_the_flags_that_windows_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"):
        monkeypatch.delattr(os, flag)
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "link.json").symlink_to(tmp_path / "a.json")
    assert safe_read.read(str(tmp_path / "a.json"), 100) == b"{}"
    with pytest.raises(safe_read.Refused, match="symbolic link"):
        safe_read.read(str(tmp_path / "link.json"), 100)


def test_state_is_written_where_folders_can_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, which has no fsync of folders."""
    monkeypatch.delattr(os, "O_NOFOLLOW")
    monkeypatch.setattr(files, "sync_folder", lambda folder: None)
    files.write(tmp_path / "x.toml", b"a = 1\n")
    assert (tmp_path / "x.toml").read_bytes() == b"a = 1\n"


def test_nobody_is_named_as_a_ports_holder_where_there_is_no_procfs(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.read_text

    def no_procfs(self: Path, *args: object, **more: object) -> str:
        if str(self).startswith("/proc"):
            raise FileNotFoundError(str(self))
        return real(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "read_text", no_procfs)
    assert ports.holding_process(TakenPort(1)) is None
