"""Rules: privileges of containers, namespaces of the host, devices. Data.

What gives root on the host is refused from ``standard`` on; ``strict`` follows the Restricted level of Kubernetes' Pod
Security Standards and the CIS Docker Benchmark (chapters 4 and 5).
"""

from __future__ import annotations

from reconciler.policy.rule import CAPABILITIES, DEVICE_RULES, FLAG, SYSCTLS, WORDS, Rule, choice, words_of

USUAL_CAPABILITIES = (
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
)  # fmt: skip
"""What Docker gives to every container."""

HARMLESS = [*USUAL_CAPABILITIES, "IPC_LOCK", "LEASE", "NET_BROADCAST", "SYS_NICE", "WAKE_ALARM"]

HARMLESS_DEVICES = [
    "/dev/dri", "/dev/full", "/dev/fuse", "/dev/gpiochip*", "/dev/gpiomem*",
    "/dev/hwrng", "/dev/i2c-*", "/dev/kfd", "/dev/kvm", "/dev/net/tun", "/dev/null", "/dev/nvidia*", "/dev/random",
    "/dev/rtc*", "/dev/serial", "/dev/snd", "/dev/spidev*", "/dev/ttyACM*", "/dev/ttyAMA*", "/dev/ttyS*",
    "/dev/ttyUSB*", "/dev/urandom", "/dev/video*", "/dev/zero",
]  # fmt: skip

HARMLESS_DEVICE_RULES = [
    "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm", "c 10:200 rwm", "c 10:229 rwm", "c 81:* rwm",
    "c 89:* rwm", "c 116:* rwm", "c 166:* rwm", "c 188:* rwm", "c 226:* rwm",
]  # fmt: skip
"""null, zero, full, random, urandom, net/tun, fuse, video, i2c, sound, modems, serial adapters, graphics. Not USB
as a whole: disks and keyboards are there too."""

NAMESPACES = ("network", "pid", "ipc", "uts", "user", "cgroup")

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
        "The same for a container that has the host's network, whose routes and filters NET_ADMIN would change.",
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
        WORDS,
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
    Rule(
        "namespaces.host",
        words_of(*NAMESPACES),
        "Which of the host's namespaces a container may live in. pid and ipc reach into processes of the host, and user"
        " takes the mapping of users away.",
        ["*"],
        ["network", "uts", "cgroup"],
        [],
    ),
    Rule(
        "namespaces.containers",
        choice("any", "domain", "none"),
        "Whose containers may share namespaces, volumes (volumes_from) and links with one: any, those of its domain, or"
        " none. What the other has counts as its own.",
        "any",
        "domain",
        "domain",
    ),
    Rule(
        "devices.paths",
        WORDS,
        "Which devices of the host a container may have, by path; a directory stands for all in it. Links are followed,"
        " and both ends must be in the list. A watchdog is in no list: who opens it and ends resets the machine.",
        ["*"],
        HARMLESS_DEVICES,
        [],
    ),
    Rule(
        "devices.block",
        FLAG,
        "Whether block devices may be among them: a disk is everything that is on it.",
        True,
        False,
        False,
    ),
    Rule(
        "devices.rules",
        DEVICE_RULES,
        "Which device_cgroup_rules a container may have, as `c 188:* rw`; one that asks for less than a rule in the"
        " list is allowed too.",
        ["a *:* rwm"],
        HARMLESS_DEVICE_RULES,
        [],
    ),
    Rule(
        "devices.requests",
        WORDS,
        "Which drivers may hand out devices (gpus): their names, and names of the Container Device Interface"
        " (vendor.com/class=name). `default` is a request that names no driver.",
        ["*"],
        ["default", "nvidia", "amd.com/gpu=*", "intel.com/gpu=*", "nvidia.com/gpu=*"],
        [],
    ),
)
