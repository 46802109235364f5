"""Rules: how much a container may use. Data."""

from __future__ import annotations

from reconciler.policy.rule import COUNT, FLAG, NUMBER, SIZE, ULIMIT_COUNTS, WORDS, Rule, count_from, words_of

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
        "The most memory of a container; one without a limit has too much.",
        "none",
        "none",
        "none",
    ),
    Rule(
        "limits.memory_and_swap",
        SIZE,
        "The most memory and swap together. Where it is none and limits.memory is not, it is twice that.",
        "none",
        "none",
        "none",
    ),
    Rule("limits.cpus", NUMBER, "The most processors of a container.", "none", "none", "none"),
    Rule("limits.pids", COUNT, "The most processes of a container.", "none", "none", "none"),
    Rule("limits.shm", SIZE, "The largest /dev/shm, and the largest tmpfs of a known size.", "none", "none", "none"),
    Rule("limits.replicas", COUNT, "The most equal copies of a chunk.", "none", 50, 50),
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
        "The most seconds that a container may take to end (stop_grace_period): for so long it can't be updated or"
        " removed.",
        "none",
        3600,
        600,
    ),
)
