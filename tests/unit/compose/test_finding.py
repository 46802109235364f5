"""Which files a project is made of, its name, its variables and its profiles."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from reconciler.compose.project import ComposeError
from reconciler.compose.reading import load
from tests.unit.compose.reading import problems, project

A = "services: {a: {image: '${IMAGE:-x}'}}\n"
B = "services: {b: {image: y}}\n"


def _write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_the_file_of_the_folder_is_found_with_its_override(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, compose__yaml=A, compose__override__yaml=B)
    monkeypatch.chdir(tmp_path)
    assert set(load([], environment={}).model["services"]) == {"a", "b"}


def test_the_nearest_folder_above_with_a_file_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, compose__yml=A)
    _write(tmp_path / "below" / "further")
    monkeypatch.chdir(tmp_path / "below" / "further")
    assert load([], environment={}).directory == str(tmp_path)


def test_a_folder_that_was_reached_by_a_link_keeps_the_links_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path / "real", compose__yaml=A)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path / "link")
    read = load([], environment={"PWD": str(tmp_path / "link")})
    assert (read.name, read.directory) == ("link", str(tmp_path / "link"))
    (warning,) = read.warnings
    assert warning.message == 'project has been loaded without an explicit name from a symlink. Using name "link"'
    assert load([], environment={"PWD": str(tmp_path)}).name == "real"
    assert load([], environment={"PWD": "/not/there"}).name == "real"


def test_a_folder_can_be_named_instead(tmp_path: Path) -> None:
    _write(tmp_path / "shop", docker_compose__yml="", **{"docker-compose.yml": A})
    read = load([], environment={}, project_directory=tmp_path / "shop")
    assert (read.name, read.directory) == ("shop", str(tmp_path / "shop"))


def test_of_several_files_the_first_name_wins_with_a_warning(tmp_path: Path) -> None:
    _write(tmp_path, compose__yaml=A, **{"docker-compose.yml": B})
    read = load([], environment={}, project_directory=tmp_path)
    assert set(read.model["services"]) == {"a"}
    assert any("Found multiple config files" in warning.message for warning in read.warnings)


def test_no_file_at_all_is_told_with_the_names(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match=r"there is no Compose file \(compose.yaml, compose.yml"):
        load([], environment={}, project_directory=tmp_path)


def test_compose_file_names_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, one__yml=A, two__yml=B)
    monkeypatch.chdir(tmp_path)
    assert set(load([], environment={"COMPOSE_FILE": "one.yml:two.yml"}).model["services"]) == {"a", "b"}
    separated = {"COMPOSE_FILE": "one.yml;two.yml", "COMPOSE_PATH_SEPARATOR": ";"}
    assert set(load([], environment=separated).model["services"]) == {"a", "b"}


def test_a_file_can_come_by_standard_input_and_stands_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / ".env").write_text("TAG=7")
    monkeypatch.chdir(shop)
    monkeypatch.setattr(
        "sys.stdin", io.TextIOWrapper(io.BytesIO(b"services: {a: {image: 'x:${TAG}', volumes: ['./d:/d']}}"))
    )
    project = load([Path("-")], environment={})
    assert (project.name, project.model["services"]["a"]["image"]) == ("shop", "x:7")
    assert project.model["services"]["a"]["volumes"][0]["source"] == str(shop / "d")


def test_the_folder_is_that_of_the_first_file_that_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path / "shop", **{"compose.yaml": "services: {a: {image: x}}"})
    monkeypatch.setattr(
        "sys.stdin", io.TextIOWrapper(io.BytesIO(b"services: {b: {image: ''}}\nnetworks: {n: {driver: [1]}}"))
    )
    with pytest.raises(ComposeError) as raised:
        load([Path("-"), tmp_path / "shop" / "compose.yaml"], environment={})
    assert str(raised.value).startswith("-:2:")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"services: {b: {image: y}}")))
    assert load([Path("-"), tmp_path / "shop" / "compose.yaml"], environment={}).directory == str(tmp_path / "shop")


def test_named_env_files_replace_the_folders(tmp_path: Path) -> None:
    _write(tmp_path, compose__yaml=A, one__env="IMAGE=one\n", two__env="IMAGE=two-of-${IMAGE}\n")
    (tmp_path / ".env").write_text("IMAGE=dot\n")
    file = [tmp_path / "compose.yaml"]

    def image(**options: object) -> str:
        return str(load(file, **{"environment": {}, **options}).model["services"]["a"]["image"])  # type: ignore[arg-type]

    assert image() == "dot"
    assert image(env_files=[tmp_path / "one.env", tmp_path / "two.env"]) == "two-of-one"
    assert image(environment={"COMPOSE_ENV_FILES": f"{tmp_path}/one.env"}) == "one"
    assert image(environment={"IMAGE": "outside"}) == "outside"
    assert image(environment={"COMPOSE_DISABLE_ENV_FILE": "true"}) == "x"


@pytest.mark.parametrize(
    ("given", "variable", "written", "name"),
    [
        ("given", "variable", "written", "given"),
        (None, "variable", "written", "variable"),
        (None, None, "Written Name!", "writtenname"),
        (None, None, "${FROM}-x", "there-x"),
        (None, None, None, "folder_1"),
    ],
)
def test_the_name(given: str | None, variable: str | None, written: str | None, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "_Folder_1"
    folder.mkdir()
    text = (f"name: '{written}'\n" if written else "") + "services: {a: {image: '$COMPOSE_PROJECT_NAME'}}\n"
    environment = {"FROM": "there"} | ({"COMPOSE_PROJECT_NAME": variable} if variable else {})
    read = project(folder, text, project_name=given, environment=environment)
    assert (read.name, read.model["name"]) == (name, name)
    assert read.model["services"]["a"]["image"] == name
    assert read.model["networks"]["default"]["name"] == f"{name}_default"


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, A, project_name="Not This")
    assert problem.code == "BadProjectName"


def test_services_without_an_active_profile_are_left_out_and_named(tmp_path: Path) -> None:
    text = "services:\n  a: {image: x}\n  b: {image: y, profiles: [p, q]}\n  c: {image: z, profiles: [r]}\n"
    read = project(tmp_path, text)
    assert (set(read.model["services"]), read.inactive) == ({"a"}, {"b": ("p", "q"), "c": ("r",)})
    assert set(project(tmp_path, text, profiles=["q"]).model["services"]) == {"a", "b"}
    assert set(project(tmp_path, text, profiles=["*"]).model["services"]) == {"a", "b", "c"}
    assert set(project(tmp_path, text, environment={"COMPOSE_PROFILES": "r, p"}).model["services"]) == {"a", "b", "c"}
