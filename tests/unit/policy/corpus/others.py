"""Ways by images, files, what others have, numbers, names, and the text itself."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.policy.corpus.entry import DIGEST, Group, chunks, domain, encoded
from tests.unit.policy.judging import Disk

# What the tables below hold is any JSON.
container: Any
top: Any
value: Any

IMAGES = Group("images and builds")
for name, image in (
    ("from elsewhere", "evil.example.com/x"),
    ("a repository that begins like one of the list", "registry.example.com/teammate/x"),
    ("a registry that begins like that of the list", "registry.example.com.evil.example/team/x"),
    ("another one's of the hub", "evil/nginx"),
    ("two dots", "registry.example.com/team-x/y"),
    ("a port more", "registry.example.com:5000/team/x"),
    ("another tag", "traefik:v2"),
    ("by its id", DIGEST),
    ("by the beginning of its id", "deadbeef"),
):
    IMAGES.add(name, "images.allowed", {"image": image}, policy="team")
for name, rule, container in (
    ("the host's network for a build", "builds.networks", {"build": {"context": ".", "network": "host"}}),
    ("a container's network for a build", "builds.networks", {"build": {"context": ".", "network": "container:x"}}),
    ("a name with a digest", "Conflict", {"build": ".", "image": f"redis@{DIGEST}"}),
    ("a context that is the root", "binds.protected", {"build": "/"}),
    ("a context that is /etc", "binds.protected", {"build": "/etc"}),
    ("a context above the domain files", "binds.protected", {"build": ".."}),
    ("a Dockerfile of the host", "binds.protected", {"build": {"context": ".", "dockerfile": "/etc/shadow"}}),
    ("a Dockerfile by two dots", "binds.protected", {"build": {"context": "app", "dockerfile": "../../../../etc/x"}}),
    ("a context from the network", "InvalidValue", {"build": "https://example.com/x.git"}),
    ("secrets of a build", "InvalidValue", {"build": {"context": ".", "secrets": ["x"]}}),
    ("an agent with keys", "InvalidValue", {"build": {"context": ".", "ssh": ["default"]}}),
    ("privileges of a build", "InvalidValue", {"build": {"context": ".", "privileged": True}}),
    ("entitlements of a build", "InvalidValue", {"build": {"context": ".", "entitlements": ["network.host"]}}),
):
    IMAGES.add(name, rule, container)
IMAGES.add("a context that leads to /etc", "binds.protected", {"build": "./app"}, disk=Disk(links={"/srv/pnr/domains/app": "/etc"}))  # fmt: skip
IMAGES.add("a build", "builds.allowed", {"build": "./shop"}, policy="strict")
IMAGES.add("a build", "builds.allowed", {"build": "./shop"}, policy="team")
IMAGES.add("a tag", "images.digest", {"image": "redis:7"}, policy="strict")
IMAGES.add("no tag", "images.digest", {}, policy="shared-lab")
IMAGES.add("a digest from elsewhere", "images.allowed", {"image": f"redis@{DIGEST}"}, policy="shared-lab")

FILES = Group("secrets and files")
for name, top in (
    ("the shadow file as a secret", {"file": "/etc/shadow"}),
    ("root's key as a secret", {"file": "/root/.ssh/id_ed25519"}),
    ("a user's key as a secret", {"file": "/home/ann/.ssh/id_ed25519"}),
    ("pnr's own key as a secret", {"file": "/srv/pnr/state/key"}),
    ("another chunk's secret as a secret", {"file": "/run/pnr/files/other/main/web/x"}),
    ("another volume's content as a secret", {"file": "/var/lib/docker/volumes/x/_data/y"}),
    ("memory of pnr as a secret", {"file": "/proc/self/environ"}),
    ("two dots", {"file": "../../../etc/shadow"}),
    ("the shadow file, opened by sops", {"sops": "/etc/shadow"}),
    ("the shadow file, opened by age", {"age": "/etc/shadow"}),
):
    FILES.add(name, "binds.protected", {"secrets": ["s"]}, secrets={"s": top})
    if "secret" in name:
        FILES.add(name.replace("as a secret", "as a config"), "binds.protected", {"configs": ["s"]}, configs={"s": top})
FILES.add(
    "a link to the shadow file",
    "binds.protected",
    {"secrets": ["s"]},
    secrets={"s": {"file": "./s"}},
    disk=Disk(links={"/srv/pnr/domains/s": "/etc/shadow"}),
)
for name, rule, container in (
    ("variables from the host", "binds.protected", {"env_file": "/etc/default/docker"}),
    ("variables from pnr's state", "binds.protected", {"env_file": ["../state/key"]}),
    ("labels from the host", "binds.protected", {"label_file": "/etc/passwd"}),
    ("a filter of system calls from the host", "binds.protected", {"security_opt": ["seccomp=/etc/filter.json"]}),
):
    FILES.add(name, rule, container)
FILES.add("the daemon's environment", "MissingVariable", {"environment": {"A": "${HOME_OF_PNR}"}})
FILES.add("the daemon's environment as a secret", "VariableNotAllowed", {"secrets": ["s"]}, secrets={"s": {"environment": "AWS_SECRET_ACCESS_KEY"}})  # fmt: skip
FILES.add("a credential by two dots", "BadName", {"secrets": ["s"]}, secrets={"s": {"credential": "../x"}})
FILES.add("a file of the machine's secrets", "files.allowed", {"secrets": ["s"]}, secrets={"s": {"file": "/etc/pnr/secrets/x"}}, policy="shared-lab")  # fmt: skip
FILES.add(
    "a file of elsewhere", "files.allowed", {"secrets": ["s"]}, secrets={"s": {"file": "/srv/x"}}, policy="strict"
)
FILES.add("a password in the file", "UnknownKey", {"secrets": ["s"]}, secrets={"s": {"value": "hunter2"}})

ADOPTION = Group("adoption and external objects")
for policy in ("team", "strict", "shared-lab"):
    ADOPTION.add("a container of somebody else", "domains.adopt", {}, chunk={"adopt": True}, policy=policy)
    ADOPTION.add("another in its place", "domains.adopt", {}, chunk={"adopt": "replace"}, policy=policy)
for name, key, value in (
    ("pnr's label", "labels", {"io.pnr.domain": "other"}),
    ("pnr's label in a list", "labels", ["io.pnr.domain=other"]),
    ("pnr's label of a mark", "labels", {"io.pnr.spec": "x"}),
):
    ADOPTION.add(name, "InvalidValue", {key: value})
ADOPTION.add("pnr's label on a volume", "InvalidValue", {"volumes": ["v:/x"]}, volumes={"v": {"labels": {"io.pnr.domain": "other"}}})  # fmt: skip
ADOPTION.add("pnr's label on a network", "InvalidValue", {"networks": ["n"]}, networks={"n": {"labels": {"io.pnr.domain": "other"}}})  # fmt: skip

LIMITS = Group("limits")
for name, rule, container in (
    ("more memory", "limits.memory", {"mem_limit": "5g", "pids_limit": 9}),
    ("no memory", "limits.required", {"pids_limit": 9}),
    ("no end of processes", "limits.required", {"mem_limit": "1g", "pids_limit": -1}),
    ("more processes", "limits.pids", {"mem_limit": "1g", "pids_limit": 4096}),
    ("more processors", "limits.cpus", {"cpus": 8}),
    ("more processors by a quota", "limits.cpus", {"cpu_period": 1000, "cpu_quota": 8000}),
    ("endless swap", "limits.memory", {"mem_limit": "1g", "memswap_limit": -1}),
    ("a large /dev/shm", "limits.shm", {"shm_size": "2g"}),
    ("a large tmpfs", "limits.shm", {"tmpfs": ["/x:size=2g"]}),
    ("a tmpfs without an end", "limits.shm", {"tmpfs": ["/x"]}),
    ("before the host's programs", "limits.oom_score", {"oom_score_adj": -1}),
    ("never ended", "limits.oom_kill_disable", {"oom_kill_disable": True, "mem_limit": "1g"}),
    ("real-time processes", "limits.realtime", {"cpu_rt_runtime": 1000}),
    ("another control group", "limits.cgroup_parents", {"cgroup_parent": "/system.slice"}),
    ("above all control groups", "limits.cgroup_parents", {"cgroup_parent": "/../.."}),
):
    LIMITS.add(name, rule, container, policy="team")
LIMITS.add("too many copies", "limits.replicas", {}, chunk={"replicas": 11}, policy="team")
LIMITS.add("too many copies by scale", "limits.replicas", {"scale": 11}, policy="team")
LIMITS.add("too many copies by deploy", "limits.replicas", {"deploy": {"replicas": 11}}, policy="team")
LIMITS.add("too many copies", "limits.replicas", {}, chunk={"replicas": 21}, policy="one-author")
LIMITS.add("more than 1,000 copies", "OutOfRange", {}, chunk={"replicas": 1001})
LIMITS.add("open files", "limits.ulimits", {"ulimits": {"nofile": 1048576}}, policy="shared-lab")
LIMITS.add("open files without an end", "limits.ulimits", {"ulimits": {"nofile": -1}}, policy="shared-lab")
LIMITS.add("before the engine", "limits.oom_score", {"oom_score_adj": -1000})
LIMITS.add("two dots out of the control groups", "limits.cgroup_parents", {"cgroup_parent": "/pnr/../.."})

NAMES = Group("names")
OTHER = encoded(
    {"name": "other", "cpuxs": {"main": {"design_chunks": [{"name": "db", "container": {"image": "redis", "name": "database", "ports": ["5432:5432"]}}, {"name": "queue", "container": {"image": "redis"}}]}}}
)  # fmt: skip
for name, rule, file in (
    ("the name of another domain", "DuplicateDomain", chunks({"name": "a", "container": {"image": "x"}}, name="other")),
    ("the container of another domain", "ContainerNameClash", domain({"name": "database"})),
    ("the port of another domain", "HostPortClash", domain({"ports": ["5432:1"]})),
    ("the port of another domain on every address", "HostPortClash", domain({"ports": ["*:5432:1"]})),
    ("the usual name of another domain's container", "ContainerNameClash", domain({"name": "other-main-queue-1"})),
):
    NAMES.add(name, rule, file, beside={"a-other.json": OTHER})
for name, text in (
    ("a slash", "a/b"),
    ("two dots", ".."),
    ("a control character", "a\u001b[2J"),
    ("nothing", ""),
    ("a blank", "a b"),
    ("a line's end", "a\nb"),
    ("a letter that looks like another", "\u0430dmin"),
    ("right to left", "a\u202eb"),
    ("100 letters", "a" * 100),
    ("a dash first", "-x"),
):
    NAMES.add(f"{name} in the domain", "BadName", chunks({"name": "a", "container": {"image": "x"}}, name=text))
    NAMES.add(f"{name} in a chunk", "BadName", chunks({"name": text, "container": {"image": "x"}}))
for name, key in (("a network", "networks"), ("a volume", "volumes"), ("a secret", "secrets")):
    NAMES.add(f"a slash in {name}", "BadName", domain({}, **{key: {"a/../b": {}}}))

REAL = chunks({"name": "web", "container": {"image": "redis"}}, name="shop-web")
for name, image in (
    ("as a file that is called so", "shop-web-app"),
    ("as a file that is called so, with a line", "shop-web_app"),
):
    NAMES.add(f"an image called {name}", "ImageNameClash", {"build": "./shop", "image": image}, beside={"shop-web.json": REAL})  # fmt: skip

HEX = "0123456789abcdef"
for name, container, top in (
    ("a container called as an id begins", {"name": HEX[:12]}, {}),
    ("a container called as an id", {"name": HEX * 4}, {}),
    ("a container called as its machine", {"name": "localhost"}, {}),
    ("a container called as its host", {"name": "host.docker.internal"}, {}),
    ("the host's name in a network of others", {"networks": {"n": {"aliases": ["Host.Docker.Internal"]}}}, {"networks": {"n": {"external": True, "name": "web"}}}),
    ("the host's name in a network that others may join", {"networks": {"n": {"aliases": ["host.docker.internal"]}}}, {"networks": {"n": {"shared_with": ["*"]}}}),
    ("the bridge of a swarm", {"networks": ["n"]}, {"networks": {"n": {"name": "docker_gwbridge"}}}),
    ("the entrance of a swarm", {"networks": ["n"]}, {"networks": {"n": {"name": "ingress"}}}),
    ("a network called as an id begins", {"networks": ["n"]}, {"networks": {"n": {"name": HEX[:12]}}}),
    ("a network called as Windows' own", {"networks": ["n"]}, {"networks": {"n": {"name": "nat"}}}),
    ("a volume called as those without a name", {}, {"volumes": {"data": {"name": HEX * 4}}}),
    ("an image called as an id begins", {"build": "./shop", "image": f"{HEX}:1"}, {}),
    ("an image called as a digest", {"build": {"context": "./shop", "tags": ["sha256:abc"]}}, {}),
):  # fmt: skip
    NAMES.add(name, "ReservedName", container, **top)
for name, network in (
    ("the engine's bridge", {"name": "bridge"}),
    ("the host's network", {"name": "host"}),
    ("no network", {"name": "none"}),
    ("the engine's default", {"name": "default"}),
):
    NAMES.add(name, "Conflict", {"networks": ["n"]}, networks={"n": network})
for name in ("container:x", "service:x", "host/x", "ns:/proc/1/ns/net"):
    NAMES.add(f"a network called {name}", "BadName", {"networks": ["n"]}, networks={"n": {"name": name}})
for name, policy in (("docker_gwbridge", "standard"), ("ingress", "standard"), ("docker_gwbridge", "shared-lab")):
    NAMES.add(f"{name}, which all of a swarm is in", "networks.external", {"networks": ["n"]}, networks={"n": {"external": True, "name": name}}, policy=policy)  # fmt: skip

YES = {"response": ["yes"]}
SYNTAX = Group("syntax and size")
for name, rule, data in (
    ("the same key twice", "DuplicateKey", b'{"name": "d", "name": "e"}'),
    ("the same key behind an escape", "DuplicateKey", rb'{"name": "d", "n\u0061me": "e"}'),
    ("a second document", "Syntax", b'{"name": "d"}{"name": "e"}'),
    ("a comment", "Syntax", b'/* x */ {"name": "d"}'),
    ("no end", "Truncated", b'{"name": "d"'),
    ("another encoding", "NotUtf8", '{"name": "d"}'.encode("utf-16-le")),
    ("a mark of another encoding", "ByteOrderMark", b"\xef\xbb\xbf{}"),
    ("half a character", "NotUtf8", b'{"name": "\xed\xa0\x80"}'),
    ("an overlong slash", "NotUtf8", b'{"name": "\xc0\xaf"}'),
    ("100,000 lists", "TooDeep", b"[" * 100_000),
    ("100,000 objects", "TooDeep", b'{"a":' * 100_000),
    ("a number of 5,000 digits", "NumberTooLong", b'{"name": ' + b"9" * 5000 + b"}"),
    ("10 MiB", "TooLarge", b" " * 10 * 1024 * 1024),
    ("a control character", "ControlCharacter", b'{"name": "d\x1b[2J"}'),
    ("nothing", "Empty", b""),
    ("zeros", "NotUtf8", bytes(4096)),
    ("a program", "Syntax", b"\x7fELF\x02\x01\x01"),
    ("300,000 chunks", "TooMany", b'{"name":"d","cpuxs":{"a":{"design_chunks":[' + b"{}," * 300_000 + b"{}]}}}"),
    ("50,000 unknown keys", "TooMany", json.dumps({f"k{n}": 1 for n in range(50_000)}, separators=(",", ":")).encode()),
    ("an infinite number", "NotANumber", b'{"name": "d", "x-a": Infinity}'),
):  # fmt: skip
    SYNTAX.add(name, rule, data)
MANY = [f"k{number}" for number in range(9000)]
for name, container, chunk, top in (
    ("9,000 facts", {}, {"flowout": dict.fromkeys(MANY, YES)}, {}),
    ("9,000 facts in a gate", {}, {"gatekeeper": dict.fromkeys(MANY, YES)}, {}),
    ("9,000 facts that are handed over", {}, {"flowin": dict.fromkeys(MANY)}, {}),
    ("9,000 responses", {}, {"flowout": {"up": {"response": MANY}}}, {}),
    ("9,000 volumes", {"volumes": [f"{name}:/{name}" for name in MANY]}, {}, {}),
    ("9,000 links", {"external_links": MANY}, {}, {}),
    ("9,000 containers that volumes are taken from", {"volumes_from": [f"container:{name}" for name in MANY]}, {}, {}),
    ("9,000 networks", {}, {}, {"networks": {name: {} for name in MANY}}),
    ("9,000 addresses that a network keeps", {}, {}, {"networks": {"n": {"ipam": {"config": [{"subnet": "10.0.0.0/8", "aux_addresses": dict.fromkeys(MANY, "10.0.0.9")}]}}}}),
    ("12,000 entries in a chunk", {"labels": dict.fromkeys(MANY[:6000], ""), "environment": dict.fromkeys(MANY[:6000], "")}, {}, {}),
    ("400 facts of 51 copies", {}, {"replicas": 51, "flowout": dict.fromkeys(MANY[:400], YES)}, {}),
):  # fmt: skip
    SYNTAX.add(name, "TooMany", domain(container, chunk, **top))
SYNTAX.add("9,000 headers", "InvalidValue", {}, chunk={"health_check": {"type": "http", "port_key": "80", "headers": dict.fromkeys(MANY, "")}})  # fmt: skip
for name, container in (
    ("a field of the Engine API", {"HostConfig": {"Privileged": True}}),
    ("a field of the Engine API in lower case", {"hostconfig": {}}),
    ("a key in upper case", {"Privileged": True}),
    ("Kubernetes' words", {"securityContext": {"privileged": True}}),
):
    SYNTAX.add(name, "UnknownKey", container)
for name, container in (
    ("Compose's way to the engine's socket", {"use_api_socket": True}),
    ("commands beside a start", {"post_start": [{"command": "x"}]}),
    ("another file's words", {"extends": {"file": "/etc/passwd"}}),
    ("a program of the host", {"provider": {"type": "x"}}),
):
    SYNTAX.add(name, "InvalidValue", container)
SYNTAX.add("other files", "InvalidValue", domain({}, include=["/etc/passwd"]))
