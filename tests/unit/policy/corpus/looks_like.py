"""Words that look like others: letters, signs and numbers that programs read in different ways, and ways within names."""

from __future__ import annotations

from typing import Any

from tests.unit.policy.corpus.entry import BARE, encoded
from tests.unit.policy.corpus.host import MOUNTS, PATHS, VOLUMES
from tests.unit.policy.corpus.kernel import CAPABILITIES, DEVICES, NAMESPACES, OPTIONS
from tests.unit.policy.corpus.network import LOGGING, NETWORKS, PORTS
from tests.unit.policy.corpus.others import ADOPTION, FILES, IMAGES, LIMITS, SYNTAX

# What the tables below hold is any JSON.
container: Any
options: Any

for name in ("\u017fYS_ADMIN", "sys_adm\u0131n", "CAP_ALL"):
    CAPABILITIES.add(f"{name!a}", "security.capabilities", {"cap_add": [name]})
for name in ("\uff33YS_ADMIN", "SYS_ADMIN,CHOWN"):
    CAPABILITIES.add(f"{name!a}", "InvalidValue", {"cap_add": [name]})

for user in ("00", "\uff10", "\u00b2", "\u0661", "1e3", "4294967296", "18446744073709551616"):
    OPTIONS.add(f"the user {user!a}", "security.root_user", {**BARE, "user": user}, policy="strict")
for name in ("net.ipv4/../../kernel/core_pattern", "net..", "kernel.shmmax/../core_pattern", "NET.ipv4.ip_forward"):
    OPTIONS.add(f"the kernel's setting {name}", "security.sysctls", {"sysctls": {name: "1"}})
for name in ("kata/../../x", "kata/x", "runsc-../x", "io.containerd.runc.v1"):
    OPTIONS.add(f"the runtime {name}", "security.runtimes", {"runtime": name})
NETWORKS.add(
    "a setting of the kernel behind that of a card",
    "security.sysctls",
    {"networks": {"back": {"driver_opts": {"com.docker.network.endpoint.sysctls": "net.ipv4/../../kernel/x=1"}}}},
    networks={"back": {}},
)

for device in ("/dev/dri/../sda", "/dev/snd/../mem", "/dev/net/../kmsg", "/dev/ttyS0/../../etc", "/srv/x:/dev/x"):
    DEVICES.add(f"{device}", "devices.paths", {"devices": [device]})
for rule in ("c 1:* rwm", "c *:3 rwm", "c 7:* rwm", "c 10:237 rwm"):
    DEVICES.add(f"the rule {rule}", "devices.rules", {"device_cgroup_rules": [rule]})

for path in ("/srv/../proc/self/cwd", "/usr/share/zoneinfo/../../../etc/shadow", "/run/docker.sock.bak/../docker.sock"):
    rule = "binds.engine_socket" if "sock" in path else "binds.protected"
    PATHS.add(f"{path}", rule, {"volumes": [f"{path}:/x:ro"]})
for volume in ({"subpath": "../../etc"}, {"subpath": "/etc"}):
    mount = {"type": "volume", "source": "data", "target": "/x", "volume": volume}
    MOUNTS.add(f"a part of a volume: {volume['subpath']}", "InvalidValue", {"volumes": [mount]})

for option, rule, options in (
    ("a blank behind bind", "volumes.options", {"type": "none", "o": "bind ", "device": "/etc"}),
    ("bind in upper case", "volumes.options", {"type": "none", "o": "BIND", "device": "/etc"}),
    ("bind behind nothing", "binds.protected", {"type": "none", "o": "ro,,bind", "device": "/etc"}),
    ("a type with a blank", "binds.protected", {"type": " none", "o": "bind", "device": "/etc"}),
    ("no type", "binds.protected", {"type": "", "o": "bind", "device": "/etc"}),
    ("a loop", "volumes.options", {"type": "none", "o": "loop", "device": "/srv/disk.img"}),
    ("a server in octal digits", "volumes.addresses", {"type": "nfs", "o": "addr=0177.0.0.1", "device": ":/"}),
    ("a server as one number", "volumes.addresses", {"type": "nfs", "o": "addr=2130706433", "device": ":/"}),
    ("a server with a point behind it", "volumes.addresses", {"type": "nfs", "o": "addr=localhost.", "device": ":/"}),
    ("where the mounts are asked for", "volumes.options", {"type": "nfs", "o": "addr=192.0.2.1,mountaddr=127.0.0.1", "device": ":/"}),
    ("the metadata of a cloud", "volumes.addresses", {"type": "nfs", "o": "addr=169.254.169.254", "device": ":/"}),
    ("a password of the host's", "volumes.options", {"type": "cifs", "o": "credentials=/etc/shadow", "device": "//192.0.2.1/c"}),
    ("another share than the device's", "volumes.options", {"type": "cifs", "o": "unc=//127.0.0.1/c", "device": "//192.0.2.1/c"}),
    ("root's tickets", "volumes.options", {"type": "cifs", "o": "sec=krb5,cruid=0", "device": "//192.0.2.1/c"}),
    ("a socket as a share", "volumes.options", {"type": "9p", "o": "trans=unix", "device": "/run/x"}),
):  # fmt: skip
    VOLUMES.add(option, rule, {"volumes": ["data:/x"]}, volumes={"data": {"driver_opts": options}})

