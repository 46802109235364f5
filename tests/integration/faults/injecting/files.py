"""Files that are wrong."""

from __future__ import annotations

import json

from tests.integration.faults.scene import Injected, Scene, injects

# Each of these is wrong from the start; ``edited`` makes of it an edit of a file that was in force.


@injects("secret-file-missing")
def _(s: Scene) -> Injected:
    source = str(s.stage.root / "secrets" / "db_password")
    return s.of(s.chunk(secrets=["db_password"]), secrets={"db_password": {"file": source}}, values={"source": source})


@injects("variable-missing")
def _(s: Scene) -> Injected:
    return s.of(s.chunk(environment={"DATABASE_URL": "postgres://${DB_HOST}/shop"}), values={"variable": "DB_HOST"})


@injects("gate-nobody-answers")
def _(s: Scene) -> Injected:
    return s.of(s.chunk("db"), s.chunk(after="database"))


@injects("gate-cycle")
def _(s: Scene) -> Injected:
    return s.of(s.chunk("db", after="web"), s.chunk(after="db"))


@injects("fact-of-missing-domain")
def _(s: Scene) -> Injected:
    gone = f"{s.stage.prefix}_gone"
    # As an edit it changes the container too: what is up already needs no gate for going on as it is.
    return s.of(s.chunk(after=f"{gone}/main/db_ready", environment={"DB": "gone"}), values={"other": gone})


@injects("policy-refuses")
def _(s: Scene) -> Injected:
    return s.of(s.chunk(privileged=True))


@injects("syntax-error")
def _(s: Scene) -> Injected:
    text = json.dumps({"name": s.domain, "cpuxs": {"main": {"design_chunks": [s.chunk()]}}}, indent=1)
    return s.written(text.replace('"flowout"', 'flowout"'))


@injects("conflict-markers")
def _(s: Scene) -> Injected:
    text = json.dumps({"name": s.domain, "cpuxs": {"main": {"design_chunks": [s.chunk()]}}}, indent=1)
    head, tail = text.split('"flowout"', 1)
    return s.written(f'{head}\n<<<<<<< HEAD\n"flowout"\n=======\n"flow_out"\n>>>>>>> feature\n{tail}')


@injects("one-name-in-two-files")
def _(s: Scene) -> Injected:
    first = s.of(s.chunk("db"))
    second = s.of(s.chunk())
    copy = f"{s.domain}_copy.json"
    return Injected(s.domain, {**first.files, copy: second.files[f"{s.domain}.json"]}, {**second.values, "file": copy})


FILES = (
    "secret-file-missing",
    "variable-missing",
    "gate-nobody-answers",
    "gate-cycle",
    "fact-of-missing-domain",
    "policy-refuses",
    "syntax-error",
    "conflict-markers",
    "one-name-in-two-files",
)
"""What is told of a file as it is read: of a new one, and of one that was in force."""
