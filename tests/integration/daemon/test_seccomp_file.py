"""A seccomp profile from a file next to the domain file, on a real engine: what is in it counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.daemon.conftest import Build, Daemon, stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


def profile(*refused: str) -> str:
    rules: list[dict[str, Any]] = [{"names": list(refused), "action": "SCMP_ACT_ERRNO"}] if refused else []
    return json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules})


def can_make_a_directory(daemon: Daemon, container: str) -> bool:
    made = daemon.api.exec_create(container, ["mkdir", "-p", "/tmp/made/by/test"])
    daemon.api.exec_start(made["Id"])
    return bool(daemon.api.exec_inspect(made["Id"])["ExitCode"] == 0)


def test_a_profile_in_a_file_holds_and_a_changed_one_makes_another_container(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    daemon.allow_everything()
    name = unique("shop")
    api = f"{name}_api"
    file = daemon.root / "profile.json"
    file.write_text(profile("mkdir", "mkdirat"))
    document = stack(name, web("api", prefix=name, container={"security_opt": ["seccomp=../profile.json"]}))
    daemon.settle(name, document)
    assert not can_make_a_directory(daemon, api)
    first = daemon.run_of(api)
    file.write_text(profile())
    daemon.until(lambda: daemon.run_of(api)[0] not in ("", first[0]), "the changed profile to be seen")
    daemon.until(lambda: daemon.settled(name), "the domain to settle")
    assert can_make_a_directory(daemon, api)
