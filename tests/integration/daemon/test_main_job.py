"""The main job, end to end: files become containers, in order, and stay true."""

from __future__ import annotations

import copy
import io
import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from tests.integration.daemon.conftest import Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


@pytest.fixture
def stand_ins(docker_api: APIClient, busybox_image: str) -> Iterator[Callable[[str, str], None]]:
    """Images under the names of well-known ones, made here; each says in a label that it is a stand-in."""
    made: list[str] = []
    kept: dict[str, str] = {}

    def make(tag: str, command: str) -> None:
        for image in docker_api.images():
            if tag in (image.get("RepoTags") or []):
                # Somebody's real one: it gets its name back at the end.
                kept[tag] = image["Id"]
        file = f'FROM {busybox_image}\nLABEL stand-in="for {tag}, made for tests"\nSTOPSIGNAL SIGKILL\nCMD {command}\n'
        for line in docker_api.build(fileobj=io.BytesIO(file.encode()), tag=tag, rm=True, decode=True):
            assert "error" not in line, line
        made.append(tag)

    yield make
    for tag in made:
        docker_api.remove_image(tag, force=True)
        if tag in kept:
            name, _, version = tag.partition(":")
            docker_api.tag(kept[tag], name, tag=version)


def test_the_articles_file_deploys_byte_for_byte(daemon: Daemon, stand_ins: Callable[[str, str], None]) -> None:
    stand_ins("mongo:latest", '["httpd", "-f", "-p", "27017", "-h", "/www"]')
    (daemon.domains / "dev_stack.json").write_bytes((FIXTURES / "article.json").read_bytes())
    daemon.until(lambda: daemon.settled("dev_stack"), "the article's stack")
    shown = daemon.container("pnr_mongodb")
    assert shown["Config"]["Image"] == "mongo:latest"
    assert shown["HostConfig"]["PortBindings"] == {"27017/tcp": [{"HostIp": "127.0.0.1", "HostPort": "27017"}]}
    assert "pnr_dev_stack" in shown["NetworkSettings"]["Networks"]
    assert daemon.fact("dev_stack", "mongodb_ready") == "Y"
    daemon.until(lambda: 'tv = "Y"' in (daemon.state / "dev_stack.toml").read_text(), "the snapshot to say so")


def test_the_go_programs_file_deploys_and_its_containers_answer_for_themselves(
    daemon: Daemon, busybox_image: str, docker_api: APIClient, stand_ins: Callable[[str, str], None]
) -> None:
    stand_ins("mongo:latest", '["httpd", "-f", "-p", "27017", "-h", "/www"]')
    fact = '{"%s": {"prompt": "?", "response": ["yes"], "tv": "Y"}}'
    checker = "echo | nc pnr_mongodb 27017 && echo '" + fact % "mongodb_connected" + "' > /runtime/mongodb_status.json"
    server = "echo '" + fact % "api_ready" + "' > /runtime/api_status.json; exec httpd -f -p 3000 -h /www"
    for node, command in (("mongodb", checker), ("api", server), ("client", "exec httpd -f -p 80 -h /www")):
        folder = daemon.domains / "nodes" / node
        folder.mkdir(parents=True)
        (folder / "run.sh").write_text(f"#!/bin/sh\n{command}\n")
        (folder / "Dockerfile").write_text(
            f'FROM {busybox_image}\nCOPY run.sh /run.sh\nSTOPSIGNAL SIGKILL\nCMD ["sh", "/run.sh"]\n'
        )
    try:
        (daemon.domains / "dev_stack.json").write_bytes((FIXTURES / "go_program.json").read_bytes())
        daemon.until(lambda: daemon.settled("dev_stack"), "the Go program's stack")
        assert daemon.names("dev_stack") == ["pnr_api_server", "pnr_mongodb", "pnr_mongodb_checker", "pnr_web_client"]
        assert daemon.chunk("dev_stack", "mongodb_checker")["reason"] == "JobSucceeded"
        for key in ("mongodb_status", "mongodb_connected", "api_ready", "client_ready"):
            assert daemon.fact("dev_stack", key) == "Y"
    finally:
        (daemon.domains / "dev_stack.json").unlink()
        daemon.until(lambda: not daemon.names("dev_stack"), "the stack to go")
        for tag in ("pnr_mongodb_checker:latest", "pnr_api:latest", "pnr_web:latest"):
            docker_api.remove_image(tag, force=True)


