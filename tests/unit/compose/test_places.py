"""Everything knows where it was written: what is read, and what is wrong."""

from __future__ import annotations

from pathlib import Path

from tests.unit.compose.reading import problems, project, where

WEB = """\
services:
  web:
    image: nginx
    ports:
      - "8080:80"
    environment:
      - A=1
"""


def _place(read: object, *path: str | int) -> tuple[str, int, int]:
    place = read.places[path]  # type: ignore[attr-defined]
    return Path(place.file).name, place.line, place.column


def test_a_service_and_its_keys_stand_where_their_names_are_written(tmp_path: Path) -> None:
    read = project(tmp_path, WEB)
    assert _place(read, "services", "web") == ("compose.yaml", 2, 3)
    assert _place(read, "services", "web", "image") == ("compose.yaml", 3, 5)
    assert _place(read, "services", "web", "ports", 0) == ("compose.yaml", 5, 9)
    assert _place(read, "services", "web", "ports", 0, "published") == ("compose.yaml", 5, 9)
    assert _place(read, "services", "web", "environment", "A") == ("compose.yaml", 7, 9)


def test_what_a_later_file_says_stands_there(tmp_path: Path) -> None:
    over = "services:\n  web:\n    image: caddy\n    environment:\n      B: 2\n"
    read = project(tmp_path, {"compose.yaml": WEB, "over.yaml": over}, "compose.yaml", "over.yaml")
    assert _place(read, "services", "web", "image") == ("over.yaml", 3, 5)
    assert _place(read, "services", "web", "environment", "A") == ("compose.yaml", 7, 9)
    assert _place(read, "services", "web", "environment", "B") == ("over.yaml", 5, 7)


def test_what_is_extended_stands_in_the_extended_file(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services:\n  web: {extends: {file: base.yaml, service: base}, image: x}\n",
        "base.yaml": "services:\n  base:\n    restart: always\n",
    }
    read = project(tmp_path, files)
    assert _place(read, "services", "web", "restart") == ("base.yaml", 3, 5)
    assert _place(read, "services", "web", "image") == ("compose.yaml", 2, 52)


def test_what_an_anchor_brings_stands_at_the_anchor(tmp_path: Path) -> None:
    text = "x-a: &a\n  restart: always\nservices:\n  web:\n    <<: *a\n    image: x\n"
    assert _place(project(tmp_path, text), "services", "web", "restart") == ("compose.yaml", 2, 3)


def test_all_problems_of_a_file_come_at_once_each_with_its_place(tmp_path: Path) -> None:
    text = "services:\n  web:\n    imagee: x\n    tty: 5\n    ports: 80\n  db:\n    image: [x]\nfoo: 1\n"
    found = problems(tmp_path, text)
    assert [where(problem) for problem in found] == [
        ("compose.yaml", 3, 5, "services.web.imagee"),
        ("compose.yaml", 4, 5, "services.web.tty"),
        ("compose.yaml", 5, 5, "services.web.ports"),
        ("compose.yaml", 7, 5, "services.db.image"),
        ("compose.yaml", 8, 1, "foo"),
    ]
    assert found[0].code == "UnknownKey"
    assert "did you mean image?" in found[0].message
    assert found[1].message == "expected text or true or false, found 5"


def test_problems_of_all_named_files_come_at_once(tmp_path: Path) -> None:
    files = {"a.yaml": "services: {a: {image: x, image: y}}\n", "b.yaml": 'services: {b: {image: "${"}}\n'}
    found = problems(tmp_path, files, "a.yaml", "b.yaml")
    assert [where(problem) for problem in found] == [
        ("a.yaml", 1, 26, "services.a.image"),
        ("b.yaml", 1, 16, "services.b.image"),
    ]
    assert [problem.code for problem in found] == ["DuplicateKey", "BadInterpolation"]


def test_what_does_not_go_together_is_told_with_the_place_of_its_use(tmp_path: Path) -> None:
    text = """\
services:
  web:
    image: x
    depends_on: [nobody, later]
    networks: [nowhere]
    volumes:
      - nothing:/data
    tmpfs: /data
    secrets: [none]
  later:
    image: y
    profiles: [night]
"""
    found = {(where(problem)[3], where(problem)[1], problem.code) for problem in problems(tmp_path, text)}
    assert found == {
        ("services.web.depends_on.nobody", 4, "UnknownService"),
        ("services.web.depends_on.later", 4, "InactiveService"),
        ("services.web.networks.nowhere", 5, "Undeclared"),
        ("services.web.volumes[0]", 7, "Undeclared"),
        ("services.web.volumes[0]", 7, "Conflict"),
        ("services.web.secrets[0]", 9, "Undeclared"),
    }


def test_bad_yaml_is_told_with_line_and_column(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "services:\n  web:\n    image: a: b\n")
    assert where(problem) == ("compose.yaml", 3, 13, "")
    assert problem.message.startswith("this is not YAML: mapping values are not allowed")


def test_a_problem_in_an_env_file_is_told_with_its_line(tmp_path: Path) -> None:
    files = {"compose.yaml": "services: {a: {image: x}}\n", ".env": "A=1\nB C=2\n"}
    (problem,) = problems(tmp_path, files)
    assert where(problem) == (".env", 2, 1, "")


def test_the_error_says_file_line_column_path_and_what(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "services: {a: {image: x, scale: many}}\n")
    assert problem.message == "expected a whole number"
    assert where(problem) == ("compose.yaml", 1, 26, "services.a.scale")


def test_a_value_of_a_variable_is_in_no_message(tmp_path: Path) -> None:
    text = (
        "services:\n  a:\n    image: x\n    scale: ${SECRET}\n    stop_grace_period: ${SECRET}\n"
        "    hostname: ['${SECRET}']\n    restart: '${NOT:?give ${SECRET}}'\n"
    )
    for number in range(3):
        (tmp_path / str(number)).mkdir()
    for number, part in enumerate((text, text.replace("NOT:?", "NOT:-"), text.replace("scale", "mem_limit"))):
        found = problems(tmp_path / str(number), part, environment={"SECRET": "hunter-two"})
        assert found
        assert all("hunter" not in problem.message for problem in found)
