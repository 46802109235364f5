"""Build contexts on a real file system: what belongs to one, its fingerprint, its archive."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.intent.contents import ContentsError, SourceMissing, SourceTooLarge, folder
from reconciler.intent.model import Build
from reconciler.sources import build_context, context_prints, safe_read
from reconciler.sources.build_context import Entry, pack
from reconciler.sources.contents import LocalContents, Places
from reconciler.sources.context_prints import BuildContexts

HOUR_AGO_NS = 3_600_000_000_000


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A directory with a Dockerfile, an hour old."""
    made = tmp_path / "context"
    (made / "src" / "deep").mkdir(parents=True)
    (made / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (made / "src" / "a.txt").write_text("a\n")
    (made / "src" / "deep" / "b.txt").write_text("b\n")
    (made / "link").symlink_to("src/a.txt")
    age(made)
    return made


def age(root: Path) -> None:
    """Nothing in it was changed just now, as far as its times tell."""
    for path in root.rglob("*"):
        if not path.is_symlink():
            at = path.stat().st_mtime_ns - HOUR_AGO_NS
            os.utime(path, ns=(at, at))


def print_of(context: Path, dockerfile: str | None = None) -> str:
    return BuildContexts().fingerprint(str(context), dockerfile)


def names(build: Build) -> list[str]:
    packed, _ = pack(build)
    with packed, tarfile.open(fileobj=packed) as archive:
        return sorted(archive.getnames())


def link(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a content": lambda c: (c / "src" / "a.txt").write_text("c\n"),
    "a new file": lambda c: (c / "new").write_text(""),
    "a new folder": lambda c: (c / "folder").mkdir(),
    "a file that is gone": lambda c: (c / "src" / "a.txt").unlink(),
    "another name": lambda c: (c / "src" / "a.txt").rename(c / "src" / "z.txt"),
    "a file that may be executed": lambda c: (c / "src" / "a.txt").chmod(0o755),
    "where a link leads to": lambda c: link(c / "link", "src/deep/b.txt"),
    "a file that became a link": lambda c: link(c / "src" / "a.txt", "x"),
    "the Dockerfile": lambda c: (c / "Dockerfile").write_text("FROM other\n"),
    "what is left out": lambda c: (c / ".dockerignore").write_text("src\n"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_fingerprint_changes_with(context: Path, change: Callable[[Path], object]) -> None:
    contexts = BuildContexts()
    before = contexts.fingerprint(str(context), None)
    stamp = contexts.stamp(str(context), None)
    change(context)
    assert contexts.stamp(str(context), None) != stamp
    assert contexts.fingerprint(str(context), None) == print_of(context) != before


def test_the_fingerprint_does_not_change_with_times_place_and_what_is_left_out(context: Path, tmp_path: Path) -> None:
    (context / ".dockerignore").write_text("node_modules\n*.log\n.dockerignore\n")
    before = print_of(context)
    (context / "node_modules").mkdir()
    (context / "node_modules" / "x").write_text("x")
    (context / "y.log").write_text("y")
    (context / ".dockerignore").write_text("# why\nnode_modules\n*.log\n.dockerignore\n")
    age(context)
    assert print_of(context) == before
    assert print_of(context.rename(tmp_path / "elsewhere")) == before


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read for fingerprints, as they are; none of them counts as just changed."""
    found: list[str] = []
    really = context_prints._hash_of

    def noted(entry: Entry) -> bytes:
        found.append(Path(entry.path).name)
        return really(entry)

    monkeypatch.setattr(context_prints, "_hash_of", noted)
    monkeypatch.setattr(context_prints, "_is_fresh", lambda at: False)
    return found


def test_only_what_changed_is_read_again(context: Path, read: list[str]) -> None:
    contexts = BuildContexts()
    contexts.fingerprint(str(context), None)
    assert sorted(read) == ["Dockerfile", "a.txt", "b.txt"]
    read.clear()
    (context / "src" / "a.txt").write_text("longer\n")
    contexts.fingerprint(str(context), None)
    assert read == ["a.txt"]


def test_images_with_dockerfiles_of_their_own_share_what_is_read_of_their_directory(
    context: Path, read: list[str]
) -> None:
    (context / "other.Dockerfile").write_text("FROM other\n")
    contexts = BuildContexts()
    prints = {contexts.fingerprint(str(context), name) for name in (None, "other.Dockerfile", "")}
    assert len(prints) == 3
    assert sorted(read) == ["Dockerfile", "a.txt", "b.txt", "other.Dockerfile"]


def test_in_one_glance_a_directory_is_walked_through_once_for_all(
    context: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (context / "other.Dockerfile").write_text("FROM other\n")
    listed: list[str] = []
    really = safe_read.Folder.listing

    def noted(folder: safe_read.Folder) -> list[tuple[str, bool]]:
        listed.append(Path(folder._path).name)
        return really(folder)

    monkeypatch.setattr(safe_read.Folder, "listing", noted)
    contexts = BuildContexts()
    glance = contexts.glance()
    names = (None, "other.Dockerfile", None)
    found = [(glance.stamp(str(context), name), glance.fingerprint(str(context), name)) for name in names]
    assert sorted(listed) == sorted(["context", "src", "deep"] * 2)  # for the stamp, and for the fingerprint
    assert found == [(contexts.stamp(str(context), name), contexts.fingerprint(str(context), name)) for name in names]
    (context / "src" / "a.txt").write_text("longer\n")
    assert glance.glance().fingerprint(str(context), None) == found[0][1]
    assert contexts.glance().fingerprint(str(context), None) != found[0][1]


def test_who_has_a_list_of_its_own_of_what_is_left_out_has_its_own_fingerprint(context: Path) -> None:
    (context / "other.Dockerfile").write_text("FROM other\n")
    glance = BuildContexts().glance()
    before = glance.fingerprint(str(context), "other.Dockerfile")
    (context / "other.Dockerfile.dockerignore").write_text("src\n")
    (context / "src" / "a.txt").write_text("longer\n")
    assert glance.fingerprint(str(context), "other.Dockerfile") == print_of(context, "other.Dockerfile") != before


def test_what_nobody_builds_from_any_more_is_forgotten(context: Path, read: list[str]) -> None:
    contexts = BuildContexts()
    contexts.fingerprint(str(context), None)
    contexts.forget_others({(str(context), None)})
    contexts.fingerprint(str(context), None)
    assert len(read) == 3
    contexts.forget_others(set())
    contexts.fingerprint(str(context), None)
    assert len(read) == 6


def test_what_changed_a_moment_ago_is_read_once_more(context: Path) -> None:
    contexts = BuildContexts()
    file = context / "src" / "a.txt"
    file.write_text("1\n")
    at = file.stat().st_mtime_ns
    before = contexts.fingerprint(str(context), None)
    file.write_text("2\n")
    os.utime(file, ns=(at, at))
    assert contexts.fingerprint(str(context), None) != before


def test_no_link_is_followed(context: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret\n")
    (context / "folder").symlink_to(outside)
    (context / "file").symlink_to(outside / "secret")
    packed, _ = pack(Build(str(context)))
    with packed, tarfile.open(fileobj=packed) as archive:
        assert "folder/secret" not in archive.getnames()
        assert archive.getmember("folder").issym()
        assert archive.getmember("file").linkname == str(outside / "secret")
    before = print_of(context)
    (outside / "secret").write_text("another\n")
    assert print_of(context) == before


@pytest.fixture(params=["folders held open", "folders by name"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to reach a file: the usual one, and that of Windows, which can't hold folders open."""
    if request.param == "folders by name":
        monkeypatch.setattr(safe_read, "_can_hold_folders", lambda: False)
    return str(request.param)


@pytest.mark.parametrize("exchanged", ["", "src", "src/deep"])
@pytest.mark.parametrize("moment", ["before the first look", "src", "src/a.txt", "src/deep", "src/deep/b.txt"])
@pytest.mark.usefixtures("way")
def test_nothing_from_outside_is_packed_when_a_directory_becomes_a_link_meanwhile(
    context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, exchanged: str
) -> None:
    outside, away = tmp_path / "outside", tmp_path / "away"
    for name in ("a.txt", "b.txt", "src/a.txt", "src/deep/b.txt", "deep/b.txt", "more"):
        (outside / name).parent.mkdir(parents=True, exist_ok=True)
        (outside / name).write_text("secret\n")
    listing, put_in = safe_read.Folder.listing, build_context._pack

    def exchange(now: str) -> None:
        if now == moment and not away.exists():
            (context / exchanged).rename(away)
            (context / exchanged).symlink_to(outside)

    def exchange_and_list(folder: safe_read.Folder) -> list[tuple[str, bool]]:
        exchange("before the first look")
        return listing(folder)

    def exchange_and_put_in(archive: tarfile.TarFile, entry: Entry) -> None:
        exchange(entry.path)
        put_in(archive, entry)

    monkeypatch.setattr(safe_read.Folder, "listing", exchange_and_list)
    monkeypatch.setattr(build_context, "_pack", exchange_and_put_in)
    names, refused = set[str](), ""
    try:
        packed, _ = pack(Build(str(context)))
    except ContentsError as error:
        refused = str(error)
    else:
        with packed, tarfile.open(fileobj=packed) as archive:
            names = set(archive.getnames())
            assert b"secret" not in packed.read()
    assert away.exists()
    assert not refused or "can't be read" in refused
    assert not {name for name in names if name.endswith("more")}


@pytest.mark.usefixtures("way")
def test_a_list_behind_a_link_is_obeyed_and_not_packed(context: Path, tmp_path: Path) -> None:
    (tmp_path / "list").write_text("src\n# secret\n")
    (context / ".dockerignore").symlink_to(tmp_path / "list")
    packed, _ = pack(Build(str(context), dockerfile_inline="FROM here\n"))
    with packed, tarfile.open(fileobj=packed) as archive:
        content = archive.extractfile(".dockerignore")
        assert content is not None
        assert content.read().decode().split() == [".dockerignore", ".pnr.Dockerfile"]
        assert "src" not in archive.getnames()


def test_pipes_and_sockets_are_left_out(context: Path) -> None:
    before = print_of(context)
    os.mkfifo(context / "pipe")
    assert print_of(context) == before
    assert "pipe" not in names(Build(str(context)))


def test_the_archive_has_what_is_not_left_out_and_belongs_to_nobody(context: Path) -> None:
    (context / ".dockerignore").write_text("src/deep\n!src/deep/b.txt\nDockerfile\n.dockerignore\n")
    assert names(Build(str(context))) == [".dockerignore", "Dockerfile", "link", "src", "src/a.txt", "src/deep/b.txt"]
    packed, dockerfile = pack(Build(str(context)))
    assert dockerfile == "Dockerfile"
    with packed, tarfile.open(fileobj=packed) as archive:
        assert {(member.uid, member.gid, member.uname) for member in archive} == {(0, 0, "")}


def test_a_dockerfile_from_elsewhere_is_put_in_and_hidden(context: Path, tmp_path: Path) -> None:
    (tmp_path / "Other").write_text("FROM elsewhere\n")
    packed, dockerfile = pack(Build(str(context), dockerfile="../Other"))
    with packed, tarfile.open(fileobj=packed) as archive:
        content = archive.extractfile(dockerfile)
        ignored = archive.extractfile(".dockerignore")
        assert content is not None
        assert ignored is not None
        assert content.read() == b"FROM elsewhere\n"
        assert dockerfile in ignored.read().decode().splitlines()
        assert "Dockerfile" in archive.getnames()
    before = print_of(context, "../Other")
    (tmp_path / "Other").write_text("FROM somewhere\n")
    assert print_of(context, "../Other") != before


def test_a_dockerfile_in_the_domain_file_needs_none_in_the_directory(context: Path) -> None:
    (context / "Dockerfile").unlink()
    packed, dockerfile = pack(Build(str(context), dockerfile_inline="FROM here\n"))
    with packed, tarfile.open(fileobj=packed) as archive:
        content = archive.extractfile(dockerfile)
        assert content is not None
        assert content.read() == b"FROM here\n"
    assert print_of(context, "")


def test_a_list_beside_the_dockerfile_goes_before(context: Path) -> None:
    (context / ".dockerignore").write_text("src\n")
    (context / "Other").write_text("FROM x\n")
    (context / "Other.dockerignore").write_text("link\n")
    packed = names(Build(str(context), dockerfile="Other"))
    assert "src/a.txt" in packed
    assert "link" not in packed


@pytest.mark.parametrize(
    ("path", "dockerfile", "kind", "said"),
    [
        ("nothing", None, SourceMissing, "there is no directory"),
        ("context/Dockerfile", None, SourceMissing, "there is no directory"),
        ("context/src", None, ContentsError, "there is no Dockerfile"),
        ("context", "nothing", ContentsError, "there is no Dockerfile"),
        ("context", "src", ContentsError, "there is no Dockerfile"),
    ],
)
def test_what_is_missing_is_named(
    context: Path, tmp_path: Path, path: str, dockerfile: str | None, kind: type[ContentsError], said: str
) -> None:
    with pytest.raises(kind, match=said) as caught:
        print_of(tmp_path / path, dockerfile)
    assert str(tmp_path) in str(caught.value)


def test_a_list_that_can_not_be_understood_is_named_with_its_line(context: Path) -> None:
    (context / ".dockerignore").write_text("a\n[b\n")
    with pytest.raises(ContentsError, match=r"\.dockerignore, line 2"):
        print_of(context)


def test_a_directory_with_far_too_much_in_it_is_refused(context: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_context, "MOST_ENTRIES", 3)
    with pytest.raises(SourceTooLarge, match=r"more than 3 files .* \.dockerignore"):
        print_of(context)


def test_names_that_are_no_text_are_fine(context: Path) -> None:
    os.close(os.open(os.fsencode(context) + b"/\xff\xfe", os.O_CREAT | os.O_WRONLY))
    assert print_of(context)
    assert any("\udcff" in name for name in names(Build(str(context))))


def test_contents_know_folders(context: Path) -> None:
    contents = LocalContents(lambda: b"k", Places({}))
    source = folder(str(context), None)
    first, stamp = contents.fingerprint(source), contents.stamp(source)
    assert first == print_of(context)
    assert contents.stamp(source) == stamp or isinstance(stamp, tuple)
    (context / "src" / "a.txt").write_text("changed\n")
    assert contents.stamp(source) != stamp
    assert contents.fingerprint(source) != first
    contents.forget_others([])
    assert contents.fingerprint(source) == print_of(context)


def test_a_folder_that_appears_and_goes_has_other_stamps(tmp_path: Path) -> None:
    contents = LocalContents(lambda: b"k", Places({}))
    source = folder(str(tmp_path / "late"), None)
    with pytest.raises(SourceMissing):
        contents.fingerprint(source)
    missing = contents.stamp(source)
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "Dockerfile").write_text("FROM x\n")
    assert contents.stamp(source) != missing
    assert contents.fingerprint(source)
