"""Privileges: capabilities, profiles of the kernel's security modules, namespaces of the host, users. Pure.

What gives root on the host is refused from ``standard`` on; ``strict`` follows the Restricted level of Kubernetes' Pod
Security Standards and the CIS Docker Benchmark (chapters 4 and 5).
"""

from __future__ import annotations

import re

from reconciler.policy.checks.case import Case, Object, table, texts
from reconciler.policy.checks.sharing import CONTAINER, leads_to_host, others
from reconciler.policy.model import Policy
from reconciler.policy.refusal import KNOWN_FIELDS
from reconciler.policy.rule import CAPABILITIES, FLAG, LABELS, SYSCTLS, WORDS, Rule, words_of

USUAL_CAPABILITIES = (
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
)  # fmt: skip
"""What Docker gives to every container."""

HARMLESS = [*USUAL_CAPABILITIES, "IPC_LOCK", "LEASE", "NET_BROADCAST", "SYS_NICE", "WAKE_ALARM"]

SAFE_SYSCTLS = [
    "kernel.shm_rmid_forced", "net.core.somaxconn", "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_*", "net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
]  # fmt: skip

ROWS = (
    Rule(
        "security.privileged",
        FLAG,
        "Whether a container, or a command that is run in one, may have all privileges: it is root on the host.",
        True,
        False,
        False,
    ),
    Rule(
        "security.capabilities",
        CAPABILITIES,
        "What cap_add may add. The standard list is what Docker gives anyway, NET_ADMIN and a few more that reach no"
        " further than the container; DAC_READ_SEARCH, SYS_ADMIN, SYS_MODULE, SYS_PTRACE, SYS_RAWIO, BPF and others"
        " that lead to the host are not in it.",
        ["*"],
        [*HARMLESS, "NET_ADMIN"],
        ["NET_BIND_SERVICE"],
    ),
    Rule(
        "security.capabilities_on_host_network",
        CAPABILITIES,
        "As security.capabilities, for a container that has the host's network, whose routes and filters NET_ADMIN"
        " would change.",
        ["*"],
        HARMLESS,
        ["NET_BIND_SERVICE"],
    ),
    Rule(
        "security.drop_all_capabilities",
        FLAG,
        "Whether every container must drop all capabilities (`cap_drop: [ALL]`) before it adds some.",
        False,
        False,
        True,
    ),
    Rule(
        "security.no_new_privileges",
        FLAG,
        "Whether every container must have `no-new-privileges` in security_opt.",
        False,
        False,
        True,
    ),
    Rule(
        "security.seccomp",
        words_of("builtin", "unconfined", "profile"),
        "Which seccomp profiles may be asked for: the engine's own (builtin), none (unconfined), one that the domain"
        " brings along (profile), which may allow everything.",
        ["*"],
        ["builtin"],
        ["builtin"],
    ),
    Rule(
        "security.apparmor",
        WORDS,
        "Which AppArmor profiles may be asked for, by name; unconfined is one of the names.",
        ["*"],
        ["docker-default"],
        ["docker-default"],
    ),
    Rule(
        "security.selinux",
        LABELS,
        "Which SELinux labels may be asked for, as `level:s0:c1,c2`; disable and type:spc_t lead out of confinement.",
        ["*"],
        ["level:*"],
        [],
    ),
    Rule(
        "security.unmasked_paths",
        FLAG,
        "Whether the parts of /proc and /sys that the engine hides may be opened (systempaths=unconfined).",
        True,
        False,
        False,
    ),
    Rule(
        "security.writable_cgroups",
        FLAG,
        "Whether control groups may be mounted writable (writable-cgroups).",
        True,
        False,
        False,
    ),
    Rule(
        "security.root_user",
        FLAG,
        "Whether a container may run as root in it. Where not, `user` must be a number other than 0: what a name stands"
        " for is up to the image.",
        True,
        True,
        False,
    ),
    Rule(
        "security.writable_root",
        FLAG,
        "Whether a container's own file system may be writable; where not, `read_only: true` is required.",
        True,
        True,
        False,
    ),
    Rule(
        "security.sysctls",
        SYSCTLS,
        "Which kernel settings a container may have. The standard ones belong to the container's own namespaces.",
        ["*"],
        ["fs.mqueue.*", "kernel.domainname", "kernel.msg*", "kernel.sem", "kernel.shm*", "net.*"],
        SAFE_SYSCTLS,
    ),
    Rule(
        "security.runtimes",
        WORDS,
        "Which runtimes of the engine may be asked for.",
        ["*"],
        ["crun", "io.containerd.runc.v2", "kata*", "nvidia", "runc", "runsc*"],
        ["runc", "runsc"],
    ),
    Rule(
        "security.annotations",
        WORDS,
        "Which annotations a container may have; runtimes take some of them as orders.",
        ["*"],
        ["org.opencontainers.image.*"],
        [],
    ),
)

