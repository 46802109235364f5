"""What went through once, and is refused: it stands apart from the tables of the groups that it belongs to."""

from __future__ import annotations

from typing import Any

from tests.unit.policy.corpus.entry import BARE, chunks, encoded
from tests.unit.policy.corpus.host import MOUNTS, PATHS
from tests.unit.policy.corpus.kernel import DEVICES
from tests.unit.policy.corpus.network import LOGGING, NETWORKS, PORTS
from tests.unit.policy.corpus.others import ADOPTION, FILES, IMAGES, LIMITS
from tests.unit.policy.judging import Disk

# What the tables below hold is any JSON.
container: Any
volume: Any
network: Any
options: Any
check: Any
base: Any

for source in (
    "/var/lib/extensions", "/var/lib/confexts", "/system-update", "/lost+found", "/var/lib/pam", "/var/lib/ucf",
    "/var/lib/fwupd", "/var/lib/chef", "/var/lib/puppet", "/var/lib/cfengine3", "/var/cfengine", "/opt/puppetlabs",
    "/srv/salt", "/srv/pillar", "/var/lib/incus", "/var/lib/unattended-upgrades",
):  # fmt: skip
    PATHS.add(f"{source}, which the system or root's services read", "binds.protected", {"volumes": [f"{source}:/x"]})
for source in (
    "/etc-update", "/newly-made", "/usr2", "/var/lib/grub", "/var/lib/iptables", "/var/lib/logrotate", "/var/lib/misc",
    "/var/lib/dhcp", "/var/lib/tailscale", "/var/lib/wireguard", "/var/lib/selinux", "/var/lib/authselect", "/var/ossec",
    "/var/lib/amazon", "/var/lib/google", "/var/lib/jenkins", "/var/lib/gitlab-runner", "/var/lib/tftpboot", "/var/mail",
    "/var/crash", "/var/opt", "/var/lib/fail2ban", "/var/lib/postfix", "/var/lib/rancher2", "/var/lib/nixos",
    "/var/lib/update-notifier", "/var/lib/command-not-found", "/var/lib/bluetooth", "/var/lib/iwd",
):  # fmt: skip
    PATHS.add(f"{source}, to write to, which is no data of applications", "binds.data", {"volumes": [f"{source}:/x"]})
PATHS.add("the folder of another domain", "binds.allowed", {"volumes": ["./other/html:/x:ro"]})
PATHS.add("the domain's own folder, to write to", "binds.allowed", {"volumes": ["./shop/html:/x"]})
PATHS.add("a folder beside the domain files", "binds.allowed", {"volumes": ["./html:/x"]})

RUNS = encoded(
    {"name": "other", "cpuxs": {"main": {"design_chunks": [{"name": "a", "container": {"image": "team/app:1"}}]}}}
)
BUILDS = encoded(
    {"name": "other", "cpuxs": {"main": {"design_chunks": [{"name": "a", "container": {"build": "./other"}}]}}}
)
for name, container, beside in (
    ("under the tag that another domain runs", {"build": "./shop", "image": "team/app:1"}, RUNS),
    ("with the tag that another domain runs beside", {"build": {"context": "./shop", "tags": ["team/app:1"]}}, RUNS),
    ("under the whole name of that tag", {"build": "./shop", "image": "docker.io/team/app:1"}, RUNS),
    ("under another name of the hub", {"build": "./shop", "image": "index.docker.io/team/app:1"}, RUNS),
    ("under the name that another domain builds", {"build": "./shop", "image": "other-main-a"}, BUILDS),
    ("with the name that another domain builds beside", {"build": {"context": "./shop", "tags": ["other-main-a"]}}, BUILDS),
):  # fmt: skip
    IMAGES.add(name, "ImageNameClash", container, beside={"a-other.json": beside})
for image in ("redis:7", "library/postgres", "ghcr.io/team/app:1", "pnr-demo-db", "alpine:latest"):
    IMAGES.add(f"under the name {image}, which a registry has", "builds.names", {"build": "./shop", "image": image})
