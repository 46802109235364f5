"""Hostile files that are let through so far, each with the rule that is to refuse it. Collected by no test: who mends one
moves it over to the table of its group in ``corpus``.

``python -m tests.unit.policy.corpus_open`` tells which of them are refused by now, and for what.
"""

from __future__ import annotations

from typing import Any

from tests.unit.policy.corpus.entry import BARE, Group, chunks, domain, encoded

# What the tables below hold is any JSON.
container: Any
volume: Any
network: Any
options: Any
check: Any
base: Any

OPEN: list[Group] = []


def _group(name: str) -> Group:
    OPEN.append(Group(name))
    return OPEN[-1]


PATHS = _group("paths")
for source in (
    "/var/lib/extensions", "/var/lib/confexts", "/system-update", "/etc-update", "/newly-made", "/lost+found",
    "/var/lib/pam", "/var/lib/ucf", "/var/lib/grub", "/var/lib/iptables", "/var/lib/logrotate", "/var/lib/misc",
    "/var/lib/dhcp", "/var/lib/tailscale", "/var/lib/wireguard", "/var/lib/fwupd", "/var/lib/selinux",
    "/var/lib/authselect", "/var/lib/chef", "/var/lib/puppet", "/var/lib/cfengine3", "/var/cfengine", "/var/ossec",
    "/var/lib/amazon", "/var/lib/google", "/var/lib/jenkins", "/var/lib/gitlab-runner", "/var/lib/tftpboot",
    "/opt/puppetlabs", "/opt/google", "/opt/aws", "/srv/salt", "/srv/pillar", "/srv/tftp", "/var/mail", "/var/crash",
    "/var/opt", "/srv/http/cgi-bin", "/var/lib/fail2ban", "/var/lib/postfix", "/var/lib/rancher2",
    "/var/lib/incus", "/var/lib/nixos", "/var/lib/unattended-upgrades", "/var/lib/update-notifier",
    "/var/lib/command-not-found", "/var/lib/bluetooth", "/var/lib/iwd", "/usr2", "/data/docker",
):  # fmt: skip
    PATHS.add(f"{source}, which the system or root's services read", "binds.protected", {"volumes": [f"{source}:/x"]})
PATHS.add("a line's end in a path", "InvalidValue", {"volumes": ["/srv/a\nb:/x"]})
PATHS.add("an escape sequence in a path", "InvalidValue", {"volumes": ["/srv/a\x1b[2Jb:/x"]})
PATHS.add("the folder of another domain", "binds.protected", {"volumes": ["./other/html:/x"]})
PATHS.add("the folder beside the domain files, to write to", "binds.protected", {"volumes": ["./html:/x"]})
PATHS.add("a home's programs", "binds.protected", {"volumes": ["/home/ann/bin:/x"]})
PATHS.add("a home's code", "binds.protected", {"volumes": ["/home/ann/src:/x"]})

RESTARTS = _group("mounts")
for word in ("always", "unless-stopped", "on-failure", "on-failure:3"):
    RESTARTS.add(f"restarts by the engine: {word}", "binds.restart", {"volumes": ["/srv/r/x:/x"], "restart": word})
RESTARTS.add(
    "restarts by the engine, in Compose's words",
    "binds.restart",
    {"volumes": ["/srv/r/x:/x"], "deploy": {"restart_policy": {"condition": "any"}}},
)
RESTARTS.add(
    "restarts by the engine with a volume that binds",
    "binds.restart",
    {"volumes": ["data:/x"], "restart": "always"},
    volumes={"data": {"driver_opts": {"type": "none", "o": "bind", "device": "/srv/r/x"}}},
)
RESTARTS.add(
    "restarts by the engine with a sibling's folder",
    "binds.restart",
    chunks(
        {"name": "a", "container": {"image": "x", "volumes": ["/srv/r/x:/x"]}},
        {"name": "b", "container": {"image": "x", "volumes_from": ["a"], "restart": "always"}},
    ),
)
RESTARTS.add(
    "a folder inside of another's",
    "binds.nested",
    chunks(
        {"name": "a", "container": {"image": "x", "volumes": ["/srv/r:/x"]}},
        {"name": "b", "container": {"image": "x", "volumes": ["/srv/r/x/y:/x"]}},
    ),
)

