"""Cases of what a container may do, and of whose namespaces it is in."""

from __future__ import annotations

import json

from tests.integration.settings.case import NOTHING, Case

_PROFILE = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}
_OTHER_PROFILE = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["rmdir"], "action": "SCMP_ACT_ERRNO"}]}

CASES = (
    Case("read_only", "on and off", True, False),
    Case("read_only", "left out", True, None),
    Case("cap_add", "list", ["NET_ADMIN"], ["NET_ADMIN", "SYS_TIME"]),
    Case("cap_add", "spellings and order", ["net_admin", "CAP_SYS_TIME"], ["SYS_TIME", "NET_ADMIN"], NOTHING),
    Case("cap_add", "left out", ["NET_ADMIN"], None),
    Case("cap_drop", "list", ["CHOWN"], ["CHOWN", "MKNOD"]),
    Case("cap_drop", "all", ["ALL"], ["MKNOD"]),
    Case("cap_drop", "spellings", ["all"], ["ALL"], NOTHING),
    Case("cap_drop", "left out", ["CHOWN"], None),
    Case("security_opt", "flag", ["no-new-privileges:true"], ["no-new-privileges:false"]),
    Case(
        "security_opt",
        "spellings and order",
        ["no-new-privileges", "label:disable"],
        ["label=disable", "no-new-privileges=true"],
        NOTHING,
    ),
    Case("security_opt", "more", ["no-new-privileges"], ["no-new-privileges", "apparmor=unconfined"]),
    Case("security_opt", "seccomp", ["seccomp:unconfined"], [f"seccomp={json.dumps(_PROFILE)}"]),
    Case("security_opt", "profiles", [f"seccomp={json.dumps(_PROFILE)}"], [f"seccomp={json.dumps(_OTHER_PROFILE)}"]),
    Case(
        "security_opt",
        "two spellings of a profile",
        [f"seccomp={json.dumps(_PROFILE)}"],
        [f"seccomp={json.dumps(_PROFILE, indent=2)}"],
        NOTHING,
    ),
    Case("security_opt", "apparmor", ["apparmor=unconfined"], None),
    Case("security_opt", "paths", ["systempaths=unconfined"], None),
    Case("security_opt", "left out", ["no-new-privileges:true"], None),
    Case("group_add", "list", [1000], [1000, 2000]),
    Case("group_add", "order and spelling", ["2000", 1000], [1000, 2000], NOTHING),
    Case("group_add", "names", ["nogroup"], None),
    Case("devices", "short form", ["/dev/null:/dev/one"], ["/dev/null:/dev/two"]),
    Case("devices", "more", ["/dev/zero"], ["/dev/zero", "/dev/null:/dev/one"]),
    Case("devices", "permissions", ["/dev/null:/dev/one:r"], ["/dev/null:/dev/one:rw"]),
    Case(
        "devices",
        "short and long form",
        ["/dev/null:/dev/one:rw"],
        [{"source": "/dev/null", "target": "/dev/one", "permissions": "rw"}],
        NOTHING,
    ),
    Case("devices", "left out", ["/dev/zero"], None),
    Case("device_cgroup_rules", "list", ["c 1:3 mr"], ["c 1:3 mrw"]),
    Case("device_cgroup_rules", "order", ["c 1:3 mr", "c 1:5 r"], ["c 1:5 r", "c 1:3 mr"], NOTHING),
    Case("device_cgroup_rules", "left out", ["c 1:3 mr"], None),
    Case("ipc", "own", "private", "shareable"),
    Case("ipc", "host", "host", None),
    Case("ipc", "none", "none", "private"),
    Case("ipc", "another chunk's", "service:first", "service:second"),
    Case("ipc", "another container's", lambda here: f"container:{here.name('first')}", None),
    Case("pid", "host", "host", None),
    Case("pid", "another chunk's", "service:first", "service:second"),
    Case("pid", "another container's", lambda here: f"container:{here.name('first')}", None),
    Case("uts", "host", "host", None),
    Case("userns_mode", "host", "host", None),
    Case("cgroup", "own and host", "private", "host"),
    Case("cgroup", "left out", "private", None),
    Case("cgroup_parent", "path", lambda here: f"/{here.name('one')}", lambda here: f"/{here.name('two')}"),
    Case("cgroup_parent", "left out", lambda here: f"/{here.name('one')}", None),
    Case("sysctls", "map", {"net.core.somaxconn": 1024}, {"net.core.somaxconn": 1025}),
    Case("sysctls", "more", {"kernel.shmmni": 100}, {"kernel.shmmni": 100, "kernel.msgmax": 9000}),
    Case("sysctls", "map and list", {"net.core.somaxconn": 1024}, ["net.core.somaxconn=1024"], NOTHING),
    Case("sysctls", "left out", {"net.core.somaxconn": 1024}, None),
    Case("runtime", "name", "runc", "io.containerd.runc.v2"),
    Case("runtime", "left out", "runc", None, is_unseen=True),
)

NOT_STARTED_HERE = {
    "privileged": (True, False, "takes a machine with CAP_SYS_RESOURCE"),
    "gpus": ("all", [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}], "takes a driver of GPUs"),
    "cpu_rt_period": (1000000, 500000, "takes a kernel with real-time scheduling of groups"),
    "cpu_rt_runtime": (950000, 400000, "takes a kernel with real-time scheduling of groups"),
}
"""Settings whose containers don't start on every machine: made and inspected, in their two values, for the reason."""

WORDS = {
    "privileged": "apply caps",
    "gpus": "the engine has no driver for the devices that are asked for: [[gpu]]",
    "cpu_rt_period": "cpu.rt_period_us",
    "cpu_rt_runtime": "cpu.rt_runtime_us",
    "storage_opt": "storage-opt",
    "blkio_config": "Block I/O weight",
}
"""What an engine says of a setting, where its machine can't honour it."""

NOT_MADE_HERE = {
    "isolation": "hyperv",
    "credential_spec": {"file": "account.json"},
    "cpu_count": 2,
    "cpu_percent": 50,
}
"""Settings that only an engine on Windows can honour."""
