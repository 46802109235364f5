"""Which policy is in force: where it comes from, and what keeps pnr from starting."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

import pytest

from reconciler.cli import exits, options
from reconciler.cli.main import main, make_parser
from reconciler.daemon.policy import PolicyUnusable, load_policy, make_policy
from reconciler.daemon.protocol import ServiceOptions
from reconciler.errors import PnrError
from reconciler.policy import Profile
from reconciler.policy.reading import PolicyInvalid


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that nobody else may write to."""
    made = tmp_path / "etc"
    made.mkdir(mode=0o755)
    return made


def service(folder: Path, policy: str | None) -> ServiceOptions:
    """A service with a policy."""
    domains = folder.parent / "domains"
    domains.mkdir(exist_ok=True)
    return ServiceOptions(domains, folder.parent / "state", engine="simulated", policy=policy)


def written(folder: Path, text: str = 'profile = "strict"\n', mode: int = 0o644) -> Path:
    """A policy file."""
    path = folder / "policy.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_without_a_word_it_is_the_standard_profile(folder: Path) -> None:
    assert load_policy(service(folder, None)).profile is Profile.STANDARD


@pytest.mark.parametrize("profile", list(Profile))
def test_a_profile_is_named(folder: Path, profile: Profile) -> None:
    assert load_policy(service(folder, str(profile))).profile is profile


def test_a_file_is_read(folder: Path) -> None:
    path = written(folder, 'profile = "strict"\nlimits.cpus = 2\n')
    policy = load_policy(service(folder, str(path)))
    assert policy.profile is Profile.STRICT
    assert policy.origin("limits.cpus") == f"{path}:2"


@pytest.mark.parametrize("name", ["", "Standard", "opne", "/nowhere/policy.toml"])
def test_a_name_of_nothing_never_falls_back_to_a_profile(folder: Path, name: str) -> None:
    with pytest.raises(PolicyUnusable, match="nothing starts without it"):
        load_policy(service(folder, name))


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646, 0o622])
def test_a_file_that_others_may_write_is_refused(folder: Path, mode: int) -> None:
    with pytest.raises(PolicyUnusable, match="chmod go-w"):
        load_policy(service(folder, str(written(folder, mode=mode))))


def test_a_file_in_a_folder_that_others_may_write_is_refused(folder: Path) -> None:
    path = written(folder)
    folder.chmod(0o777)
    with pytest.raises(PolicyUnusable, match="put another file in its place"):
        load_policy(service(folder, str(path)))
    folder.chmod(0o1777)
    assert load_policy(service(folder, str(path))).profile is Profile.STRICT


def test_a_link_in_a_folder_that_others_may_write_is_refused(folder: Path) -> None:
    path = written(folder)
    shared = folder.parent / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    (shared / "policy.toml").symlink_to(path)
    with pytest.raises(PolicyUnusable, match="put another file in its place"):
        load_policy(service(folder, str(shared / "policy.toml")))


def test_a_link_among_folders_of_ones_own_is_followed(folder: Path) -> None:
    path = written(folder)
    (folder / "link.toml").symlink_to(path)
    assert load_policy(service(folder, str(folder / "link.toml"))).profile is Profile.STRICT


@pytest.mark.parametrize("make", ["folder", "pipe", "dangling"])
def test_what_is_no_file_is_refused(folder: Path, make: str) -> None:
    path = folder / "policy.toml"
    if make == "folder":
        path.mkdir()
    elif make == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(folder / "nothing")
    with pytest.raises(PolicyUnusable):
        load_policy(service(folder, str(path)))


def test_a_file_among_the_domain_files_is_refused(folder: Path) -> None:
    made = service(folder, None)
    path = made.domains / "policy.toml"
    path.write_text('profile = "open"')
    for name in (str(path), str(folder / "link.toml")):
        if name != str(path):
            (folder / "link.toml").symlink_to(path)
        with pytest.raises(PolicyUnusable, match="lies in the directory of the domain files"):
            load_policy(service(folder, name))


@pytest.mark.parametrize("data", [b"\xff\xfe", b'profile = "open"\n# \xff\n', b"x" * 300_000, b"", b"profil = 1"])
def test_what_can_not_be_read_as_a_policy_is_an_error(folder: Path, data: bytes) -> None:
    path = folder / "policy.toml"
    path.write_bytes(data)
    path.chmod(0o644)
    with pytest.raises((PolicyUnusable, PolicyInvalid), match=r"policy\.toml"):
        load_policy(service(folder, str(path)))


def test_pnrs_own_places_are_known_to_the_judge(folder: Path) -> None:
    path = written(folder, 'profile = "standard"\n')
    judge = make_policy(service(folder, str(path)))
    for own in (folder.parent / "state", path, folder.parent / "domains"):
        refused = {refusal.rule for refusal in judge.file(str(own), is_folder=True)}
        assert refused == (set() if own.name == "domains" else {"binds.protected"}), own


# --- the command line -----------------------------------------------------------------------------------------------


@pytest.fixture
def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the policy of the machine would be."""
    path = folder / "policy.toml"
    monkeypatch.setattr(options, "installed_policy", lambda: str(path))
    monkeypatch.delenv("PNR_POLICY", raising=False)
    return path


def args(*words: str) -> Namespace:
    """The options of a command that reads files."""
    return make_parser().parse_args(["validate", *words])


def test_an_option_goes_before_the_environment_and_that_before_the_machines_file(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert options.policy_name(args()) is None
    installed.write_text("")
    assert options.policy_name(args()) == str(installed)
    monkeypatch.setenv("PNR_POLICY", "strict")
    assert options.policy_name(args()) == "strict"
    assert options.policy_name(args("--policy", "open")) == "open"


def test_an_empty_option_is_no_way_past_the_file_of_the_machine(installed: Path, folder: Path) -> None:
    installed.write_text("")
    assert options.policy_name(args("--policy", "")) == ""
    with pytest.raises(PnrError):
        load_policy(service(folder, ""))


def test_a_file_of_the_machine_that_leads_nowhere_counts(installed: Path) -> None:
    installed.symlink_to(installed.parent / "nothing")
    assert options.policy_name(args()) == str(installed)


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (None, 0, "can't be read"),
        ("profile = ", 0o644, "policy.toml:1:"),
        ('profile = "standard"\n[binds]\nalowed = []\n', 0o644, "policy.toml:3: unknown key 'alowed' in [binds]"),
        ('profile = "open"\n', 0o666, "may be written by others"),
    ],
)
@pytest.mark.parametrize("command", ["run", "apply", "plan", "validate"])
def test_a_policy_that_can_not_be_used_keeps_every_command_from_starting(
    folder: Path, text: str | None, mode: int, said: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        written(folder, text, mode)
    made = service(folder, None)
    words = ["--domains", str(made.domains), "--state", str(made.state), command]
    assert main([*words, "--policy", str(folder / "policy.toml")]) == exits.UNAVAILABLE
    assert said in capsys.readouterr().err
