"""What domain files refer to is read where it was judged, and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.intent.contents import ContentsError, Source, SourceKind
from reconciler.sources import safe_read
from reconciler.sources.contents import LocalContents, Places, SourceRefused


def key() -> bytes:
    return b"k"


@pytest.mark.parametrize("exchanged_at", [1, 2])
def test_a_folder_that_becomes_a_link_while_it_is_judged_is_not_read_through(tmp_path: Path, exchanged_at: int) -> None:
    root = Path(os.path.realpath(tmp_path))
    for name in ("app", "root"):
        (root / name).mkdir()
        (root / name / "key").write_text(name)
    (root / "entry").symlink_to("app")
    judged: list[str] = []

    def exchanges(path: str, is_folder: bool, source: Source) -> str:
        judged.append(path)
        if len(judged) == exchanged_at:
            (root / "app").rename(root / "old")
            (root / "app").symlink_to("root")
        return ""

    contents = LocalContents(key, Places({}), admission=lambda: exchanges)
    with pytest.raises(ContentsError):
        contents.read(Source(SourceKind.FILE, str(root / "entry" / "key")))
    assert judged == [str(root / "entry" / "key"), str(root / "app" / "key")]


def test_both_ends_of_a_link_are_judged(tmp_path: Path) -> None:
    root = Path(os.path.realpath(tmp_path))
    (root / "secret").write_text("s")
    (root / "link").symlink_to("secret")
    far = str(root / "secret")
    contents = LocalContents(key, Places({}), admission=lambda: lambda path, *_: "it" if path == far else "")
    with pytest.raises(SourceRefused, match="the policy refuses it"):
        contents.read(Source(SourceKind.FILE, str(root / "link")))
    assert LocalContents(key, Places({})).read(Source(SourceKind.FILE, str(root / "link"))) == b"s"


def test_no_part_of_a_way_that_was_looked_at_may_be_a_link(tmp_path: Path) -> None:
    root = Path(os.path.realpath(tmp_path))
    (root / "a").mkdir()
    (root / "a" / "x").write_text("x")
    (root / "b").symlink_to("a")
    assert safe_read.read_at(str(root / "a" / "x"), 10) == b"x"
    for way, code in (("b/x", "Unreadable"), ("c/x", "Gone"), ("a/y", "Gone"), ("b", "Symlink")):
        with pytest.raises(safe_read.Refused) as refused:
            safe_read.read_at(str(root / way), 10)
        assert refused.value.code == code
