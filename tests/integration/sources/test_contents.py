"""Contents as they are read on a real machine: files, credentials, and files that tools open."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.intent.contents import (
    MAX_BYTES,
    ContentsError,
    Source,
    SourceKind,
    SourceMissing,
    SourceTooLarge,
    ToolFailed,
    ToolMissing,
)
from reconciler.sources import contents as module
from reconciler.sources.contents import LocalContents, Places
from reconciler.state.key import InstallationKey, KeyUnusable

CANARY = "canary-77aa01"


def of_file(path: Path) -> Source:
    return Source(SourceKind.FILE, str(path))


def local(**places: str) -> LocalContents:
    env = {"PASSWORD": CANARY, "EMPTY": ""}
    return LocalContents(lambda: b"k" * 32, Places(env, **places))


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """``tool("sops", "script")`` puts a program into a PATH of its own; the file that is returned counts its runs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def make(name: str, script: str) -> Path:
        runs = tmp_path / "runs"
        runs.touch()
        program = folder / name
        program.write_text(f'#!/bin/sh\necho "$@" >>{runs}\n{script}\n')
        program.chmod(0o755)
        return runs

    return make


def sealed(tmp_path: Path, kind: SourceKind = SourceKind.SOPS) -> Source:
    path = tmp_path / "sealed"
    path.write_text("not to be read without a tool")
    return Source(kind, str(path))


def test_a_file_is_read_also_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(CANARY)
    (tmp_path / "link").symlink_to(tmp_path / "key")
    assert local().read(of_file(tmp_path / "key")) == CANARY.encode()
    assert local().read(of_file(tmp_path / "link")) == CANARY.encode()


def test_a_variable_and_a_credential_are_read(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(CANARY)
    contents = local(credentials=str(tmp_path))
    assert contents.read(Source(SourceKind.ENVIRONMENT, "PASSWORD")) == CANARY.encode()
    assert contents.read(Source(SourceKind.ENVIRONMENT, "EMPTY")) == b""
    assert contents.read(Source(SourceKind.CREDENTIAL, "token")) == CANARY.encode()


def test_only_allowed_variables_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/pnr.service")
    places = Places.of({**os.environ, "A": "1", "B": "2"}, ("A", "C"))
    assert places == Places({"A": "1"}, "/run/credentials/pnr.service", os.environ.get("PNR_AGE_IDENTITY"))


def test_what_is_missing_says_what_to_do(tmp_path: Path) -> None:
    for source, said in (
        (of_file(tmp_path / "none"), "does not exist: make it"),
        (Source(SourceKind.ENVIRONMENT, "NONE"), "the environment variable NONE is not set"),
        (Source(SourceKind.CREDENTIAL, "token"), "LoadCredential=token:PATH"),
    ):
        with pytest.raises(SourceMissing, match=said):
            local().read(source)


@pytest.mark.parametrize("kind", ["folder", "pipe"])
@pytest.mark.timeout(30)
def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    with pytest.raises(ContentsError, match="not a file"):
        local().read(of_file(path))


def test_what_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"x" * MAX_BYTES)
    assert len(local().read(of_file(path))) == MAX_BYTES
    path.write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(SourceTooLarge):
        local().read(of_file(path))


def test_a_fingerprint_depends_on_the_content_and_the_key_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(CANARY)
    contents = local()
    fingerprint = contents.fingerprint(of_file(tmp_path / "a"))
    assert fingerprint == contents.fingerprint(Source(SourceKind.ENVIRONMENT, "PASSWORD"))
    assert fingerprint == contents.fingerprint_of(CANARY.encode())
    assert fingerprint != LocalContents(lambda: b"o" * 32, Places({})).fingerprint(of_file(tmp_path / "a"))


def test_without_its_key_there_is_no_fingerprint() -> None:
    def key() -> bytes:
        raise KeyUnusable("state/key can't be read")

    with pytest.raises(ContentsError, match="state/key can't be read"):
        LocalContents(key, Places({})).fingerprint_of(b"x")


