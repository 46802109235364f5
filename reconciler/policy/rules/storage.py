"""Rules: what of the host a container may see, files that a domain refers to, volumes. Data.

``standard`` protects what makes somebody root who can write there, or read it. A protected path also protects the
directories above it.
"""

from __future__ import annotations

from reconciler.policy.rule import DOMAINS, FLAG, NAMES, OWN_NAME, PATHS, UNOWNED, WORDS, Rule, words_of

PROTECTED = [
    # the system itself
    "/bin", "/boot", "/dev", "/efi", "/etc", "/lib*", "/proc", "/root", "/run", "/sbin", "/selinux", "/snap", "/sys",
    "/usr", "/nix", "/gnu", "/swap*", "/.*", "/private/etc", "/private/var/run", "/System", "/Library",
    # homes: the whole of one, and what stands in it under a name with a dot (keys, shells' files)
    "/home/*/.*", "/Users/*/.*",
    # sessions and sockets of others
    "/tmp/.*", "/tmp/screens", "/tmp/ssh-*", "/tmp/systemd-private-*", "/tmp/tmux-*", "/var/tmp/systemd-private-*",
    # the engines' own data, and that of other programs that run as root
    "/opt/cni", "/opt/containerd", "/var/cron", "/var/backups", "/var/log", "/var/run", "/var/lock", "/var/spool",
    "/var/cache/apt", "/var/cache/debconf", "/var/db", "/var/lib/AccountsService", "/var/lib/NetworkManager",
    "/var/lib/alternatives", "/var/lib/apt", "/var/lib/cloud", "/var/lib/cni", "/var/lib/containerd",
    "/var/lib/containers", "/var/lib/cri-o", "/var/lib/dbus", "/var/lib/dkms", "/var/lib/docker*", "/var/lib/dpkg",
    "/var/lib/etcd", "/var/lib/extrausers", "/var/lib/flatpak", "/var/lib/initramfs-tools", "/var/lib/kubelet",
    "/var/lib/krb5kdc", "/var/lib/nfs", "/var/lib/samba/private", "/var/lib/sss", "/var/lib/waagent",
    "/var/lib/libvirt", "/var/lib/lxc*", "/var/lib/machines", "/var/lib/pnr", "/var/lib/polkit-1",
    "/var/lib/portables", "/var/lib/private", "/var/lib/rancher", "/var/lib/rpm", "/var/lib/snapd", "/var/lib/sudo",
    "/var/lib/systemd", "/var/lib/udisks2", "/var/snap",
    # hooks and settings of a repository are run by whoever works in it
    "**/.git",
]  # fmt: skip

READ_ONLY = [
    "/etc/ca-certificates", "/etc/group", "/etc/hostname", "/etc/letsencrypt", "/etc/localtime", "/etc/os-release",
    "/etc/passwd", "/etc/pki/ca-trust", "/etc/pki/tls/certs", "/etc/ssl/certs", "/etc/timezone", "/lib/modules",
    "/run/udev", "/usr/lib/modules", "/usr/lib/os-release", "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates", "/usr/share/fonts", "/usr/share/zoneinfo",
]  # fmt: skip

FILES = ["/etc/letsencrypt", "/etc/pnr/secrets", "/etc/ssl/certs", "/run/secrets"]

VOLUME_OPTIONS = [
    "bind", "rbind", "ro", "rw", "noexec", "nosuid", "nodev", "exec", "noatime", "nodiratime", "relatime", "sync",
    "size=*", "mode=*", "uid=*", "gid=*", "nr_inodes=*", "addr=*", "nfsvers=*", "vers=*", "hard", "soft", "intr",
    "nointr", "nolock", "lock", "proto=*", "port=*", "mountport=*", "timeo=*", "retrans=*", "rsize=*", "wsize=*",
    "actimeo=*", "noac", "nocto", "bg", "fg", "tcp", "udp", "fsc", "noresvport", "resvport", "local_lock=*", "sec=*",
    "username=*", "user=*", "password=*", "pass=*", "domain=*", "file_mode=*", "dir_mode=*", "iocharset=*",
    "noperm", "nobrl", "cache=*", "guest", "mfsymlinks", "seal", "nounix", "noserverino", "serverino",
]  # fmt: skip

