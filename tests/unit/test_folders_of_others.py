"""A folder that others can write to, or exchange, is told with who they are."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.daemon.folder_safety import UnsafeFolder, see_to_folders
from reconciler.daemon.protocol import ServiceOptions
from reconciler.host import folders
from tests.only_where import only_where

OTHER = 54321
as_root = only_where(hasattr(os, "geteuid") and os.geteuid() == 0, reason="only root can give files away")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "above" / "folder"
    made.mkdir(parents=True)
    for path in (made, made.parent):
        path.chmod(0o755)
    return made


def test_a_folder_of_our_own_is_written_by_nobody_else(folder: Path) -> None:
    assert folders.others_can_write(str(folder)) == ""
    assert folders.others_can_write(str(folder / "not" / "yet")) == ""


@pytest.mark.parametrize("mode", [0o777, 0o757, 0o1777, 0o702])
def test_what_anybody_may_write_to(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    assert folders.others_can_write(str(folder)) == f"any user may write to {folder}"


def test_the_way_to_it_counts_and_a_sticky_folder_on_the_way_does_not(folder: Path) -> None:
    folder.parent.chmod(0o777)
    assert folders.others_can_write(str(folder)) == f"any user may write to {folder.parent}"
    assert folders.others_can_write(str(folder.parent / "not yet")) == f"any user may write to {folder.parent}"
    folder.parent.chmod(0o1777)
    assert folders.others_can_write(str(folder)) == ""


def test_the_way_of_a_link_and_that_of_what_it_leads_to_both_count(tmp_path: Path, folder: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert folders.others_can_write(str(link)) == ""
    folder.parent.chmod(0o777)
    assert folders.others_can_write(str(link)) == f"any user may write to {folder.parent}"
    folder.parent.chmod(0o755)
    loose = tmp_path / "loose"
    loose.mkdir()
    loose.chmod(0o777)
    (loose / "link").symlink_to(folder)
    assert folders.others_can_write(str(loose / "link")) == f"any user may write to {loose}"


@as_root
def test_the_owner_and_the_group_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    os.chown(folder, 0, OTHER)
    folder.chmod(0o775)
    assert folders.others_can_write(str(folder)) == f"the group {OTHER} may write to {folder}"
    folder.chmod(0o755)
    assert folders.others_can_write(str(folder)) == ""
    os.chown(folder, OTHER, 0)
    assert folders.others_can_write(str(folder)) == f"{folder} belongs to uid {OTHER}"
    os.chown(folder, 0, 0)
    os.chown(folder.parent, OTHER, 0)
    assert folders.others_can_write(str(folder)) == f"{folder.parent} belongs to uid {OTHER}"


@as_root
def test_who_calls_sudo_is_no_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(folder, OTHER, 0)
    monkeypatch.setenv("SUDO_UID", str(OTHER))
    assert folders.others_can_write(str(folder)) == ""
    monkeypatch.setenv("SUDO_UID", "nonsense")
    assert folders.others_can_write(str(folder)) == f"{folder} belongs to uid {OTHER}"


@pytest.mark.parametrize("which", ["domains", "state"])
def test_nothing_starts_there_unless_it_is_said_to(
    tmp_path: Path, which: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / which).mkdir()
    (tmp_path / which).chmod(0o777)
    options = ServiceOptions(domains=tmp_path / "domains", state=tmp_path / "state")
    with pytest.raises(UnsafeFolder, match=f"the {which} directory .* --insecure-folders"):
        see_to_folders(options)
    see_to_folders(replace(options, insecure_folders=True))
    assert f"any user may write to {tmp_path / which}" in caplog.text


def test_a_folder_in_a_circle_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "domains").symlink_to("state")
    (tmp_path / "state").symlink_to("domains")
    with pytest.raises(UnsafeFolder, match="can't be looked at"):
        see_to_folders(ServiceOptions(domains=tmp_path / "domains", state=tmp_path / "s"))
