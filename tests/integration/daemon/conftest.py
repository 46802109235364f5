"""A real daemon in a process of its own, on folders of its own, with the real engine."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from docker.errors import NotFound

from reconciler.cli.client import request
from reconciler.errors import PnrError

LIMIT_SECONDS = 100.0


class Daemon:
    """``pnr run`` on folders of its own; ``kill`` and ``start`` it as often as wanted."""

    def __init__(self, root: Path, api: APIClient) -> None:
        self.root = root
        self.domains = root / "domains"
        self.state = root / "state"
        self.domains.mkdir()
        self.api = api
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("PNR_")}

    def start(self) -> None:
        """Start it, and wait until it has looked once."""
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command("run"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                start_new_session=True,
            )
        self.until(lambda: bool(self.view()["daemon"].get("ready")), "the daemon to be ready")

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """What is done meanwhile the daemon hears of when it is done: it would be quicker than somebody's next call."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def allow_everything(self) -> None:
        """Start again under the policy that refuses nothing."""
        self.kill(signal.SIGTERM)
        self.environment["PNR_POLICY"] = "open"
        self.start()

    def allow(self, rules: str) -> None:
        """Start again under the usual policy with these lines besides."""
        policy = self.root / "policy.toml"
        policy.write_text(f'profile = "standard"\n{rules}\n')
        self.kill(signal.SIGTERM)
        self.environment["PNR_POLICY"] = str(policy)
        self.start()

    def command(self, *words: str) -> list[str]:
        """A pnr command on these folders."""
        return [sys.executable, "-m", "reconciler", "--domains", str(self.domains), "--state", str(self.state), *words]

    def pnr(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            env=self.environment,
            check=False,
        )

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(LIMIT_SECONDS)
            self.process = None

    def end(self, *codes: int) -> None:
        """Take down all that it has made, through it where it runs, and end it. ``codes``: as what that may end, too.

        Without a daemon a command has to start all that a daemon starts, which costs as much as many a whole test."""
        try:
            done = self.pnr("down", "--all", "--volumes", "--yes")
        finally:
            self.kill(signal.SIGTERM)
        assert done.returncode in (0, *codes), done.stdout + done.stderr

    def view(self) -> dict[str, Any]:
        """What ``pnr status --json`` shows; an empty one while nobody answers."""
        try:
            for answer in request(self.state, {"command": "status"}):
                return dict(answer["view"])
        except (PnrError, OSError):
            pass
        return {"daemon": {}, "domains": []}

    def _is_written(self) -> bool:
        """Whether all that the daemon has noted is on the disk; True where nobody answers."""
        try:
            return all(answer["written"] for answer in request(self.state, {"command": "status"}))
        except (PnrError, OSError):
            return True

    def domain(self, name: str) -> dict[str, Any]:
        """One domain of the view; {} while it is not known."""
        return next((dict(d) for d in self.view()["domains"] if d["name"] == name), {})

    def chunk(self, domain: str, name: str) -> dict[str, Any]:
        """One chunk of the view; an empty one while it is not known."""
        for cpux in self.domain(domain).get("cpuxs", []):
            for chunk in cpux["chunks"]:
                if chunk["name"] == name:
                    return dict(chunk)
        return {"state": "", "reason": "", "message": ""}

    def fact(self, domain: str, key: str) -> str:
        """The truth value of a fact; U while it is not known."""
        for cpux in self.domain(domain).get("cpuxs", []):
            if key in cpux["facts"]:
                return str(cpux["facts"][key]["tv"])
        return "U"

    def settled(self, domain: str) -> bool:
        """Whether a domain is settled."""
        return bool(self.domain(domain).get("settled"))

    def until(self, holds: Callable[[], bool], what: str, limit: float = LIMIT_SECONDS) -> None:
        """Wait for something, generously."""
        end = time.monotonic() + limit
        while not holds():
            if self.process is not None and self.process.poll() is not None:
                pytest.fail(f"the daemon ended while waiting for {what}:\n{self.tail()}")
            if time.monotonic() > end:
                pytest.fail(f"waited for {what}:\n{json.dumps(self.view(), indent=1)[-3000:]}\n{self.tail()}")
            time.sleep(0.1)  # each look costs the daemon and this machine work

    def tail(self) -> str:
        """The end of its log."""
        return (self.root / "log").read_text()[-3000:]

    def write(self, name: str, document: dict[str, Any] | str) -> Path:
        """Put a file into the folder, as an editor does that renames it into place."""
        text = document if isinstance(document, str) else json.dumps(document)
        temporary = self.root / f"{name}.tmp"
        temporary.write_text(text)
        return temporary.rename(self.domains / f"{name}.json")

    def settle(self, name: str, document: dict[str, Any]) -> None:
        """Put a file there and wait until it is in force and true."""
        digest = hashlib.sha256(self.write(name, document).read_bytes()).hexdigest()

        def holds() -> bool:
            domain = self.domain(name)
            return domain.get("digest") == digest and bool(domain["settled"])

        self.until(holds, f"{name} to settle")

    def container(self, name: str) -> dict[str, Any]:
        """What the engine shows of a container."""
        return dict(self.api.inspect_container(name))

    def run_of(self, name: str) -> tuple[str, str]:
        """A container's identity and when it was started: it changes with every restart. Empty while nobody has the
        name, as in the middle of an update."""
        try:
            shown = self.container(name)
        except NotFound:
            return "", ""
        return shown["Id"], shown["State"]["StartedAt"]

    def names(self, domain: str) -> list[str]:
        """The containers of a domain."""
        found = self.api.containers(all=True, filters={"label": f"io.pnr.domain={domain}"})
        return sorted(c["Names"][0].lstrip("/") for c in found)

    def journal(self) -> list[dict[str, Any]]:
        """All entries of the journal, once it has been written up to now."""
        if self.process is not None:
            self.until(self._is_written, "the journal to be written")
        path = self.state / "events.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def daemon(tmp_path: Path, docker_api: APIClient) -> Iterator[Daemon]:
    """A daemon that runs; at the end it is ended and what it made is removed."""
    running = Daemon(tmp_path, docker_api)
    running.start()
    yield running
    running.end()


Build = Callable[..., dict[str, Any]]


@pytest.fixture
def web(busybox_image: str) -> Build:
    """``web("api", "db")``: a chunk that serves HTTP, answers api_ready and needs db_ready."""

    def build(name: str, *needs: str, prefix: str = "", **more: Any) -> dict[str, Any]:
        gate: dict[str, Any] = {}
        for need in needs:
            key, _, tv = need.partition("=")
            gate[key if "/" in key or key == "system_ready" else f"{key}_ready"] = {"prompt": "?", "tv": tv or "Y"}
        container = {
            "name": f"{prefix}_{name}",
            "image": busybox_image,
            "command": ["httpd", "-f", "-p", "80", "-h", "/www"],
            "stop_grace_period": "0s",
            **more.pop("container", {}),
        }
        return {
            "name": name,
            "gatekeeper": gate,
            "flowout": {f"{name}_ready": {"prompt": "?", "response": ["yes"], "tv": "Y"}},
            "health_check": {"type": "http", "port_key": "80", "path": "/"},
            "container": container,
            **more,
        }

    return build


def stack(name: str, *chunks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A domain of one CPUX, in which what runs counts as up at once."""
    for chunk in chunks:
        chunk.setdefault("stable_seconds", 0)
    return {"name": name, "cpuxs": {"main": {"design_chunks": list(chunks)}}, **more}