_NAMESPACES = {
    "NetworkMode": "network",
    "PidMode": "pid",
    "IpcMode": "ipc",
    "UTSMode": "uts",
    "UsernsMode": "user",
    "CgroupnsMode": "cgroup",
}
_OWN = frozenset({"", "private", "shareable", "none", "default"})
_ADVICE = {"pid": "it sees the host's processes", "ipc": "it shares memory with the host's processes"}
_LAST_USER = 2**31 - 1  # what comes behind it, engines and the kernel read in different ways
_NUMBER = re.compile(r"(?P<uid>[0-9]{1,10})(?::[^:]*)?")
_ON = ("no-new-privileges", "no-new-privileges=true", "no-new-privileges:true")
_OFF = ("no-new-privileges=false", "no-new-privileges:false", "writable-cgroups=false", "writable-cgroups:false")


def allows_in_a_path(policy: Policy, rule: str, name: str) -> bool:
    """Whether a list has a name that programs make a part of a path from: one that is a way itself stands for none that
    a pattern means, but for ``*``."""
    is_way = "/" in name or ".." in name
    words = policy.words(rule)
    return (name in words or "*" in words) if is_way else policy.allows(rule, name)


def security(case: Case, body: Object, host: Object) -> None:
    """Everything in the body that creates a container about its privileges."""
    policy = case.policy
    if host.get("Privileged") not in (None, False) and not policy.flag("security.privileged"):
        case.refuse("security.privileged", "HostConfig.Privileged", "privileged: it is root on the host")
    on_host = namespaces(case, host)
    _capabilities(case, host, on_host)
    _options(case, host)
    if not policy.flag("security.root_user"):
        match = _NUMBER.fullmatch(str(body.get("User") or ""))
        if match is None or not 0 < int(match["uid"]) <= _LAST_USER:
            said = 'a container whose user is not a number other than 0, as in "1000:1000"'
            case.refuse("security.root_user", "User", said)
    if not policy.flag("security.writable_root") and host.get("ReadonlyRootfs") is not True:
        said = "a container whose own file system is writable: write read_only: true"
        case.refuse("security.writable_root", "HostConfig.ReadonlyRootfs", said)
    for name in table(host.get("Sysctls")):
        if not allows_in_a_path(policy, "security.sysctls", str(name)):
            case.refuse("security.sysctls", f"HostConfig.Sysctls[{name}]", f"the kernel setting {name}", str(name))
    runtime = str(host.get("Runtime") or "")
    if runtime and not allows_in_a_path(policy, "security.runtimes", runtime):
        case.refuse("security.runtimes", "HostConfig.Runtime", f"the runtime {runtime}", runtime)
    for name in table(host.get("Annotations")):
        if not policy.allows("security.annotations", str(name)):
            case.refuse("security.annotations", f"HostConfig.Annotations[{name}]", f"the annotation {name}", str(name))


def namespaces(case: Case, host: Object) -> bool:
    """The namespaces that are not the container's own. Gives whether it has the host's network."""
    has_network = False
    for field, kind in _NAMESPACES.items():
        mode = str(host.get(field) or "")
        place = f"HostConfig.{field}"
        is_host = mode == "host"
        if mode.startswith(CONTAINER):
            name = mode.removeprefix(CONTAINER)
            if not others(case, name, place, f"{kind} namespace of the container"):
                continue
            is_host = kind in ("network", "pid", "ipc") and leads_to_host(case, kind, name)
        elif kind == "network":
            is_host = is_host or _is_host_by_name(case, mode)
            if set(mode) & set(":/"):  # no name of a network: other engines take paths of namespaces so
                case.refuse(KNOWN_FIELDS, place, f"no rule is known for {mode}")
        elif not is_host and mode not in _OWN:
            case.refuse(KNOWN_FIELDS, place, f"no rule is known for {mode}")
        if is_host:
            has_network = has_network or kind == "network"
            if not case.policy.allows("namespaces.host", kind):
                said = f"the host's {kind} namespace" + (f": {_ADVICE[kind]}" if kind in _ADVICE else "")
                case.refuse("namespaces.host", place, said, kind)
    return has_network


