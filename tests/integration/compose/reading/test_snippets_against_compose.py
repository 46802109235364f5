"""Many small projects, each about one thing, held against Compose: it takes the same ones, reads the same from them,
warns of the same, and refuses the same ones.

The snippets lie beside this file: settings of one service (``settings.txt``), one file laid over another
(``merges.txt``), strings with variables (``templates.json``), forms of YAML (``yaml.json``), ``.env`` files
(``env_files.json``), and whole small projects with ``extends``, ``include``, profiles and files to be found
(``projects.json``).
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.compose import dotenv
from reconciler.compose.project import ComposeError
from reconciler.compose.reading import load
from reconciler.diagnostics import Diagnostics
from tests.integration.compose.conftest import ENVIRONMENT, Answer, Oracle
from tests.integration.compose.reading.normal import as_text, with_files_read_in, without_escapes

HERE = Path(__file__).parent / "snippets"
_WARNING = re.compile(r'level=warning msg="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Snippet:
    """A project of a few lines. Files that are called ``f…yaml`` are named to both readers, others are found."""

    about: str
    files: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()

    @property
    def named(self) -> list[str]:
        return [name for name in self.files if re.fullmatch(r"f.*\.yaml", name)]

    def written(self, folder: Path) -> Path:
        project = folder / "proj"
        project.mkdir(parents=True)
        for name, text in self.files.items():
            path = project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        return project


def _chunks(name: str) -> list[str]:
    return (HERE / name).read_text().removesuffix("\n").split("\n---\n")


def _service(body: str, beside: str = "", image: str = "    image: x\n") -> str:
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    return f"services:\n  a:\n{image}{lines}{beside}\n"


def settings() -> Iterator[Snippet]:
    around = {"a.env": 'A=1\nB="x $A"\nC\n', "l.env": "L=1\nM=${L}x\n"}
    for chunk in _chunks("settings.txt"):
        body, _, beside = chunk.partition("\nextra\n")
        yield Snippet(chunk, {"f.yaml": _service(body, beside), **around}, {"A": "8080", "PWD": "/p"})


def merges() -> Iterator[Snippet]:
    for chunk in _chunks("merges.txt"):
        base, over = (_half(part) for part in chunk.split("\n<<<\n"))
        yield Snippet(chunk, {"f1.yaml": _service(*base), "f2.yaml": _service(*over, image="")}, {"A": "av"})


def _half(text: str) -> tuple[str, str]:
    """Lines of the service, and behind ``^`` lines beside it."""
    lines = text.split("\n")
    body = "\n".join(line for line in lines if not line.startswith("^"))
    return body, "".join(f"{line[1:]}\n" for line in lines if line.startswith("^"))


def templates() -> Iterator[Snippet]:
    for text in json.loads((HERE / "templates.json").read_text()):
        body = f"environment:\n  V: {json.dumps(text)}"
        yield Snippet(text, {"f.yaml": _service(body)}, {"A": "aval", "E": "", "lower": "low"})


def yaml() -> Iterator[Snippet]:
    for about, text in json.loads((HERE / "yaml.json").read_text()).items():
        yield Snippet(about, {"f.yaml": text}, {"A": "av"})


def env_files() -> Iterator[Snippet]:
    names = "".join(f"\n  {name}: '[${{{name}-unset}}]'" for name in string.ascii_uppercase)
    for text in json.loads((HERE / "env_files.json").read_text()):
        yield Snippet(repr(text), {"f.yaml": _service(f"environment:{names}"), ".env": text}, {"X": "xv", "Y": ""})


def projects() -> Iterator[Snippet]:
    for each in json.loads((HERE / "projects.json").read_text()):
        yield Snippet(each["name"], each["files"], each.get("environment", {}), tuple(each.get("profiles", ())))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("group", [settings, merges, templates, yaml, env_files, projects], ids=lambda g: g.__name__)
def test_snippets_are_read_as_compose_reads_them(
    group: object, compose: Oracle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(group)
    snippets: list[Snippet] = list(group())
    folders = [snippet.written(tmp_path / str(index)) for index, snippet in enumerate(snippets)]

    def ask(index: int) -> Answer:
        snippet = snippets[index]
        answer: Answer = compose(
            folders[index], snippet.named, profiles=snippet.profiles, environment=snippet.environment
        )
        return answer

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(ask, range(len(snippets))))
    monkeypatch.setenv("HOME", ENVIRONMENT["HOME"])
    differences = []
    for snippet, folder, answer in zip(snippets, folders, answers, strict=True):
        monkeypatch.chdir(folder)
        difference = _difference(snippet, folder, answer)
        if difference:
            differences.append(f"{snippet.about}\n{difference}")
    assert len(snippets) > 50
    assert not differences, "\n\n".join(differences)


def _difference(snippet: Snippet, folder: Path, theirs: Answer) -> str:
    environment = {**ENVIRONMENT, **snippet.environment}
    try:
        project = load([Path(name) for name in snippet.named], environment=environment, profiles=snippet.profiles)
    except ComposeError as error:
        if not all(problem.message and problem.place.file for problem in error.errors):
            return f"a problem without a message or a file: {error.errors}"
        return f"refused: {error}" if theirs.model is not None else ""
    if theirs.model is None:
        return f"not refused: {theirs.said}"
    variables = {**_variables(folder, environment), **environment}
    ours, wanted = as_text(with_files_read_in(project.model, variables)), as_text(without_escapes(theirs.model))
    if ours != wanted:
        return f"ours:\n{ours}\nCompose's:\n{wanted}"
    warnings = {one.message for one in project.warnings if not _of_our_own(one.message)}
    wanted_warnings = {json.loads(f'"{said}"') for said in _WARNING.findall(theirs.said)}
    return "" if warnings == wanted_warnings else f"warnings: {warnings}\nCompose's: {wanted_warnings}"


def _of_our_own(warning: str) -> bool:
    """What Compose does without a word is told by the reader."""
    return "no shell runs the command" in warning or "means nothing to Compose" in warning


def _variables(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    path = folder / ".env"
    return dotenv.read(path.read_bytes(), str(path), environment, Diagnostics()) if path.is_file() else {}
