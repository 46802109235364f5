"""On a real engine: names belong to a file, validate is the daemon's judge, and the state directory may be anything."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from docker import APIClient

from tests.integration.daemon.conftest import LIMIT_SECONDS, Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


def errors(daemon: Daemon) -> set[tuple[str, str]]:
    """Of the status: which file has which error."""
    return {(error["file"], error["code"]) for domain in daemon.view()["domains"] for error in domain["errors"]}


def validated(daemon: Daemon) -> set[tuple[str, str]]:
    """The same of `pnr validate`."""
    said = json.loads(daemon.pnr("validate", "--json").stdout)
    return {(problem["file"], problem["code"]) for problem in said if problem["severity"] == "error"}


def test_copies_and_edits_change_nothing_that_runs_and_a_rename_restarts_nothing(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    db, api = web("db", prefix=name), web("api", "db", prefix=name)
    daemon.settle(name, stack(name, db, api))
    runs = [daemon.run_of(f"{name}_{chunk}") for chunk in ("db", "api")]

    def unchanged() -> bool:
        return [daemon.run_of(f"{name}_{chunk}") for chunk in ("db", "api")] == runs

    # Somebody copies the file, whose name sorts first, and forgets to change the domain's name in it.
    daemon.write("a", stack(name, web("db", prefix=name, container={"environment": {"WHO": "a"}})))
    daemon.until(lambda: errors(daemon) == {("a.json", "DuplicateDomain")}, "the copy to be told of")
    # Meanwhile the file that it is of breaks, and the daemon is killed.
    daemon.write(name, "{")
    daemon.until(lambda: len(errors(daemon)) == 2, "both files to be told of")
    daemon.kill()
    daemon.start()
    daemon.until(lambda: ("a.json", "DuplicateDomain") in errors(daemon), "the copy to be told of again")
    assert validated(daemon) == errors(daemon)
    (daemon.domains / "a.json").unlink()
    # An edit takes away who answers what api waits for; another makes them wait for each other.
    for edit, code in (
        (stack(name, api), "UnsatisfiableGate"),
        (stack(name, {**db, **_needs("api")}, api), "GateCycle"),
    ):
        daemon.write(name, edit)
        daemon.until(lambda code=code: errors(daemon) == {(f"{name}.json", code)}, f"{code} to be told")  # type: ignore[misc]
        assert validated(daemon) == errors(daemon)
    assert unchanged()
    # The file gets another name.
    (daemon.domains / f"{name}.json").unlink()
    daemon.write("moved", stack(name, db, api))
    daemon.until(lambda: daemon.domain(name).get("file") == "moved.json" and daemon.settled(name), "the file to move")
    assert unchanged()
    assert errors(daemon) == set()


def _needs(name: str) -> dict[str, dict[str, dict[str, str]]]:
    return {"gatekeeper": {f"{name}_ready": {"prompt": "?", "tv": "Y"}}}


def test_a_state_directory_that_is_spoilt_shared_or_vanishes_costs_no_container(
    daemon: Daemon, web: Build, unique: Callable[[str], str], tmp_path: Path, docker_api: APIClient
) -> None:
    name = unique("shop")
    document = stack(name, web("db", prefix=name))
    daemon.settle(name, document)
    run = daemon.run_of(f"{name}_db")
    daemon.kill(signal.SIGTERM)
    snapshot = daemon.state / f"{name}.toml"
    text = snapshot.read_text()
    assert 'state = "completed"' in text
    spoilt = text.replace('state = "completed"', 'state = "weird"').replace("generation = 1", 'generation = "x"')
    snapshot.write_text(spoilt)
    (daemon.state / "adopted.json").mkdir()
    (daemon.state / "images.json").write_bytes(b"\0\xff")
    (daemon.state / "intents" / "other.intent").write_bytes(b"")
    daemon.start()
    daemon.until(lambda: daemon.settled(name), "the domain to settle on what is left of its snapshot")
    assert (daemon.state / f"{name}.toml.unknown-1").read_text() == spoilt
    told = daemon.tail()
    assert all(file in told for file in (f"{name}.toml.unknown-1", "adopted.json.unknown-1", "images.json"))
    assert any(f"{name}.toml" in note for note in daemon.domain(name)["notes"])
    assert any("other.intent" in note for note in daemon.view()["daemon"]["notes"])
    assert any(e["kind"] == "state" and f"{name}.toml" in e["message"] for e in daemon.journal())

    # A second daemon with a state of its own, and another idea of the domain, leaves it alone.
    (tmp_path / "second").mkdir()
    second = Daemon(tmp_path / "second", docker_api)
    second.write(name, stack(name, web("db", prefix=name, container={"environment": {"WHO": "second"}})))
    second.start()
    try:
        second.until(lambda: errors(second) == {(f"{name}.json", "WorkedOnElsewhere")}, "the second to say so")
        assert f"pid {daemon.process.pid if daemon.process else 0}" in second.domain(name)["errors"][0]["message"]
        assert second.pnr("apply", "--wait", name).returncode == 2
        down = second.pnr("down", name)
        assert (down.returncode, "another pnr" in down.stderr) == (1, True)
    finally:
        second.kill(signal.SIGTERM)

    # The directory vanishes: it is made again, and no other daemon can come to hold it.
    gone = daemon.state.rename(daemon.root / "gone")
    shutil.rmtree(gone, ignore_errors=True)
    daemon.until(lambda: bool(daemon.view()["daemon"]), "the socket to be there again")
    daemon.until(lambda: snapshot.exists() and (daemon.state / "intents" / f"{name}.intent").exists(), "the snapshot")
    refused = daemon.pnr("run")
    assert refused.returncode == 4
    assert "another pnr" in refused.stderr
    assert daemon.run_of(f"{name}_db") == run

    # It vanishes while the daemon can't look, and another one is there first: that one leaves the domain alone, and
    # this one ends with a sentence when it looks.
    first = daemon.process
    assert first is not None
    first.send_signal(signal.SIGSTOP)
    daemon.state.rename(daemon.root / "gone as well")
    try:
        daemon.start()
        daemon.until(lambda: errors(daemon) == {(f"{name}.json", "WorkedOnElsewhere")}, "the other daemon to say so")
    finally:
        first.send_signal(signal.SIGCONT)
    assert first.wait(LIMIT_SECONDS) == 4
    assert "was removed or replaced while this daemon ran" in daemon.tail()
    assert daemon.run_of(f"{name}_db") == run
    # A person need not wait until it is taken over.
    assert daemon.pnr("apply", "--wait", name).returncode == 0
    assert daemon.run_of(f"{name}_db") == run
