"""Files of the host that containers have mounted one by one are replaced, on the real engine."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.engine.docker import reading
from reconciler.engine.docker.host_files import QUIET_SECONDS, HostFiles
from reconciler.planner.mounts import FileChange
from tests.integration.daemon.conftest import Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

NAME = "replaced_files"


def put(path: Path, content: str) -> None:
    """As git and editors do."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(content)
    new.replace(path)


def reads(daemon: Daemon, chunk: str, path: str = "/etc/app.conf") -> str:
    """What a process in the container reads; "" while there is none."""
    command = ["docker", "exec", f"{NAME}_{chunk}", "busybox", "cat", path]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout.strip()


def chunks(web: Build, conf: Path) -> list[dict[str, Any]]:
    def having(name: str, *volumes: Any, **more: Any) -> dict[str, Any]:
        return web(name, prefix=NAME, container={"volumes": list(volumes)}, **more)

    long = {"type": "bind", "source": str(conf / "link.conf"), "target": "/etc/app.conf", "read_only": True}
    return [
        having("short", f"{conf}/app.conf:/etc/app.conf:ro"),
        having("long", long),
        having("ignores", f"{conf}/app.conf:/etc/app.conf:ro", on_file_change="ignore"),
        having("writes", f"{conf}/own.db:/var/own.db", f"{conf}:/conf:ro", "/var/run/docker.sock:/engine.sock"),
    ]


def test_what_is_replaced_is_brought_into_the_containers_and_nothing_else_is_touched(
    daemon: Daemon, web: Build, tmp_path: Path
) -> None:
    daemon.allow_everything()
    conf = tmp_path / "conf"
    conf.mkdir()
    for name in ("app.conf", "a.conf", "b.conf", "own.db"):
        (conf / name).write_text(name)
    (conf / "link.conf").symlink_to("a.conf")
    daemon.settle(NAME, stack(NAME, *chunks(web, conf)))
    runs = {name: daemon.run_of(f"{NAME}_{name}") for name in ("short", "long", "ignores", "writes")}

    def untouched(*names: str) -> bool:
        return all(daemon.run_of(f"{NAME}_{name}") == runs[name] for name in names)

    # Touched, written into in place, by the host and by the container; replaced by the same.
    os.utime(conf / "app.conf")
    with (conf / "app.conf").open("a") as file:
        file.write(" and more")
    subprocess.run(
        ["docker", "exec", f"{NAME}_writes", "sh", "-c", "echo written >/var/own.db"], timeout=30, check=True
    )
    put(conf / "a.conf", "a.conf")
    # Then one is replaced and a link leads elsewhere: what follows shows that all before was looked at.
    time.sleep(QUIET_SECONDS)  # so that what was done before is no longer too fresh to be judged
    put(conf / "app.conf", "two")
    daemon.until(lambda: reads(daemon, "short") == "two", "the replaced file to be in its container")
    assert untouched("long", "ignores", "writes")
    (conf / "new.conf").symlink_to("b.conf")
    (conf / "new.conf").replace(conf / "link.conf")
    daemon.until(lambda: reads(daemon, "long") == "b.conf", "the link's new target to be in its container")
    daemon.until(lambda: daemon.settled(NAME), "the domain to settle")
    assert untouched("ignores", "writes")
    assert reads(daemon, "ignores") == "app.conf and more"
    notes = daemon.domain(NAME)["notes"]
    assert [note for note in notes if "/ignores: " in note and "on_file_change is ignore" in note], notes
    assert "on_file_change is ignore" in daemon.pnr("why", "ignores").stdout
    causes = [entry["message"] for entry in daemon.journal() if entry.get("reason") == "Updating"]
    assert any(f"{conf}/app.conf was replaced on the host" in cause for cause in causes), causes

    # While nobody looks: one is replaced, and the container of the other is started again by somebody else.
    runs["ignores"] = daemon.run_of(f"{NAME}_ignores")
    daemon.kill(signal.SIGKILL)
    put(conf / "app.conf", "three")
    put(conf / "b.conf", "other")
    daemon.api.restart(f"{NAME}_long", timeout=0)
    runs["long"] = daemon.run_of(f"{NAME}_long")
    plan = daemon.pnr("plan").stdout
    assert f"{NAME}/main/long" not in plan
    daemon.start()
    daemon.until(lambda: reads(daemon, "short") == "three", "what was replaced meanwhile to be in its container")
    daemon.until(lambda: daemon.settled(NAME), "the domain to settle")
    assert reads(daemon, "long") == "other"
    assert untouched("long", "ignores", "writes")

    # Gone for a moment, as some editors leave it.
    (conf / "app.conf").unlink()
    done = daemon.pnr("apply", "--wait")
    assert (done.returncode, reads(daemon, "short")) == (0, "three")
    (conf / "app.conf").write_text("four")
    done = daemon.pnr("apply", "--wait")
    assert (done.returncode, reads(daemon, "short")) == (0, "four"), done.stdout

    # Who may not look into the processes of the engine knows it from a label.
    there = replace(reading.from_inspection(daemon.container(f"{NAME}_short")), pid=0)
    assert HostFiles().look([there]) == ({there.id: ()}, False)
    put(conf / "app.conf", "five, by somebody else")
    os.utime(conf / "app.conf", (1, 1))
    time.sleep(QUIET_SECONDS + 0.1)
    news, unsettled = HostFiles().look([there])
    assert ([one.change for one in news[there.id]], unsettled) == ([FileChange.REPLACED], False)
    daemon.until(lambda: reads(daemon, "short").startswith("five"), "the file of another to be there")
