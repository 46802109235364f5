"""Ways past the kernel's own walls: namespaces, capabilities, security options, devices."""

from __future__ import annotations

from typing import Any

from tests.unit.policy.corpus.entry import Group, chunks
from tests.unit.policy.judging import Disk

# What the tables below hold is any JSON.
container: Any

NAMESPACES = Group("namespaces")
for name, rule, container in (
    ("processes of the host", "namespaces.host", {"pid": "host"}),
    ("shared memory of the host", "namespaces.host", {"ipc": "host"}),
    ("users of the host", "namespaces.host", {"userns_mode": "host"}),
    ("processes of a foreign container", "namespaces.containers", {"pid": "container:other"}),
    ("shared memory of a foreign container", "namespaces.containers", {"ipc": "container:other"}),
    ("the network of a foreign container", "namespaces.containers", {"network_mode": "container:other"}),
    ("the network of a container by its id", "namespaces.containers", {"network_mode": "container:" + "a" * 64}),
    ("a path of a namespace", "InvalidValue", {"network_mode": "ns:/proc/1/ns/net"}),
    ("a namespace that is not known", "InvalidValue", {"pid": "Host"}),
    ("users of another mapping", "InvalidValue", {"userns_mode": "keep-id"}),
    ("the name of the host, as it is not written", "InvalidValue", {"uts": "HOST"}),
    ("control groups, as they are not written", "InvalidValue", {"cgroup": "/sys/fs/cgroup"}),
):
    NAMESPACES.add(name, rule, container)
for name, container in (
    ("the host's network", {"network_mode": "host"}),
    ("the host's name", {"uts": "host"}),
    ("the host's control groups", {"cgroup": "host"}),
):
    NAMESPACES.add(name, "namespaces.host", container, policy="team")
    NAMESPACES.add(name, "namespaces.host", container, policy="strict")
NAMESPACES.add(
    "the host's processes by a sibling",
    "namespaces.host",
    chunks(
        {"name": "a", "container": {"image": "redis", "pid": "host"}},
        {"name": "b", "container": {"image": "redis", "pid": "service:a"}},
    ),
)
NAMESPACES.add(
    "the host's network by a sibling",
    "namespaces.host",
    chunks(
        {"name": "a", "container": {"image": "redis", "network_mode": "host"}},
        {"name": "b", "container": {"image": "redis", "network_mode": "service:a"}},
    ),
    policy="team",
)

CAPABILITIES = Group("capabilities")
for name in (
    "ALL", "SYS_ADMIN", "CAP_SYS_ADMIN", "sys_admin", "cap_sys_admin", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO",
    "SYS_BOOT", "SYS_TIME", "SYSLOG", "DAC_READ_SEARCH", "BPF", "PERFMON", "MAC_ADMIN", "MAC_OVERRIDE",
    "CHECKPOINT_RESTORE", "AUDIT_CONTROL", "SYS_RESOURCE", "LINUX_IMMUTABLE", "BLOCK_SUSPEND", "SYS_PACCT",
):  # fmt: skip
    CAPABILITIES.add(name, "security.capabilities", {"cap_add": [name]})
CAPABILITIES.add("behind a harmless one", "security.capabilities", {"cap_add": ["CHOWN", "SYS_ADMIN"]})
CAPABILITIES.add("by a variable", "security.capabilities", {"cap_add": ["${CAP}"]}, env={"CAP": "SYS_ADMIN"})
CAPABILITIES.add(
    "the host's routes and filters",
    "security.capabilities_on_host_network",
    {"cap_add": ["NET_ADMIN"], "network_mode": "host"},
)
CAPABILITIES.add("all privileges", "security.privileged", {"privileged": True})
CAPABILITIES.add("all privileges, as a word", "InvalidValue", {"privileged": "true"})
CAPABILITIES.add("all privileges by a variable", "security.privileged", {"privileged": "${P}"}, env={"P": "true"})
CAPABILITIES.add("none dropped", "security.drop_all_capabilities", {}, policy="strict")
CAPABILITIES.add("raw packets", "security.capabilities", {"cap_add": ["NET_RAW"]}, policy="shared-lab")

OPTIONS = Group("security options")
for name, rule, option in (
    ("no filter of system calls", "security.seccomp", "seccomp=unconfined"),
    ("no filter, with a colon", "security.seccomp", "seccomp:unconfined"),
    ("a filter of its own", "security.seccomp", 'seccomp={"defaultAction": "SCMP_ACT_ALLOW"}'),
    ("no AppArmor", "security.apparmor", "apparmor=unconfined"),
    ("no AppArmor, with a colon", "security.apparmor", "apparmor:unconfined"),
    ("another program's AppArmor profile", "security.apparmor", "apparmor=/usr/sbin/cupsd"),
    ("no SELinux", "security.selinux", "label=disable"),
    ("no SELinux, with a colon", "security.selinux", "label:disable"),
    ("the type of SELinux that may all", "security.selinux", "label=type:spc_t"),
    ("a user of SELinux", "security.selinux", "label=user:system_u"),
    ("the masked parts of /proc", "security.unmasked_paths", "systempaths=unconfined"),
    ("control groups that can be written", "security.writable_cgroups", "writable-cgroups=true"),
    ("an option that is not known", "InvalidValue", "new=1"),
):
    OPTIONS.add(name, rule, {"security_opt": [option]})
