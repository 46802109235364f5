"""Nothing in the state directory is followed: whoever could put a link there would have pnr read or write elsewhere."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from reconciler.daemon import address
from reconciler.state import aside
from reconciler.state.files import StateWriteFailed
from reconciler.state.intents import IntentStore
from reconciler.state.key import InstallationKey, KeyUnusable
from reconciler.state.lock import StateLock, StateLocked
from tests.only_where import only_where


def elsewhere(tmp_path: Path, content: bytes = b"theirs") -> Path:
    place = tmp_path / "elsewhere"
    place.write_bytes(content)
    return place


@pytest.mark.parametrize("leads", ["to a file", "to nothing", "to itself"])
def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path, leads: str) -> None:
    outside = {"to a file": elsewhere(tmp_path), "to nothing": tmp_path / "new", "to itself": Path("pnr.lock")}[leads]
    state = tmp_path / "state"
    state.mkdir()
    (state / "pnr.lock").symlink_to(outside)
    with pytest.raises(StateLocked, match=r"pnr\.lock in it is a symbolic link"):
        StateLock(state).acquire()
    assert (tmp_path / "elsewhere").read_bytes() == b"theirs"
    assert not (tmp_path / "new").exists()


def test_a_pipe_in_the_place_of_the_lock_holds_up_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pnr.lock")
    with pytest.raises(StateLocked, match="is not a file"):
        StateLock(tmp_path).acquire()


def test_a_link_in_the_place_of_the_key_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "key").symlink_to(elsewhere(tmp_path, bytes(32)))
    with pytest.raises(KeyUnusable):
        InstallationKey(tmp_path, make=True)()


def test_no_file_of_the_state_is_read_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").symlink_to(elsewhere(tmp_path))
    with pytest.raises(OSError) as caught:
        aside.read(tmp_path / "shop.toml")
    assert aside.is_lasting(caught.value)


def test_a_link_in_the_place_of_the_folder_of_intents_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    theirs = outside / "shop.intent"
    theirs.write_bytes(b'"shop.json"\n{}')
    state = tmp_path / "state"
    state.mkdir()
    (state / "intents").symlink_to(outside)
    store = IntentStore(state)
    assert store.load_all(mending=False) == []
    with pytest.raises(StateWriteFailed, match="is a symbolic link"):
        store.save("shop", "shop.json", b"{}")
    with pytest.raises(StateWriteFailed, match="is a symbolic link"):
        store.remove("shop")
    # Who may put things right sets it aside, and goes on with a folder of its own.
    assert store.load_all() == []
    assert "it should be a directory" in store.problems[0]
    store.save("shop", "shop.json", b"[]")
    assert [kept.data for kept in store.load_all()] == [b"[]"]
    assert theirs.read_bytes() == b'"shop.json"\n{}'


@only_where(address.unix_sockets(), reason="there are no Unix sockets")
def test_a_socket_is_not_reached_through_a_link(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind(str(tmp_path / "theirs"))
        theirs.listen()
        (tmp_path / "pnr.sock").symlink_to(tmp_path / "theirs")
        with pytest.raises(OSError, match="is a symbolic link"):
            address.connect(tmp_path, 1.0)


def test_a_port_is_not_read_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "pnr.port").symlink_to(elsewhere(tmp_path, b"80 token\n"))
    assert address.read_port(tmp_path) is None
