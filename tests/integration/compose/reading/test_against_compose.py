"""The reader of Compose files reads what Compose reads: whole projects, held against ``docker-compose config``."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.compose import dotenv
from reconciler.compose.reading import load
from reconciler.diagnostics import Diagnostics
from tests.corpus.compose import Sample, folders, samples
from tests.integration.compose.conftest import ENVIRONMENT, Oracle
from tests.integration.compose.reading.normal import as_text, with_files_read_in, without_escapes


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.label)
def test_a_project_is_read_as_compose_reads_it(
    sample: Sample, compose: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = compose(
        sample.directory,
        sample.files,
        profiles=sample.profiles,
        environment=sample.environment,
        env_files=sample.env_files,
        project_name=sample.project_name,
    )
    assert theirs.model is not None, theirs.said
    environment = {**ENVIRONMENT, **sample.environment}
    monkeypatch.chdir(sample.directory)
    monkeypatch.setenv("HOME", ENVIRONMENT["HOME"])
    project = load(
        [Path(file) for file in sample.files],
        environment=environment,
        env_files=[Path(file) for file in sample.env_files],
        profiles=sample.profiles,
        project_name=sample.project_name,
    )
    variables = {**_variables(sample), **environment}
    ours = with_files_read_in(project.model, variables)
    assert as_text(ours) == as_text(without_escapes(theirs.model))
    for warning in (one.message for one in project.warnings):
        assert warning.replace('"', '\\"') in theirs.said or "no shell runs the command" in warning
    for name, service in project.model["services"].items():
        for key in service:
            assert ("services", name, key) in project.places


def _variables(sample: Sample) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in [sample.directory / name for name in sample.env_files or (".env",)]:
        if path.exists():
            found |= dotenv.read(path.read_bytes(), str(path), {**found, **sample.environment}, Diagnostics())
    return found


def test_the_corpus_has_many_shapes() -> None:
    assert len(folders()) >= 25
