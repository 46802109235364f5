"""A real PostgreSQL with a writer: whatever is done to it, no row that was acknowledged is missing, and never do two
servers run on one data directory."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from docker.errors import APIError, ImageNotFound, NotFound

from tests.integration.daemon.conftest import Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

IMAGE = "pnr-demo-db:latest"
PSQL = 'for d in /usr/lib/postgresql/*/bin; do PATH=$d:$PATH; done; exec psql -h /tmp -U notes -d postgres -qAtc "$1"'


@pytest.fixture(scope="module")
def postgres_image(docker_api: APIClient) -> str:
    """The demo's database, made where it is missing; kept, as ``make run`` does."""
    try:
        docker_api.inspect_image(IMAGE)  # type: ignore[no-untyped-call]
    except ImageNotFound:
        subprocess.run(["scripts/images.sh"], cwd=Path(__file__).parents[2], check=True, timeout=500)
    return IMAGE


@pytest.fixture
def daemon(tmp_path: Path, docker_api: APIClient) -> Iterator[Daemon]:
    """A daemon that runs; at the end its domains go. Their volumes go with the last test of all."""
    running = Daemon(tmp_path, docker_api)
    running.start()
    yield running
    names = [file.stem for file in running.domains.glob("*.json")]
    for file in running.domains.glob("*.json"):
        file.unlink()
    running.until(lambda: not any(running.names(name) for name in names), "everything to be gone")
    running.kill(signal.SIGTERM)


class Database:
    """The database of a domain, through whichever container of it runs."""

    def __init__(self, api: APIClient, domain: str) -> None:
        self._api, self._domain = api, domain

    def containers(self, **how: Any) -> list[str]:
        """The ids of its containers that run."""
        found = self._api.containers(filters={"label": f"io.pnr.domain={self._domain}"}, **how)
        return [str(one["Id"]) for one in found]

    def ask(self, query: str) -> str | None:
        """What a query gives; None where it could not be answered."""
        for id in self.containers():
            try:
                made = self._api.exec_create(id, ["sh", "-c", PSQL, "sh", query])
                said = self._api.exec_start(made["Id"])
                if self._api.exec_inspect(made["Id"])["ExitCode"] == 0:
                    return str(said.decode().strip())
            except (APIError, NotFound):
                continue
        return None


class Writer(threading.Thread):
    """Inserts rows, one after the other, and remembers those that were acknowledged; counts servers meanwhile."""

    def __init__(self, database: Database) -> None:
        super().__init__(daemon=True)
        self._database = database
        self.acknowledged: list[int] = []
        self.most_servers = 0
        self.ends = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.ends.is_set():
            number += 1
            self.most_servers = max(self.most_servers, len(self._database.containers()))
            if self._database.ask(f"insert into rows values ({number}) returning n") == str(number):  # noqa: S608 - a count
                self.acknowledged.append(number)

    def goes_on(self) -> Callable[[], bool]:
        """Whether it has written since it was asked for this."""
        before = len(self.acknowledged)
        return lambda: len(self.acknowledged) > before


def test_no_acknowledged_row_is_ever_missing(daemon: Daemon, postgres_image: str, unique: Callable[[str], str]) -> None:
    name = unique("pg")
    database = Database(daemon.api, name)

    def shop(value: str, **more: Any) -> dict[str, Any]:
        container = {
            "image": postgres_image,
            "environment": {"POSTGRES_PASSWORD": "x", "V": value},
            "volumes": ["data:/data"],
            **more,
        }
        check = {
            "type": "exec",
            "command": ["sh", "-c", PSQL.replace("$", "$$"), "sh", "select 1"],
            "interval_seconds": 1,
        }
        return stack(
            name, {"name": "db", "flowout": {"db": {"prompt": "?"}}, "health_check": check, "container": container}
        )

    daemon.settle(name, shop("0"))
    assert database.ask("create table rows (n integer)") is not None
    writer = Writer(database)
    writer.start()
    try:
        daemon.until(writer.goes_on(), "rows")
        for edit in range(10):
            daemon.settle(name, shop(f"edit {edit}"))
            daemon.until(writer.goes_on(), "rows after an edit")
        for bad in range(3):
            daemon.write(name, shop(f"bad {bad}", command=["sh", "-c", "exit 1"]))
            daemon.until(lambda: daemon.chunk(name, "db")["reason"] == "RolledBack", "the way back")
            daemon.until(writer.goes_on(), "rows after a roll-back")
            daemon.settle(name, shop(f"good {bad}"))
        daemon.kill()
        shutil.rmtree(daemon.state)
        daemon.write(name, shop("forgotten"))
        daemon.start()
        daemon.settle(name, shop("forgotten"))
        daemon.until(writer.goes_on(), "rows after all that was kept is lost")
        for number in range(20):
            # Every second time an update is under way, and every fourth the container is killed as well.
            if number % 2:
                daemon.write(name, shop(f"kill {number}"))
            if number % 4 == 0:
                for id in database.containers():
                    try:
                        daemon.api.kill(id)
                    except (APIError, NotFound):
                        continue
            daemon.kill()
            daemon.start()
        daemon.settle(name, shop("last"))
        daemon.until(writer.goes_on(), "rows after all the kills")
    finally:
        writer.ends.set()
        writer.join(60)
    there = {int(line) for line in (database.ask("select n from rows") or "").splitlines()}
    missing = sorted(set(writer.acknowledged) - there)
    assert not missing, f"{len(missing)} of {len(writer.acknowledged)} acknowledged rows are missing"
    assert writer.most_servers == 1