IMAGES = _group("images and builds")
RUNS = encoded(
    {"name": "other", "cpuxs": {"main": {"design_chunks": [{"name": "a", "container": {"image": "team/app:1"}}]}}}
)
BUILDS = encoded(
    {"name": "other", "cpuxs": {"main": {"design_chunks": [{"name": "a", "container": {"build": "./a"}}]}}}
)
for name, container, beside in (
    ("under the tag that another domain runs", {"build": "./x", "image": "team/app:1"}, RUNS),
    ("with the tag that another domain runs beside", {"build": {"context": "./x", "tags": ["team/app:1"]}}, RUNS),
    ("under the whole name of that tag", {"build": "./x", "image": "docker.io/team/app:1"}, RUNS),
    ("under another name of the hub", {"build": "./x", "image": "index.docker.io/team/app:1"}, RUNS),
    ("under the name that another domain builds", {"build": "./x", "image": "other-main-a"}, BUILDS),
    ("with the name that another domain builds beside", {"build": {"context": "./x", "tags": ["other-main-a"]}}, BUILDS),
):  # fmt: skip
    IMAGES.add(name, "builds.names", container, beside={"a-other.json": beside})
for image in ("redis:7", "library/postgres", "ghcr.io/team/app:1", "pnr-demo-db", "scratch", "alpine:latest"):
    IMAGES.add(f"under the name {image}, which a registry has", "builds.names", {"build": "./x", "image": image})
IMAGES.add("with the name of a registry's beside", "builds.names", {"build": {"context": "./x", "tags": ["redis:7"]}})

NETWORKS = _group("networks")
for subnet in (
    "198.51.100.0/24", "169.254.169.0/24", "169.254.0.0/16", "0.0.0.0/1", "128.0.0.0/1", "0.0.0.0/0", "127.0.0.0/8",
    "127.0.0.53/32", "8.8.8.0/24", "1.1.1.1/32", "224.0.0.0/4", "240.0.0.0/4", "100.64.0.0/10", "192.0.2.0/24",
    "2000::/3", "::/0", "fe80::/10", "::1/128", "2001:db8::/32", "::ffff:0:0/96", "ff00::/8", "fd00:ec2::/32",
):  # fmt: skip
    for policy, base in (("standard", {}), ("strict", BARE)):
        network = {"ipam": {"config": [{"subnet": subnet}]}, "enable_ipv6": ":" in subnet}
        asked = {**base, "networks": ["back"]}
        NETWORKS.add(f"the subnet {subnet}", "networks.subnets", asked, networks={"back": network}, policy=policy)
for name, option in (
    ("under the name of a card of the host", {"com.docker.network.bridge.name": "eth0"}),
    ("under the name of the engine's own bridge", {"com.docker.network.bridge.name": "docker0"}),
    ("every port open to everybody", {"com.docker.network.bridge.gateway_mode_ipv4": "nat-unprotected"}),
):
    NETWORKS.add(name, "networks.options", {"networks": ["back"]}, networks={"back": {"driver_opts": option}})
for name, check, container in (
    ("a probe of the engine on the host", {"type": "http", "port_key": "2375", "path": "/info"}, {"network_mode": "host"}),
    ("a probe of what listens on the host's 127.0.0.1", {"type": "tcp", "port_key": "5432"}, {"network_mode": "host"}),
    ("a probe that sends what it likes", {"type": "http", "port_key": "8500", "method": "PUT", "path": "/v1/kv/x"}, {"network_mode": "host"}),
):  # fmt: skip
    NETWORKS.add(name, "probes.addresses", container, chunk={"health_check": check})

