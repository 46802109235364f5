"""Ways to a place on the host: paths, links, mounts of every form, volumes that are no volumes."""

from __future__ import annotations

from typing import Any

from tests.unit.policy.corpus.entry import Group, domain
from tests.unit.policy.judging import Disk

# What the tables below hold is any JSON.
volume: Any
options: Any
same: Any
links: Any

PATHS = Group("paths")
for name, source in (
    ("the root", "/"),
    ("the root with two slashes", "//"),
    ("the root by a dot", "/."),
    ("the root by two dots", "/srv/app/../.."),
    ("/etc", "/etc"),
    ("/etc behind two dots", "/srv/../etc"),
    ("/etc behind empty parts", "//etc//"),
    ("scheduled jobs", "/etc/cron.d"),
    ("the list of users who may be root", "/etc/sudoers.d/x"),
    ("units of systemd", "/etc/systemd/system"),
    ("units below /usr/lib", "/usr/lib/systemd/system"),
    ("units below /run", "/run/systemd/system"),
    ("the shadow file", "/etc/shadow"),
    ("root's home", "/root"),
    ("root's keys", "/root/.ssh/authorized_keys"),
    ("all homes", "/home"),
    ("a user's home", "/home/ann"),
    ("a user's keys", "/home/ann/.ssh"),
    ("a user's shell", "/home/ann/.bashrc"),
    ("crontabs", "/var/spool/cron/crontabs"),
    ("the engine's data", "/var/lib/docker"),
    ("the volume of another domain, as a directory", "/var/lib/docker/volumes/other_data/_data"),
    ("containerd's socket", "/run/containerd/containerd.sock"),
    ("the system's bus", "/run/dbus/system_bus_socket"),
    ("kubelet's pods", "/var/lib/kubelet/pods"),
    ("logs of the host", "/var/log"),
    ("backups of the password file", "/var/backups"),
    ("the kernel's helpers", "/proc/sys/kernel/core_pattern"),
    ("the root through process 1", "/proc/1/root"),
    ("the root through ourselves", "/proc/self/root/srv/app"),
    ("control groups", "/sys/fs/cgroup"),
    ("uevent helpers", "/sys/kernel/uevent_helper"),
    ("a disk", "/dev/sda"),
    ("the kernel", "/boot"),
    ("a program of the host", "/usr/local/bin/docker"),
    ("libraries", "/lib64"),
    ("swapped out memory", "/swapfile"),
    ("sessions of others", "/tmp/tmux-0"),
    ("an agent with keys", "/tmp/ssh-abc/agent.1"),
    ("hooks of a repository", "/srv/repository/.git/hooks"),
    ("pnr's state", "/srv/pnr/state"),
    ("the runtime directory of another chunk", "/srv/pnr/state/runtime/other/main/web"),
    ("the secrets of another chunk", "/run/pnr/files/other/main/web"),
    ("the policy", "/etc/pnr/policy.toml"),
    ("pnr's program", "/opt/pnr/lib/python3.11"),
    ("the domain files", "/srv/pnr/domains"),
    ("another domain's file", "/srv/pnr/domains/other.json"),
    ("what holds pnr's places", "/srv/pnr"),
    ("a home that programs are installed to", "/home/linuxbrew"),
    ("what lies in memory of others for longer", "/var/tmp"),
):
    PATHS.add(name, "binds.protected", {"volumes": [f"{source}:/x"]})
for name, source, rule in (
    ("a directory that is not in the list", "/opt/data", "binds.allowed"),
    ("two dots out of the list", "/srv/data/../x", "binds.allowed"),
    ("a name that begins like one of the list", "/srv/data2", "binds.allowed"),
    ("one that is not there", "/srv/data/new", "binds.missing"),
    ("one below a directory that others may write to", "/srv/data/shared/x", "binds.others_may_write"),
):
    disk = Disk(missing=("/srv/data/new",), writable=("/srv/data/shared",))
    PATHS.add(name, rule, {"volumes": [f"{source}:/x"]}, policy="team", disk=disk)
PATHS.add("the engine's socket", "binds.engine_socket", {"volumes": ["/var/run/docker.sock:/var/run/docker.sock"]})
PATHS.add("the engine's socket, read-only", "binds.engine_socket", {"volumes": ["/run/docker.sock:/s:ro"]})
PATHS.add(
    "the engine's socket for a chunk that is not named",
    "binds.engine_socket",
    {"volumes": ["/run/docker.sock:/s"]},
    policy="one-author",
)
PATHS.add("the whole host, read-only", "binds.protected", {"volumes": ["/:/host:ro"]}, policy="one-author")
PATHS.add("any directory", "binds.allowed", {"volumes": ["/srv/app:/x:ro"]}, policy="strict")
PATHS.add("a directory beside the data", "binds.allowed", {"volumes": ["/srv/other:/x:ro"]}, policy="shared-lab")
PATHS.add("what pnr can't look at", "binds.unseen", {"volumes": ["/home/ann/app:/x"]}, disk=Disk(locked=("/home/ann",)))

