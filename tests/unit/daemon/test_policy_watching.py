"""What is told of a policy file that is not any more what the daemon has read."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from reconciler.daemon import policy_watching
from reconciler.daemon.policy import load_policy
from reconciler.daemon.policy_watching import PolicyFile, watch_policy
from reconciler.daemon.protocol import ServiceOptions

STRICT = 'profile = "strict"\n'
STEP = "; what to do: check it (`pnr policy check {path}`), then restart the daemon (`systemctl restart pnr`)"


class Place:
    """A policy file, and a daemon that has read it (or found none)."""

    def __init__(self, folder: Path, text: str | None = STRICT, *, named: bool = True) -> None:
        self.path = folder / "policy.toml"
        if text is not None:
            self.path.write_text(text)
        (folder / "domains").mkdir(exist_ok=True)
        policy = str(self.path) if named else None
        self.options = ServiceOptions(folder / "domains", folder / "state", policy=policy, usual_policy=str(self.path))
        self.file = PolicyFile(self.options, load_policy(self.options))

    def step(self) -> str:
        return STEP.format(path=self.path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "etc"
    made.mkdir(mode=0o755)
    return made


def test_a_file_that_is_as_it_was_read_is_not_worth_a_word(folder: Path) -> None:
    place = Place(folder)
    assert place.file.look() == ""
    os.utime(place.path)
    assert place.file.look() == ""
    place.path.write_text(STRICT)
    assert place.file.look() == ""


def test_a_change_is_told_with_what_to_do_and_taken_back_with_the_change(folder: Path) -> None:
    place = Place(folder)
    place.path.write_text('profile = "open"\n')
    said = place.file.look()
    assert said.startswith(
        f"the policy {place.path} was changed since this daemon read it: what it said then is in force"
    )
    assert place.step() in said
    assert place.file.look() == said
    place.path.write_text(STRICT)
    assert place.file.look() == ""


def test_a_change_with_which_nothing_would_start_is_told_as_such(folder: Path) -> None:
    place = Place(folder)
    place.path.write_text('profile = "strct"\n')
    said = place.file.look()
    assert "was changed since this daemon read it" in said
    assert "no daemon can start with it now" in said
    assert f"{place.path}:1: " in said
    assert f"correct it until `pnr policy check {place.path}` has no error" in said


def test_a_file_that_others_may_write_by_now_is_told(folder: Path) -> None:
    place = Place(folder)
    place.path.chmod(0o666)
    said = place.file.look()
    assert f"the policy {place.path} is as this daemon read it, and no daemon can start with it now" in said
    assert "may be written by others" in said


def test_a_file_that_is_gone_is_told(folder: Path) -> None:
    place = Place(folder)
    place.path.unlink()
    said = place.file.look()
    assert f"the policy {place.path} was removed since this daemon read it" in said
    assert "put it back" in said
    place.path.mkdir()
    assert "is not a file" in place.file.look()


def test_a_file_that_came_where_there_was_none_is_told(folder: Path) -> None:
    place = Place(folder, None, named=False)
    assert place.file.look() == ""
    place.path.write_text(STRICT)
    said = place.file.look()
    assert f"the policy {place.path} was made since this daemon was started, which uses profile standard" in said
    assert place.step() in said


def test_who_names_a_profile_goes_by_no_file(folder: Path) -> None:
    options = ServiceOptions(folder, folder, policy="strict", usual_policy=str(folder / "policy.toml"))
    assert not PolicyFile(options, load_policy(options)).is_one


async def test_each_change_is_told_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_watching, "LOOK_SECONDS", 0.001)
    place = Place(folder)
    told: asyncio.Queue[str] = asyncio.Queue()
    looked: asyncio.Queue[str] = asyncio.Queue()
    look, loop = place.file.look, asyncio.get_running_loop()

    def looks() -> str:
        said = look()
        loop.call_soon_threadsafe(looked.put_nowait, said)
        return said

    monkeypatch.setattr(place.file, "look", looks)
    watching = asyncio.create_task(watch_policy(place.file, told.put_nowait))
    try:
        for text, number in ((STRICT, 0), ('profile = "open"\n', 1), (STRICT, 2)):
            (folder / "new").write_text(text)
            (folder / "new").rename(place.path)
            for _ in range(5):
                await looked.get()
            assert told.qsize() == number
    finally:
        watching.cancel()
    assert "was changed" in await told.get()
    assert await told.get() == ""
