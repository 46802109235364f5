"""The variables that an imported domain gives its containers from files are those that Compose gives them."""

from __future__ import annotations

import json
from pathlib import Path

from reconciler.compose import dotenv
from reconciler.compose.converting.convert import convert
from reconciler.compose.reading import load
from reconciler.diagnostics import Diagnostics
from reconciler.sources.contents import LocalContents, Places
from tests.integration.compose.conftest import ENVIRONMENT, Oracle
from tests.integration.compose.judging import judge_in
from tests.integration.compose.reading.normal import without_escapes

SNIPPETS = Path(__file__).parent / "snippets" / "env_files.json"
OF_THE_PROJECT = {"X": "xv", "Y": "", "U": "from .env", "B": "b$d"}
OWN = {"OWN": "own", "C": "own c"}


def test_files_of_variables_say_the_same_after_an_import(compose: Oracle, tmp_path: Path) -> None:
    texts = [text for text in json.loads(SNIPPETS.read_text()) if not _refused(text)]
    texts += ["URL=https://${X:-nobody}/$OWN\nA=${B}\nC=$C\nU\n", "Z=${Y:-empty}${Y-set}\nX=own\nLATER=$X\n"]
    assert len(texts) > 50
    (tmp_path / ".env").write_text("".join(f"{name}='{value}'\n" for name, value in OF_THE_PROJECT.items()))
    services = {}
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.env").write_text(text)
        (tmp_path / "before.env").write_text("BEFORE=b\nA=before\n")
        services[f"s{number}"] = {"image": "x", "env_file": ["before.env", f"{number}.env"], "environment": OWN}
    (tmp_path / "compose.yaml").write_text(json.dumps({"name": "p", "services": services}))
    theirs = compose(tmp_path)
    assert theirs.model is not None, theirs.said
    project = load([tmp_path / "compose.yaml"], environment=ENVIRONMENT)
    judge = judge_in(tmp_path, LocalContents(lambda: b"k" * 32, Places.of({}, frozenset())))
    conversion = convert(project, judge, read=lambda path: Path(path).read_text())
    domain = judge(conversion.text).domain
    assert conversion.losses == (), conversion.losses
    assert domain is not None
    found = {chunk.id.chunk: dict(chunk.container.settings)["environment"] for chunk in domain.chunks()}
    wanted = {
        name: _named(service["environment"]) for name, service in without_escapes(theirs.model)["services"].items()
    }
    unlike = {name: (texts[int(name[1:])], found[name], wanted[name]) for name in wanted if found[name] != wanted[name]}
    assert not unlike, "\n".join(map(str, unlike.values()))


def _named(environment: dict[str, str]) -> dict[str, str]:
    """Without what Compose makes of a name alone at the end of a file, which is a value without a name."""
    return {name: value for name, value in environment.items() if name}


def _refused(text: str) -> bool:
    report = Diagnostics()
    found = dotenv.read(text.encode(), "x.env", {**ENVIRONMENT, **OF_THE_PROJECT, **OWN}, report)
    return bool(report.of("error")) or "" in found or "\0" in "".join(found.values())  # which no engine takes