LINKS = Group("links")
for name, path, links in (
    ("at the end", "/srv/app", {"/srv/app": "/etc"}),
    ("in the middle", "/srv/app/html", {"/srv/app": "/usr"}),
    ("behind a link", "/srv/a/b", {"/srv/a": "/srv/c", "/srv/c/b": "/etc"}),
    ("beside the domain files", "./html", {"/srv/pnr/domains/html": "/etc"}),
    ("to the root", "/srv/app", {"/srv/app": "/"}),
    ("to another domain's runtime directory", "./x", {"/srv/pnr/domains/x": "/srv/pnr/state/runtime/other/main/web"}),
    ("to an ordinary place, where nobody sees it change", "/srv/app", {"/srv/app": "/mnt/disk/app"}),
):
    LINKS.add(name, "binds.links", {"volumes": [f"{path}:/x"]}, disk=Disk(links=links))
LINKS.add(
    "to the engine's socket",
    "binds.engine_socket",
    {"volumes": ["./x.sock:/x.sock"]},
    disk=Disk(links={"/srv/pnr/domains/x.sock": "/run/docker.sock"}),
)
LINKS.add(
    "a hard link to the engine's socket",
    "binds.engine_socket",
    {"volumes": ["/srv/x.sock:/x.sock"]},
    disk=Disk(same={"/srv/x.sock": "/run/docker.sock"}),
)
for name, same in (
    ("a mount of /etc elsewhere", {"/srv/alias": "/etc"}),
    ("a mount of the root elsewhere", {"/srv/alias": "/"}),
    ("a mount of /root elsewhere", {"/srv/alias": "/root"}),
    ("a mount of pnr's state elsewhere", {"/srv/alias": "/srv/pnr/state"}),
):
    LINKS.add(name, "binds.protected", {"volumes": ["/srv/alias/x:/x"]}, disk=Disk(same=same))
LINKS.add(
    "a harmless name that leads to the shadow file",
    "binds.protected",
    {"volumes": ["/etc/localtime:/etc/localtime:ro"]},
    disk=Disk(links={"/etc/localtime": "/etc/shadow"}),
)

MOUNTS = Group("mounts")
for name, rule, volume in (
    ("in the long form", "binds.protected", {"type": "bind", "source": "/etc", "target": "/x"}),
    ("read-only", "binds.protected", {"type": "bind", "source": "/etc", "target": "/x", "read_only": True}),
    (
        "handed on to the host",
        "binds.propagation",
        {"type": "bind", "source": "/srv/app", "target": "/x", "bind": {"propagation": "rshared"}},
    ),
    (
        "handed on to the host, shared",
        "binds.propagation",
        {"type": "bind", "source": "/srv/app", "target": "/x", "bind": {"propagation": "shared"}},
    ),
    ("by a mode", "binds.propagation", "/srv/app:/x:rshared"),
    ("by a mode behind another", "binds.propagation", "/srv/app:/x:z,shared"),
    ("a type in upper case", "InvalidValue", {"type": "BIND", "source": "/etc", "target": "/x"}),
    ("a named pipe", "InvalidValue", {"type": "npipe", "source": "/etc", "target": "/x"}),
    ("a file system of a cluster", "InvalidValue", {"type": "cluster", "source": "x", "target": "/x"}),
    ("no type", "InvalidValue", {"source": "/etc", "target": "/x"}),
    ("a mode that is not known", "InvalidValue", "/srv/app:/x:new"),
    ("relative, two dots", "binds.protected", "../state:/x"),
    ("relative, far up", "binds.protected", "../../../etc:/x"),
    ("relative, the folder itself", "binds.protected", "./:/x"),
    ("relative, another's file", "binds.protected", "./other.json:/x:ro"),
    ("relative, the repository", "binds.protected", "./.git:/x"),
    ("a type that is a word of the local driver", "InvalidValue", {"type": "none", "source": "/etc", "target": "/x"}),
):
    MOUNTS.add(name, rule, {"volumes": [volume]})
