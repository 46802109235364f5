"""The directories behind ``/runtime``: emptied without following anything that is in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.engine.docker import runtime_dir
from reconciler.intent.model import ChunkId

CHUNK = ChunkId("shop", "main", "web")


def test_a_directory_is_made_for_any_user_below_a_root_for_us_alone(tmp_path: Path) -> None:
    root = tmp_path / "runtime"
    root.mkdir(mode=0o755)
    folder = Path(runtime_dir.prepare(str(root), CHUNK))
    assert folder == root / "shop" / "main" / "web"
    assert folder.stat().st_mode & 0o777 == 0o777
    assert root.stat().st_mode & 0o777 == 0o700


def test_everything_in_it_goes_and_nothing_it_points_to(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    folder = Path(runtime_dir.prepare(str(tmp_path / "runtime"), CHUNK))
    (folder / "file").touch()
    (folder / "deep" / "deeper").mkdir(parents=True)
    (folder / "deep" / "link").symlink_to(outside)
    (folder / "link").symlink_to(outside)
    (folder / "broken").symlink_to(tmp_path / "nothing")
    os.mkfifo(folder / "fifo")
    assert runtime_dir.prepare(str(tmp_path / "runtime"), CHUNK) == str(folder)
    assert list(folder.iterdir()) == []
    assert (outside / "kept").exists()


def test_a_link_in_its_place_is_replaced_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    place = tmp_path / "runtime" / "shop" / "main" / "web"
    place.parent.mkdir(parents=True)
    place.symlink_to(outside)
    folder = Path(runtime_dir.prepare(str(tmp_path / "runtime"), CHUNK))
    assert not folder.is_symlink()
    assert (outside / "kept").exists()


@pytest.mark.parametrize("place", ["runtime", "runtime/shop", "runtime/shop/main"])
def test_nor_is_a_link_above_it(tmp_path: Path, place: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).symlink_to(outside)
    with pytest.raises(OSError, match="is a symbolic link, which is not followed"):
        runtime_dir.prepare(str(tmp_path / "runtime"), CHUNK)
    assert list(outside.iterdir()) == []
    assert outside.stat().st_mode & 0o777 == 0o755
