"""The canonical model: what is filled in, what is kept in its files, what is warned of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.compose.reading import project


def service(folder: Path, body: str, beside: str = "", **options: Any) -> dict[str, Any]:
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    read = project(folder, f"services:\n  a:\n    image: x\n{lines}{beside}", **options)
    return dict(read.model["services"]["a"])


def test_env_files_stay_files(tmp_path: Path) -> None:
    (tmp_path / "s.env").write_text("PASSWORD=secret\n")
    body = "env_file: [s.env, {path: ./more.env, required: false, format: raw}]\nlabel_file: s.env\nenvironment: [A=1]"
    read = service(tmp_path, body)
    assert read["env_file"] == [
        {"path": f"{tmp_path}/s.env", "required": True},
        {"path": f"{tmp_path}/more.env", "required": False, "format": "raw"},
    ]
    assert read["label_file"] == [f"{tmp_path}/s.env"]
    assert read["environment"] == {"A": "1"}
    assert "labels" not in read


def test_what_a_secret_takes_from_the_environment_is_not_in_the_model(tmp_path: Path) -> None:
    beside = "secrets: {s: {environment: TOKEN}}\nconfigs: {c: {environment: TOKEN}}\n"
    text = f"services: {{a: {{image: x, secrets: [s], configs: [c]}}}}\n{beside}"
    assert "hunter" not in str(project(tmp_path, text, environment={"TOKEN": "hunter2"}).model)


def test_variables_without_a_value_are_taken_from_the_environment(tmp_path: Path) -> None:
    environment = {"HERE": "yes"}
    assert service(tmp_path, "environment: [HERE, NOT]", environment=environment)["environment"] == {
        "HERE": "yes",
        "NOT": None,
    }
    assert service(tmp_path, "environment: {HERE: , NOT: }", environment=environment)["environment"] == {
        "HERE": "yes",
        "NOT": None,
    }
    assert service(tmp_path, "build: {args: [HERE, NOT, A=]}", environment=environment)["build"]["args"] == {
        "HERE": "yes",
        "A": "",
    }


def test_texts_become_numbers_and_truth_values_where_these_are_wanted(tmp_path: Path) -> None:
    body = 'scale: "${N}"\nprivileged: "${T}"\ncpus: "${C}"\nports: [{target: "${P}"}]\nulimits: {nofile: "${N}"}'
    read = service(tmp_path, body, environment={"N": "3", "T": "TRUE", "C": "0.10", "P": "80"})
    assert (read["scale"], read["privileged"], read["cpus"]) == (3, True, 0.1)
    assert read["ports"][0]["target"] == 80
    assert read["ulimits"] == {"nofile": 3}


def test_words_that_only_yaml_1_1_takes_for_truth_are_warned_of(tmp_path: Path) -> None:
    read = project(tmp_path, "services: {a: {image: x, init: yes, tty: 'off', environment: {A: yes}}}\n")
    assert read.model["services"]["a"]["init"] is True
    assert read.model["services"]["a"]["environment"] == {"A": "yes"}
    assert len(read.warnings) == 2


def test_what_compose_warns_of_is_warned_of_once(tmp_path: Path) -> None:
    text = "version: '3'\nservices: {a: {image: 'x$NOT', command: ['${NOT}', $$NOT]}}\n"
    read = project(tmp_path, text)
    assert tuple(warning.message for warning in read.warnings) == (
        'The "NOT" variable is not set. Defaulting to a blank string.',
        f"{tmp_path}/compose.yaml: the attribute `version` is obsolete, it will be ignored, please remove it to avoid"
        " potential confusion",
    )


def test_a_command_that_a_shell_would_have_to_read_is_warned_of(tmp_path: Path) -> None:
    read = project(tmp_path, "services:\n  a:\n    image: x\n    command: serve --now && echo done\n")
    assert read.model["services"]["a"]["command"] == ["serve", "--now"]
    (warning,) = read.warnings
    assert "compose.yaml:4: no shell runs the command" in warning.message


def test_dollar_signs_stand_single_in_the_model(tmp_path: Path) -> None:
    assert service(tmp_path, "command: [echo, $$HOME]")["command"] == ["echo", "$HOME"]


def test_what_no_service_uses_is_left_out(tmp_path: Path) -> None:
    beside = "networks: {n: , m: }\nvolumes: {vol: , w: }\nsecrets: {s: {file: a}}\n"
    text = f"services: {{a: {{image: x, networks: [n], volumes: ['vol:/v']}}}}\n{beside}"
    model = project(tmp_path, text, project_name="p").model
    assert model["networks"] == {"n": {"name": "p_n", "ipam": {}}}
    assert model["volumes"] == {"vol": {"name": "p_vol"}}
    assert "secrets" not in model


@pytest.mark.parametrize(
    ("written", "path"),
    [("./a", "{here}/a"), ("../b", "{above}/b"), ("~/c", "/home/x/c"), ("/d/../e", "/d/../e"), ("C:\\f", "C:\\f")],
)
def test_paths_of_the_host_are_absolute(
    written: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/x")
    read = service(tmp_path, f"volumes: ['{written}:/data']")
    assert read["volumes"][0]["source"] == path.format(here=tmp_path, above=tmp_path.parent)


def test_a_service_may_be_called_anything_that_compose_allows(tmp_path: Path) -> None:
    read = project(
        tmp_path, "services: {self: {image: x, depends_on: [a.b-c_1]}, a.b-c_1: {image: y}, '1': {image: z}}\n"
    )
    assert set(read.model["services"]) == {"self", "a.b-c_1", "1"}
    assert ("services", "a.b-c_1", "image") in read.places


def test_extensions_are_kept_at_the_top_only(tmp_path: Path) -> None:
    text = "x-top: {a: 1.0, when: 2024-05-01}\nservices: {a: {image: x, x-own: 1}}\n"
    model = project(tmp_path, text).model
    assert model["x-top"] == {"a": 1, "when": "2024-05-01T00:00:00Z"}
    assert "x-own" not in model["services"]["a"]
