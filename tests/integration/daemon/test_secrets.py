"""Secrets and configs, from the file to the container, through the whole daemon; and where they must not show."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from tests.integration.daemon.conftest import Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

CANARIES = {
    name: f"canary-{name}-9d3c71" for name in ("file", "variable", "credential", "age", "env_file", "new", "config")
}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Where the contents lie: beside the domains, not among them."""
    folder = tmp_path / "contents"
    folder.mkdir()
    return folder


@pytest.fixture
def daemon(tmp_path: Path, outside: Path, docker_api: APIClient) -> Iterator[Daemon]:
    """A daemon that was given credentials, a variable and a key for age."""
    running = Daemon(tmp_path, docker_api)
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "token").write_text(CANARIES["credential"])
    identity = tmp_path / "age.key"
    subprocess.run(["age-keygen", "-o", str(identity)], check=True, capture_output=True)
    recipient = next(line.split()[-1] for line in identity.read_text().splitlines() if "public key" in line)
    (outside / "sealed.age").write_bytes(
        subprocess.run(
            ["age", "--encrypt", "--recipient", recipient],
            input=CANARIES["age"].encode(),
            check=True,
            capture_output=True,
        ).stdout
    )
    running.environment |= {
        "CREDENTIALS_DIRECTORY": str(credentials),
        "RUNTIME_DIRECTORY": str(tmp_path / "run"),
        "PNR_AGE_IDENTITY": str(identity),
        "PNR_ALLOWED_ENV": "DB_PASSWORD",
        "DB_PASSWORD": CANARIES["variable"],
    }
    running.start()
    yield running
    running.end(2)


def read(daemon: Daemon, container: str, path: str) -> str:
    """A file as the container sees it."""
    command = daemon.api.exec_create(container, ["cat", path])["Id"]
    return str(daemon.api.exec_start(command).decode())