for name, rule, container in (
    ("panics of the kernel", "security.sysctls", {"sysctls": {"kernel.panic": 1}}),
    ("the kernel's helper for crashes", "security.sysctls", {"sysctls": {"kernel.core_pattern": "|/tmp/x"}}),
    ("modules", "security.sysctls", {"sysctls": ["kernel.modprobe=/tmp/x"]}),
    ("memory of the host", "security.sysctls", {"sysctls": {"vm.overcommit_memory": 1}}),
    ("links that nobody guards", "security.sysctls", {"sysctls": {"fs.protected_symlinks": 0}}),
    ("a runtime that is not known", "security.runtimes", {"runtime": "evil"}),
    ("a runtime by a path", "security.runtimes", {"runtime": "/tmp/x"}),
    ("orders to the runtime", "security.annotations", {"annotations": {"run.oci.hooks": "x"}}),
    ("orders to Kata", "security.annotations", {"annotations": {"io.katacontainers.config.hypervisor.path": "/x"}}),
):
    OPTIONS.add(name, rule, container)
OPTIONS.add(
    "a kernel setting by a network's card",
    "security.sysctls",
    {"networks": {"back": {"driver_opts": {"com.docker.network.endpoint.sysctls": "kernel.panic=1"}}}},
    networks={"back": {}},
)
for name, rule, container in (
    ("root in the container", "security.root_user", {}),
    ("root by its number", "security.root_user", {"user": "0"}),
    ("root by zeros", "security.root_user", {"user": "000:1"}),
    ("a name that the image makes root", "security.root_user", {"user": "app"}),
    ("privileges to be gained", "security.no_new_privileges", {"security_opt": []}),
    ("privileges to be gained, told off", "security.no_new_privileges", {"security_opt": ["no-new-privileges:false"]}),
    ("a file system of its own to write to", "security.writable_root", {"read_only": False}),
):
    OPTIONS.add(name, rule, container, policy="strict")
OPTIONS.add("privileges to be gained", "security.no_new_privileges", {}, policy="team")
OPTIONS.add("unsafe kernel settings", "security.sysctls", {"sysctls": {"net.ipv4.ip_forward": 1}}, policy="strict")

DEVICES = Group("devices")
for name, rule, container in (
    ("a disk", "devices.paths", {"devices": ["/dev/sda"]}),
    ("a disk under another name", "devices.paths", {"devices": ["/dev/sda:/dev/null"]}),
    ("a disk in the long form", "devices.paths", {"devices": [{"source": "/dev/nvme0n1"}]}),
    ("all devices", "devices.paths", {"devices": ["/dev"]}),
    ("memory", "devices.paths", {"devices": ["/dev/mem"]}),
    ("the kernel's messages", "devices.paths", {"devices": ["/dev/kmsg"]}),
    ("keyboards", "devices.paths", {"devices": ["/dev/input/event0"]}),
    ("ports of the machine", "devices.paths", {"devices": ["/dev/port"]}),
    ("loop devices", "devices.paths", {"devices": ["/dev/loop0"]}),
    ("the device mapper", "devices.paths", {"devices": ["/dev/mapper/control"]}),
    ("all of USB", "devices.paths", {"devices": ["/dev/bus/usb"]}),
    ("virtual machines' sockets", "devices.paths", {"devices": ["/dev/vhost-vsock"]}),
    ("two dots to a disk", "devices.paths", {"devices": ["/dev/dri/../sda"]}),
    ("a rule for all disks", "devices.rules", {"device_cgroup_rules": ["b *:* rwm"]}),
    ("a rule for all devices", "devices.rules", {"device_cgroup_rules": ["a *:* rwm"]}),
    ("a rule for memory", "devices.rules", {"device_cgroup_rules": ["c 1:1 rwm"]}),
    ("a rule for every serial number", "devices.rules", {"device_cgroup_rules": ["c *:* rwm"]}),
    ("a rule for USB", "devices.rules", {"device_cgroup_rules": ["c 189:* rwm"]}),
    ("a driver that nobody knows", "devices.requests", {"gpus": [{"driver": "evil"}]}),
    ("a device by name of a vendor", "devices.requests", {"devices": ["evil.com/disk=all"]}),
):
    DEVICES.add(name, rule, container)
DEVICES.add(
    "a link to a disk",
    "devices.paths",
    {"devices": ["/dev/serial/by-id/x"]},
    disk=Disk(links={"/dev/serial/by-id/x": "/dev/sda"}, kinds={"/dev/sda": "block"}),
)
DEVICES.add(
    "a disk under a harmless name",
    "devices.block",
    {"devices": ["/dev/ttyS9"]},
    disk=Disk(kinds={"/dev/ttyS9": "block"}),
)
DEVICES.add("a serial adapter", "devices.paths", {"devices": ["/dev/ttyUSB0"]}, policy="strict")
DEVICES.add("a card by its path", "devices.paths", {"devices": ["/dev/dri"]}, policy="shared-lab")
