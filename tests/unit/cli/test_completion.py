"""What shells complete: the answers, and bash as it asks for them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.cli import exits
from reconciler.cli.commands import COMMANDS
from reconciler.cli.completion_scripts import SCRIPTS
from reconciler.cli.main import main

SNAPSHOT = """\
version = 1
domain = "{domain}"
{more}
[[cpux]]
name = "main"
[[cpux.chunk]]
name = "web"
state = "completed"
[[cpux.chunk]]
name = "{domain}-db"
state = "failed"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory with the state of two domains, of a daemon that does not run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PNR_DOMAINS", raising=False)
    monkeypatch.delenv("PNR_STATE", raising=False)
    (tmp_path / "state").mkdir()
    for domain, more in (("shop", 'held = "its file is gone"'), ("blog", "")):
        (tmp_path / "state" / f"{domain}.toml").write_text(SNAPSHOT.format(domain=domain, more=more))
    (tmp_path / "state" / "broken.toml").write_text("[[[")
    (tmp_path / "shop.json").write_text("{}")
    (tmp_path / "sub").mkdir()
    return tmp_path


class Asked:
    """Asks as the scripts do."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.kind = ""

    def __call__(self, *words: str) -> Mapping[str, str]:
        """The candidates, each with its help."""
        assert main(["completion", "bash", "--", *words]) == exits.OK
        *lines, last = self._capsys.readouterr().out.splitlines()
        assert last[0] == ":"
        self.kind = last[1:]
        return dict(line.split("\t") for line in lines)


@pytest.fixture
def asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> Asked:
    return Asked(capsys)


def test_commands_are_completed_each_with_its_line_of_help(asked: Asked) -> None:
    assert asked("") == {command.name: command.summary for command in COMMANDS}
    assert list(asked("pl")) == ["plan"]
    assert list(asked("--state", "state", "pl")) == ["plan"]
    assert list(asked("policy", "")) == ["explain", "check"]
    assert asked("nonsense", "") == {}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_all_options_of_a_command_are_completed(asked: Asked, command: object) -> None:
    row = next(one for one in COMMANDS if one is command)
    for words, arguments in [
        ([row.name], row.arguments),
        *(([row.name, action.name], action.arguments) for action in row.actions),
    ]:
        wanted = {
            argument.names[-1] if argument.names[-1].startswith("--") else argument.names[0] for argument in arguments
        }
        assert {one for one in wanted if one.startswith("-")} | {"--help", "--domains", "--state"} == set(
            asked(*words, "-")
        )
        assert set(asked(*words, "--")) == set(asked(*words, "-"))


def test_an_option_that_was_given_is_offered_again_only_where_it_may_be_repeated(asked: Asked) -> None:
    assert "--watch" not in asked("status", "--watch", "--")
    assert "--allow-env" in asked("plan", "--allow-env", "HOME", "--")


def test_behind_two_dashes_there_are_no_options(asked: Asked) -> None:
    assert asked("validate", "--", "-") == {}
    assert asked.kind == "files"


def test_option_values_are_completed_in_one_word_in_two_and_as_bash_splits_them(asked: Asked) -> None:
    assert list(asked("plan", "--engine", "d")) == ["docker"]
    assert list(asked("plan", "--engine=d")) == ["--engine=docker"]
    assert list(asked("plan", "--engine", "=")) == ["docker", "simulated"]
    assert list(asked("plan", "--engine", "=", "d")) == ["docker"]
    assert list(asked("plan", "--policy", "")) == ["open", "standard", "strict"]
    assert asked.kind == "files"
    assert list(asked("plan", "--allow-env", "PAT")) == [name for name in sorted(os.environ) if name.startswith("PAT")]
    assert asked("--state", "") == {}
    assert asked.kind == "folders"
    assert asked("apply", "--timeout", "") == {}
    assert asked.kind == ""


def test_domains_are_completed_from_the_state_folder_where_no_daemon_answers(asked: Asked, folder: Path) -> None:
    assert list(asked("status", "")) == ["blog", "shop"]
    assert list(asked("status", "shop", "")) == ["blog"]
    assert list(asked("events", "--domain", "s")) == ["shop"]
    (folder / "state").rename(folder / "elsewhere")
    assert list(asked("status", "")) == []
    assert list(asked("--state", "elsewhere", "status", "b")) == ["blog"]
    assert list(asked("status", "--state=elsewhere", "b")) == ["blog"]


def test_of_removals_only_those_that_are_held_are_offered(asked: Asked) -> None:
    assert asked("confirm-removal", "") == {"shop": "its file is gone"}


def test_chunks_are_completed_by_a_unique_short_name_and_in_full_behind_a_slash(asked: Asked) -> None:
    chunks = {"blog-db": "failed", "shop-db": "failed", "blog/main/web": "completed", "shop/main/web": "completed"}
    assert asked("why", "") == chunks
    assert asked("logs", "--follow", "shop/") == {"shop/main/web": "completed", "shop/main/shop-db": "failed"}
    assert asked("why", "web", "") == {}


def test_files_are_left_to_the_shell(asked: Asked) -> None:
    assert asked("validate", "sh") == {}
    assert asked.kind == "files"
    assert asked("import", "-o", "") == {}
    assert asked.kind == "files"
    assert asked("policy", "check", "policy.toml", "") == {}
    assert asked.kind == ""


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["compl"], ["completion"]),
        (["status", "--wa"], ["--watch"]),
        (["why", "shop/"], ["shop/main/shop-db", "shop/main/web"]),
        (["plan", "--engine", "=", "s"], ["simulated"]),
        (["validate", ""], ["shop.json", "state", "sub"]),
        (["--state", ""], ["state", "sub"]),
        (["apply", "--timeout", ""], []),
    ],
)
def test_bash_completes(folder: Path, words: list[str], wanted: list[str]) -> None:
    program = folder / "bin" / "pnr"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m reconciler "$@"\n')
    program.chmod(0o755)
    (folder / "script").write_text(SCRIPTS["bash"])
    line = (
        'source ./script; COMP_WORDS=(pnr "$@"); COMP_CWORD=$#; _pnr pnr "${COMP_WORDS[COMP_CWORD]}"'
        '; printf "%s\\n" "${COMPREPLY[@]}"; complete -p pnr'
    )
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "--norc", "-c", line, "bash", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    *found, registered = done.stdout.splitlines()
    assert registered == "complete -F _pnr pnr"
    assert sorted(one for one in found if one not in ("", "bin", "script")) == wanted
    assert done.stderr == ""


def test_the_words_to_complete_may_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion"]) == exits.USAGE
    assert capsys.readouterr().err.endswith("the following arguments are required: SHELL\n")


def test_each_shell_has_a_script_that_asks_for_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for shell, script in SCRIPTS.items():
        assert main(["completion", shell]) == exits.OK
        assert capsys.readouterr().out == script
        assert f"completion {shell} -- " in script