IMAGES.add("under the name scratch, which engines reserve", "BadName", {"build": "./shop", "image": "scratch"})
IMAGES.add(
    "with the name of a registry's beside", "builds.names", {"build": {"context": "./shop", "tags": ["redis:7"]}}
)

for subnet in (
    "198.51.100.0/24", "169.254.169.0/24", "169.254.0.0/16", "0.0.0.0/1", "128.0.0.0/1", "0.0.0.0/0", "127.0.0.0/8",
    "127.0.0.53/32", "8.8.8.0/24", "1.1.1.1/32", "224.0.0.0/4", "240.0.0.0/4", "100.64.0.0/10", "192.0.2.0/24",
    "2000::/3", "::/0", "fe80::/10", "::1/128", "2001:db8::/32", "::ffff:0:0/96", "ff00::/8", "fd00:ec2::/32",
):  # fmt: skip
    rule = "networks.host_overlap" if subnet == "fd00:ec2::/32" else "networks.subnets"
    for policy, base in (("standard", {}), ("strict", BARE)):
        network = {"ipam": {"config": [{"subnet": subnet}]}, "enable_ipv6": ":" in subnet}
        NETWORKS.add(f"the subnet {subnet}", rule, {**base, "networks": ["back"]}, networks={"back": network}, policy=policy)  # fmt: skip
NETWORKS.add(
    "under the name of a card of the host",
    "networks.host_overlap",
    {"networks": ["back"]},
    networks={"back": {"driver_opts": {"com.docker.network.bridge.name": "eth0"}}},
)
NETWORKS.add(
    "a probe that sends what it likes",
    "probes.host_network",
    {"network_mode": "host"},
    chunk={"health_check": {"type": "http", "port_key": "8500", "method": "PUT", "path": "/v1/kv/x"}},
)

for name, rule, driver, options in (
    ("a socket with a host", "binds.engine_socket", "syslog", {"syslog-address": "unix://x/run/docker.sock"}),
    ("a socket in upper case", "binds.engine_socket", "syslog", {"syslog-address": "UNIX:///run/docker.sock"}),
    ("a socket with two slashes less", "known fields", "syslog", {"syslog-address": "unix:/run/docker.sock"}),
    ("a socket by a relative path", "known fields", "syslog", {"syslog-address": "unix://run/docker.sock"}),
    ("a socket behind a blank", "known fields", "syslog", {"syslog-address": " unix:///run/docker.sock"}),
    ("datagrams in upper case", "binds.protected", "syslog", {"syslog-address": "UnixGram:///run/systemd/notify"}),
    ("fluentd's socket with a host", "binds.engine_socket", "fluentd", {"fluentd-address": "unix://x/run/docker.sock"}),
    ("fluentd's socket in upper case", "binds.engine_socket", "fluentd", {"fluentd-address": "UNIX:///run/docker.sock"}),
    ("fluentd's socket by a relative path", "known fields", "fluentd", {"fluentd-address": "unix://run/docker.sock"}),
    ("a key by a relative path", "binds.allowed", "syslog", {"syslog-tls-key": "etc/shadow"}),
    ("a certificate by two dots", "binds.allowed", "syslog", {"syslog-tls-cert": "../etc/shadow"}),
    ("an authority by a relative path", "binds.allowed", "syslog", {"syslog-tls-ca-cert": "root/ca.pem"}),
    ("splunk's authority by a relative path", "binds.allowed", "splunk", {"splunk-capath": "etc/shadow"}),
    ("the host itself as the goal", "logging.addresses", "syslog", {"syslog-address": "tcp://127.0.0.1:2375"}),
    ("the cloud's own address", "logging.addresses", "splunk", {"splunk-url": "http://169.254.169.254/latest"}),
    ("the cloud's endpoint", "logging.addresses", "awslogs", {"awslogs-endpoint": "http://169.254.169.254"}),
    ("a line's end in a tag", "known fields", "syslog", {"tag": "a\n<0>kernel: x"}),
    ("an escape sequence in a tag", "known fields", "journald", {"tag": "a\x1b[2J"}),
    ("an option that nobody knows", "logging.options", "json-file", {"evil": "1"}),
    ("a server that sends the engine on", "logging.addresses", "splunk", {"splunk-url": "http://192.0.2.1:8088"}),
    ("an endpoint that sends the engine on", "logging.addresses", "awslogs", {"awslogs-endpoint": "https://x.example"}),
    ("two billion files to rename", "logging.files", "json-file", {"max-size": "1k", "max-file": "2000000000"}),
    ("a growing template behind an end in quotes", "known fields", "json-file", {"tag": '{{"}}" | printf "%1000000s"}}'}),
    ("a text between all signs of another", "known fields", "journald", {"tag": '{{join (split .Command "") .Command}}'}),
    ("an option of another driver", "logging.options", "json-file", {"syslog-address": "tcp://192.0.2.1:1"}),
):  # fmt: skip
    LOGGING.add(name, rule, {"logging": {"driver": driver, "options": options}})

