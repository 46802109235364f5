"""The installed service in a machine whose PID 1 is systemd: installed, killed, hung, stopped, uninstalled.

The machine is a container that boots systemd; pnr in it works on the same engine as the tests, through its socket.
Tests share one machine and run in the order in which they stand; the last one uninstalls.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from docker.errors import ImageNotFound

from tests.integration.tree import ROOT, copy_of_the_tree

pytestmark = [pytest.mark.docker, pytest.mark.systemd, pytest.mark.timeout(600)]

# Kept from run to run: it is Debian's packages and nothing of ours.
IMAGE = "pnr-test-systemd:latest"
PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "python3-venv", "make")
WHEELS = "/wheels"
COMPLETIONS = {
    "/usr/local/share/bash-completion/completions/pnr": "bash",
    "/usr/local/share/zsh/site-functions/_pnr": "zsh",
    "/etc/fish/completions/pnr.fish": "fish",
}
LIMIT_SECONDS = 90.0
HARDENED_ENOUGH = 20  # systemd-analyze's exposure times ten: 1.5 when this was written


class Machine:
    """A booted systemd; ``run`` is a command in it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def ask(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command and return how it ended."""
        whole = ["docker", "exec", self.name, *command]
        return subprocess.run(whole, capture_output=True, text=True, timeout=300, check=False)

    def run(self, *command: str) -> str:
        """Run a command that has to work; its output."""
        ended = self.ask(*command)
        assert ended.returncode == 0, f"{' '.join(command)}: {ended.stdout}{ended.stderr}\n{self.journal()}"
        return ended.stdout.strip()

    def journal(self) -> str:
        """The service's last words."""
        return self.ask("journalctl", "-u", "pnr", "-n", "500", "--no-pager").stdout

    def property(self, name: str) -> str:
        """A property of the service, as systemd has it."""
        return self.run("systemctl", "show", "pnr.service", "--property", name, "--value")

    def write(self, path: str, text: str) -> None:
        """Put a file in place as people do: written beside, then renamed."""
        whole = ["docker", "exec", "-i", self.name, "sh", "-c", f"cat >{path}.new && mv {path}.new {path}"]
        subprocess.run(whole, input=text, text=True, timeout=60, check=True)

    def wait(self, holds: Callable[[], Any], what: str) -> Any:
        """Wait until something holds; it."""
        limit = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < limit:
            found = holds()
            if found:
                return found
            time.sleep(0.1)
        pytest.fail(f"still not so: {what}\n{self.run('systemctl', 'status', 'pnr', '--no-pager')}\n{self.journal()}")


@pytest.fixture(scope="module")
def systemd_image(docker_api: APIClient) -> str:
    try:
        docker_api.inspect_image(IMAGE)  # type: ignore[no-untyped-call]
    except ImageNotFound:
        subprocess.run([str(ROOT / "scripts" / "debian-image.sh"), IMAGE, *PACKAGES], check=True, timeout=400)
    return IMAGE


@pytest.fixture(scope="module")
def wheels(systemd_image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pnr needs, for the machine's Python: installing must not depend on the machine's network."""
    version = subprocess.run(
        ["docker", "run", "--rm", systemd_image, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.strip()
    wanted = [word for name in ("build", "run") for word in ("-r", str(ROOT / "requirements" / f"{name}.txt"))]
    folder = tmp_path_factory.mktemp("wheels")
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--dest", str(folder)]
    subprocess.run(
        [*fetch, "--require-hashes", "--only-binary=:all:", "--python-version", version, *wanted],
        check=True,
        timeout=300,
    )
    return folder


@pytest.fixture(scope="module")
def machine(
    systemd_image: str, wheels: Path, engine_socket: Path, run_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """A booted machine with a copy of the project, the engine's socket and the group that may use it."""
    source = copy_of_the_tree(tmp_path_factory.mktemp("project") / "pnr")
    name = f"{run_prefix}_systemd"
    # What the engine mounts into containers, it looks for on its own machine, under the same path.
    shared = Path("/run", run_prefix)
    mounts = [f"{engine_socket.resolve()}:/run/docker.sock", f"{source}:/src", f"{wheels}:{WHEELS}:ro"]
    mounts.append(f"{shared}:{shared}")
    subprocess.run(
        [
            *("docker", "run", "--detach", "--name", name, "--hostname", "machine", "--env", "container=docker"),
            *("--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_PTRACE"),
            *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined", "--cgroupns=host"),
            *("--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec"),
            *("--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"),
            *(word for mount in mounts for word in ("--volume", mount)),
            # As on a real machine, where systemd's helpers mount credentials for it.
            *(systemd_image, "sh", "-c", "mount --make-rshared / && exec /lib/systemd/systemd"),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    found = Machine(name)
    try:
        state = ("running", "degraded")
        found.wait(lambda: found.ask("systemctl", "is-system-running").stdout.strip() in state, "systemd is up")
        group = found.run("stat", "-L", "-c", "%g", "/run/docker.sock")
        if group == "0":
            pytest.fail(f"{engine_socket} belongs to the group root; the engine has to give it to a group docker")
        found.run("groupadd", "--system", "--gid", group, "docker")
        yield found
    finally:
        subprocess.run(["docker", "kill", "--signal", "RTMIN+3", name], capture_output=True, timeout=60, check=False)
        subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True, timeout=60, check=True)
        shutil.rmtree(shared, ignore_errors=True)


@pytest.fixture(scope="module")
def service(machine: Machine) -> Machine:
    """The machine after ``make install``."""
    machine.run("env", "PIP_NO_INDEX=1", f"PIP_FIND_LINKS={WHEELS}", "make", "-C", "/src", "install")
    return machine


@pytest.fixture(scope="module")
def deployed(service: Machine, docker_api: APIClient, busybox_image: str, run_prefix: str) -> Iterator[str]:
    """The name of the container that a domain file made, dropped into the installed service's folder."""
    name = f"{run_prefix}_service"
    chunk = {"name": "sleeper", "stable_seconds": 0, "container": {"name": name, "image": busybox_image, "init": True}}
    domain = {"name": name, "cpuxs": {"main": {"design_chunks": [chunk]}}}
    service.write(f"/etc/pnr/domains/{name}.json", json.dumps(domain))
    service.wait(lambda: _chunk(service, name).get("state") == "completed", "the dropped file became a container")
    yield name
    if any(f"/{name}" in found["Names"] for found in docker_api.containers(all=True)):
        docker_api.remove_container(name, force=True, v=True)


def _chunk(service: Machine, domain: str) -> dict[str, Any]:
    """The domain's chunk as the daemon shows it; empty while it shows none."""
    asked = service.ask("pnr", "status", "--json", "--state", "/var/lib/pnr")
    if asked.returncode != 0:
        return {}
    for shown in json.loads(asked.stdout)["domains"]:
        if shown["name"] == domain:
            chunk: dict[str, Any] = shown["cpuxs"][0]["chunks"][0]
            return chunk
    return {}


def _life(api: APIClient, container: str) -> tuple[str, str, bool]:
    """What changes when a container is recreated, started again or not running."""
    found = api.inspect_container(container)
    return found["Id"], found["State"]["StartedAt"], found["State"]["Running"]


def test_the_unit_is_valid_and_hardened(service: Machine) -> None:
    verified = service.ask("systemd-analyze", "verify", "--man=no", "/etc/systemd/system/pnr.service")
    assert (verified.returncode, verified.stderr) == (0, "")
    threshold = f"--threshold={HARDENED_ENOUGH}"
    unit = "/etc/systemd/system/pnr.service"
    scored = service.ask("systemd-analyze", "security", "--no-pager", "--offline=yes", threshold, unit)
    assert scored.returncode == 0, scored.stdout


def test_installing_brings_up_an_active_service_of_its_own_user(service: Machine) -> None:
    assert service.run("systemctl", "is-active", "pnr") == "active"
    assert service.run("systemctl", "is-enabled", "pnr") == "enabled"
    assert service.property("StatusText") != ""
    assert service.run("stat", "-c", "%U", f"/proc/{service.property('MainPID')}") == "pnr"
    assert service.run("stat", "-c", "%U:%G %a", "/var/lib/pnr") == "pnr:pnr 700"
    assert service.run("stat", "-c", "%U:%G %a", "/etc/pnr/domains") == "root:pnr 2750"
    assert service.run("pnr", "--version") != ""
    for file, shell in COMPLETIONS.items():
        assert service.run("cat", file) == service.run("pnr", "completion", shell)


def test_a_dropped_file_becomes_a_container(service: Machine, docker_api: APIClient, deployed: str) -> None:
    assert docker_api.inspect_container(deployed)["Config"]["Labels"]["io.pnr.domain"] == deployed
    service.wait(lambda: "1" in service.property("StatusText"), "systemd's status line counts the domain")


def test_a_killed_daemon_comes_back_and_its_container_was_not_touched(
    service: Machine, docker_api: APIClient, deployed: str
) -> None:
    before, killed = _life(docker_api, deployed), service.property("MainPID")
    service.run("sh", "-c", f"kill -KILL {killed}")
    _wait_for_another(service, killed)
    service.wait(lambda: _chunk(service, deployed).get("state") == "completed", "the container is adopted")
    assert _life(docker_api, deployed) == before


def test_a_daemon_that_hangs_is_replaced_by_the_watchdog(
    service: Machine, docker_api: APIClient, deployed: str
) -> None:
    before = _life(docker_api, deployed)
    service.run("mkdir", "-p", "/etc/systemd/system/pnr.service.d")
    service.write("/etc/systemd/system/pnr.service.d/test.conf", "[Service]\nWatchdogSec=3\nTimeoutAbortSec=1\n")
    service.run("systemctl", "daemon-reload")
    service.run("systemctl", "restart", "pnr")
    hung = service.property("MainPID")
    service.run("sh", "-c", f"kill -STOP {hung}")
    _wait_for_another(service, hung)
    assert "Watchdog timeout" in service.journal()
    service.wait(lambda: _chunk(service, deployed).get("state") == "completed", "the container is adopted")
    assert _life(docker_api, deployed) == before


def test_a_service_that_is_fed_is_left_alone_by_the_watchdog(service: Machine, deployed: str) -> None:
    pid, restarts = service.property("MainPID"), service.property("NRestarts")
    first = int(service.property("WatchdogTimestampMonotonic"))
    patience = 2 * 3_000_000  # two watchdog periods of the test before this one, or a part of the unit's own
    service.wait(
        lambda: int(service.property("WatchdogTimestampMonotonic")) > first + patience, "the watchdog is fed on"
    )
    assert (service.property("MainPID"), service.property("NRestarts")) == (pid, restarts)


def test_a_credential_of_the_unit_is_a_secret_of_a_container(
    service: Machine, docker_api: APIClient, deployed: str, busybox_image: str, run_prefix: str
) -> None:
    name, canary = f"{run_prefix}_credential", "sesame-7391"
    service.write("/etc/token", canary)
    service.run("chmod", "600", "/etc/token")
    service.run("mkdir", "-p", "/etc/systemd/system/pnr.service.d")
    loaded = f"LoadCredential=token:/etc/token\nRuntimeDirectory=\nRuntimeDirectory={run_prefix}\n"
    service.write("/etc/systemd/system/pnr.service.d/token.conf", f"[Service]\n{loaded}")
    service.run("systemctl", "daemon-reload")
    service.run("systemctl", "restart", "pnr")
    container = {"name": name, "image": busybox_image, "init": True, "secrets": ["token"]}
    domain = {
        "name": name,
        "secrets": {"token": {"credential": "token"}},
        "cpuxs": {"main": {"design_chunks": [{"name": "reader", "stable_seconds": 0, "container": container}]}},
    }
    service.write(f"/etc/pnr/domains/{name}.json", json.dumps(domain))
    service.wait(lambda: _chunk(service, name).get("state") == "completed", "the container with the secret is up")
    asked = docker_api.exec_create(name, ["cat", "/run/secrets/token"])["Id"]
    assert docker_api.exec_start(asked).decode() == canary
    assert canary not in service.journal()
    service.run("rm", f"/etc/pnr/domains/{name}.json", "/etc/systemd/system/pnr.service.d/token.conf", "/etc/token")
    service.wait(lambda: not docker_api.containers(all=True, filters={"label": f"io.pnr.domain={name}"}), "its removal")
    service.run("systemctl", "daemon-reload")
    service.run("systemctl", "restart", "pnr")
    service.wait(lambda: _chunk(service, deployed).get("state") == "completed", "the other container is adopted")


def test_stopping_the_service_leaves_the_container_running(
    service: Machine, docker_api: APIClient, deployed: str
) -> None:
    before = _life(docker_api, deployed)
    service.run("systemctl", "stop", "pnr")
    assert service.property("Result") == "success"
    assert _life(docker_api, deployed) == before
    service.run("systemctl", "start", "pnr")
    service.wait(lambda: _chunk(service, deployed).get("state") == "completed", "the container is adopted")
    assert _life(docker_api, deployed) == before


def test_installing_again_upgrades_and_touches_no_container(
    service: Machine, docker_api: APIClient, deployed: str
) -> None:
    before, old = _life(docker_api, deployed), service.property("MainPID")
    service.run("env", "PIP_NO_INDEX=1", f"PIP_FIND_LINKS={WHEELS}", "make", "-C", "/src", "install")
    assert service.property("MainPID") != old
    service.wait(lambda: _chunk(service, deployed).get("state") == "completed", "the container is adopted")
    assert _life(docker_api, deployed) == before


def test_uninstalling_keeps_containers_and_data_unless_told_otherwise(
    service: Machine, docker_api: APIClient, deployed: str
) -> None:
    before = _life(docker_api, deployed)
    service.run("make", "-C", "/src", "uninstall")
    assert service.ask("systemctl", "is-active", "pnr").stdout.strip() == "inactive"
    for gone in ("/opt/pnr", "/usr/local/bin/pnr", "/etc/systemd/system/pnr.service", *COMPLETIONS):
        assert service.ask("test", "-e", gone).returncode == 1, gone
    assert service.ask("test", "-e", f"/etc/pnr/domains/{deployed}.json").returncode == 0
    assert service.ask("test", "-e", f"/var/lib/pnr/{deployed}.toml").returncode == 0
    service.run("mkdir", "-p", "/etc/pnr/secrets")
    service.write("/etc/pnr/secrets/token", "sesame")
    said = service.run("make", "-C", "/src", "uninstall", "PURGE=1")
    assert "/etc/pnr/domains: 1 domain files" in said
    assert "/etc/pnr/secrets stays (1 files; SECRETS=1 removes it too)" in said
    assert service.ask("ls", "/etc/pnr").stdout.split() == ["secrets"]
    assert service.ask("stat", "-c", "%U %a", "/etc/pnr/secrets").stdout.strip() == "root 700"
    assert "/etc/pnr/secrets: 1 secrets" in service.run("make", "-C", "/src", "uninstall", "PURGE=1", "SECRETS=1")
    assert service.ask("test", "-e", "/etc/pnr").returncode == 1
    assert service.ask("test", "-e", "/var/lib/pnr").returncode == 1
    assert service.ask("id", "pnr").returncode == 1
    assert _life(docker_api, deployed) == before


def _wait_for_another(service: Machine, pid: str) -> None:
    service.wait(
        lambda: (
            service.property("MainPID") not in ("0", pid)
            and service.ask("systemctl", "is-active", "pnr").stdout.strip() == "active"
        ),
        f"systemd has replaced process {pid}",
    )
