"""The record of images: what lasts, and what a damaged file costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.state.image_records import FILE, ImageStore


def test_what_is_recorded_lasts(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    store.add("sha256:1", ["web:1"])
    store.add("sha256:1", ["web:2", "web:1"])
    store.asked("web:1", 12.5)
    again = ImageStore(tmp_path)
    assert again.own() == {"sha256:1": ("web:1", "web:2")}
    assert again.asked_at("web:1") == 12.5
    assert again.asked_at("web:2") is None


def test_what_is_gone_is_forgotten(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    store.add("sha256:1", ["web:1"])
    store.add("sha256:2", ["web:2"])
    store.keep(["sha256:2", "sha256:3"])
    assert set(ImageStore(tmp_path).own()) == {"sha256:2"}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 2}', '{"version": 1, "own": 5, "asked": {}}'])
def test_a_damaged_record_is_an_empty_one(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    store = ImageStore(tmp_path)
    assert store.own() == {}
    store.add("sha256:1", ["web:1"])
    assert ImageStore(tmp_path).own() == {"sha256:1": ("web:1",)}


def test_nothing_is_written_where_nothing_changes(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    store.keep([])
    assert not (tmp_path / FILE).exists()
    store.add("sha256:1", ["web:1"])
    before = (tmp_path / FILE).stat().st_ino
    store.add("sha256:1", ["web:1"])
    store.keep(["sha256:1"])
    assert (tmp_path / FILE).stat().st_ino == before


def test_for_whom_an_image_was_built_lasts_as_long_as_the_image(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    store.add("sha256:1", ["shop-web:latest"], "shop")
    store.add("sha256:2", ["redis:7"])
    store.add("sha256:1", ["shop-web:2"])  # known already
    store.asked("redis:7", 1.0)
    again = ImageStore(tmp_path)
    assert (again.built_by("sha256:1"), again.built_by("sha256:2"), again.built_by("sha256:3")) == ("shop", "", "")
    again.keep(["sha256:2"])
    assert ImageStore(tmp_path).built_by("sha256:1") == ""


def test_a_record_of_a_version_that_did_not_know_it_is_read(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"version": 1, "own": {"sha256:1": ["web:1"]}, "asked": {"web:1": 2}}')
    store = ImageStore(tmp_path)
    assert not store.problem
    assert store.own() == {"sha256:1": ("web:1",)}
    assert store.built_by("sha256:1") == ""


def test_while_something_is_built_under_a_name_its_label_says_for_whom(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    assert store.built_by("sha256:1", "shop", ["shop-web:1"]) == ""  # anybody can write a label
    store.builds(["shop-web:1", "shop-web:2"])
    for one in (store, ImageStore(tmp_path)):  # also where the program ended before it was recorded
        assert one.built_by("sha256:1", "shop", ["shop-web:1"]) == "shop"
        assert one.built_by("sha256:1", "shop", ["redis:7"]) == ""
        assert one.built_by("sha256:1", "", ["shop-web:1"]) == ""
    store.add("sha256:1", ["shop-web:1", "shop-web:2"], "shop")
    for one in (store, ImageStore(tmp_path)):
        assert one.built_by("sha256:1", "another", ["shop-web:1"]) == "shop"
        assert one.built_by("sha256:2", "another", ["shop-web:1"]) == ""
