"""What stands in an ``env_file`` or ``label_file`` reaches the container as with Compose, whose variables it uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconciler.compose.converting.convert import Conversion, convert
from reconciler.intent.contents import Source, SourceMissing
from tests.unit.compose.converting.build import Contents, chunks, judge_with, project, service, told


@dataclass(frozen=True)
class Files(Contents):
    texts: Mapping[str, str]

    def read(self, source: Source) -> bytes:
        try:
            return self.text(source.name).encode()
        except FileNotFoundError:
            raise SourceMissing(f"{source} does not exist") from None

    def text(self, path: str) -> str:
        if path not in self.texts:
            raise FileNotFoundError(path)
        return self.texts[path]


def imported(texts: Mapping[str, str], variables: Mapping[str, str] | None = None, **settings: Any) -> Conversion:
    """What becomes of a service ``web`` with these settings, where ``texts`` are the files by their paths."""
    files = Files(texts)
    judge = judge_with(files)
    conversion = convert(
        replace(project({"web": service(**settings)}), variables=variables or {}), judge, read=files.text, partial=True
    )
    assert judge(conversion.text).errors == ()
    return conversion


def made(conversion: Conversion) -> dict[str, Any]:
    return dict(chunks(conversion)["web"]["container"])


ENV = [{"path": "/a.env", "required": True}]


def test_a_file_that_says_it_all_stays_a_file() -> None:
    conversion = imported({"/a.env": "A=1\nB=x${A}\nC='$d'\n"}, {"Z": "z"}, env_file=ENV)
    assert made(conversion)["env_file"] == ["/a.env"]
    assert "environment" not in made(conversion)
    assert told(conversion) == []


def test_a_value_that_hangs_on_a_variable_of_the_project_is_written_out() -> None:
    text = "URL=https://${HOST:-localhost}/\nA=1\n"
    conversion = imported({"/a.env": text}, {"HOST": "example.com"}, env_file=ENV)
    assert made(conversion)["env_file"] == ["/a.env"]
    assert made(conversion)["environment"] == {"URL": "https://example.com/"}
    assert told(conversion) == [("services.web.env_file[0]", "WrittenOut")]


def test_a_file_unreadable_without_the_projects_variables_is_written_out_whole() -> None:
    conversion = imported({"/a.env": "A=1\nDB=pg://${PASSWORD}@db\n"}, {"PASSWORD": "a$b"}, env_file=ENV)
    assert "env_file" not in made(conversion)
    assert made(conversion)["environment"] == {"A": "1", "DB": "pg://a$$b@db"}
    assert conversion.losses == ()


def test_a_dollar_sign_that_compose_takes_for_nothing_stays_nothing() -> None:
    conversion = imported({"/a.env": "PASSWORD=ab$cd\n"}, env_file=ENV)
    assert made(conversion)["environment"] == {"PASSWORD": "ab"}
    assert "PASSWORD" in conversion.remarks[1].message
    assert "cd" not in conversion.remarks[1].message


def test_a_name_alone_has_its_value_from_the_project() -> None:
    conversion = imported({"/a.env": "TOKEN\nNONE\n"}, {"TOKEN": "t"}, env_file=ENV)
    assert made(conversion)["environment"] == {"TOKEN": "t"}


def test_the_container_itself_says_more_than_its_files() -> None:
    environment = {"A": "own", "N": None}
    conversion = imported({"/a.env": "A=$X\nN=$X\nB=$A\n"}, {"X": "x"}, env_file=ENV, environment=environment)
    assert made(conversion)["environment"] == {"A": "own", "N": None, "B": "own"}


def test_of_two_files_the_later_counts() -> None:
    texts = {"/a.env": "A=$X\nB=$X\n", "/b.env": "A=b\n"}
    files = [*ENV, {"path": "/b.env", "required": True}]
    conversion = imported(texts, {"X": "x"}, env_file=files)
    container = made(conversion)
    assert container["environment"]["B"] == "x"
    assert container["environment"].get("A", "b") == "b"
    assert container["env_file"] == ["/b.env"]


def test_what_is_written_out_changes_nothing_in_the_files_that_stay() -> None:
    texts = {"/a.env": "A=${X:-1}\n", "/b.env": "A=5\nC=$A\nA=7\n"}
    files = [*ENV, {"path": "/b.env", "required": True}]
    conversion = imported(texts, {"X": "5"}, env_file=files)
    assert made(conversion)["environment"] == {"A": "7", "C": "5"}
    assert "env_file" not in made(conversion)


def test_a_raw_file_has_no_variables() -> None:
    conversion = imported({"/a.env": "A=$X'\n"}, {"X": "x"}, env_file=[{**ENV[0], "format": "raw"}])
    assert made(conversion)["env_file"] == [{"path": "/a.env", "format": "raw"}]
    assert told(conversion) == []


def test_a_file_that_need_not_be_there_stays_where_it_is_not() -> None:
    conversion = imported({}, {"X": "x"}, env_file=[{"path": "/missing/a.env", "required": False}])
    assert made(conversion)["env_file"] == [{"path": "/missing/a.env", "required": False}]


def test_complaints_about_a_file_name_it_also_behind_one_that_was_written_out() -> None:
    texts = {"/a.env": "A=$X\n", "/b.env": "A 1\n"}
    files = [*ENV, {"path": "/b.env", "required": True}]
    conversion = imported(texts, {}, env_file=files)
    assert ("services.web.env_file[1]", "BadEnvFile") in told(conversion, loss=True)


def test_labels_are_written_out_as_well() -> None:
    conversion = imported({"/l": "a=$X\nb=1\n"}, {"X": "x"}, label_file=["/l"], labels={"b": "2"})
    assert made(conversion)["labels"] == {"b": "2", "a": ""}
    assert "label_file" not in made(conversion)
