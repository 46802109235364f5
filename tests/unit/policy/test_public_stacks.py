"""Public stacks that want the engine's socket, /proc or / can each be allowed in the few lines that the page shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import reconciler
from reconciler.policy import reading
from tests.unit.policy.judging import STANDARD
from tests.unit.policy.test_tenants import told

PAGE = (Path(reconciler.__file__).parents[1] / "docs" / "policy.md").read_text(encoding="utf-8")
_, _, _SHOWN = PAGE.partition("### Public stacks that want much")
_MATCH = re.search(r"```toml\n(.*?)```", _SHOWN, re.DOTALL)
assert _MATCH is not None
POLICY = reading.read(_MATCH[1], "policy.toml")

SOCKET = "/var/run/docker.sock:/var/run/docker.sock"
STACKS: dict[str, tuple[str, dict[str, Any]]] = {
    "traefik": ("proxy.json", {"volumes": [f"{SOCKET}:ro"], "ports": ["0.0.0.0:80:80"]}),
    "nginx-proxy": ("proxy.json", {"volumes": ["/var/run/docker.sock:/tmp/docker.sock:ro"]}),
    "portainer": ("proxy.json", {"volumes": [SOCKET, "portainer_data:/data"]}),
    "watchtower": ("proxy.json", {"volumes": [SOCKET]}),
    "dozzle": ("proxy.json", {"volumes": [f"{SOCKET}:ro"]}),
    "diun": ("proxy.json", {"volumes": [SOCKET, "/srv/diun:/data"]}),
    "homepage": ("proxy.json", {"volumes": [f"{SOCKET}:ro", "/srv/homepage:/app/config"]}),
    "docker-socket-proxy": ("proxy.json", {"volumes": [f"{SOCKET}:ro"], "read_only": True, "tmpfs": ["/run"]}),
    "node-exporter": ("node.json", {"pid": "host", "network_mode": "host", "volumes": ["/:/host:ro,rslave"]}),
    "telegraf": ("node.json", {"volumes": ["/:/hostfs:ro", SOCKET], "pid": "host"}),
    "cadvisor": (
        "cadvisor.json",
        {
            "volumes": [
                *("/:/rootfs:ro", "/var/run:/var/run:ro", "/sys:/sys:ro", "/var/lib/docker/:/var/lib/docker:ro"),
                "/dev/disk/:/dev/disk:ro",
            ],
            "devices": ["/dev/kmsg"],
            "privileged": True,
        },
    ),
    "netdata": (
        "netdata.json",
        {
            "pid": "host",
            "network_mode": "host",
            "cap_add": ["SYS_PTRACE", "SYS_ADMIN"],
            "security_opt": ["apparmor:unconfined"],
            "volumes": [
                *("/etc/passwd:/host/etc/passwd:ro", "/etc/group:/host/etc/group:ro", "/proc:/host/proc:ro"),
                *("/etc/localtime:/etc/localtime:ro", "/sys:/host/sys:ro", "/etc/os-release:/host/etc/os-release:ro"),
                *("/var/log:/host/var/log:ro", f"{SOCKET}:ro"),
            ],
        },
    ),
    "promtail": ("logs.json", {"volumes": ["/var/log:/var/log:ro", "/var/lib/docker/containers:/c:ro"]}),
    "glances": ("glances.json", {"pid": "host", "volumes": [f"{SOCKET}:ro", "/etc/os-release:/etc/os-release:ro"]}),
}


@pytest.mark.parametrize("stack", STACKS)
def test_a_public_stack_has_what_it_wants_in_its_own_file_and_in_no_other(stack: str) -> None:
    file, container = STACKS[stack]
    document = {
        "name": "any",
        "cpuxs": {"main": {"design_chunks": [{"name": stack, "container": {"image": stack, **container}}]}},
        "volumes": {"portainer_data": {}} if stack == "portainer" else {},
    }
    assert told(POLICY, file, document) == ""
    assert "the policy refuses" in told(POLICY, "other.json", document)
    assert "the policy refuses" in told(STANDARD, file, document)