def _is_host_by_name(case: Case, name: str) -> bool:
    """The engine's network ``host`` has an id, too."""
    body = case.world.network(name) if name not in ("", "default", "bridge", "none", "host") else None
    return body is not None and body.get("Driver") == "host"


def _capabilities(case: Case, host: Object, on_host: bool) -> None:
    rule = "security.capabilities_on_host_network" if on_host else "security.capabilities"
    for index, given in enumerate(texts(host.get("CapAdd"))):
        name = given.upper().removeprefix("CAP_")
        if not case.policy.allows(rule, "*" if name == "ALL" else name):
            on = " with the host's network" if on_host else ""
            case.refuse(
                rule, f"HostConfig.CapAdd[{index}]", f"the capability {given}{on}", "*" if name == "ALL" else name
            )
    dropped = {name.upper().removeprefix("CAP_") for name in texts(host.get("CapDrop"))}
    if case.policy.flag("security.drop_all_capabilities") and "ALL" not in dropped:
        said = 'a container that keeps capabilities: write cap_drop: ["ALL"]'
        case.refuse("security.drop_all_capabilities", "HostConfig.CapDrop", said)


def _options(case: Case, host: Object) -> None:
    policy = case.policy
    options = texts(host.get("SecurityOpt"))
    for index, option in enumerate(options):
        _option(case, option, f"HostConfig.SecurityOpt[{index}]")
    if policy.flag("security.no_new_privileges") and (
        not any(option in _ON for option in options) or any(option in _OFF[:2] for option in options)
    ):
        said = 'a container that may gain privileges: write security_opt: ["no-new-privileges:true"]'
        case.refuse("security.no_new_privileges", "HostConfig.SecurityOpt", said)
    # What is there at all replaces the engine's own list, so that any list may hold less.
    for field in ("MaskedPaths", "ReadonlyPaths"):
        if host.get(field) is not None and not policy.flag("security.unmasked_paths"):
            said = "the parts of /proc and /sys that the engine hides (systempaths)"
            case.refuse("security.unmasked_paths", f"HostConfig.{field}", said)


def _option(case: Case, option: str, field: str) -> None:
    if option in _ON or option in _OFF:
        return
    # Docker takes a colon for the sign as well, where no equals sign comes before it.
    sign = "=" if "=" in option else ":"
    name, _, value = option.partition(sign)
    if name.startswith("label:"):  # label:user=… was taken apart at the wrong sign
        name, _, value = option.partition(":")
    policy = case.policy
    match name:
        case "seccomp":
            kind = value if value in ("builtin", "unconfined") else "profile"
            if not policy.allows("security.seccomp", kind):
                told = "a seccomp profile of its own, which may allow everything" if kind == "profile" else option
                case.refuse("security.seccomp", field, told, kind)
        case "apparmor":
            if not policy.allows("security.apparmor", value):
                case.refuse("security.apparmor", field, f"the AppArmor profile {value}", value)
        case "label":
            if not policy.allows("security.selinux", value.replace("=", ":", 1)):
                case.refuse("security.selinux", field, f"the SELinux option {value}", value.replace("=", ":", 1))
        case "systempaths":
            if not policy.flag("security.unmasked_paths"):
                case.refuse("security.unmasked_paths", field, f"{option}: it opens what the engine hides of /proc")
        case "writable-cgroups":
            if not policy.flag("security.writable_cgroups"):
                case.refuse("security.writable_cgroups", field, option)
        case "credentialspec":
            return  # of Windows: an account that the engine's host knows
        case _:
            case.refuse(KNOWN_FIELDS, field, f"no rule is known for the security option {name}")