MOUNTS.add("by a variable", "binds.protected", {"volumes": ["${PLACE}:/x"]}, env={"PLACE": "/etc"})
MOUNTS.add("by the domain's own variable", "binds.protected", domain({"volumes": ["${P}:/x"]}, env={"P": "/etc"}))
MOUNTS.add("volumes of a foreign container", "namespaces.containers", {"volumes_from": ["container:other"]})
MOUNTS.add("volumes of a foreign container, read-only", "namespaces.containers", {"volumes_from": ["container:o:ro"]})
MOUNTS.add("an image that is not in the list", "images.allowed", {"volumes": [{"type": "image", "source": "evil/x", "target": "/x"}], "image": "redis", "mem_limit": "64m", "pids_limit": 9}, policy="team")  # fmt: skip

VOLUMES = Group("volumes")
for name, rule, options in (
    ("a bind of /etc", "binds.protected", {"type": "none", "o": "bind", "device": "/etc"}),
    ("a bind behind another option", "binds.protected", {"type": "none", "o": "rw,bind", "device": "/etc"}),
    ("a recursive bind of the root", "binds.protected", {"type": "none", "o": "rbind", "device": "/"}),
    ("a bind that calls itself tmpfs", "binds.protected", {"type": "tmpfs", "o": "bind", "device": "/etc"}),
    ("a bind that calls itself nfs", "binds.protected", {"type": "nfs", "o": "bind,addr=192.0.2.1", "device": "/etc"}),
    (
        "a bind of the engine's socket",
        "binds.engine_socket",
        {"type": "none", "o": "bind", "device": "/run/docker.sock"},
    ),
    ("a move", "volumes.options", {"type": "none", "o": "move", "device": "/srv/x"}),
    ("another mount of the root", "volumes.options", {"type": "none", "o": "remount", "device": "/"}),
    ("no option", "volumes.types", {"type": "none", "device": "/etc"}),
    ("a device alone", "volumes.types", {"device": "/etc"}),
    ("a disk", "volumes.types", {"type": "ext4", "device": "/dev/sda1"}),
    ("a disk in upper case", "volumes.types", {"type": "EXT4", "device": "/dev/sda1"}),
    ("an overlay over /etc", "volumes.types", {"type": "overlay", "o": "lowerdir=/etc"}),
    ("the processes", "volumes.types", {"type": "proc", "device": "proc"}),
    ("kernel settings", "volumes.types", {"type": "sysfs", "device": "sysfs"}),
    ("control groups", "volumes.types", {"type": "cgroup", "o": "memory", "device": "x"}),
    ("the kernel's own debugging", "volumes.types", {"type": "debugfs", "device": "x"}),
    ("devices", "volumes.types", {"type": "devtmpfs", "device": "x"}),
    ("a program of the host", "volumes.types", {"type": "fuse.sshfs", "device": "x"}),
    ("what this machine exports to itself", "volumes.addresses", {"type": "nfs", "o": "addr=127.0.0.1", "device": ":/"}),
    ("the same, by another of its addresses", "volumes.addresses", {"type": "nfs4", "o": "addr=172.17.0.1", "device": ":/"}),
    ("the same, by its name", "volumes.addresses", {"type": "nfs", "o": "rw", "device": "localhost:/"}),
    ("a share of this machine", "volumes.addresses", {"type": "cifs", "o": "username=a", "device": "//127.0.0.1/c"}),
    ("two servers, of which one is this machine", "volumes.addresses", {"type": "nfs", "o": "addr=192.0.2.1,addr=::1", "device": ":/"}),
    ("names in upper case", "known fields", {"Type": "none", "O": "bind", "Device": "/etc"}),
    ("an option that is not known", "known fields", {"mountpoint": "/etc"}),
):  # fmt: skip
    VOLUMES.add(name, rule, {"volumes": ["data:/x"]}, volumes={"data": {"driver_opts": options}})
VOLUMES.add(
    "a bind through a link",
    "binds.links",
    {"volumes": ["data:/x"]},
    volumes={"data": {"driver_opts": {"type": "none", "o": "bind", "device": "/srv/app"}}},
    disk=Disk(links={"/srv/app": "/etc"}),
)
VOLUMES.add(
    "a driver that runs as root",
    "volumes.drivers",
    {"volumes": ["data:/x"]},
    volumes={"data": {"driver": "vieux/sshfs"}},
)
VOLUMES.add(
    "a driver in upper case", "volumes.drivers", {"volumes": ["data:/x"]}, volumes={"data": {"driver": "LOCAL"}}
)
VOLUMES.add(
    "a network's file system, which the host mounts",
    "volumes.types",
    {"volumes": ["data:/x"]},
    volumes={"data": {"driver_opts": {"type": "nfs", "o": "addr=192.0.2.1", "device": ":/x"}}},
    policy="team",
)