def shop(name: str, web: Build, *chunks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return stack(name, web("web", prefix=name), *chunks, **more)


def test_all_kinds_of_content_become_files(
    daemon: Daemon, web: Build, unique: Callable[[str], str], outside: Path
) -> None:
    name = unique("shop")
    (outside / "password").write_text(CANARIES["file"])
    script = "#!/bin/sh\necho it runs\n"
    with_all = web(
        "api",
        prefix=name,
        container={
            "secrets": ["password", {"source": "variable", "target": "var"}, "token", "sealed"],
            "configs": [
                {"source": "conf", "target": "/etc/app.conf", "mode": "0440"},
                {"source": "script", "target": "/start.sh", "mode": "0555"},
            ],
        },
    )
    daemon.settle(
        name,
        stack(
            name,
            with_all,
            secrets={
                "password": {"file": "../contents/password"},
                "variable": {"environment": "DB_PASSWORD"},
                "token": {"credential": "token"},
                "sealed": {"age": "../contents/sealed.age"},
            },
            configs={"conf": {"content": "port=${PORT:-80}\n"}, "script": {"content": script}},
        ),
    )
    api = f"{name}_api"
    assert read(daemon, api, "/run/secrets/password") == CANARIES["file"]
    assert read(daemon, api, "/run/secrets/var") == CANARIES["variable"]
    assert read(daemon, api, "/run/secrets/token") == CANARIES["credential"]
    assert read(daemon, api, "/run/secrets/sealed") == CANARIES["age"]
    assert read(daemon, api, "/etc/app.conf") == "port=80\n"
    command = daemon.api.exec_create(api, ["/start.sh"])["Id"]
    assert daemon.api.exec_start(command) == b"it runs\n"


def test_a_changed_content_makes_exactly_those_containers_anew_that_use_it(
    daemon: Daemon, web: Build, unique: Callable[[str], str], outside: Path
) -> None:
    name = unique("shop")
    (outside / "password").write_text("old")
    uses = {"container": {"secrets": ["password"]}}
    document = stack(
        name,
        web("a", prefix=name, **uses),
        web("b", prefix=name),
        web("c", prefix=name, **uses),
        secrets={"password": {"file": "../contents/password"}, "unused": {"file": "../contents/nowhere"}},
    )
    daemon.settle(name, document)
    before = {chunk: daemon.run_of(f"{name}_{chunk}") for chunk in "abc"}

    (outside / "password").write_text("new")
    daemon.until(lambda: daemon.domain(name)["generation"] == 2, "the change to be seen")
    daemon.until(lambda: daemon.settled(name), "to settle with the new content")
    after = {chunk: daemon.run_of(f"{name}_{chunk}") for chunk in "abc"}
    assert [chunk for chunk in "abc" if before[chunk] != after[chunk]] == ["a", "c"]
    assert read(daemon, f"{name}_a", "/run/secrets/password") == "new"

    (outside / "password").touch()
    (outside / "moved").write_text("new")
    daemon.write(name, {**document, "secrets": {"password": {"file": "../contents/moved"}}})
    daemon.until(lambda: '"../contents/moved"' in _stored(daemon, name), "the file to be taken in")
    daemon.until(lambda: daemon.settled(name), "to settle")
    assert {chunk: daemon.run_of(f"{name}_{chunk}") for chunk in "abc"} == after
    assert daemon.domain(name)["generation"] == 2


def _stored(daemon: Daemon, name: str) -> str:
    return (daemon.state / "intents" / f"{name}.intent").read_text()


def test_a_source_that_goes_away_changes_nothing_and_is_told_with_its_place(
    daemon: Daemon, web: Build, unique: Callable[[str], str], outside: Path
) -> None:
    name = unique("shop")
    (outside / "password").write_text("old")
    document = stack(
        name,
        web("a", prefix=name, container={"secrets": ["password"]}),
        secrets={"password": {"file": "../contents/password"}},
    )
    daemon.settle(name, document)
    before = daemon.run_of(f"{name}_a")
    (outside / "password").unlink()
    daemon.until(lambda: bool(daemon.domain(name)["errors"]), "the error to show")
    (error,) = daemon.domain(name)["errors"]
    assert (error["code"], error["path"]) == ("SourceMissing", "secrets.password.file")
    assert error["line"] > 0
    assert str(outside / "password") in error["message"]
    assert daemon.run_of(f"{name}_a") == before

    # Neither does it while nobody was there, and while nothing of it is known.
    daemon.kill()
    daemon.start()
    daemon.until(lambda: bool(daemon.domain(name).get("errors")), "the error to show after the restart")
    daemon.until(lambda: bool(daemon.view()["daemon"].get("engine_up")), "the engine to be seen")
    assert daemon.domain(name)["unknown"]
    assert "everything stays as it is" in daemon.pnr("why", f"{name}/main/a").stdout
    assert daemon.pnr("apply", "--wait").returncode == 2
    assert daemon.run_of(f"{name}_a") == before

    (outside / "password").write_text("old")
    daemon.until(lambda: daemon.settled(name), "to settle when it is back")
    assert daemon.run_of(f"{name}_a") == before


def test_a_daemons_restart_touches_no_container_and_a_hosts_reboot_is_healed(
    daemon: Daemon, web: Build, unique: Callable[[str], str], tmp_path: Path
) -> None:
    name = unique("shop")
    document = stack(
        name,
        web("a", prefix=name, container={"secrets": ["variable"]}),
        secrets={"variable": {"environment": "DB_PASSWORD"}},
    )
    daemon.settle(name, document)
    before = daemon.run_of(f"{name}_a")
    daemon.kill()
    daemon.start()
    daemon.until(lambda: daemon.settled(name), "to settle after the restart")
    assert daemon.run_of(f"{name}_a") == before

    # A reboot: containers end, and what was in memory is gone.
    daemon.kill()
    daemon.api.kill(f"{name}_a")
    for path in sorted((tmp_path / "run").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    daemon.start()
    daemon.until(lambda: daemon.settled(name), "to settle after the reboot")
    assert daemon.run_of(f"{name}_a")[0] == before[0]
    assert read(daemon, f"{name}_a", "/run/secrets/variable") == CANARIES["variable"]


def test_nothing_is_left_of_a_domain_that_goes(
    daemon: Daemon, web: Build, unique: Callable[[str], str], tmp_path: Path, outside: Path
) -> None:
    name = unique("shop")
    (outside / "password").write_text(CANARIES["file"])
    document = stack(
        name,
        web("a", prefix=name, container={"secrets": ["password"]}),
        web("b", prefix=name, container={"secrets": ["password"]}),
        secrets={"password": {"file": "../contents/password"}},
    )
    daemon.settle(name, document)
    other = unique("other")
    daemon.settle(other, stack(other, web("x", prefix=other)))
    (daemon.domains / f"{name}.json").unlink()
    daemon.until(lambda: not daemon.names(name) and not daemon.domain(name), "the domain to go")
    left = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert left == []


def test_no_secret_shows_anywhere_but_in_its_container(
    daemon: Daemon, web: Build, unique: Callable[[str], str], outside: Path, tmp_path: Path
) -> None:
    name = unique("shop")
    (outside / "password").write_text(CANARIES["file"])
    uses = {
        "secrets": ["password", "variable", "token", "sealed"],
        "configs": [{"source": "conf", "target": "/etc/app.conf"}],
    }
    document = stack(
        name,
        web("a", prefix=name, container=uses),
        secrets={
            "password": {"file": "../contents/password"},
            "variable": {"environment": "DB_PASSWORD"},
            "token": {"credential": "token"},
            "sealed": {"age": "../contents/sealed.age"},
        },
        configs={"conf": {"content": "password=${DB_PASSWORD}"}},
    )
    daemon.settle(name, document)
    assert read(daemon, f"{name}_a", "/etc/app.conf") == f"password={CANARIES['variable']}"
    seen: list[str] = [_command_lines()]
    (outside / "password").write_text(CANARIES["new"])
    seen.append(daemon.pnr("plan").stdout)
    daemon.until(lambda: daemon.domain(name)["generation"] == 2, "the change to be seen")
    while not daemon.settled(name):
        seen.append(_command_lines())
    # And while things go wrong: a source that can't be read, one that is broken, one whose name is taken.
    (outside / "sealed.age").write_text(CANARIES["age"])
    daemon.until(lambda: bool(daemon.domain(name)["errors"]), "the error to show")
    seen.append(_command_lines())
    broken = {**document, "secrets": {**document["secrets"], "variable": {"environment": "PATH"}}}
    daemon.write(name, broken)
    daemon.until(
        lambda: any(error["code"] == "VariableNotAllowed" for error in daemon.domain(name)["errors"]), "that error"
    )

    for words in (
        ["plan"],
        ["plan", "--json"],
        ["validate"],
        ["validate", "--json"],
        ["status"],
        ["status", "--json"],
        ["events"],
        ["facts"],
        ["graph"],
        ["why", f"{name}/main/a"],
        ["logs", f"{name}/main/a"],
    ):
        done = daemon.pnr(*words)
        seen.append(f"{words}: {done.stdout} {done.stderr}")
    seen.append((tmp_path / "log").read_text())
    seen.append(json.dumps(daemon.api.inspect_container(f"{name}_a")))
    seen.append(json.dumps(daemon.api.containers(all=True)))
    for path in daemon.state.rglob("*"):
        if path.is_file():
            seen.append(f"{path}: {path.read_bytes()!r}")
    for text in seen:
        for canary in CANARIES.values():
            assert canary not in text


def _command_lines() -> str:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().decode(errors="replace"))
        except OSError:
            continue  # it has ended meanwhile
    return "\n".join(found)
