"""Rules: what of the host a container may see, and files that a domain refers to. Data; several checks look at them
(:mod:`.places`, :mod:`.kinds`, :mod:`.mounts`, :mod:`.secrets`).

``standard`` protects what makes somebody root who can write there, or read it. A protected path also protects the
directories above it.
"""

from __future__ import annotations

from reconciler.policy.rule import CHUNKS, FLAG, PATHS, Rule, words_of
from reconciler.policy.values import COMMON, DOMAIN, DOMAINS

PROTECTED = [
    # the system itself
    "/bin", "/boot", "/dev", "/efi", "/etc", "/lib*", "/proc", "/root", "/run", "/sbin", "/selinux", "/snap", "/sys",
    "/usr", "/nix", "/gnu", "/swap*", "/.*", "/private/etc", "/private/var/run", "/System", "/Library",
    # homes: the whole of one, and what stands in it under a name with a dot (keys, shells' files)
    "/home/*/.*", "/Users/*/.*",
    # what the start of the machine and other roots of it go by
    "/system-update", "/sysroot", "/ostree", "/recovery", "/initrd*", "/vmlinuz*", "/rom", "/overlay", "/newroot",
    "/forcefsck", "/fastboot", "/lost+found",
    # tools that configure the machine
    "/opt/ansible", "/opt/chef", "/opt/cinc", "/opt/puppetlabs", "/opt/rudder", "/opt/saltstack", "/srv/formulas",
    "/srv/pillar", "/srv/reactor", "/srv/salt", "/srv/spm", "/var/cache/salt", "/var/cfengine", "/var/chef",
    "/var/lib/ansible", "/var/lib/awx", "/var/lib/cfengine*", "/var/lib/chef", "/var/lib/puppet*", "/var/rudder",
    # sessions and sockets of others
    "/tmp/.*", "/tmp/screens", "/tmp/ssh-*", "/tmp/systemd-private-*", "/tmp/tmux-*", "/var/tmp/systemd-private-*",
    # the engines' own data, and that of other programs that run as root
    "/opt/cni", "/opt/containerd", "/var/cron", "/var/backups", "/var/log", "/var/run", "/var/lock", "/var/spool",
    "/var/cache/apt", "/var/cache/debconf", "/var/db", "/var/lib/AccountsService", "/var/lib/NetworkManager",
    "/var/lib/alternatives", "/var/lib/apt", "/var/lib/cloud", "/var/lib/cni",
    "/var/lib/confexts", "/var/lib/extensions", "/var/lib/incus", "/var/lib/lxd", "/var/lib/pam", "/var/lib/ucf",
    "/var/lib/PackageKit", "/var/lib/fwupd", "/var/lib/pacman", "/var/lib/shim-signed", "/var/lib/unattended-upgrades",
     "/var/lib/containerd",
    "/var/lib/containers", "/var/lib/cri-o", "/var/lib/dbus", "/var/lib/dkms", "/var/lib/docker*", "/var/lib/dpkg",
    "/var/lib/etcd", "/var/lib/extrausers", "/var/lib/flatpak", "/var/lib/initramfs-tools", "/var/lib/kubelet",
    "/var/lib/krb5kdc", "/var/lib/nfs", "/var/lib/samba/private", "/var/lib/sss", "/var/lib/waagent",
    "/var/lib/libvirt", "/var/lib/lxc*", "/var/lib/machines", "/var/lib/pnr", "/var/lib/polkit-1",
    "/var/lib/portables", "/var/lib/private", "/var/lib/rancher", "/var/lib/rpm", "/var/lib/snapd", "/var/lib/sudo",
    "/var/lib/systemd", "/var/lib/udisks2", "/var/snap",
    # hooks and settings of a repository are run by whoever works in it
    "**/.git",
]  # fmt: skip

DATA = [
    "/srv/*", "/mnt/*", "/media/*", "/opt/*", "/home/*/*", "/Users/*/*", "/Volumes/*", "/tmp/*", "/var/tmp/*",
    "/private/tmp/*", "/private/var/folders",
    # what people call their own directory for data below the root
    "/app", "/apps", "/containers", "/data", "/data[0-9]*", "/disk[0-9]*", "/docker", "/export", "/exports", "/nas",
    "/pool", "/pool[0-9]*", "/services", "/share", "/shares", "/stacks", "/storage", "/tank", "/volume[0-9]*",
    "/volumes", "/www", "/var/www",
    # of servers that are no root's
    "/var/lib/alertmanager", "/var/lib/cassandra", "/var/lib/clickhouse", "/var/lib/couchdb", "/var/lib/elasticsearch",
    "/var/lib/forgejo", "/var/lib/gitea", "/var/lib/grafana", "/var/lib/homeassistant", "/var/lib/influxdb*",
    "/var/lib/jellyfin", "/var/lib/kafka", "/var/lib/loki", "/var/lib/mariadb", "/var/lib/minio", "/var/lib/mongo*",
    "/var/lib/mosquitto", "/var/lib/mysql", "/var/lib/nats", "/var/lib/neo4j", "/var/lib/nextcloud",
    "/var/lib/opensearch", "/var/lib/pgsql", "/var/lib/plexmediaserver", "/var/lib/postgres*", "/var/lib/prometheus*",
    "/var/lib/rabbitmq", "/var/lib/redis*", "/var/lib/registry", "/var/lib/syncthing", "/var/lib/unifi",
    "/var/lib/valkey", "/var/lib/vaultwarden", "/var/lib/victoria-metrics*", "/var/lib/zookeeper",
]  # fmt: skip