def test_a_stamp_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    contents = local()
    gone = contents.stamp(of_file(path))
    path.write_text("a")
    first = contents.stamp(of_file(path))
    path.write_text("ab")
    second = contents.stamp(of_file(path))
    replacement = tmp_path / "y"
    replacement.write_text("cd")
    replacement.rename(path)
    assert len({gone, first, second, contents.stamp(of_file(path))}) == 4


def test_what_has_just_changed_is_worth_a_second_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_text("a")
    contents = local()
    now = contents.stamp(of_file(path))
    later = path.stat().st_ctime_ns + module.JUST_NOW_NS + 1
    monkeypatch.setattr("time.time_ns", lambda: later)
    assert contents.stamp(of_file(path)) != now
    assert contents.stamp(of_file(path)) == contents.stamp(of_file(path))


def test_a_real_age_file_is_opened(tmp_path: Path) -> None:
    identity = tmp_path / "age.key"
    subprocess.run(["age-keygen", "-o", str(identity)], check=True, capture_output=True)
    recipient = next(line.split()[-1] for line in identity.read_text().splitlines() if "public key" in line)
    command = ["age", "--encrypt", "--armor", "--recipient", recipient, "--output", str(tmp_path / "x.age")]
    subprocess.run(command, input=CANARY.encode(), check=True, capture_output=True)
    source = Source(SourceKind.AGE, str(tmp_path / "x.age"))
    assert local(age_identity=str(identity)).read(source) == CANARY.encode()
    with pytest.raises(ToolMissing, match="PNR_AGE_IDENTITY names no file"):
        local().read(source)
    with pytest.raises(ToolMissing, match="is not a file"):
        local(age_identity=str(tmp_path / "none")).read(source)
    (tmp_path / "x.age").write_text(CANARY)
    with pytest.raises(ToolFailed, match=r"age ended with 1 .*`age --decrypt`") as caught:
        local(age_identity=str(identity)).read(source)
    assert CANARY not in str(caught.value)


