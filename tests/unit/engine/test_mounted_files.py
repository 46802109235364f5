"""The files behind secrets and configs: who can come to them, when they are written, and when they go."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pytest

from reconciler.engine.docker.mounted_files import MountedFiles, is_own, without_own
from reconciler.engine.protocol import CreateFailed, StartFailed
from reconciler.intent.contents import Source, SourceKind, SourceMissing
from reconciler.intent.model import ChunkId, MountedFile

CHUNK = ChunkId("shop", "main", "web")


class Told:
    """Contents that are told what they are."""

    def __init__(self, **contents: bytes) -> None:
        self.contents = contents

    def read(self, source: Source) -> bytes:
        if source.name not in self.contents:
            raise SourceMissing(f"{source} does not exist")
        return self.contents[source.name]

    def fingerprint(self, source: Source) -> str:
        return self.fingerprint_of(self.read(source))

    def fingerprint_of(self, content: bytes) -> str:
        return hashlib.sha256(content).hexdigest()

    def stamp(self, source: Source) -> Hashable:
        return None

    def file(self, name: str, **more: Any) -> MountedFile:
        source = Source(SourceKind.FILE, name)
        settings: dict[str, Any] = {"target": f"/run/secrets/{name}", "secret": True, **more}
        return MountedFile(source=source, fingerprint=self.fingerprint(source), **settings)


@pytest.fixture
def told() -> Told:
    return Told(key=b"hush", other=b"hush hush")


@pytest.fixture
def files(tmp_path: Path, told: Told) -> MountedFiles:
    return MountedFiles(str(tmp_path / "files"), told, executable_root=str(tmp_path / "programs"))


def test_a_file_is_written_with_its_mode_below_a_root_for_us_alone(
    tmp_path: Path, files: MountedFiles, told: Told
) -> None:
    (mount,) = files.put(CHUNK, [told.file("key", mode=0o440)])
    path = Path(mount["Source"])
    assert path.parent == tmp_path / "files" / "shop" / "main" / "web"
    assert path.read_bytes() == b"hush"
    assert stat.S_IMODE(path.stat().st_mode) == 0o440
    assert stat.S_IMODE((tmp_path / "files").stat().st_mode) == 0o700
    assert mount == {"Type": "bind", "Source": str(path), "Target": "/run/secrets/key", "ReadOnly": True}


@pytest.mark.parametrize("place", ["files", "files/shop", "files/shop/main", "files/shop/main/web"])
def test_a_link_above_it_is_not_followed(tmp_path: Path, files: MountedFiles, told: Told, place: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).symlink_to(outside)
    with pytest.raises(OSError, match="is a symbolic link, which is not followed"):
        files.put(CHUNK, [told.file("key")])
    assert list(outside.iterdir()) == []
    assert stat.S_IMODE(outside.stat().st_mode) == 0o755


def test_writing_again_what_is_there_leaves_it_alone(files: MountedFiles, told: Told) -> None:
    (first,) = files.put(CHUNK, [told.file("key")])
    before = os.stat(first["Source"])
    (second,) = files.put(CHUNK, [told.file("key")])
    assert first == second
    assert os.stat(second["Source"]).st_ino == before.st_ino


def test_a_damaged_file_is_written_anew(files: MountedFiles, told: Told) -> None:
    (mount,) = files.put(CHUNK, [told.file("key")])
    Path(mount["Source"]).chmod(0o600)
    Path(mount["Source"]).write_bytes(b"")
    files.put(CHUNK, [told.file("key")])
    assert Path(mount["Source"]).read_bytes() == b"hush"


def test_another_content_or_mode_is_another_file(files: MountedFiles, told: Told) -> None:
    (before,) = files.put(CHUNK, [told.file("key")])
    (readable,) = files.put(CHUNK, [told.file("key", mode=0o400)])
    told.contents["key"] = b"new"
    (after,) = files.put(CHUNK, [told.file("key")])
    assert len({before["Source"], readable["Source"], after["Source"]}) == 3
    assert Path(before["Source"]).read_bytes() == b"hush"


def test_a_content_that_changed_since_it_was_declared_is_not_put_under_the_old_name(
    files: MountedFiles, told: Told
) -> None:
    declared = told.file("key")
    told.contents["key"] = b"canary"
    with pytest.raises(CreateFailed, match="no longer the one that was declared") as caught:
        files.put(CHUNK, [declared])
    assert "canary" not in str(caught.value)


def test_a_content_that_can_not_be_had_says_why(files: MountedFiles, told: Told) -> None:
    declared = told.file("key")
    del told.contents["key"]
    with pytest.raises(CreateFailed, match="/run/secrets/key can't be read: key does not exist"):
        files.put(CHUNK, [declared])


def test_only_what_no_container_has_is_swept_away(tmp_path: Path, files: MountedFiles, told: Told) -> None:
    (kept,) = files.put(CHUNK, [told.file("key")])
    (left,) = files.put(CHUNK, [told.file("other")])
    files.sweep(CHUNK, {kept["Source"], "/somewhere/else"})
    assert Path(kept["Source"]).exists()
    assert not Path(left["Source"]).exists()
    files.sweep(CHUNK, ())
    assert not (tmp_path / "files" / "shop").exists()
    files.sweep(CHUNK, ())


def test_the_files_of_other_chunks_stay(files: MountedFiles, told: Told) -> None:
    (mount,) = files.put(ChunkId("shop", "main", "web", 2), [told.file("key")])
    files.sweep(CHUNK, ())
    assert Path(mount["Source"]).exists()


def test_what_is_gone_before_a_start_is_written_again(files: MountedFiles, told: Told) -> None:
    declared = told.file("key")
    (mount,) = files.put(CHUNK, [declared])
    files.sweep(CHUNK, ())
    files.restore({"HostConfig": {"Mounts": [mount]}}, CHUNK, (declared,))
    assert Path(mount["Source"]).read_bytes() == b"hush"


def test_what_is_gone_and_has_changed_since_is_told(files: MountedFiles, told: Told) -> None:
    (mount,) = files.put(CHUNK, [told.file("key")])
    files.sweep(CHUNK, ())
    told.contents["key"] = b"new"
    with pytest.raises(StartFailed, match="has to be recreated"):
        files.restore({"HostConfig": {"Mounts": [mount]}}, CHUNK, (told.file("key"),))


def test_a_config_that_may_be_executed_lies_where_programs_may_be_run(
    tmp_path: Path, files: MountedFiles, told: Told
) -> None:
    script = told.file("key", secret=False, mode=0o555)
    (mount,) = files.put(CHUNK, [script])
    assert Path(mount["Source"]).is_relative_to(tmp_path / "programs")
    (secret,) = files.put(CHUNK, [told.file("key", mode=0o555)])
    assert Path(secret["Source"]).is_relative_to(tmp_path / "files")


def test_only_root_can_give_files_away(monkeypatch: pytest.MonkeyPatch, files: MountedFiles, told: Told) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 998)
    with pytest.raises(CreateFailed, match="only root can give a file to uid 999 and gid 12"):
        files.put(CHUNK, [told.file("key", uid="999", gid="12")])


def test_a_platform_without_owners_gives_none(monkeypatch: pytest.MonkeyPatch, files: MountedFiles, told: Told) -> None:
    monkeypatch.delattr(os, "geteuid")
    with pytest.raises(CreateFailed, match="no uid and gid on this platform"):
        files.put(CHUNK, [told.file("key", uid="999")])
    files.put(CHUNK, [told.file("key")])


def test_our_mounts_are_told_from_those_of_others(files: MountedFiles, told: Told) -> None:
    (mount,) = files.put(CHUNK, [told.file("key")])
    assert is_own(mount, CHUNK)
    assert not is_own(mount, ChunkId("shop", "main", "api"))
    assert not is_own({**mount, "ReadOnly": False}, CHUNK)
    assert not is_own({**mount, "Source": "/srv/shop/main/web/data"}, CHUNK)
    theirs = {"Type": "tmpfs", "Target": "/tmp"}
    body = {"Id": "x", "HostConfig": {"Memory": 1, "Mounts": [theirs, mount]}}
    assert without_own(body, CHUNK) == {"Id": "x", "HostConfig": {"Memory": 1, "Mounts": [theirs]}}