READ_ONLY = [
    "/etc/ca-certificates", "/etc/group", "/etc/hostname", "/etc/letsencrypt", "/etc/localtime", "/etc/os-release",
    "/etc/passwd", "/etc/pki/ca-trust", "/etc/pki/tls/certs", "/etc/ssl/certs", "/etc/timezone", "/lib/modules",
    "/run/udev", "/usr/lib/modules", "/usr/lib/os-release", "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates", "/usr/share/fonts", "/usr/share/zoneinfo",
]  # fmt: skip

FILES = ["/etc/letsencrypt", "/etc/pnr/secrets", "/etc/ssl/certs", "/run/secrets"]

ROWS = (
    Rule(
        "binds.allowed",
        PATHS,
        "Below which directories of the host a container may have directories and files: as volumes, as volumes that"
        f" are a directory (`o: bind`), as sockets of log drivers. `{DOMAIN}` is the folder in the directory of the"
        " domain files that is called as the domain's file is, without its ending: it may be had read-only, whatever is"
        f" protected. `{COMMON}` are the folders there that are called as no domain file, as `conf`: read-only, too,"
        " and without hidden files. Of the rest of that directory a container has nothing."
        f" `{DOMAINS}` is the whole of it: what lies below it is allowed, also to write to it,"
        f" but for the domain files themselves. As a later part of a path, `{DOMAIN}` is the file's name without its"
        " ending. Who writes a file chooses the domain's name in it, and not the file's.",
        ["/"],
        ["/", DOMAIN, COMMON],
        [f"/srv/pnr/{DOMAIN}", DOMAIN],
    ),
    Rule(
        "binds.data",
        PATHS,
        "Below which directories data of applications is kept: a container may write to them, whoever they belong to."
        " Elsewhere it may write only to what belongs to an ordinary user (from UID_MIN of /etc/login.defs on), to a"
        " disk of its own that is mounted directly below /, and to what binds.allowed names by more than /.",
        ["/"],
        DATA,
        DATA,
    ),
    Rule(
        "binds.read_by_root",
        FLAG,
        "Whether a container may write to what the host runs or reads as root, wherever it lies: programs, scripts and"
        " settings that services of systemd and tables of cron name, directories of libraries, folders of programs"
        " below /opt, the root of another system.",
        True,
        False,
        False,
    ),
    Rule(
        "binds.protected",
        PATHS,
        "What no container may have, though it is below an allowed directory; nor what lies above it. What a policy"
        " file lists is added to the profile's list. pnr's own places (state, domain files, policy, program), the"
        " engine's data and what the engine's socket lies in are always in this list, but in the profile open.",
        [],
        PROTECTED,
        PROTECTED,
    ),
    Rule(
        "binds.protected_defaults",
        FLAG,
        "Whether the profile's own list belongs to binds.protected. Where not, only what the policy file lists is"
        " protected; pnr says so at its start.",
        True,
        True,
        True,
    ),
    Rule(
        "binds.engine_socket",
        CHUNKS,
        "Which chunks may have the engine's socket (a proxy that finds its targets by labels, say), as"
        " `domain/cpux/chunk`, through links or not, writable or not: read-only makes no difference to a socket. Each"
        " of them is root on the host. Outside of a section for some files, what is given to `infra/main/proxy` is"
        " given to the file `infra.json`, for anybody may write a name into a file.",
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
        "binds.write",
        PATHS,
        "What may be had to write to, and to read, wherever it lies: below an allowed directory or not, protected or"
        " not. Whoever has what the system itself lives on is root on the host: name no more than what is needed, in a"
        " section for the file that needs it. pnr's own places and the engine's stay protected.",
        [],
        [],
        [],
    ),
    Rule(
        "binds.excepted",
        PATHS,
        "What of the protected may be had all the same, also to write to it, where it is below an allowed directory."
        " pnr's own places and the engine's stay protected.",
        [],
        [],
        [],
    ),
    Rule(
        "binds.engine_restarts",
        FLAG,
        "Whether the engine may start a container again by itself (`restart`) that has something of the host: it mounts"
        " what is there by then, which the policy has not judged. If not, pnr starts it again, and judges it each"
        " time.",
        True,
        False,
        False,
    ),
    Rule(
        "binds.links",
        FLAG,
        "Whether a path to a directory of the host may go through symbolic links. Where not, it names the place itself,"
        " so that another link can't lead it elsewhere.",
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
)
