"""The command line: folders, exit codes, help, and what is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

import reconciler
from reconciler.cli import exits
from reconciler.cli.commands import COMMANDS
from reconciler.cli.folders import folders, installed
from reconciler.cli.main import main
from reconciler.cli.reference import commands_page

ROOT = str(Path(reconciler.__file__).parents[1])
NAMES = [command.name for command in COMMANDS]
HEAVY = ("docker", "httpx", "pydantic", "rich", "watchdog", "asyncio", "requests", "transitions", "pathlib")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory, and no folders in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PNR_DOMAINS", raising=False)
    monkeypatch.delenv("PNR_STATE", raising=False)
    return tmp_path


def test_folders_of_the_command_line_win_over_the_environment(elsewhere: Path) -> None:
    env = {"PNR_DOMAINS": "/e/domains", "PNR_STATE": "/e/state"}
    assert folders(Namespace(domains="d"), env) == ("d", "/e/state")
    assert folders(Namespace(), env) == ("/e/domains", "/e/state")


def test_local_folders_win_over_the_installed_service(elsewhere: Path) -> None:
    assert folders(Namespace(), {}) == installed()
    (elsewhere / "domains").mkdir()
    assert folders(Namespace(), {}) == ("domains", "state")


def test_a_named_domains_folder_never_goes_with_the_state_of_the_installed_service(elsewhere: Path) -> None:
    assert folders(Namespace(domains="mine"), {}) == ("mine", "state")
    assert folders(Namespace(state="mine"), {}) == ("domains", "mine")


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_every_platform_has_folders_for_the_service(platform: str) -> None:
    domains, state = installed(platform, {})
    assert "pnr" in domains
    assert domains != state


@pytest.mark.parametrize("order", ["before", "after"])
def test_folders_are_taken_before_and_after_the_command(
    elsewhere: Path, capsys: pytest.CaptureFixture[str], order: str
) -> None:
    option = ["--state", "somewhere"]
    assert main([*option, "status"] if order == "before" else ["status", *option]) == exits.UNAVAILABLE
    assert "somewhere/pnr.sock" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["status", "why", "facts", "logs"])
def test_without_a_daemon_the_command_says_so_and_ends_with_4(
    elsewhere: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main([command, "x"] if command in ("why", "logs") else [command]) == exits.UNAVAILABLE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("pnr: no pnr daemon answers at")
    assert "start one with `pnr run`" in printed.err


@pytest.mark.parametrize(
    "argv", [[], ["stats"], ["status", "--nonsense"], ["why"], ["logs", "x", "--tail", "0"], ["--state"]]
)
def test_wrong_usage_ends_with_64(elsewhere: Path, capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    assert main(argv) == exits.USAGE
    assert "usage: pnr" in capsys.readouterr().err


@pytest.mark.parametrize("command", NAMES)
def test_every_command_has_help_with_an_example_and_its_exit_codes(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main([command, "--help"]) == exits.OK
    text = capsys.readouterr().out
    assert "example" in text
    assert f"  pnr {command}" in text
    assert "exit codes:" in text


@pytest.mark.parametrize("command", [name for name in NAMES if name != "run"])
def test_every_command_that_prints_data_can_print_it_as_json(capsys: pytest.CaptureFixture[str], command: str) -> None:
    main([command, "--help"])
    assert "--json" in capsys.readouterr().out


def test_help_names_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == exits.OK
    text = capsys.readouterr().out
    assert all(f"    {name} " in text for name in NAMES)


@pytest.mark.parametrize("argv", [["status"], ["why", "x"], ["facts"], ["logs", "x"], ["--help"]])
def test_commands_that_only_ask_the_daemon_import_nothing_heavy(tmp_path: Path, argv: list[str]) -> None:
    script = (
        "import sys; before = set(sys.modules); from reconciler.cli.main import main; main(sys.argv[1:]);"
        "print('\\n' + '\\n'.join(sys.modules.keys() - before))"
    )
    command = [sys.executable, "-c", script, "--state", str(tmp_path), *argv]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {name.split(".")[0] for name in done.stdout.splitlines()}
    assert "argparse" in imported
    assert not imported & set(HEAVY)


def test_events_need_no_daemon_and_are_filtered_by_domain(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (elsewhere / "state").mkdir()
    entries = [
        {"at": f"2026-01-01T00:00:0{n}Z", "kind": "intent", "domain": name, "message": f"m{n}"}
        for n, name in enumerate(["a", "b", "a", "b", "a"])
    ]
    lines = "".join(json.dumps(entry) + "\n" for entry in entries)
    (elsewhere / "state" / "events.jsonl").write_text(lines + '{"torn')
    assert main(["events", "--json", "--limit", "2", "--domain", "a"]) == exits.OK
    printed = [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()]
    assert printed == ["m2", "m4"]
    assert main(["events", "--limit", "1"]) == exits.OK
    assert capsys.readouterr().out.endswith("a intent m4\n")


def test_without_a_journal_events_says_so(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events"]) == exits.UNAVAILABLE
    assert "no journal" in capsys.readouterr().err


def test_every_command_and_exit_code_is_in_the_reference() -> None:
    text = (Path(ROOT) / "docs" / "commands.md").read_text(encoding="utf-8")
    assert text == commands_page(text), "docs/commands.md is out of date; run: make docs"
    assert all(f"`pnr {name}" in text for name in NAMES)
    codes = [value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)]
    assert all(f"| {code} |" in text for code in codes)
