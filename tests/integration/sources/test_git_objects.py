"""What commits have in a directory is read as git reads it, however the repository keeps it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.sources import git as layout
from reconciler.sources.git_objects import NamesIn
from tests.integration.sources.test_git import commit, git

COMMITS = 4


def history(root: Path, *options: str) -> list[str]:
    """Commits that each change, add and remove something, in a subdirectory and beside it."""
    root.mkdir()
    git("init", "--quiet", *options, at=root)
    made = []
    for n in range(COMMITS):
        folder = root / "ops" / "domains"
        folder.mkdir(parents=True, exist_ok=True)
        for m in range(30):
            (folder / f"d{m:03}.json").write_text(f'{{"n": {n if m % COMMITS == n else 0}}}')
        (folder / f"only{n}.json").write_text("{}")
        (folder / f"only{n - 1}.json").unlink(missing_ok=True)
        (folder / "below").mkdir(exist_ok=True)
        (folder / "below" / "x.json").write_text(str(n))
        (root / "README").write_text(str(n))
        made.append(commit(root, str(n)))
    return made


def as_git_says(root: Path, folder: str, id: str) -> frozenset[str]:
    lines = git("ls-tree", f"{id}:{folder}" if folder != "." else id, at=root).splitlines()
    return frozenset(line.split("\t")[1] for line in lines if line.split()[1] == "blob")


def loose(root: Path) -> Path:
    return root


def packed(root: Path) -> Path:
    git("gc", "--quiet", "--aggressive", "--prune=now", at=root)
    assert not list((root / ".git" / "objects").glob("[0-9a-f][0-9a-f]"))
    return root


def half_packed(root: Path) -> Path:
    git("repack", "--quiet", "-d", at=root)
    git("commit", "--quiet", "--allow-empty", "-m", "more", at=root)
    return root


def borrowed(root: Path) -> Path:
    git("clone", "--quiet", "--shared", str(root), str(root.parent / "borrowed"), at=root)
    return root.parent / "borrowed"


def fetched(root: Path) -> Path:
    git("-c", "transfer.unpackLimit=1", "clone", "--quiet", f"file://{root}", str(root.parent / "f"), at=root)
    return root.parent / "f"


def another_work_tree(root: Path) -> Path:
    git("worktree", "add", "--quiet", "--detach", str(root.parent / "tree"), at=root)
    return root.parent / "tree"


SHA256 = ("--object-format=sha256",)


@pytest.mark.parametrize(
    ("kept", "options"),
    [
        (loose, ()),
        (packed, ()),
        (packed, SHA256),
        (half_packed, SHA256),
        (borrowed, ()),
        (fetched, ()),
        (another_work_tree, ()),
    ],
)
def test_the_names_in_a_commit_are_those_that_git_lists(
    tmp_path: Path, kept: Callable[[Path], Path], options: tuple[str, ...]
) -> None:
    commits = history(tmp_path / "first", *options)
    root = kept(tmp_path / "first")
    tree = layout.find(root / "ops" / "domains")
    assert tree is not None
    assert tree.root == root
    for folder, ids in {"ops/domains": commits, ".": commits[-1:], "ops": commits[-1:]}.items():
        for id in ids:
            assert NamesIn().of(tree, folder, id) == as_git_says(root, folder, id)
    assert NamesIn().of(tree, "ops/nowhere", commits[0]) == frozenset()


def test_what_can_not_be_read_is_not_known(tmp_path: Path) -> None:
    first, *_, last = history(tmp_path / "first")
    root = packed(tmp_path / "first")
    tree = layout.find(root)
    assert tree is not None
    names = NamesIn()
    for id in ("0" * 40, "0" * 64, "1" * 40):
        assert names.of(tree, ".", id) is None
    assert names.of(tree, ".", last) is not None
    [pack] = (root / ".git" / "objects" / "pack").glob("*.pack")
    data = pack.read_bytes()
    pack.chmod(0o600)
    for damaged in (data[: len(data) // 2], b"", bytes(len(data)), data[:12] + b"\xff" * (len(data) - 12)):
        pack.write_bytes(damaged)
        NamesIn().of(tree, "ops/domains", first)  # whatever it says, it ends
    assert names.of(tree, ".", last) is not None