LOGGING = _group("logging")
for name, driver, options in (
    ("a socket with a host", "syslog", {"syslog-address": "unix://x/run/docker.sock"}),
    ("a socket in upper case", "syslog", {"syslog-address": "UNIX:///run/docker.sock"}),
    ("a socket with two slashes less", "syslog", {"syslog-address": "unix:/run/docker.sock"}),
    ("a socket by a relative path", "syslog", {"syslog-address": "unix://run/docker.sock"}),
    ("a socket behind a blank", "syslog", {"syslog-address": " unix:///run/docker.sock"}),
    ("datagrams in upper case", "syslog", {"syslog-address": "UnixGram:///run/systemd/notify"}),
    ("fluentd's socket with a host", "fluentd", {"fluentd-address": "unix://x/run/docker.sock"}),
    ("fluentd's socket in upper case", "fluentd", {"fluentd-address": "UNIX:///run/docker.sock"}),
    ("fluentd's socket by a relative path", "fluentd", {"fluentd-address": "unix://run/docker.sock"}),
    ("a key by a relative path", "syslog", {"syslog-tls-key": "etc/shadow"}),
    ("a certificate by two dots", "syslog", {"syslog-tls-cert": "../etc/shadow"}),
    ("an authority by a relative path", "syslog", {"syslog-tls-ca-cert": "root/ca.pem"}),
    ("splunk's authority by a relative path", "splunk", {"splunk-capath": "etc/shadow"}),
):
    LOGGING.add(name, "binds.protected", {"logging": {"driver": driver, "options": options}})
for name, driver, options in (
    ("the host itself as the goal", "syslog", {"syslog-address": "tcp://127.0.0.1:2375"}),
    ("the host by its name", "gelf", {"gelf-address": "udp://localhost:12201"}),
    ("the cloud's own address", "splunk", {"splunk-url": "http://169.254.169.254/latest"}),
    ("the cloud's endpoint", "awslogs", {"awslogs-endpoint": "http://169.254.169.254"}),
):
    LOGGING.add(name, "logging.addresses", {"logging": {"driver": driver, "options": options}})
for name, driver, options in (
    ("a line's end in a tag", "syslog", {"tag": "a\n<0>kernel: x"}),
    ("an escape sequence in a tag", "journald", {"tag": "a\x1b[2J"}),
    ("an option that nobody knows", "json-file", {"evil": "1"}),
    ("an option of another driver", "json-file", {"syslog-address": "tcp://192.0.2.1:1"}),
    ("the environment as labels of logs", "journald", {"env-regex": ".*"}),
    ("logs without an end", "json-file", {"max-size": "-1"}),
    ("a format of the host's own messages", "syslog", {"syslog-facility": "auth"}),
):
    LOGGING.add(name, "logging.options", {"logging": {"driver": driver, "options": options}})

ADOPTION = _group("adoption and external objects")
ADOPTION.add("another in the place of anybody's container", "domains.adopt", {"name": "database"}, chunk={"adopt": "replace"})  # fmt: skip
for name, volume in (
    ("a volume of another domain", {"external": True, "name": "other_data"}),
    ("a volume of another domain, in Compose's old words", {"external": {"name": "other_data"}}),
    ("a volume of another domain as one's own", {"name": "other_data"}),
    ("a volume of nobody known", {"external": True, "name": "vaultwarden"}),
):
    ADOPTION.add(name, "volumes.external", {"volumes": ["data:/x"]}, volumes={"data": volume})
for name, network in (
    ("a network of another domain", {"external": True, "name": "pnr_other_default"}),
    ("a network of another domain as one's own", {"name": "pnr_other_default"}),
    ("the engine's own bridge", {"external": True, "name": "bridge"}),
    ("the host's network as an external one", {"external": True, "name": "host"}),
):
    ADOPTION.add(name, "networks.external", {"networks": ["back"]}, networks={"back": network})

