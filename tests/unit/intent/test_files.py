"""Secrets and configs: their forms, and what of a domain they change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable
from typing import Any

import pytest

from reconciler.intent.contents import Source, SourceKind, SourceMissing
from reconciler.intent.model import Domain, Loaded, MountedFile
from tests.unit.intent.reading import declared, document, read

SECRET = "hunter2hunter2"


class Told:
    """Contents that are told what they are; ``asked`` is what was asked for."""

    def __init__(self, contents: dict[str, str]) -> None:
        self.contents = contents
        self.asked: list[Source] = []

    def read(self, source: Source) -> bytes:
        self.asked.append(source)
        if source.kind is SourceKind.TEXT:
            return source.name.encode()
        if source.name not in self.contents:
            raise SourceMissing(f"{source} does not exist: make it")
        return self.contents[source.name].encode()

    def fingerprint(self, source: Source) -> str:
        return self.fingerprint_of(self.read(source))

    def fingerprint_of(self, content: bytes) -> str:
        return hashlib.sha256(content).hexdigest()

    def stamp(self, source: Source) -> Hashable:
        return None


def contents(**more: str) -> Told:
    return Told({"/srv/domains/key": SECRET, "/srv/domains/app.conf": "a=1", "SECRET": SECRET, **more})


def loaded(container: dict[str, Any], told: Told | None = None, **top: Any) -> Loaded:
    return read(document(declared(container=container), **top), contents=told or contents())


def domain(container: dict[str, Any], told: Told | None = None, **top: Any) -> Domain:
    found = loaded(container, told, **top)
    assert found.errors == ()
    assert found.domain is not None
    return found.domain


def files(container: dict[str, Any], **top: Any) -> tuple[MountedFile, ...]:
    return next(domain(container, **top).chunks()).container.files


def problems(container: dict[str, Any], told: Told | None = None, **top: Any) -> list[tuple[str, str, str]]:
    found = loaded(container, told, **top)
    assert found.domain is None
    return [(problem.where, problem.code, problem.message) for problem in found.errors]


KEY = {"key": {"file": "./key"}}
USE = "cpuxs.main.design_chunks[0].container"


def test_a_secret_is_a_file_below_run_secrets_unless_a_target_says_otherwise() -> None:
    uses: list[Any] = ["key", {"source": "key", "target": "other"}, {"source": "key", "target": "/app/key"}]
    found = files({"secrets": uses}, secrets=KEY)
    assert [file.target for file in found] == ["/app/key", "/run/secrets/key", "/run/secrets/other"]
    assert {(file.mode, file.uid, file.gid, file.secret) for file in found} == {(0o444, None, None, True)}
    assert {file.source for file in found} == {Source(SourceKind.FILE, "/srv/domains/key")}


def test_a_config_is_a_file_at_the_top_unless_a_target_says_otherwise() -> None:
    uses: list[Any] = ["conf", {"source": "conf", "target": "etc/app.conf"}]
    found = files({"configs": uses}, configs={"conf": {"file": "./app.conf"}})
    assert [(file.target, file.secret) for file in found] == [("/conf", False), ("/etc/app.conf", False)]


@pytest.mark.parametrize(
    ("written", "bits"), [("0440", 0o440), ("440", 0o440), ("0o400", 0o400), (288, 0o440), (256, 0o400), (493, 0o755)]
)
def test_a_mode_is_octal_in_quotes_or_the_number_itself(written: str | int, bits: int) -> None:
    assert files({"secrets": [{"source": "key", "mode": written}]}, secrets=KEY)[0].mode == bits


@pytest.mark.parametrize("written", [440, 444, 600, 755])
def test_a_number_that_looks_like_octal_is_asked_about(written: int) -> None:
    ((path, code, message),) = problems({"secrets": [{"source": "key", "mode": written}]}, secrets=KEY)
    assert (path, code) == (f"{USE}.secrets[0].mode", "InvalidValue")
    assert f'"0{written}" is meant, write it in quotes' in message


@pytest.mark.parametrize("written", ["888", "1777", "rw", 4096, True, -1])
def test_what_is_no_mode_is_refused(written: Any) -> None:
    assert problems({"secrets": [{"source": "key", "mode": written}]}, secrets=KEY)[0][1] == "InvalidValue"


def test_owners_are_numbers() -> None:
    (file,) = files({"secrets": [{"source": "key", "uid": "103", "gid": 104}]}, secrets=KEY)
    assert (file.uid, file.gid) == ("103", "104")
    assert "number of a user" in problems({"secrets": [{"source": "key", "uid": "www"}]}, secrets=KEY)[0][2]


def test_each_kind_of_source_is_known() -> None:
    kinds: dict[str, dict[str, str]] = {
        "a": {"file": "./x"},
        "b": {"environment": "SECRET"},
        "c": {"credential": "token"},
        "d": {"sops": "./x.enc"},
        "e": {"age": "/etc/x.age"},
    }
    told = contents(**{"/srv/domains/x": "", "token": "", "/srv/domains/x.enc": "", "/etc/x.age": ""})
    made = domain({"secrets": list(kinds)}, told, secrets=kinds)
    assert made.sources == (
        Source(SourceKind.FILE, "/srv/domains/x"),
        Source(SourceKind.ENVIRONMENT, "SECRET"),
        Source(SourceKind.CREDENTIAL, "token"),
        Source(SourceKind.SOPS, "/srv/domains/x.enc"),
        Source(SourceKind.AGE, "/etc/x.age"),
    )


def test_the_content_of_a_config_may_stand_in_the_file_with_variables() -> None:
    (file,) = files(
        {"configs": [{"source": "conf", "target": "/etc/x"}]}, configs={"conf": {"content": "p=${PORT:-80} $$"}}
    )
    assert file.source == Source(SourceKind.TEXT, "p=80 $")
    assert "p=80" not in str(file)


def test_what_no_container_uses_is_not_read() -> None:
    told = contents()
    domain({"secrets": ["key"]}, told, secrets={**KEY, "unused": {"file": "/nowhere"}})
    assert [source.name for source in told.asked] == ["/srv/domains/key"]


def test_a_changed_content_changes_exactly_the_chunks_that_use_it() -> None:
    def digests(told: Told) -> list[tuple[str, str]]:
        chunks = [declared("a", container={"secrets": ["key"]}), declared("b")]
        made = read(document(*chunks, secrets=KEY), contents=told).domain
        assert made is not None
        return [(chunk.container.digest, chunk.container.fixed) for chunk in made.chunks()]

    before, after = digests(contents()), digests(contents(**{"/srv/domains/key": "new"}))
    assert before[0][0] != after[0][0]
    assert before[0][1] != after[0][1]
    assert before[1] == after[1]


def test_the_same_content_from_elsewhere_changes_nothing() -> None:
    told = contents(**{"/elsewhere": SECRET})
    one = domain({"secrets": ["key"]}, told, secrets=KEY)
    other = domain({"secrets": ["key"]}, told, secrets={"key": {"file": "/elsewhere"}})
    assert one.intent == other.intent


@pytest.mark.parametrize("more", [{"mode": "0400"}, {"uid": "1"}, {"gid": "1"}, {"target": "/x"}])
def test_how_the_file_is_put_there_is_part_of_the_intent(more: dict[str, Any]) -> None:
    plain = domain({"secrets": ["key"]}, secrets=KEY)
    assert domain({"secrets": [{"source": "key", **more}]}, secrets=KEY).intent != plain.intent


def test_a_name_that_is_not_declared_is_told_with_the_nearest_one() -> None:
    ((path, code, message),) = problems({"secrets": ["kye"]}, secrets=KEY)
    assert (path, code) == (f"{USE}.secrets[0]", "UnknownSecret")
    assert "did you mean 'key'" in message
    assert problems({"configs": ["key"]}, secrets=KEY)[0][1] == "UnknownConfig"


@pytest.mark.parametrize(
    ("container", "place"),
    [
        ({"secrets": ["key", "key"]}, "secrets[1]"),
        ({"secrets": ["key"], "configs": [{"source": "conf", "target": "/run/secrets/key"}]}, "configs[0]"),
        ({"secrets": [{"source": "key", "target": "/data"}], "volumes": ["./x:/data"]}, "secrets[0]"),
        ({"secrets": [{"source": "key", "target": "/runtime"}]}, "secrets[0]"),
    ],
)
def test_two_things_in_one_place_are_refused(container: dict[str, Any], place: str) -> None:
    ((path, code, _),) = problems(container, secrets=KEY, configs={"conf": {"file": "./app.conf"}})
    assert (path, code) == (f"{USE}.{place}", "DuplicateTarget")


@pytest.mark.parametrize(
    ("entry", "path", "said"),
    [
        ({}, "secrets.key", "where its content comes from is missing"),
        ({"name": "x"}, "secrets.key", "where its content comes from is missing"),
        ({"file": "a", "environment": "B"}, "secrets.key.environment", "file says where the content is already"),
        ({"external": True}, "secrets.key.external", "Swarm"),
        ({"file": "a", "labels": {"a": "b"}}, "secrets.key.labels", "Swarm"),
        ({"file": "a", "template_driver": "golang"}, "secrets.key.template_driver", "Swarm"),
        ({"file": "a", "driver": "x"}, "secrets.key.driver", "Swarm"),
        ({"content": SECRET}, "secrets.key.content", "must not stand in a domain file"),
        ({"file": "~/key"}, "secrets.key.file", "~ has no meaning"),
        ({"credential": "../x"}, "secrets.key.credential", "not a name of a credential"),
        ({"fil": "a"}, "secrets.key.fil", "did you mean 'file'"),
    ],
)
def test_what_can_not_be_is_told_with_its_place(entry: dict[str, Any], path: str, said: str) -> None:
    found = problems({}, secrets={"key": entry})
    assert path in [place for place, _, _ in found]
    assert any(said in message for _, _, message in found)
    assert not any(SECRET in message for _, _, message in found)


def test_a_variable_of_the_daemon_must_be_allowed() -> None:
    ((path, code, message),) = problems({"secrets": ["key"]}, secrets={"key": {"environment": "HOME"}})
    assert (path, code) == ("secrets.key.environment", "VariableNotAllowed")
    assert "--allow-env HOME" in message


def test_what_can_not_be_read_is_told_with_line_and_column() -> None:
    text = json.dumps(document(declared(container={"secrets": ["key"]}), secrets={"key": {"file": "gone"}}), indent=1)
    found = read(text.encode(), contents=contents())
    (problem,) = found.errors
    assert (problem.code, problem.where) == ("SourceMissing", "secrets.key.file")
    assert text.splitlines()[problem.place.line - 1].strip() == '"file": "gone"'
    assert found.sources == (Source(SourceKind.FILE, "/srv/domains/gone"),)


def test_without_contents_nothing_is_read() -> None:
    found = read(document(declared(container={"secrets": ["key"]}), secrets=KEY))
    assert [problem.code for problem in found.errors] == ["SourceUnreadable"]


def test_files_of_variables_come_first_and_the_domain_file_goes_before() -> None:
    told = contents(
        **{"/srv/domains/a.env": "A=1\nB=1\nC=1\nD=${SECRET:-none}", "/srv/domains/b.env": "B=2\nC=2", "/l": "x=1\ny=1"}
    )
    container = {
        "env_file": ["a.env", {"path": "./b.env"}, {"path": "none.env", "required": False}],
        "env": {"C": "3"},
        "label_file": "/l",
        "labels": {"y": "own"},
    }
    settings = next(domain(container, told).chunks()).container.settings
    assert settings["environment"] == {"A": "1", "B": "2", "C": "3", "D": SECRET}
    assert settings["labels"] == {"x": "1", "y": "own"}


def test_a_file_of_variables_may_refer_to_the_environment_and_to_the_files_before() -> None:
    told = contents(**{"/srv/domains/a.env": "HOST=db\nPORT=1", "/srv/domains/b.env": "URL=${HOST}:${PORT}"})
    container = {"env_file": ["a.env", "b.env"], "environment": {"PORT": "2"}}
    settings = next(domain(container, told).chunks()).container.settings
    assert settings["environment"] == {"HOST": "db", "PORT": "2", "URL": "db:2"}


def test_the_same_variables_from_a_file_and_from_the_domain_file_are_the_same_intent() -> None:
    told = contents(**{"/srv/domains/a.env": "A=1"})
    assert domain({"env_file": "a.env"}, told).intent == domain({"environment": {"A": "1"}}, told).intent


@pytest.mark.parametrize(
    ("container", "place", "code"),
    [
        ({"env_file": "none"}, "env_file", "SourceMissing"),
        ({"env_file": ["none"]}, "env_file[0]", "SourceMissing"),
        ({"env_file": "bad"}, "env_file", "BadEnvFile"),
        ({"label_file": ["own"]}, "label_file[0]", "BadEnvFile"),
    ],
)
def test_a_file_of_variables_that_can_not_be_used_is_told(container: dict[str, Any], place: str, code: str) -> None:
    told = contents(**{"/srv/domains/bad": f"A=1\nB='{SECRET}", "/srv/domains/own": "io.pnr.domain=x"})
    ((path, found, message),) = problems(container, told)
    assert (path, found) == (f"{USE}.{place}", code)
    assert SECRET not in message


def test_a_file_of_variables_is_read_once_however_often_it_is_named() -> None:
    told = contents(**{"/srv/domains/a.env": "A=1\nB=${A}"})
    chunks = [declared(name, container={"env_file": ["a.env"] * 50}) for name in ("a", "b", "c")]
    found = read(document(*chunks), contents=told)
    assert found.errors == ()
    assert len(told.asked) == 1
    missing = [declared(name, container={"env_file": [{"path": "none", "required": False}]}) for name in ("a", "b")]
    read(document(*missing), contents=told)
    assert len(told.asked) == 2


@pytest.mark.parametrize(
    ("text", "times", "what"),
    [("A=1\n" * 9_999, 11, "lines"), ("A=" + "x" * 1_000_000, 9, "bytes"), ("#\n" * 9_999, 11, "lines")],
    ids=["lines", "bytes", "comments"],
)
def test_what_files_of_variables_hold_is_bounded_in_a_domain(text: str, times: int, what: str) -> None:
    told = contents(**{"/srv/domains/a.env": text})
    chunks = [declared(f"c{number}", container={"env_file": "a.env"}) for number in range(times)]
    assert read(document(*chunks[:-1]), contents=told).errors == ()
    (problem,) = read(document(*chunks, declared("z", container={"env_file": "a.env"})), contents=told).errors
    assert (problem.code, problem.where) == (
        "TooMany",
        f"cpuxs.main.design_chunks[{times - 1}].container.env_file",
    )
    assert f" {what} in this and the files before, each counted as often as it is used" in problem.message


def test_a_config_that_is_not_in_the_list_is_no_secret_of_that_name() -> None:
    assert problems({"secrets": {"key": None}}, secrets=KEY)[0][1] == "InvalidValue"
