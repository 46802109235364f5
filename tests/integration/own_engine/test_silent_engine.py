"""The engine falls silent while containers are asked through it: an engine of the test's own, which can be stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.own_engine.running import run_beside_an_engine

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

SILENT_FOR_A_WHILE = r"""
probe() { pnr status --json | grep "\"$1\"" | tail -n 1; }
until_asked() { last=$(probe last_at); while [ "$(probe last_at)" = "$last" ]; do sleep 0.2; done; }
import small
start_daemon
pnr apply --wait
run() { docker inspect --format '{{.Id}} {{.State.StartedAt}}' quiet-main-app-1; }
run >before
kill -STOP "$(cat /run/newest/pid)"
until probe last_error | grep -q 'and the engine does not answer either'; do sleep 0.2; done
until_asked
until_asked
kill -CONT "$(cat /run/newest/pid)"
until_asked
until_asked
pnr apply --wait
run >after
end_daemon
"""


def test_a_container_is_not_unhealthy_because_the_engine_that_asks_it_is_silent(tmp_path: Path) -> None:
    (tmp_path / "domains").mkdir()
    app = {
        "name": "app",
        "flowout": {"app_ready": {"prompt": "?", "response": ["yes"], "tv": "Y"}},
        "health_check": {
            "type": "exec",
            "command": ["/busybox", "true"],
            "interval_seconds": 1,
            "timeout_seconds": 1,
            "failure_threshold": 2,
        },
        "container": {"image": "small", "stop_grace_period": "0s"},
    }
    document: dict[str, Any] = {"name": "quiet", "cpuxs": {"main": {"design_chunks": [app]}}}
    (tmp_path / "domains" / "quiet.json").write_text(json.dumps(document))
    run_beside_an_engine(tmp_path, SILENT_FOR_A_WHILE)
    assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text() != ""
    journal = [json.loads(line) for line in (tmp_path / "state" / "events.jsonl").read_text().splitlines()]
    said = [entry["tv"] for entry in journal if entry["kind"] == "fact" and entry["fact"].endswith("app_ready")]
    assert "N" not in said
    assert [entry["message"] for entry in journal if entry["kind"] == "setback"] == []
