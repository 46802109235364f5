"""The policy of a daemon: told in the file, kept at the engine, and never laxer than it says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.daemon.conftest import Build, Daemon, daemon, stack, web

pytestmark = pytest.mark.docker

__all__ = ["daemon", "web"]


def errors(daemon: Daemon, name: str) -> list[dict[str, Any]]:
    """What is shown to be wrong with a domain."""
    return list(daemon.domain(name).get("errors") or ())


def again(daemon: Daemon, policy: str) -> None:
    """End the daemon, and start it with another policy."""
    daemon.kill(signal.SIGTERM)
    daemon.environment["PNR_POLICY"] = policy
    daemon.start()


def test_a_refused_change_is_told_in_the_file_and_the_last_good_intent_stays(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    daemon.settle(name, stack(name, web("web", prefix=name)))
    before = daemon.run_of(f"{name}_web")
    wrong = {
        "privileged": True,
        "volumes": ["/etc:/host"],
        "networks": ["lan"],
        "stop_grace_period": "9000h",
        "logging": {"driver": "syslog", "options": {"syslog-address": "unix://x/run/docker.sock"}},
    }
    asked = web("web", prefix=name, container=wrong)
    lan = {"ipam": {"config": [{"subnet": "198.51.100.0/24"}]}}
    file = daemon.write(name, json.dumps(stack(name, asked, networks={"lan": lan}), indent=1))
    daemon.until(lambda: bool(errors(daemon, name)), "the error")
    found = {error["path"].rpartition("container.")[2]: error for error in errors(daemon, name)}
    subnet = "networks.lan.ipam.config[0].subnet"
    assert set(found) == {"privileged", "volumes[0]", "stop_grace_period", "logging", subnet}
    written = {"volumes[0]": "/etc:/host", subnet: "198.51.100.0/24"}
    for path, error in found.items():
        assert error["code"] == "PolicyRefused"
        assert written.get(path, path) in file.read_text().splitlines()[error["line"] - 1]
        assert "profile standard" in error["message"]
    assert daemon.run_of(f"{name}_web") == before
    assert daemon.chunk(name, "web")["state"] == "completed"
    validated = daemon.pnr("validate", "--json")
    assert validated.returncode == 2
    assert {error["code"] for error in json.loads(validated.stdout)} == {"PolicyRefused"}
    planned = daemon.pnr("plan")
    assert planned.returncode == 2
    assert "PolicyRefused" in planned.stdout + planned.stderr
    assert daemon.pnr("validate", "--policy", "open").returncode == 0


def test_a_directory_that_becomes_a_link_is_noticed_and_never_mounted(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    html = daemon.root / "html"
    html.mkdir()
    daemon.settle(name, stack(name, web("web", prefix=name, container={"volumes": [f"{html}:/data"]})))
    before = daemon.run_of(f"{name}_web")
    html.rename(daemon.root / "old")
    html.symlink_to("/etc")
    daemon.until(lambda: bool(errors(daemon, name)), "the error")
    assert {error["code"] for error in errors(daemon, name)} == {"PolicyRefused"}
    assert daemon.run_of(f"{name}_web") == before
    daemon.api.kill(f"{name}_web")
    daemon.until(lambda: daemon.chunk(name, "web")["reason"] == "PolicyRefused", "the refusal of a start")
    assert not daemon.container(f"{name}_web")["State"]["Running"]
    html.unlink()
    (daemon.root / "old").rename(html)
    daemon.until(lambda: not errors(daemon, name), "the error to go")
    assert daemon.pnr("apply", name, "--wait").returncode == 0


def test_a_stricter_policy_stops_nothing_and_makes_nothing_anew(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    daemon.settle(name, stack(name, web("web", prefix=name)))
    before = daemon.run_of(f"{name}_web")
    again(daemon, "strict")
    daemon.until(lambda: bool(errors(daemon, name)), "the error")
    assert {error["code"] for error in errors(daemon, name)} == {"PolicyRefused"}
    assert daemon.run_of(f"{name}_web") == before
    daemon.api.remove_container(f"{name}_web", force=True)
    daemon.pnr("apply", name)
    assert daemon.names(name) == []
    again(daemon, "standard")
    daemon.until(lambda: daemon.settled(name), "the domain to come back")
    again(daemon, "strict")
    assert daemon.pnr("down", name).returncode == 0
    assert daemon.names(name) == []
    again(daemon, "standard")


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (None, 0, "can't be read"),
        ("profile = ", 0o644, "policy.toml:1:"),
        ('profile = "standard"\n[binds]\nalowed = []\n', 0o644, "policy.toml:3: unknown key 'alowed' in [binds]"),
        ('profile = "open"\n', 0o666, "may be written by others"),
    ],
)
@pytest.mark.parametrize("command", ["run", "apply", "plan", "validate"])
def test_a_policy_that_can_not_be_used_keeps_every_command_from_starting(
    tmp_path: Path, text: str | None, mode: int, said: str, command: str
) -> None:
    policy = tmp_path / "policy.toml"
    if text is not None:
        policy.write_text(text)
        policy.chmod(mode)
    (tmp_path / "domains").mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PNR_")}
    words = ["--domains", str(tmp_path / "domains"), "--state", str(tmp_path / "state"), command]
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", *words, "--policy", str(policy)],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert done.returncode == 4
    assert said in done.stderr
    assert "Traceback" not in done.stderr


CANARY = "canary-7c1f"


@pytest.mark.parametrize("how", ["secret", "config", "env_file", "label_file", "dockerfile", "context"])
def test_files_of_the_host_do_not_leak_through_what_a_domain_refers_to(
    daemon: Daemon, web: Build, unique: Callable[[str], str], how: str
) -> None:
    name = unique("leak")
    hidden = daemon.root / "state" / "hidden"
    hidden.mkdir()
    (hidden / "shadow").write_text(f"root:{CANARY}\n=:{CANARY}")
    link = daemon.domains / "link"
    link.symlink_to(hidden if how == "context" else hidden / "shadow")
    (daemon.domains / "Dockerfile").write_text("FROM scratch\n")
    container: dict[str, Any] = {}
    top: dict[str, Any] = {}
    if how in ("secret", "config"):
        container, top = {f"{how}s": ["s1"]}, {f"{how}s": {"s1": {"file": "./link"}}}
    elif how in ("env_file", "label_file"):
        container = {how: "./link"}
    elif how == "dockerfile":
        container = {"build": {"context": ".", "dockerfile": "link"}}
    else:
        container = {"build": "./link"}
    daemon.write(name, stack(name, web("web", prefix=name, container=container), **top))
    daemon.until(lambda: bool(shown(daemon, name)), "the error")
    assert [error["code"] for error in shown(daemon, name)] == ["PolicyRefused"]
    assert daemon.names(name) == []
    told = [json.dumps(daemon.view()), daemon.tail(), json.dumps(daemon.journal())]
    validated = daemon.pnr("validate")
    assert CANARY not in "".join([*told, validated.stdout, validated.stderr])
    link.unlink()
    (daemon.domains / f"{name}.json").unlink()


def shown(daemon: Daemon, name: str) -> list[dict[str, Any]]:
    """The errors of a file that was never a valid domain."""
    return [e for d in daemon.view()["domains"] if d["file"] == f"{name}.json" for e in d["errors"]]