LIMITS = _group("limits")
for time in ("100000h", "8760h", "1000000s"):
    LIMITS.add(f"an end that takes {time}", "limits.stop_grace_period", {"stop_grace_period": time})
for parent in ("/", "/system.slice", "system.slice", "/init.scope", "/docker", "user.slice", "/kubepods"):
    LIMITS.add(f"the control group {parent}", "limits.cgroup_parents", {"cgroup_parent": parent})
LIMITS.add("51 copies", "limits.replicas", {}, chunk={"replicas": 51})
LIMITS.add("1,000 copies", "limits.replicas", {}, chunk={"replicas": 1000})
LIMITS.add(
    "100,000 containers in 14 KB",
    "TooMany",
    chunks(*({"name": f"c{n}", "container": {"image": "x"}, "replicas": 1000} for n in range(100))),
)
for pattern in ("(?x:(?:a+) +)b", "(a+)+b", "(a|a)*b", r"(\w+\s?)*!", "((a?){40}){40}b"):
    LIMITS.add(f"the pattern {pattern}", "TooCostly", {}, chunk={"health_check": {"type": "log", "pattern": pattern}})

DEVICES = _group("devices")
for device in ("/dev/watchdog", "/dev/watchdog0"):
    DEVICES.add(f"{device}, with which the host is reset", "devices.paths", {"devices": [device]})

NAMES = _group("names")
LATER = encoded(
    {"name": "other", "cpuxs": {"main": {"design_chunks": [{"name": "db", "container": {"image": "x", "name": "database"}}]}}}
)  # fmt: skip
NAMES.add("a name that sorts before the file of whom it belongs to", "DuplicateDomain", chunks({"name": "a", "container": {"image": "x"}}, name="zother"), beside={"zz-other.json": LATER.replace(b'"other"', b'"zother"')})  # fmt: skip
NAMES.add("a container's name that sorts before", "ContainerNameClash", domain({"name": "database"}), beside={"zz-other.json": LATER})  # fmt: skip
NAMES.add("a domain whose containers are called like another's", "ContainerNameClash", encoded({"name": "other-main", "cpuxs": {"x": {"design_chunks": [{"name": "a", "container": {"image": "x"}}]}}}))  # fmt: skip
NAMES.add("routes of another in labels for a proxy", "names.labels", {"labels": {"traefik.http.routers.x.rule": "Host(`shop.example.com`)"}})  # fmt: skip

FILES = _group("secrets and files")
FILES.add("the secret of another domain", "secrets.files", {**BARE, "secrets": ["s"]}, secrets={"s": {"file": "/etc/pnr/secrets/other/db"}}, policy="strict")  # fmt: skip
FILES.add("the secret of another domain", "secrets.files", {"secrets": ["s"]}, secrets={"s": {"file": "./other/db_password"}})  # fmt: skip
FILES.add("another's file that sops opens", "secrets.files", {**BARE, "secrets": ["s"]}, secrets={"s": {"sops": "./other/db.enc"}}, policy="strict")  # fmt: skip
FILES.add("certificates of the machine", "secrets.files", {"secrets": ["s"]}, secrets={"s": {"file": "/etc/letsencrypt/live/x/privkey.pem"}})  # fmt: skip
FILES.add("another's login to a registry", "secrets.registries", {"image": "registry.example.com/team/x"})
FILES.add("the folder of another domain as a context", "files.allowed", {"build": "./other"})


if __name__ == "__main__":
    from tests.unit.policy.test_corpus import judged, reasons

    for group in OPEN:
        for entry in group.entries:
            found = reasons(judged(entry))
            if found:
                said = "refused" if entry.rule in found else f"refused, but not for {entry.rule}"
                print(f"{entry}: {said}: {', '.join(sorted(found))}")
    print(sum(len(group.entries) for group in OPEN), "in all")