ADOPTION.add("another in the place of anybody's container", "domains.adopt", {"name": "database"}, chunk={"adopt": "replace"})  # fmt: skip
for name, volume in (
    ("a volume of another domain", {"external": True, "name": "other_data"}),
    ("a volume of another domain, in Compose's old words", {"external": {"name": "other_data"}}),
    ("a volume of nobody known", {"external": True, "name": "vaultwarden"}),
):
    ADOPTION.add(name, "volumes.external", {"volumes": ["data:/x"]}, volumes={"data": volume})
OWNS = encoded(
    {"name": "other", "networks": {"back": {}}, "volumes": {"data": {}}, "cpuxs": {"main": {"design_chunks": [
        {"name": "a", "container": {"image": "x", "networks": ["back"], "volumes": ["data:/x"]}}]}}}
)  # fmt: skip
ADOPTION.add(
    "a network of another domain",
    "networks.external",
    {"networks": ["back"]},
    networks={"back": {"external": True, "name": "pnr_other_back"}},
    beside={"a-other.json": OWNS},
)

for time in ("100000h", "8760h", "1000000s"):
    LIMITS.add(f"an end that takes {time}", "limits.stop_grace", {"stop_grace_period": time})
for parent in ("/", "/system.slice", "system.slice", "/init.scope", "/docker", "user.slice", "/kubepods"):
    LIMITS.add(f"the control group {parent}", "limits.cgroup_parents", {"cgroup_parent": parent})
LIMITS.add("51 copies", "limits.replicas", {}, chunk={"replicas": 51})
LIMITS.add("1,000 copies", "limits.replicas", {}, chunk={"replicas": 1000})
LIMITS.add(
    "100,000 containers in 14 KB",
    "TooMany",
    chunks(*({"name": f"c{n}", "container": {"image": "x"}, "replicas": 1000} for n in range(100))),
)

for device in ("/dev/watchdog", "/dev/watchdog0"):
    DEVICES.add(f"{device}, with which the host is reset", "devices.paths", {"devices": [device]})

FILES.add("the secret of another domain", "secrets.files", {**BARE, "secrets": ["s"]}, secrets={"s": {"file": "/etc/pnr/secrets/other/db"}}, policy="strict")  # fmt: skip
FILES.add("another's file that sops opens", "secrets.files", {**BARE, "secrets": ["s"]}, secrets={"s": {"sops": "./other/db.enc"}}, policy="strict")  # fmt: skip

for source in ("/etc/ssl/certs", "/etc/letsencrypt", "/usr/share/zoneinfo", "/lib/modules", "/etc/passwd"):
    PATHS.add(f"{source}, read-only and with another label", "binds.protected", {"volumes": [f"{source}:/x:ro,Z"]})