def test_a_stack_starts_in_order_of_readiness_and_finds_itself_by_chunk_names(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    api = web("api", "db", prefix=name)
    api["health_check"] = {"type": "exec", "command": ["sh", "-c", "echo | nc db 80"]}
    daemon.settle(name, stack(name, web("web", "api", prefix=name), api, web("db", "system_ready", prefix=name)))
    started = [
        entry["chunk"]
        for entry in daemon.journal()
        if entry["kind"] == "action" and entry["message"].startswith("started container")
    ]
    assert started == ["db", "api", "web"]


def test_what_is_done_by_hand_is_put_right(daemon: Daemon, web: Build, unique: Callable[[str], str]) -> None:
    name = unique("shop")
    daemon.settle(name, stack(name, web("a", prefix=name), web("b", prefix=name)))
    other = daemon.run_of(f"{name}_b")
    before = daemon.run_of(f"{name}_a")

    daemon.api.rename(f"{name}_a", f"{name}_elsewhere")
    daemon.until(lambda: f"{name}_a" in daemon.names(name), "the name to come back")
    daemon.api.disconnect_container_from_network(f"{name}_a", f"pnr_{name}")
    daemon.until(
        lambda: f"pnr_{name}" in daemon.container(f"{name}_a")["NetworkSettings"]["Networks"],
        "the network to come back",
    )
    assert daemon.run_of(f"{name}_a") == before

    daemon.api.kill(f"{name}_a")
    daemon.until(lambda: daemon.run_of(f"{name}_a") != before, "a new run")
    daemon.until(lambda: daemon.settled(name), "to settle after the kill")
    daemon.api.stop(f"{name}_a", timeout=0)
    daemon.until(lambda: daemon.container(f"{name}_a")["State"]["Running"], "to run after the stop")
    daemon.api.remove_container(f"{name}_a", force=True)
    daemon.until(lambda: f"{name}_a" in daemon.names(name) and daemon.settled(name), "to be there after the removal")
    assert daemon.run_of(f"{name}_b") == other


def test_only_what_changed_is_replaced(daemon: Daemon, web: Build, unique: Callable[[str], str]) -> None:
    name = unique("shop")
    document = stack(name, web("db", prefix=name), web("api", "db", prefix=name))
    daemon.settle(name, document)
    db, api = daemon.run_of(f"{name}_db"), daemon.run_of(f"{name}_api")
    changed = copy.deepcopy(document)
    changed["cpuxs"]["main"]["design_chunks"][1]["container"]["environment"] = {"COLOUR": "green"}
    daemon.write(name, changed)
    daemon.until(lambda: daemon.domain(name).get("generation") == 2 and daemon.settled(name), "the update")
    assert "COLOUR=green" in daemon.container(f"{name}_api")["Config"]["Env"]
    assert daemon.run_of(f"{name}_api")[0] != api[0]
    assert daemon.run_of(f"{name}_db") == db
    assert daemon.names(name) == [f"{name}_api", f"{name}_db"]


def test_an_update_that_does_not_come_up_is_rolled_back(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    daemon.settle(name, stack(name, web("api", prefix=name)))
    before = daemon.run_of(f"{name}_api")[0]
    broken = web("api", prefix=name, container={"command": ["sh", "-c", "echo no luck; exit 7"]})
    daemon.write(name, stack(name, broken))
    daemon.until(lambda: daemon.chunk(name, "api")["reason"] == "RolledBack", "the roll-back")
    daemon.until(lambda: daemon.fact(name, "api_ready") == "Y", "the previous container to serve")
    assert daemon.run_of(f"{name}_api")[0] == before
    assert "exit code 7" in daemon.chunk(name, "api")["message"]
    daemon.settle(name, stack(name, web("api", prefix=name, container={"environment": {"A": "1"}})))


def test_a_killed_program_goes_on_where_reality_is(daemon: Daemon, web: Build, unique: Callable[[str], str]) -> None:
    name = unique("shop")
    daemon.settle(name, stack(name, web("db", prefix=name), web("api", "db", prefix=name)))
    before = {n: daemon.run_of(n) for n in daemon.names(name)}
    daemon.kill(signal.SIGKILL)
    daemon.start()
    daemon.until(lambda: daemon.settled(name) and daemon.fact(name, "api_ready") == "Y", "to be settled again")
    assert {n: daemon.run_of(n) for n in daemon.names(name)} == before
    daemon.kill(signal.SIGTERM)
    assert {n: daemon.run_of(n) for n in daemon.names(name)} == before
    daemon.start()
    assert daemon.domain(name)["generation"] == 1


def test_a_removed_file_takes_its_stack_down_and_leaves_the_rest(
    daemon: Daemon, web: Build, unique: Callable[[str], str], docker_api: APIClient
) -> None:
    name, other = unique("shop"), unique("side")
    daemon.settle(name, stack(name, web("db", prefix=name), web("api", "db", prefix=name)))
    daemon.settle(other, stack(other, web("x", prefix=other)))
    before = daemon.run_of(f"{other}_x")
    (daemon.domains / f"{name}.json").unlink()
    daemon.until(lambda: not daemon.names(name), "the containers to go")
    daemon.until(lambda: not docker_api.networks(names=[f"pnr_{name}"]), "the network to go")
    daemon.until(lambda: not (daemon.state / f"{name}.toml").exists(), "the snapshot to go")
    assert daemon.run_of(f"{other}_x") == before
    removed = [
        e["chunk"]
        for e in daemon.journal()
        if e["kind"] == "action" and e["message"].startswith("removed container") and e["domain"] == name
    ]
    assert list(dict.fromkeys(removed)) == ["api", "db"]


def test_an_invalid_file_is_shown_with_its_place_and_changes_nothing(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    daemon.settle(name, stack(name, web("db", prefix=name)))
    before = daemon.run_of(f"{name}_db")
    daemon.write(name, '{\n  "name": "' + name + '",\n  "cpux": {}\n}\n')
    daemon.until(lambda: bool(daemon.domain(name).get("errors")), "the error to be shown")
    errors = {error["code"]: error for error in daemon.domain(name)["errors"]}
    unknown = errors["UnknownKey"]
    assert (unknown["file"], unknown["line"], unknown["column"]) == (f"{name}.json", 3, 3)
    assert "cpuxs" in unknown["message"]
    assert "MissingKey" in errors
    assert daemon.run_of(f"{name}_db") == before
    shown = daemon.pnr("status")
    assert "3:" in shown.stdout + shown.stderr
    checked = daemon.pnr("validate", "--json")
    assert checked.returncode == 2
    assert 3 in {error["line"] for error in json.loads(checked.stdout)}
    daemon.settle(name, stack(name, web("db", prefix=name)))


def test_a_foreign_container_under_the_wanted_name_is_named_and_left_alone(
    daemon: Daemon, web: Build, unique: Callable[[str], str], docker_api: APIClient, busybox_image: str
) -> None:
    name = unique("shop")
    foreign = docker_api.create_container(busybox_image, name=f"{name}_db")["Id"]
    try:
        daemon.write(name, stack(name, web("db", prefix=name)))
        daemon.until(lambda: daemon.chunk(name, "db")["reason"] == "NameConflict", "the conflict to be told")
        assert foreign[:12] in daemon.chunk(name, "db")["message"]
        assert foreign[:12] in daemon.pnr("why", "db").stdout
        assert docker_api.inspect_container(foreign)["State"]["Status"] == "created"
    finally:
        docker_api.remove_container(foreign, force=True)
    daemon.until(lambda: daemon.settled(name), "to settle once the name is free")


def test_a_held_port_names_its_holder(
    daemon: Daemon, web: Build, unique: Callable[[str], str], docker_api: APIClient
) -> None:
    import socket

    name = unique("shop")
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        daemon.write(name, stack(name, web("db", prefix=name, container={"ports": {"80": str(port)}})))
        daemon.until(lambda: daemon.chunk(name, "db")["reason"] == "PortInUse", "the port's holder to be told")
        assert str(port) in daemon.chunk(name, "db")["message"]
        assert "python" in daemon.chunk(name, "db")["message"] or "pytest" in daemon.chunk(name, "db")["message"]
    done = daemon.pnr("apply", "--wait")
    assert done.returncode == 0, done.stdout + done.stderr
    assert daemon.settled(name)


def test_a_pull_that_adds_changes_and_removes_domains_is_taken_up(
    daemon: Daemon, web: Build, unique: Callable[[str], str], tmp_path: Path
) -> None:
    def git(*words: str, at: Path) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "init.defaultBranch=main"]
        return subprocess.run(
            ["git", *identity, *words], cwd=at, check=True, capture_output=True, text=True, timeout=60
        ).stdout.strip()

    a, b, c = unique("a"), unique("b"), unique("c")
    upstream = tmp_path / "upstream"
    upstream.mkdir()
    git("init", at=upstream)
    (upstream / f"{a}.json").write_text(json.dumps(stack(a, web("x", prefix=a))))
    (upstream / f"{b}.json").write_text(json.dumps(stack(b, web("x", prefix=b))))
    git("add", ".", at=upstream)
    git("commit", "-m", "one", at=upstream)
    daemon.kill(signal.SIGTERM)
    daemon.domains.rmdir()
    git("clone", str(upstream), str(daemon.domains), at=tmp_path)
    daemon.start()
    daemon.until(lambda: daemon.settled(a) and daemon.settled(b), "both to settle")
    (upstream / f"{a}.json").write_text(json.dumps(stack(a, web("x", prefix=a, container={"environment": {"V": "2"}}))))
    (upstream / f"{b}.json").unlink()
    (upstream / f"{c}.json").write_text(json.dumps(stack(c, web("x", prefix=c))))
    git("add", "-A", ".", at=upstream)
    git("commit", "-m", "two", at=upstream)
    git("pull", "--quiet", at=daemon.domains)
    head = git("rev-parse", "HEAD", at=daemon.domains)
    daemon.until(
        lambda: daemon.settled(c) and daemon.domain(a).get("generation") == 2 and daemon.settled(a),
        "the pull to be true",
    )
    daemon.until(lambda: not daemon.names(b), "b to go")
    daemon.until(lambda: daemon.domain(c).get("commit") == head, "the commit to be named")
    daemon.until(lambda: head in (daemon.state / f"{c}.toml").read_text(), "the snapshot to name it")


CHECKS: list[dict[str, Any]] = [
    {"type": "tcp", "port_key": "80"},
    {"type": "http", "port_key": "80", "path": "/", "expected_code": [200, 204], "body_regex": "ok"},
    {"type": "exec", "command": "echo | nc 127.0.0.1 80"},
    {"type": "log", "pattern": "^listening"},
    {"type": "docker"},
    {"type": "fact"},
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check["type"])
def test_every_health_check_says_yes_to_what_is_up(
    daemon: Daemon, web: Build, unique: Callable[[str], str], check: dict[str, Any]
) -> None:
    name = unique("shop")
    fact = '{"a_ready": {"prompt": "?", "response": ["yes"], "tv": "Y"}}'
    script = f"echo listening; [ -d /runtime ] && echo '{fact}' > /runtime/a.json; exec httpd -f -p 80 -h /www"
    container: dict[str, Any] = {"command": ["sh", "-c", script]}
    if check["type"] == "docker":
        container["healthcheck"] = {"test": ["CMD-SHELL", "echo | nc 127.0.0.1 80"], "interval": "1s"}
    daemon.settle(name, stack(name, web("a", prefix=name, container=container, health_check=check)))
    assert daemon.fact(name, "a_ready") == "Y"
    daemon.api.kill(f"{name}_a")
    daemon.until(lambda: daemon.chunk(name, "a").get("restarts", 0) >= 1 and daemon.settled(name), "to heal")


def test_nothing_listens_behind_a_published_port_and_nobody_is_told_otherwise(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    deaf = web("a", prefix=name, container={"command": ["sleep", "86400"], "ports": ["80"]})
    deaf["health_check"] = {"type": "tcp", "port_key": "80", "failure_threshold": 2}
    daemon.write(name, stack(name, deaf))
    daemon.until(lambda: daemon.fact(name, "a_ready") == "N", "the fact to be denied")
    assert daemon.chunk(name, "a")["state"] == "executing"


def test_a_plan_is_printed_and_nothing_done(daemon: Daemon, web: Build, unique: Callable[[str], str]) -> None:
    name = unique("shop")
    daemon.kill(signal.SIGTERM)
    daemon.write(name, stack(name, web("api", "db", prefix=name), web("db", prefix=name)))
    shown = daemon.pnr("plan")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert shown.stdout.index(f"CreateContainer {name}_db") < shown.stdout.index(f"CreateContainer {name}_api")
    assert daemon.names(name) == []
    applied = daemon.pnr("apply")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert daemon.names(name) == [f"{name}_api", f"{name}_db"]
    again = daemon.pnr("plan")
    assert "CreateContainer" not in again.stdout


def test_a_healthy_web_server_that_breaks_is_noticed_and_restarted(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    chunk = web("a", prefix=name)
    chunk["health_check"] = {
        "type": "http",
        "port_key": "80",
        "path": "/index.html",
        "interval_seconds": 0.5,
        "failure_threshold": 2,
    }
    chunk["container"]["command"] = [
        "sh",
        "-c",
        "mkdir -p /tmp/w; echo ok > /tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w",
    ]
    daemon.settle(name, stack(name, chunk))
    made = daemon.api.exec_create(f"{name}_a", ["rm", "/tmp/w/index.html"])
    daemon.api.exec_start(made["Id"])
    daemon.until(lambda: daemon.chunk(name, "a").get("restarts", 0) >= 1, "the restart")
    daemon.until(lambda: daemon.settled(name), "to be well again")