@pytest.fixture
def pgp_key(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The fingerprint of a key in a ring of its own."""
    with tempfile.TemporaryDirectory(prefix="pgp") as ring:  # the path of its agent's socket has to be short
        monkeypatch.setenv("GNUPGHOME", ring)
        # The original SOPS, which speaks the format and PGP that the present one speaks too.
        monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
        make = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", "pnr@example.com", "default"]
        subprocess.run([*make, "default", "never"], check=True, timeout=60)
        listed = subprocess.run(["gpg", "--list-keys", "--with-colons"], check=True, capture_output=True, text=True)
        yield next(line.split(":")[9] for line in listed.stdout.splitlines() if line.startswith("fpr"))
        subprocess.run(["gpgconf", "--kill", "all"], check=True, timeout=60)


def test_sops_opens_what_was_sealed_for_a_key_that_is_here_and_for_no_other(tmp_path: Path, pgp_key: str) -> None:
    plain, path = tmp_path / "plain.txt", tmp_path / "password.txt"
    plain.write_text(CANARY)
    done = subprocess.run(["sops", "--encrypt", "--pgp", pgp_key, str(plain)], check=True, capture_output=True)
    path.write_bytes(done.stdout)
    assert CANARY.encode() not in path.read_bytes()
    contents, source = local(), Source(SourceKind.SOPS, str(path))
    assert contents.read(source) == CANARY.encode()
    delete = ["gpg", "--batch", "--yes", "--delete-secret-keys", pgp_key]
    subprocess.run(delete, check=True, capture_output=True, timeout=60)
    with pytest.raises(ToolFailed, match="sops ended with"):
        local().read(source)


def test_a_tool_is_run_without_a_shell_and_once_a_content(tmp_path: Path, tool: Callable[[str, str], Path]) -> None:
    runs = tool("sops", f"echo {CANARY}; echo noise >&2")
    path = tmp_path / "a b;touch hacked"
    path.write_text("sealed")
    contents, source = local(), Source(SourceKind.SOPS, str(path))
    os.utime(path, ns=(1, 1))
    assert contents.read(source) == f"{CANARY}\n".encode()
    before = contents.stamp(source)
    assert contents.read(source) == f"{CANARY}\n".encode()
    lines = runs.read_text().splitlines()
    assert len(lines) in (1, 2)
    assert all(line.startswith("--decrypt /") and line.endswith(f"/{path.name}") for line in lines)
    assert not (tmp_path / "hacked").exists()
    path.write_text("sealed again")
    assert contents.stamp(source) != before
    count = len(runs.read_text().splitlines())
    contents.read(source)
    assert len(runs.read_text().splitlines()) == count + 1


@pytest.mark.parametrize(("kind", "name"), [(SourceKind.SOPS, "sops"), (SourceKind.AGE, "age")])
def test_a_tool_opens_what_was_judged_and_not_what_has_come_in_its_place(
    tmp_path: Path, tool: Callable[[str, str], Path], kind: SourceKind, name: str
) -> None:
    """Whoever may write there puts a link to the sealed secret of another in its place, once the tool has begun."""
    source, other = sealed(tmp_path, kind), tmp_path / "of-another"
    other.write_text(CANARY)
    tool(name, f'rm {source.name}; ln -s {other} {source.name}; for last; do :; done; cat "$last"')
    (tmp_path / "identity").touch()
    assert local(age_identity=str(tmp_path / "identity")).read(source) == b"not to be read without a tool"


def test_what_is_no_longer_referred_to_is_forgotten(tmp_path: Path, tool: Callable[[str, str], Path]) -> None:
    runs = tool("sops", "echo x")
    contents, source = local(), sealed(tmp_path)
    contents.read(source)
    contents.forget_others(())
    contents.read(source)
    assert len(runs.read_text().splitlines()) == 2


def test_a_tool_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="sops is not installed"):
        local().read(sealed(tmp_path))


def test_what_a_tool_says_is_not_passed_on(tmp_path: Path, tool: Callable[[str, str], Path]) -> None:
    tool("sops", f"echo {CANARY}; echo {CANARY} >&2; exit 3")
    with pytest.raises(ToolFailed, match="sops ended with 3") as caught:
        local().read(sealed(tmp_path))
    assert CANARY not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"


@pytest.mark.timeout(60)
def test_a_tool_that_hangs_is_ended(
    tmp_path: Path, tool: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOOL_SECONDS", 0.3)
    tool("sops", "exec sleep 600")
    with pytest.raises(ToolFailed, match=r"did not end within 0\.3 s"):
        local().read(sealed(tmp_path))
    tool("sops", "exec >&-; exec sleep 600")
    with pytest.raises(ToolFailed, match=r"did not end within 0\.3 s"):
        local().read(sealed(tmp_path))


@pytest.mark.timeout(60)
def test_a_tool_that_never_stops_printing_is_ended(tmp_path: Path, tool: Callable[[str, str], Path]) -> None:
    tool("sops", "exec cat /dev/zero")
    with pytest.raises(SourceTooLarge):
        local().read(sealed(tmp_path))


def test_what_a_tool_could_not_open_is_tried_again_after_a_while(
    tmp_path: Path, tool: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    tool("sops", "exit 1")
    contents, source = local(), sealed(tmp_path)
    os.utime(source.name, ns=(1, 1))
    with pytest.raises(ToolFailed):
        contents.read(source)
    monkeypatch.setattr("time.time_ns", lambda: 1 << 62)
    failed = contents.stamp(source)
    assert contents.stamp(source) == failed
    monkeypatch.setattr(module, "RETRY_SECONDS", 1e-9)
    assert contents.stamp(source) != failed


def test_many_threads_may_read_at_once(tmp_path: Path, tool: Callable[[str, str], Path]) -> None:
    tool("sops", f"printf {CANARY}")
    contents, source = local(), sealed(tmp_path)
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(contents.read(source))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [CANARY.encode()] * 8


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = InstallationKey(tmp_path, make=True)()
    assert len(key) == 32
    assert InstallationKey(tmp_path, make=True)() == key
    assert InstallationKey(tmp_path, make=False)() == key
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_who_changes_nothing_makes_no_key(tmp_path: Path) -> None:
    key = InstallationKey(tmp_path, make=False)
    assert len(key()) == 32
    assert key() == key()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_key_is_told_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(KeyUnusable, match="has 5 bytes and should have 32"):
        InstallationKey(tmp_path, make=True)()
    assert (tmp_path / "key").read_bytes() == b"short"