PATHS.add(
    "a label in the long form",
    "binds.protected",
    {
        "volumes": [
            {"type": "bind", "source": "/etc/ssl/certs", "target": "/x", "read_only": True, "bind": {"selinux": "z"}}
        ]
    },
)
PATHS.add(
    "a place of the system, read-only and with another label", "binds.data", {"volumes": ["/var/lib/new:/x:ro,z"]}
)
PATHS.add(
    "a directory that the engine would make, read-only",
    "binds.data",
    {"volumes": ["/newly-made:/x:ro"]},
    disk=Disk(missing=("/newly-made",)),
)

for driver in ("macvlan", "ipvlan"):
    for parent in ("docker0", "br-0123456789ab", "br-fedcba987654", "br-0123456789ab.7"):
        network = {"driver": driver, "driver_opts": {"parent": parent}}
        NETWORKS.add(f"{driver} on {parent}, another's bridge", "networks.host_overlap", {"networks": ["back"]}, networks={"back": network})  # fmt: skip

for policy, base in (("team", {}), ("strict", BARE), ("shared-lab", BARE)):
    for name, container in (
        ("by the ulimit rtprio", {"ulimits": {"rtprio": 99}}),
        ("by the ulimit rtprio, soft and hard", {"ulimits": {"rtprio": {"soft": 0, "hard": 1}}}),
    ):
        LIMITS.add(f"real-time processes {name}", "limits.realtime", {**base, **container}, policy=policy)
LIMITS.add("real-time processes by a capability", "limits.realtime", {"cap_add": ["SYS_NICE"]}, policy="team")

ADOPTION.add("anybody's container, whatever it is", "domains.adopt", {"name": "vault"}, chunk={"adopt": True, "ignore_drift": ["image", "command", "environment"]})  # fmt: skip

LENDS = encoded(
    {"name": "other", "networks": {"back": {"shared_with": ["shop"]}}, "cpuxs": {"main": {"design_chunks": [
        {"name": "db", "container": {"image": "x", "networks": ["back"]}}]}}}
)  # fmt: skip
for name, container in (
    ("an alias", {"networks": {"back": {"aliases": ["db"]}}}),
    ("a name", {"name": "db", "networks": ["back"]}),
    ("a host name", {"hostname": "db", "networks": ["back"]}),
):
    NETWORKS.add(f"the name of another's database in its network, as {name}", "NameTaken", container, networks={"back": {"external": True, "name": "pnr_other_back"}}, beside={"a-other.json": LENDS})  # fmt: skip

HAS_PORTS = encoded(
    {"name": "other", "cpuxs": {"main": {"design_chunks": [
        {"name": "db", "container": {"image": "x", "ports": ["127.0.0.1:5432:1", "[::1]:5433:1"]}}]}}}
)  # fmt: skip
for port in (
    "[::ffff:127.0.0.1]:5432:1", "[::ffff:7f00:1]:5432:1", "[::ffff:0.0.0.0]:5432:1", "5432-5433:1", "5000-6000:1",
    "*:5430-5440:1", "[::1]:5433-5434:1",
):  # fmt: skip
    PORTS.add(f"{port}, where another has one of them", "HostPortClash", {"ports": [port]}, beside={"a-other.json": HAS_PORTS})  # fmt: skip
for port in ("[::1%lo]:5433:1", "[fe80::1%eth0]:5433:1"):
    PORTS.add(f"{port}, with a zone", "InvalidValue", {"ports": [port]})

for source, rule in (
    ("/usr/share/zoneinfo", "binds.protected"),
    ("/etc/ssl/certs", "binds.protected"),
    ("./shop/x", "binds.allowed"),
    ("/var/lib/new", "binds.data"),
):
    volume = {"type": "bind", "source": source, "target": "/x", "read_only": True, "bind": {"recursive": "writable"}}
    MOUNTS.add(f"{source}, read-only but for what is mounted below it", rule, {"volumes": [volume]})
