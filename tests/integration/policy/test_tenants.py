"""Several authors under one daemon: what the policy gives to one file, the real engine is asked for by no other."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

import pytest

from tests.integration.daemon.conftest import Build, Daemon, daemon, stack, web
from tests.integration.policy.test_daemon import errors

pytestmark = pytest.mark.docker

__all__ = ["daemon", "web"]


def test_what_a_section_gives_its_file_has_on_the_engine_and_no_other_file(
    daemon: Daemon, web: Build, unique: Callable[[str], str]
) -> None:
    infra, mallory = unique("infra"), unique("mallory")
    policy = daemon.root / "policy.toml"
    policy.write_text(
        f'profile = "standard"\n[domain."{infra}*".security]\ncapabilities = ["SYS_ADMIN"]\n'
        f'[domain."{infra}*".builds]\nnames = ["{infra}-*"]\n[builds]\nnames = []\n'
        f'[domain."{infra}.json".defaults]\nmemory = "64m"\n[domain."{mallory}.json".quotas]\ncontainers = 1\n'
    )
    policy.chmod(0o644)
    daemon.kill(signal.SIGTERM)
    daemon.environment["PNR_POLICY"] = str(policy)
    daemon.start()
    asked = {"cap_add": ["SYS_ADMIN"]}
    daemon.settle(infra, stack(infra, web("web", prefix=infra, container=asked)))
    made = daemon.container(f"{infra}_web")["HostConfig"]
    assert [name.removeprefix("CAP_") for name in made["CapAdd"]] == ["SYS_ADMIN"]
    assert made["Memory"] == 64 << 20
    # The same in another file is refused, and so is one container too many.
    daemon.write(mallory, stack(mallory, web("web", prefix=mallory, container=asked), web("more", prefix=mallory)))
    for rule in ("rule security.capabilities", "rule quotas.containers"):
        daemon.until(lambda rule=rule: rule in json.dumps(daemon.view()), rule)  # type: ignore[misc]
    # A start of what is there is held against the same.
    before = daemon.container(f"{infra}_web")["Id"]
    daemon.api.kill(f"{infra}_web")
    daemon.until(lambda: daemon.container(f"{infra}_web")["State"]["Running"], "the start")
    assert daemon.container(f"{infra}_web")["Id"] == before
    # Once the section is gone what runs stays, but is not started again.
    daemon.kill(signal.SIGTERM)
    policy.write_text('profile = "standard"\n')
    daemon.start()
    daemon.until(lambda: bool(errors(daemon, infra)), "the error")
    assert daemon.container(f"{infra}_web")["Id"] == before
    assert f"{mallory}_web" not in daemon.names(mallory)
