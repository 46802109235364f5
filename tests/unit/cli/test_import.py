"""``pnr import``: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import exits
from reconciler.cli.main import main

COMPOSE = """\
name: shop
services:
  web:
    image: web:${TAG:-1}
    restart: always
    ports: ["8080:80"]
    depends_on: [db]
  db:
    image: db:1
    restart: always
    volumes: [data:/data]
volumes: {data: {}}
"""
LOSSY = COMPOSE.replace("    volumes:", "    post_start: [{command: [a]}]\n    volumes:")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to stand in, without the machine's settings for Compose."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("COMPOSE_", "PNR_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    return tmp_path


def test_the_domain_file_goes_to_standard_output_and_what_is_told_of_it_does_not(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import"]) == exits.OK
    out, err = capsys.readouterr()
    assert json.loads(out)["name"] == "shop"
    assert err == "pnr: 2 chunks\n"


def test_a_file_is_written_that_validate_finds_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "compose.yaml", "-o", "domains/shop.json"]) == exits.OK
    assert capsys.readouterr().out == ""
    assert main(["validate"]) == exits.OK
    assert [path.name for path in (folder / "domains").iterdir()] == ["shop.json"]


def test_into_a_folder_it_is_written_by_the_projects_name(folder: Path) -> None:
    (folder / "domains").mkdir()
    assert main(["import", "-o", "domains"]) == exits.OK
    assert (folder / "domains" / "shop.json").exists()


def test_a_file_that_exists_is_written_over_only_by_force(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "out.json").write_text("precious")
    assert main(["import", "-o", "out.json"]) == exits.USAGE
    assert "--force" in capsys.readouterr().err
    assert (folder / "out.json").read_text() == "precious"
    assert main(["import", "-o", "out.json", "--force"]) == exits.OK
    assert json.loads((folder / "out.json").read_text())["name"] == "shop"


def test_what_has_no_counterpart_is_listed_by_its_place_and_the_rest_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "compose.yaml").write_text(LOSSY)
    assert main(["import", "-o", "out.json"]) == 4
    err = capsys.readouterr().err
    assert f"{folder / 'compose.yaml'}:11:5: services.db.post_start: " in err
    assert "out.json: 2 chunks, 1 thing without counterpart" in err
    assert main(["validate", "out.json"]) == exits.OK


def test_as_json_it_is_data(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "compose.yaml").write_text(LOSSY)
    assert main(["import", "--json"]) == 4
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    (remark,) = told["remarks"]
    assert (remark["line"], remark["column"], remark["path"], remark["code"], remark["severity"]) == (
        *(11, 5, "services.db.post_start"),
        *("NoCounterpart", "loss"),
    )
    assert told["document"]["name"] == told["name"] == "shop"
    assert told["file"] is None
    assert main(["import", "--json", "-o", "out.json"]) == 4
    told = json.loads(capsys.readouterr().out)
    assert "document" not in told
    assert told["file"] == "out.json"


def test_files_that_are_not_valid_are_told_with_all_that_is_wrong(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "compose.yaml").write_text("services:\n  web:\n    imag: a\n  db:\n    image: [1]\n")
    assert main(["import"]) == exits.INVALID
    err = capsys.readouterr().err
    assert "compose.yaml:3:5" in err
    assert "compose.yaml:5:" in err
    assert main(["import", "--json"]) == exits.INVALID
    errors = json.loads(capsys.readouterr().out)["errors"]
    assert {error["line"] for error in errors} == {3, 5}


def test_several_files_and_profiles_and_names_are_those_of_compose(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "more.yaml").write_text("services:\n  debug: {image: 'd:1', restart: always, profiles: [dev]}\n")
    (folder / "my.env").write_text("TAG=7\n")
    argv = [
        "import",
        "-f",
        "compose.yaml",
        "-f",
        "more.yaml",
        "--profile",
        "dev",
        "-p",
        "other",
        "--env-file",
        "my.env",
    ]
    assert main(argv) == exits.OK
    document = json.loads(capsys.readouterr().out)
    chunks = {chunk["name"]: chunk for chunk in document["cpuxs"]["main"]["design_chunks"]}
    assert document["name"] == "other"
    assert set(chunks) == {"web", "db", "debug"}
    assert chunks["web"]["container"]["image"] == "web:7"


def test_a_secret_from_a_variable_is_kept_where_the_variable_is_allowed(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "canary")
    text = "services: {web: {image: 'a:1', restart: always, secrets: [t]}}\nsecrets: {t: {environment: TOKEN}}\n"
    (folder / "compose.yaml").write_text(text)
    assert main(["import"]) == 4
    out, err = capsys.readouterr()
    assert "secrets" not in json.loads(out)
    assert "--allow-env TOKEN" in err
    assert main(["import", "--allow-env", "TOKEN"]) == exits.OK
    out, err = capsys.readouterr()
    assert json.loads(out)["secrets"] == {"t": {"environment": "TOKEN"}}
    assert "canary" not in out + err


def test_a_profile_of_seccomp_is_written_out_as_compose_hands_it_to_the_engine(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "compose.yaml").write_text(
        "services: {web: {image: 'a:1', restart: always, security_opt: ['seccomp:./prof.json', 'seccomp:gone.json']}}\n"
    )
    (folder / "prof.json").write_text('{ "defaultAction": "SCMP_ACT_ALLOW" }')
    assert main(["import", "--policy", "open"]) == 4
    out, err = capsys.readouterr()
    (chunk,) = json.loads(out)["cpuxs"]["main"]["design_chunks"]
    assert chunk["container"]["security_opt"] == ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']
    assert "security_opt[1]" in err


def test_what_the_policy_refuses_is_left_out_with_its_rule(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "compose.yaml").write_text(
        "services:\n  web:\n    image: 'a:1'\n    restart: always\n    privileged: true\n    volumes:\n"
        "      - ./data:/data\n      - /var/run/docker.sock:/var/run/docker.sock\n"
    )
    assert main(["import", "-o", "out.json", "--json"]) == 4
    remarks = json.loads(capsys.readouterr().out)["remarks"]
    assert [(remark["path"], remark["line"], remark["code"]) for remark in remarks] == [
        ("services.web.privileged", 5, "PolicyRefused"),
        ("services.web.volumes[1]", 8, "PolicyRefused"),
    ]
    assert main(["validate", "out.json"]) == exits.OK
    assert main(["import", "-o", "all.json", "--policy", "open"]) == exits.OK
    assert main(["validate", "all.json", "--policy", "open"]) == exits.OK


def test_without_an_engine_nothing_can_be_taken_over(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/none.sock")
    assert main(["import", "--adopt", "-o", "out.json"]) == exits.UNAVAILABLE
    assert "no Docker engine answers" in capsys.readouterr().err
    assert not (folder / "out.json").exists()


def test_a_project_without_anything_for_pnr_says_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "compose.yaml").write_text("services: {web: {provider: {type: cloud}}}\n")
    assert main(["import"]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert "services.web.provider" in err
    assert "nothing of the project" in err
