"""Values of the settings that say what a container may do, for the round trip through a real engine."""

from __future__ import annotations

import json
from typing import Any

PROFILE = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}

CASES: list[tuple[str, Any]] = [
    ("privileged", True),
    ("privileged", False),
    ("security_opt", ["no-new-privileges:true", "seccomp:unconfined", "apparmor=unconfined"]),
    ("security_opt", [f"seccomp={json.dumps(PROFILE)}"]),
    ("security_opt", ["systempaths=unconfined", "label:disable", "no-new-privileges:false"]),
    ("security_opt", []),
    ("group_add", ["audio", 1000]),
    ("group_add", []),
    ("devices", ["/dev/null:/dev/nothing:rw", "/dev/zero"]),
    ("devices", [{"source": "/dev/null", "target": "/dev/other", "permissions": "r"}]),
    ("devices", ["vendor.com/class=one", "/dev/null"]),
    ("devices", []),
    ("device_cgroup_rules", ["c 1:3 mr", "a 7:* rmw"]),
    ("gpus", "all"),
    ("gpus", [{"driver": "nvidia", "device_ids": ["0", "1"], "capabilities": ["gpu", "utility"]}]),
    ("gpus", [{"driver": "cdi", "device_ids": ["vendor.com/gpu=0"], "options": {"a": 1}}]),
    ("ipc", "private"),
    ("ipc", "shareable"),
    ("ipc", "host"),
    ("ipc", "none"),
    ("pid", "host"),
    ("uts", "host"),
    ("userns_mode", "host"),
    ("cgroup", "private"),
    ("cgroup", "host"),
    ("cgroup_parent", "/pnr-test"),
    ("sysctls", {"net.core.somaxconn": 1024}),
    ("sysctls", ["net.ipv4.ip_unprivileged_port_start=0"]),
    ("runtime", "runc"),
]

CANT_BE_CREATED_HERE = {"isolation": "Windows only", "credential_spec": "Windows only"}
