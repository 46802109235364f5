"""The policy of a daemon: told in the file, kept at the engine, and never laxer than it says."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from tests.integration.daemon.conftest import Build, Daemon, daemon, stack, web
from tests.integration.policy.conftest import Town

pytestmark = pytest.mark.docker

__all__ = ["daemon", "web"]


def errors(daemon: Daemon, name: str) -> list[dict[str, Any]]:
    """What is shown to be wrong with a domain."""
    return list(daemon.domain(name).get("errors") or ())


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
    daemon.pnr("apply", name)  # looks at once
    daemon.until(lambda: bool(errors(daemon, name)), "the error")
    assert {error["code"] for error in errors(daemon, name)} == {"PolicyRefused"}
    assert daemon.run_of(f"{name}_web") == before
    daemon.api.kill(f"{name}_web")
    daemon.until(lambda: daemon.chunk(name, "web")["reason"] == "PolicyRefused", "the refusal of a start")
    assert not daemon.container(f"{name}_web")["State"]["Running"]
    html.unlink()
    (daemon.root / "old").rename(html)
    assert daemon.pnr("apply", name, "--wait").returncode == 0
    assert errors(daemon, name) == []


def test_a_stricter_policy_stops_nothing_and_makes_nothing_anew(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    name = unique("shop")
    daemon.settle(name, stack(name, web("web", prefix=name), web("other", prefix=name)))
    before = daemon.run_of(f"{name}_web")
    daemon.kill(signal.SIGTERM)
    daemon.environment["PNR_POLICY"] = "strict"
    daemon.start()
    daemon.until(lambda: bool(errors(daemon, name)), "the error")
    assert {error["code"] for error in errors(daemon, name)} == {"PolicyRefused"}
    assert daemon.run_of(f"{name}_web") == before
    daemon.api.remove_container(f"{name}_web", force=True)
    daemon.pnr("apply", name)
    assert daemon.names(name) == [f"{name}_other"]
    assert daemon.pnr("down", name).returncode == 0
    assert daemon.names(name) == []


def test_a_policy_that_can_not_be_used_keeps_the_program_from_starting(tmp_path: Path, docker_api: APIClient) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text('profile = "standard"\n[binds]\nalowed = []\n')
    done = Daemon(tmp_path, docker_api).pnr("run", "--policy", str(broken))
    assert done.returncode == 4
    assert "broken.toml:3: unknown key 'alowed' in [binds]" in done.stderr
    assert "Traceback" not in done.stderr


CANARY = "canary-7c1f"


def leaking(domains: Path, hidden: Path) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Ways to have a file of the host handed over that is not to be had: settings of a container, and of the file."""
    (domains / "shadow").symlink_to(hidden / "shadow")
    (domains / "folder").symlink_to(hidden)
    return {
        "secret": ({"secrets": ["s1"]}, {"secrets": {"s1": {"file": "./shadow"}}}),
        "config": ({"configs": ["s1"]}, {"configs": {"s1": {"file": "./shadow"}}}),
        "env_file": ({"env_file": "./shadow"}, {}),
        "label_file": ({"label_file": "./shadow"}, {}),
        "dockerfile": ({"build": {"context": ".", "dockerfile": "shadow"}}, {}),
        "context": ({"build": "./folder"}, {}),
    }


def test_files_of_the_host_do_not_leak_through_what_a_domain_refers_to(
    town: Town, web: Build, unique: Callable[[str], str]
) -> None:
    daemon, name = town.daemon, unique("leak")
    hidden = daemon.state / "hidden"
    hidden.mkdir()
    (hidden / "shadow").write_text(f"root:{CANARY}\n=:{CANARY}")
    ways = leaking(daemon.domains, hidden)
    for how, (container, top) in ways.items():
        file = f"{name}_{how}"
        town.write(file, stack(file, web("web", prefix=file, container=container), **top))
    for how in ways:
        daemon.until(lambda how=how: bool(town.errors(f"{name}_{how}")), how)  # type: ignore[misc]
        assert [error["code"] for error in town.errors(f"{name}_{how}")] == ["PolicyRefused"], how
        assert daemon.names(f"{name}_{how}") == []
    told = [json.dumps(daemon.view()), (daemon.root / "log").read_text(), json.dumps(daemon.journal())]
    validated = daemon.pnr("validate")
    assert CANARY not in "".join([*told, validated.stdout, validated.stderr])
    town.withdraw(*(f"{name}_{how}" for how in ways))
