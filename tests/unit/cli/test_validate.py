"""``pnr validate`` and ``pnr graph`` on real files, without daemon and engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import exits
from reconciler.cli.main import main


def stack(name: str, *, key: str = "image", wants: str = "system_ready", container: str | None = None) -> str:
    yes = {"prompt": "?", "response": ["yes"], "tv": "Y"}
    chunk: dict[str, Any] = {
        "name": "web",
        "gatekeeper": {wants: yes},
        "container": {"name": container or f"{name}_web", key: "nginx:1"},
    }
    return json.dumps({"name": name, "cpuxs": {"main": {"design_chunks": [chunk]}}}, indent=1)


@pytest.fixture
def domains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty domains directory that commands find by the environment."""
    folder = tmp_path / "domains"
    folder.mkdir()
    monkeypatch.setenv("PNR_DOMAINS", str(folder))
    monkeypatch.delenv("PNR_ALLOWED_ENV", raising=False)
    return folder


def test_valid_files_end_with_0(domains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (domains / "a.json").write_text(stack("a"))
    (domains / ".hidden.json").write_text("{")
    (domains / "notes.txt").write_text("{")
    assert main(["validate"]) == exits.OK
    assert capsys.readouterr().out == "1 file valid\n"


def test_an_error_names_file_line_column_and_path_and_ends_with_2(
    domains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (domains / "a.json").write_text(stack("a"))
    (domains / "b.json").write_text(stack("b", key="imgae"))
    assert main(["validate"]) == exits.INVALID
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("b.json:")
    assert "cpuxs.main.design_chunks[0].container" in first
    assert first.endswith("]")


def test_json_output_has_the_shape_of_the_errors_in_status(domains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (domains / "b.json").write_text(stack("b", key="imgae"))
    assert main(["validate", "--json"]) == exits.INVALID
    for error in json.loads(capsys.readouterr().out):
        assert {"file", "line", "column", "path", "code", "message"} <= error.keys()


def test_clashes_between_domains_are_found(domains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (domains / "a.json").write_text(stack("a", container="same"))
    (domains / "b.json").write_text(stack("b", container="same"))
    assert main(["validate"]) == exits.INVALID
    assert "b.json:" in capsys.readouterr().out


def test_named_files_are_judged_apart_from_the_directory(
    domains: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (domains / "broken.json").write_text("{")
    good = tmp_path / "good.json"
    good.write_text(stack("good"))
    assert main(["validate", str(good)]) == exits.OK
    assert main(["validate", str(tmp_path / "missing.json")]) == exits.INVALID
    assert "missing.json: there is no such file: correct the name [FileMissing]" in capsys.readouterr().out


def test_a_symbolic_link_is_refused_and_a_missing_directory_named(
    domains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (domains / "a.json").symlink_to(domains / "elsewhere.json")
    assert main(["validate"]) == exits.INVALID
    assert "[Symlink]" in capsys.readouterr().out
    assert main(["validate", "--domains", str(domains / "none")]) == exits.UNAVAILABLE
    assert "can't read the domains directory" in capsys.readouterr().err


def test_control_characters_in_a_file_do_not_reach_the_terminal(
    domains: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (domains / "a.json").write_text(stack("a").replace('"image"', '"\\u001b[2Jimage\\u202e"'))
    assert main(["validate"]) == exits.INVALID
    assert all(line.isprintable() for line in capsys.readouterr().out.splitlines())


def test_the_graph_shows_a_gate_that_nobody_answers(domains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (domains / "a.json").write_text(stack("a", wants="never"))
    assert main(["graph"]) == exits.INVALID
    printed = capsys.readouterr()
    assert "a/main/never: no chunk answers it" in printed.out
    assert "UnsatisfiableGate" in printed.err


def with_env_file(name: str, path: str) -> str:
    container = {"env_file": [path], "build_path": "./image"}
    return json.dumps({"name": name, "cpuxs": {"main": {"design_chunks": [{"name": "web", "container": container}]}}})


@pytest.mark.parametrize("options", [[], ["--domains", "."], ["--domains", "nowhere"]])
def test_what_a_named_file_refers_to_is_looked_for_beside_it(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PNR_DOMAINS", str(tmp_path / "installed"))
    for folder in ("one", "two"):
        (tmp_path / folder / "image").mkdir(parents=True)
        (tmp_path / folder / "image" / "Dockerfile").write_text("FROM scratch\n")
        (tmp_path / folder / "app.env").write_text("A=1\n")
        (tmp_path / folder / f"{folder}.json").write_text(with_env_file(folder, "./app.env"))
    monkeypatch.chdir(tmp_path / "one")
    assert main([*options, "validate", "one.json"]) == exits.OK, capsys.readouterr().out
    assert main([*options, "validate", "one.json", "../two/two.json"]) == exits.OK, capsys.readouterr().out
    (tmp_path / "two" / "app.env").unlink()
    assert main([*options, "validate", "one.json", "../two/two.json"]) == exits.INVALID
    assert str(tmp_path / "two" / "app.env") in capsys.readouterr().out
