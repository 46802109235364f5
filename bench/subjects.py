"""What is measured: a pnr daemon of its own, and Compose where it is found."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

IMAGE = "pnr-bench-busybox:latest"
PREFIX = "pnrbench"
LIMIT_SECONDS = 180.0


def wait_until(condition: Callable[[], bool], what: str, limit: float = LIMIT_SECONDS, pause: float = 0.002) -> None:
    """Wait for a condition. Raises TimeoutError that says for what."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {limit:.0f} s for {what}")
        time.sleep(pause)


def ensure_image() -> None:
    """A 2 MB image whose httpd answers on port 80, from the host's static busybox."""
    docker = ["docker"] if shutil.which("docker") else None
    if docker is None:
        raise SystemExit("the benchmarks need the docker command line")
    if subprocess.run([*docker, "image", "inspect", IMAGE], capture_output=True, check=False).returncode == 0:
        return
    busybox = shutil.which("busybox")
    if busybox is None:
        raise SystemExit("the benchmarks need a static busybox on this machine (package busybox-static)")
    with tempfile.TemporaryDirectory() as root:
        binaries = Path(root, "bin")
        binaries.mkdir()
        Path(root, "www").mkdir()
        Path(root, "www", "index.html").write_text("ok\n")
        shutil.copy(busybox, binaries / "busybox")
        for name in ("sh", "httpd", "sleep", "nc", "cat", "echo"):
            (binaries / name).symlink_to("busybox")
        tar = subprocess.run(["tar", "-C", root, "-c", "."], capture_output=True, check=True)
        command = [*docker, "import", "-c", 'CMD ["httpd","-f","-p","80","-h","/www"]', "-", IMAGE]
        subprocess.run(command, input=tar.stdout, capture_output=True, check=True)


class Daemon:
    """A pnr daemon in a process of its own, with folders of its own."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="pnrb"))
        self.domains = self.root / "d"
        self.state = self.root / "s"
        self.domains.mkdir()
        self.state.mkdir()
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> list[str]:
        """A pnr command on these folders."""
        where = ["--domains", str(self.domains), "--state", str(self.state)]
        return [sys.executable, "-m", "reconciler", *words, *where]

    def start(self) -> None:
        """Start the daemon; returns once it is ready."""
        log = (self.root / "log").open("wb")
        self.process = subprocess.Popen(
            self.command("run"), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
        wait_until(self.ready, "the daemon to be ready", 30, 0.05)

    def ready(self) -> bool:
        """Whether it answers and has looked once."""
        view = self.view()
        return bool(view and view["daemon"]["ready"])

    def view(self) -> dict[str, Any] | None:
        """What `pnr status --json` shows; None while nobody answers."""
        from reconciler.cli.client import request
        from reconciler.errors import PnrError

        try:
            for answer in request(self.state, {"command": "status"}):
                view: dict[str, Any] = answer["view"]
                return view
        except (PnrError, OSError):
            return None
        return None

    def drop(self, name: str, document: dict[str, Any]) -> int:
        """Put a file into the domains folder by rename; the time of it, in ns."""
        temporary = self.root / f"{name}.tmp"
        temporary.write_text(json.dumps(document))
        at = time.time_ns()
        temporary.rename(self.domains / f"{name}.json")
        return at

    def remove(self, name: str) -> None:
        """Remove a file; returns once its domain is gone."""
        (self.domains / f"{name}.json").unlink(missing_ok=True)
        wait_until(lambda: not any(d["name"] == name for d in (self.view() or {"domains": []})["domains"]), name)

    def settled(self, name: str) -> bool:
        """Whether a domain is settled."""
        view = self.view()
        return bool(view) and any(d["name"] == name and d["settled"] for d in (view or {})["domains"])

    def cpu_seconds(self) -> float:
        """The CPU time that the daemon has used."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mib(self) -> float:
        """The memory that it holds."""
        assert self.process is not None
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def stop(self) -> None:
        """End it, and remove what it made."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
            self.process = None
        subprocess.run(self.command("down", "--all"), capture_output=True, check=False, timeout=LIMIT_SECONDS)
        shutil.rmtree(self.root, ignore_errors=True)


def chunk(name: str, *, needs: str | None = None, port: int | None = None, check: str | None = "tcp") -> dict[str, Any]:
    """A chunk that serves HTTP on port 80."""
    gate = {needs: {"tv": "Y"}} if needs else {"system_ready": {"tv": "Y"}}
    container: dict[str, Any] = {"name": f"{PREFIX}_{name}", "image": IMAGE, "stop_grace_period": "0s"}
    if port is not None:
        container["ports"] = {"80": str(port)}
    document: dict[str, Any] = {
        "name": name,
        "gatekeeper": gate,
        "flowout": {f"{name}_ready": {"prompt": "ready?", "response": ["yes"], "tv": "Y"}},
        "container": container,
    }
    if check == "tcp":
        document["health_check"] = {"type": "tcp", "port_key": "80"}
    elif check == "http":
        document["health_check"] = {"type": "http", "port_key": "80", "path": "/"}
    return document


def domain(name: str, *chunks: dict[str, Any]) -> dict[str, Any]:
    """A domain of one CPUX."""
    return {"name": name, "cpuxs": {"main": {"design_chunks": list(chunks)}}}


class Compose:
    """`docker-compose` (or the plugin), doing the same job."""

    def __init__(self, command: list[str]) -> None:
        self.command = command

    @classmethod
    def find(cls) -> Compose | None:
        """Compose on this machine; COMPOSE names its binary where it is not in PATH."""
        named = os.environ.get("COMPOSE") or shutil.which("docker-compose")
        if named:
            return cls([named])
        probe = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        return cls(["docker", "compose"]) if probe.returncode == 0 else None

    def run(self, folder: Path, *words: str) -> float:
        """Run a command in a folder; the seconds it took."""
        began = time.perf_counter()
        subprocess.run([*self.command, "-p", PREFIX, *words], cwd=folder, capture_output=True, check=True)
        return time.perf_counter() - began


def compose_file(names: list[str], *, chain: bool) -> dict[str, Any]:
    """The same services for Compose, with a health check every second."""
    services: dict[str, Any] = {}
    for n, name in enumerate(names):
        services[name] = {
            "image": IMAGE,
            "container_name": f"{PREFIX}_c_{name}",
            "stop_grace_period": "0s",
            "healthcheck": {"test": ["CMD-SHELL", "echo | nc 127.0.0.1 80"], "interval": "1s", "retries": 30},
        }
        if chain and n:
            services[name]["depends_on"] = {names[n - 1]: {"condition": "service_healthy"}}
    return {"services": services}
