"""What could hurt ends in a clear problem, at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.unit.compose.reading import problems, project

_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
_MERGE_BOMB = "x0: &x0 {a: 1}\n" + "".join(
    f"x{n}: &x{n} {{<<: [{', '.join([f'*x{n - 1}'] * 9)}], k{n}: 1}}\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (_BOMB, "TooLarge"),
        (_MERGE_BOMB, "TooLarge"),
        ("x-a: " + "[" * 200 + "]" * 200, "TooDeep"),
        ("".join(f"{' ' * depth}a:\n" for depth in range(200)), "TooDeep"),
        ("x-a: '" + "a" * 1024 * 1024 + "'", "TooLarge"),
        ("x-a: &a [*a]", "Cycle"),
        ("x-a: *nothing", "UnknownAnchor"),
        ("x-a: '" + "${A:-" * 40 + "}" * 40 + "'", "BadInterpolation"),
        ("x-a: '" + "${LONG}" * 2000 + "'", "BadInterpolation"),
        ("x-a: '" + "${A:-}" * 6000 + "'", "BadInterpolation"),
        ("x-a: [" + ("'" + "${LONG}" * 500 + "', ") * 20 + "]", "TooLarge"),
        ("services: {a: {image: \x07}}", "BadYaml"),
    ],
    ids=lambda value: value if len(value) < 20 else value[:12],
)
def test_it_is_refused_with_a_place(text: str, code: str, tmp_path: Path) -> None:
    started = time.monotonic()
    found = problems(tmp_path, text, environment={"LONG": "x" * 1000})
    assert {problem.code for problem in found} == {code}
    assert found[0].place.file.endswith("compose.yaml")
    assert time.monotonic() - started < 60


def test_a_long_line_of_many_variables_is_none_of_these(tmp_path: Path) -> None:
    text = "services: {a: {image: x, command: ['" + "-D${A:-b}=$C " * 500 + "']}}"
    read = project(tmp_path, text, environment={"C": "d"})
    assert read.model["services"]["a"]["command"] == ["-Db=d " * 500]


def test_a_file_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_bytes(b"services:\n  a: {image: '\xff'}\n")
    (problem,) = problems(tmp_path, {})
    assert (problem.code, problem.place.line) == ("BadEncoding", 2)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    files = {f"{n}.yaml": f"include: [{n + 1}.yaml]\n" for n in range(210)}
    found = problems(tmp_path, {"compose.yaml": "include: [0.yaml]\n", **files})
    assert [problem.code for problem in found] == ["TooLarge"]


@pytest.mark.parametrize(
    "resource",
    ["https://github.com/docker/awesome-compose.git", "git@github.com:a/b.git", "oci://registry/app", "github.com/a/b"],
)
def test_a_remote_resource_is_refused_with_what_to_do(resource: str, tmp_path: Path) -> None:
    (included,) = problems(tmp_path, f"include: ['{resource}']\n")
    (extended,) = problems(tmp_path, f"services: {{a: {{extends: {{file: '{resource}', service: a}}}}}}\n")
    for problem in (included, extended):
        assert problem.code == "RemoteResource"
        assert "name the local file" in problem.message
        assert problem.place.line == 1


def test_files_that_are_not_there_are_told_where_they_are_named(tmp_path: Path) -> None:
    text = "services:\n  a:\n    image: x\n    env_file: [no.env]\n    label_file: no.labels\n"
    found = problems(tmp_path, text)
    assert [(problem.place.line, problem.code) for problem in found] == [(4, "NotReadable"), (5, "NotReadable")]
    (included,) = problems(tmp_path, "include: [no.yaml]\n")
    assert (included.place.line, included.code) == (1, "NotReadable")
    (named,) = problems(tmp_path, {}, "nothing.yaml")
    assert named.code == "NotReadable"
    (folder,) = problems(tmp_path, {"folder/x": ""}, "folder")
    assert "it is a folder" in folder.message