for parent in ("/docker/../system.slice", "-.slice", "init.scope", "machine.slice", "kubepods"):
    LIMITS.add(f"the control group {parent}", "limits.cgroup_parents", {"cgroup_parent": parent})
for text in ("nan", "inf", "1_0", "\u0662"):
    LIMITS.add(f"{text!a} processors", "InvalidValue", {"cpus": text})
for mode, rule in (
    ("container:0", "namespaces.containers"),
    ("service:../web", "UnknownChunk"),
    ("HOST", "InvalidValue"),
):
    NAMESPACES.add(f"the processes of {mode}", rule, {"pid": mode})

for subnet in ("10.0.0.0/7", "172.16.0.0/11", "100.64.0.0/10", "64:ff9b::/96", "2002::/16", "fc00::/6"):
    top = {"networks": {"back": {"ipam": {"config": [{"subnet": subnet}]}}}}
    NETWORKS.add(f"{subnet}, more than is private", "networks.subnets", {"networks": ["back"]}, **top)
for subnet in ("010.0.0.0/8", "\uff11\uff10.0.0.0/8", "::ffff:10.0.0.0/104/8"):
    top = {"networks": {"back": {"ipam": {"config": [{"subnet": subnet}]}}}}
    NETWORKS.add(f"{subnet!a}", "InvalidValue", {"networks": ["back"]}, **top)
for port in ("\uff18\uff10:80", "\u00b2:80", "1e2:80", "0x50:80", "0127.0.0.1:80:80", "%lo:80:80", "65535-65537:80"):
    PORTS.add(f"{port!a}", "InvalidValue", {"ports": [port]})

for driver, rule, options in (
    ("json-file", "logging.buffer", {"mode": "non-blocking", "max-buffer-size": "100g"}),
    ("fluentd", "binds.engine_socket", {"fluentd-address": "UNIX:///run/docker.sock"}),
    ("gelf", "logging.addresses", {"gelf-address": "udp://2130706433:2375"}),
    ("gelf", "logging.addresses", {"gelf-address": "tcp://[::ffff:127.0.0.1]:2375"}),
    ("syslog", "logging.addresses", {"syslog-address": "tcp://169.254.169.254"}),
):
    LOGGING.add(f"{driver} with {options}", rule, {"logging": {"driver": driver, "options": options}})

for context in ("git@github.com:x/y", "docker-image://redis"):
    IMAGES.add(f"the context {context}", "InvalidValue", {"build": {"context": context}})
for way in ("/etc/letsencrypt/../shadow", "/run/secrets/../shadow", "/proc/1/root/etc/shadow", "/dev/stdin"):
    FILES.add(f"{way} as a secret", "binds.protected", {"secrets": ["s"]}, secrets={"s": {"file": way}})
FILES.add("variables of the host, as what may be missing", "binds.protected", {"env_file": [{"path": "/etc/shadow", "required": False}]})  # fmt: skip

for name, inner in (
    ("nested words twice", '"image": "redis", "privileged": false, "privileged": true'),
    ("nested words twice behind an escape", r'"im\u0061ge": "evil", "image": "redis"'),
):
    given = encoded({"name": "shop", "cpuxs": {"main": {"design_chunks": [{"name": "a", "container": {"@": 1}}]}}})
    SYNTAX.add(name, "DuplicateKey", given.replace(b'"@": 1', inner.encode()))
SYNTAX.add("half a character of a label", "LoneSurrogate", {"labels": {"\udfff": "x"}})
ADOPTION.add("nobody's volume, by a file that is called as a pattern", "volumes.external", {"volumes": ["data:/x"]}, volumes={"data": {"external": True, "name": "data_of_others"}})  # fmt: skip