ROWS = (
    Rule(
        "binds.allowed",
        PATHS,
        "Below which directories of the host a container may have directories and files: as volumes, as volumes that"
        f" are a directory (`o: bind`), as sockets of log drivers. `{DOMAINS}` is the directory of the domain files:"
        " what lies below it is allowed, whatever is protected, but for the domain files themselves.",
        ["/"],
        ["/", DOMAINS],
        [],
    ),
    Rule(
        "binds.protected",
        PATHS,
        "What no container may have, though it is below an allowed directory; nor what lies above it. pnr's own places"
        " (state, domain files, policy, program), the engine's data and what the engine's socket lies in are always in"
        " this list, but in the profile open.",
        [],
        PROTECTED,
        PROTECTED,
    ),
    Rule(
        "binds.engine_socket",
        WORDS,
        "Which chunks may have the engine's socket (a proxy that finds its targets by labels, say), as"
        " `domain/cpux/chunk`, through links or not, writable or not: read-only makes no difference to a socket. Each"
        " of them is root on the host.",
        ["*"],
        [],
        [],
    ),
    Rule(
        "binds.read_only",
        PATHS,
        "What of the protected may be had read-only all the same. A link that is named here may lead to another place"
        " that is. What holds pnr's own places or the engine's (`/`, say, for what watches the whole host) may"
        " be had so only by chunks that `binds.engine_socket` names as well.",
        [],
        READ_ONLY,
        [],
    ),
    Rule(
        "binds.excepted",
        PATHS,
        "What of the protected may be had all the same, also to write to it. Whoever has what the system itself lives"
        " on is root on the host: name no more than what is needed. pnr's own places and the engine's stay protected.",
        [],
        [],
        [],
    ),
    Rule(
        "binds.links",
        FLAG,
        "Whether a path to a directory of the host may go through symbolic links. Where not, it names the place itself,"
        " so that nobody can lead it elsewhere by another link.",
        True,
        False,
        False,
    ),
    Rule(
        "binds.missing",
        FLAG,
        "Whether it may not be there yet: the engine makes it, as root.",
        True,
        True,
        False,
    ),
    Rule(
        "binds.others_may_write",
        FLAG,
        "Whether users other than root and the daemon's may be able to write to directories on the way to it, and so"
        " put something else in its place between the look and the mount.",
        True,
        True,
        False,
    ),
    Rule(
        "binds.unseen",
        FLAG,
        "Whether a path that pnr can't look at may be had by its name alone: one on the machine of an engine elsewhere,"
        " below a directory that pnr's user may not enter, or below /tmp where its unit has a /tmp of its own.",
        True,
        False,
        False,
    ),
    Rule(
        "binds.propagation",
        words_of("private", "rprivate", "slave", "rslave", "shared", "rshared"),
        "How mounts may be handed on; with shared, what the container mounts is mounted on the host.",
        ["*"],
        ["private", "rprivate", "slave", "rslave"],
        ["private", "rprivate"],
    ),
    Rule(
        "files.allowed",
        PATHS,
        "Below which directories lie the files that a domain refers to: secrets, configs, env_file, label_file, build"
        " contexts and Dockerfiles. Links are followed: both ends must be allowed.",
        ["/"],
        ["/", DOMAINS],
        [DOMAINS, "/etc/pnr/secrets"],
    ),
    Rule(
        "files.excepted",
        PATHS,
        "Which of them may be read though they lie where binds.protected protects.",
        ["/"],
        FILES,
        ["/etc/pnr/secrets"],
    ),
    Rule(
        "volumes.drivers",
        WORDS,
        "Which drivers of volumes may be used; another than local is a program that runs as root.",
        ["*"],
        ["local"],
        ["local"],
    ),
    Rule(
        "volumes.types",
        WORDS,
        "What a volume of the driver local may mount, by type of file system. `bind` is a directory of the host, to"
        " which the rules of binds apply, whatever its type says.",
        ["*"],
        ["bind", "cifs", "nfs", "nfs4", "tmpfs"],
        ["tmpfs"],
    ),
    Rule(
        "volumes.options",
        WORDS,
        "Which mount options it may have (`o`).",
        ["*"],
        VOLUME_OPTIONS,
        ["size=*", "mode=*", "uid=*", "gid=*", "noexec", "nosuid", "nodev", "ro"],
    ),
    Rule(
        "volumes.external",
        NAMES,
        "Which volumes that do not belong to its domain a container may have, by their names in the engine. What"
        " another domain shares (`shared_with` at the volume in its file) takes no entry here. Of what belongs to no"
        f" domain `{OWN_NAME}` stands for the domain's name, as Compose puts it before that of a volume, and"
        f" `{UNOWNED}` for all.",
        ["*"],
        [f"{OWN_NAME}_*", f"{OWN_NAME}-*"],
        [],
    ),
)
