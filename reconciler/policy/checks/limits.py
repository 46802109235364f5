"""How much a container may use. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

from reconciler.intent.settings.rows.resources import USUAL_SHM
from reconciler.policy.checks.case import Case, Object, number, objects, texts
from reconciler.policy.rule import COUNT, FLAG, NUMBER, SIZE, ULIMIT_COUNTS, WORDS, Profile, Rule, count_from, words_of

ROWS = (
    Rule(
        "limits.required",
        words_of("memory", "cpus", "pids"),
        "Which limits every container must have.",
        [],
        [],
        ["memory", "cpus", "pids"],
    ),
    Rule(
        "limits.memory",
        SIZE,
        "The maximum memory of a container; a container without a limit has too much.",
        "none",
        "none",
        "none",
    ),
    Rule(
        "limits.memory_and_swap",
        SIZE,
        "The maximum memory and swap together. If it is none and limits.memory is not, it is twice that.",
        "none",
        "none",
        "none",
    ),
    Rule("limits.cpus", NUMBER, "The maximum processors of a container.", "none", "none", "none"),
    Rule("limits.pids", COUNT, "The maximum number of processes of a container.", "none", "none", "none"),
    Rule("limits.shm", SIZE, "The largest /dev/shm, and the largest tmpfs of a known size.", "none", "none", "none"),
    Rule("limits.replicas", COUNT, "The maximum number of replicas of a chunk.", "none", 50, 50),
    Rule(
        "limits.ulimits",
        ULIMIT_COUNTS,
        "The highest hard limits that ulimits may set, by name; -1, no limit, is above every one of them.",
        {},
        {},
        {},
    ),
    Rule(
        "limits.oom_score",
        count_from(-1000, 1000),
        "The lowest oom_score_adj: below that of the engine (-500) the kernel kills the engine, and the host's own"
        " programs, before the container.",
        "none",
        -500,
        0,
    ),
    Rule(
        "limits.oom_kill_disable",
        FLAG,
        "Whether the kernel may be kept from killing anything in the container.",
        True,
        True,
        False,
    ),
    Rule(
        "limits.realtime",
        FLAG,
        "Whether a container may have real-time processes: by cpu_rt_runtime, by the ulimit rtprio, or by the"
        " capability SYS_NICE. No limit of processors holds them.",
        True,
        True,
        False,
    ),
    Rule(
        "limits.cgroup_parents",
        WORDS,
        "Under which control groups of the host a container may be put (cgroup_parent), past what limits the others."
        " The root, those of services and sessions (`system.slice`, `pnr.service`, `user-1000.slice`) and those of"
        " other programs for containers take a pattern that says more than `*`.",
        ["*"],
        ["*"],
        [],
    ),
    Rule(
        "limits.stop_grace",
        NUMBER,
        "The maximum seconds that a container may take to end (stop_grace_period): for so long it can't be updated or"
        " removed.",
        "none",
        3600,
        600,
    ),
)

USUAL_PERIOD = 100_000

_HOSTS_GROUPS = re.compile(
    r"-\.slice|(?:system|user|machine|init|kubepods|docker|podman|libpod|lxc)(?:[-_.@].*)?"
    r"|.*\.(?:service|scope|socket|mount|swap)",
    re.IGNORECASE,
)


def limits(case: Case, host: Object, *, update: bool = False) -> None:
    """Limits in ``HostConfig``, or in the body of an update, where what is not there stays as it is."""
    policy = case.policy
    prefix = "" if update else "HostConfig."
    required = policy.words("limits.required")

    def wants(name: str) -> bool:
        return "*" in required or name in required

    def is_asked(*keys: str) -> bool:
        return not update or any(number(host.get(key)) for key in keys)

    if is_asked("Memory"):
        memory = number(host.get("Memory"))
        _ceiling(case, "limits.memory", memory, f"{prefix}Memory", "memory", wants("memory"))
    if is_asked("Memory", "MemorySwap"):
        _swap(case, host, prefix)
    if is_asked("NanoCpus", "CpuQuota", "CpuPeriod"):
        period = number(host.get("CpuPeriod")) or USUAL_PERIOD
        quota = number(host.get("CpuQuota"))
        cpus = number(host.get("NanoCpus")) / 1e9 or (quota / period if quota > 0 else 0)
        if not (update and not number(host.get("NanoCpus")) and not quota):
            field = "NanoCpus" if number(host.get("NanoCpus")) or not quota else "CpuQuota"
            _ceiling(case, "limits.cpus", cpus, f"{prefix}{field}", "processors", wants("cpus"))
        elif policy.ceiling("limits.cpus") is not None:
            case.refuse("limits.cpus", f"{prefix}CpuPeriod", "a period without the quota that counts in it")
    if is_asked("PidsLimit"):
        pids = number(host.get("PidsLimit"))
        _ceiling(case, "limits.pids", pids, f"{prefix}PidsLimit", "processes", wants("pids"))
    _others(case, host, prefix, update=update)


def _ceiling(case: Case, rule: str, asked: float, field: str, what: str, required: bool) -> None:
    ceiling = case.policy.ceiling(rule)
    if asked <= 0:
        if required:
            case.refuse("limits.required", field, f"a container without a limit of {what}")
        elif ceiling is not None:
            case.refuse(rule, field, f"a container without a limit of {what} (at most {ceiling:.12g})")
    elif ceiling is not None and asked > ceiling:
        case.refuse(rule, field, f"{asked:.12g} {what} (at most {ceiling:.12g})")


def _swap(case: Case, host: Object, prefix: str) -> None:
    policy = case.policy
    memory = policy.ceiling("limits.memory")
    declared = policy.ceiling("limits.memory_and_swap")
    ceiling = declared if declared is not None else (2 * memory if memory is not None else None)
    if ceiling is None:
        return
    rule = "limits.memory_and_swap" if declared is not None else "limits.memory"
    asked = number(host.get("MemorySwap"))
    field = f"{prefix}MemorySwap"
    if asked < 0:
        case.refuse(rule, field, f"memory and swap without a limit (at most {ceiling:.12g})")
    elif (asked or 2 * number(host.get("Memory"))) > ceiling:
        case.refuse(rule, field, f"more memory and swap together than {ceiling:.12g}")
    elif declared is not None and not asked and not number(host.get("Memory")):
        case.refuse(rule, field, f"memory and swap without a limit (at most {ceiling:.12g})")


def _others(case: Case, host: Object, prefix: str, *, update: bool) -> None:
    policy = case.policy
    shm = policy.ceiling("limits.shm")
    if shm is not None and not update and (number(host.get("ShmSize")) or USUAL_SHM) > shm:
        case.refuse("limits.shm", f"{prefix}ShmSize", f"a /dev/shm of more than {shm:.12g} bytes")
    highest: Mapping[str, int] = policy.values["limits.ulimits"]
    for index, ulimit in enumerate(objects(host.get("Ulimits"))):
        name = str(ulimit.get("Name") or "")
        asked = max(number(ulimit.get("Hard")), number(ulimit.get("Soft")))
        endless = min(number(ulimit.get("Hard")), number(ulimit.get("Soft"))) < 0
        if name in highest and (asked > highest[name] or endless):
            case.refuse(
                "limits.ulimits", f"{prefix}Ulimits[{index}]", f"more than {highest[name]} for the ulimit {name}"
            )
    lowest = policy.ceiling("limits.oom_score")
    if lowest is not None and number(host.get("OomScoreAdj")) < lowest:
        said = f"an oom_score_adj below {lowest:.0f}: the kernel would end the host's own programs before it"
        case.refuse("limits.oom_score", f"{prefix}OomScoreAdj", said)
    if host.get("OomKillDisable") and not policy.flag("limits.oom_kill_disable"):
        case.refuse(
            "limits.oom_kill_disable", f"{prefix}OomKillDisable", "to keep the kernel from ending anything in it"
        )
    if not policy.flag("limits.realtime"):
        _realtime(case, host, prefix)
    parent = str(host.get("CgroupParent") or "")
    if parent:
        _group(case, parent, f"{prefix}CgroupParent")


def _realtime(case: Case, host: Object, prefix: str) -> None:
    """Refuse what lets processes be real-time ones, which no limit of processors holds."""
    said = "real-time processes"
    if number(host.get("CpuRealtimeRuntime")):
        case.refuse("limits.realtime", f"{prefix}CpuRealtimeRuntime", said)
    for index, ulimit in enumerate(objects(host.get("Ulimits"))):
        if ulimit.get("Name") == "rtprio" and (number(ulimit.get("Hard")) or number(ulimit.get("Soft"))):
            case.refuse("limits.realtime", f"{prefix}Ulimits[{index}]", f"{said} (the ulimit rtprio)")
    for index, given in enumerate(texts(host.get("CapAdd"))):
        name = given.upper().removeprefix("CAP_")
        if name in ("SYS_NICE", "ALL"):
            case.refuse("limits.realtime", f"{prefix}CapAdd[{index}]", f"{said} (the capability {name})")


def _group(case: Case, parent: str, field: str) -> None:
    allowed = case.policy.words("limits.cgroup_parents")
    is_odd = ".." in parent.split("/") or not parent.isprintable()
    whose = " (one of the host's own, or of another program)" if _is_the_hosts(parent) else ""
    if case.policy.profile is Profile.OPEN or any(
        pattern != "*" and fnmatchcase(parent, pattern) for pattern in allowed
    ):
        whose = ""
    if is_odd or whose or not case.policy.allows("limits.cgroup_parents", parent):
        case.refuse("limits.cgroup_parents", field, f"the control group {parent}{whose}", parent)


def _is_the_hosts(parent: str) -> bool:
    """Whether it is a control group that others than domains have: the root, those of services (pnr's and the engine's
    among them), of sessions, of machines."""
    parts = [part for part in parent.split("/") if part not in ("", ".")]
    return not parts or any(_HOSTS_GROUPS.fullmatch(part) for part in parts)


def stopping(case: Case, body: Object) -> None:
    """How long a container may take to end. Below zero it is waited for without end."""
    ceiling = case.policy.ceiling("limits.stop_grace")
    asked = number(body.get("StopTimeout"))
    if ceiling is not None and (asked > ceiling or asked < 0):
        said = (
            f"a container that may take {asked:.12g} seconds to end"
            if asked > 0
            else "a container that never has to end"
        )
        case.refuse("limits.stop_grace", "StopTimeout", f"{said} (at most {ceiling:.12g})")
