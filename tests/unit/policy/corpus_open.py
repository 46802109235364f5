"""Files that a hostile author may write, and that the profile ``standard`` lets through: each with why, and with the rule
that would refuse it. Collected by no test: who mends one moves it over to the table of its group in ``corpus``.

``python -m tests.unit.policy.corpus_open`` tells which of them are refused by now, and for what.
"""

from __future__ import annotations

from typing import Any

from tests.unit.policy.corpus.entry import Group, chunks, domain, encoded

# What the tables below hold is any JSON.
network: Any
options: Any
check: Any

OPEN: list[Group] = []


def _group(name: str) -> Group:
    OPEN.append(Group(name))
    return OPEN[-1]


# Below the folders for data it is told by what lies there (an engine's data, programs, the root of a system), and by what
# services of the machine name: here nothing lies there. Where that is not enough: binds.protected.
PATHS = _group("paths")
for source in ("/opt/google", "/opt/aws", "/srv/tftp", "/srv/http/cgi-bin", "/data/docker"):
    PATHS.add(f"{source}, which root's services may read", "binds.protected", {"volumes": [f"{source}:/x"]})
# What an ordinary user owns is that user's; a container that may write to it may become that user.
PATHS.add("a home's programs", "binds.protected", {"volumes": ["/home/ann/bin:/x"]})
PATHS.add("a home's code", "binds.protected", {"volumes": ["/home/ann/src:/x"]})

# The outer one may lead what lies in it elsewhere; what is mounted is judged at each start, and the engine starts neither.
MOUNTS = _group("mounts")
MOUNTS.add(
    "a folder inside of another's",
    "binds.nested",
    chunks(
        {"name": "a", "container": {"image": "x", "volumes": ["/srv/r:/x"]}},
        {"name": "b", "container": {"image": "x", "volumes": ["/srv/r/x/y:/x"]}},
    ),
)

# Ports without protection are those of the network's own containers.
NETWORKS = _group("networks")
for name, option in (
    ("every port open to everybody", {"com.docker.network.bridge.gateway_mode_ipv4": "nat-unprotected"}),
):
    NETWORKS.add(name, "networks.options", {"networks": ["back"]}, networks={"back": {"driver_opts": option}})
# With the host's network a container asks these itself; standard lets a domain have that (namespaces.host), strict not.
for name, check in (
    ("a probe of the engine on the host", {"type": "http", "port_key": "2375", "path": "/info"}),
    ("a probe of what listens on the host's 127.0.0.1", {"type": "tcp", "port_key": "5432"}),
):
    NETWORKS.add(name, "probes.host_network", {"network_mode": "host"}, chunk={"health_check": check})

LOGGING = _group("logging")
for name, driver, options in (
    # Where the name is looked up, as the container is made, it is refused: no file tells what it stands for.
    ("the host by its name", "gelf", {"gelf-address": "udp://localhost:12201"}),
    # Of the container's own variables; json-file without an end is what limits and defaults.logs are for.
    ("the environment as labels of logs", "journald", {"env-regex": ".*"}),
    ("logs without an end", "json-file", {"max-size": "-1"}),
    # A receiver may take them for messages of the host's own login.
    ("a facility of the host's own messages", "syslog", {"syslog-facility": "auth"}),
):
    LOGGING.add(name, "logging.options", {"logging": {"driver": driver, "options": options}})

# Alone these are nobody's, as far as files tell; beside their owner's file, and by their labels as the container is made,
# they are refused (NetworkNameClash, VolumeNameClash, networks.external). The engine's own networks are everybody's.
ADOPTION = _group("adoption and external objects")
ADOPTION.add("another domain's volume as one's own", "volumes.external", {"volumes": ["data:/x"]}, volumes={"data": {"name": "other_data"}})  # fmt: skip
for name, network in (
    ("another domain's network", {"external": True, "name": "pnr_other_default"}),
    ("another domain's network as one's own", {"name": "pnr_other_default"}),
    ("the engine's own bridge", {"external": True, "name": "bridge"}),
    ("the host's network as an external one", {"external": True, "name": "host"}),
):
    ADOPTION.add(name, "networks.external", {"networks": ["back"]}, networks={"back": network})

# What two new files want at one moment goes to the one that sorts first; what is in force keeps its names. Where authors
# do not trust one another, claims.domains and claims.containers name what is whose.
NAMES = _group("names")
LATER = encoded(
    {"name": "other", "cpuxs": {"main": {"design_chunks": [{"name": "db", "container": {"image": "x", "name": "database"}}]}}}
)  # fmt: skip
NAMES.add("a name that sorts before the file of whom it belongs to", "DuplicateDomain", chunks({"name": "a", "container": {"image": "x"}}, name="zother"), beside={"zz-other.json": LATER.replace(b'"other"', b'"zother"')})  # fmt: skip
NAMES.add("a container's name that sorts before", "ContainerNameClash", domain({"name": "database"}), beside={"zz-other.json": LATER})  # fmt: skip
NAMES.add("a domain whose containers are called like another's", "ContainerNameClash", encoded({"name": "other-main", "cpuxs": {"x": {"design_chunks": [{"name": "a", "container": {"image": "x"}}]}}}))  # fmt: skip
# Labels are data; who obeys them (a proxy) has to be told whose it obeys.
NAMES.add("routes of another in labels for a proxy", "names.labels", {"labels": {"traefik.http.routers.x.rule": "Host(`shop.example.com`)"}})  # fmt: skip

# In standard secrets are given to all files of the directory: strict, or secrets.files and images.logins of the policy.
FILES = _group("secrets and files")
FILES.add("the secret of another domain", "secrets.files", {"secrets": ["s"]}, secrets={"s": {"file": "./other/db_password"}})  # fmt: skip
FILES.add("certificates of the machine", "secrets.files", {"secrets": ["s"]}, secrets={"s": {"file": "/etc/letsencrypt/live/x/privkey.pem"}})  # fmt: skip
FILES.add("another's login to a registry", "images.logins", {"image": "registry.example.com/team/x"})
FILES.add("the folder of another domain as a context", "secrets.files", {"build": "./other", "image": "shop-web"})


if __name__ == "__main__":
    from tests.unit.policy.test_corpus import judged, reasons

    for group in OPEN:
        for entry in group.entries:
            found = reasons(judged(entry))
            if found:
                said = "refused" if entry.rule in found else f"refused, but not for {entry.rule}"
                print(f"{entry}: {said}: {', '.join(sorted(found))}")
    print(sum(len(group.entries) for group in OPEN), "in all")
