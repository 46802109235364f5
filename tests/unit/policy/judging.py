"""Short ways to ask the judge, on a disk that is made of a few names."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.policy import Judge, Policy, Profile
from reconciler.policy.request import Request, of_url, to_create
from reconciler.policy.rule import Rule
from reconciler.policy.table import RULES, policy_of
from reconciler.policy.world import HostNet, ImageThere, Installation, Seen

STANDARD = policy_of(Profile.STANDARD)
STRICT = policy_of(Profile.STRICT)
OPEN = policy_of(Profile.OPEN)

OWN = {"io.pnr.domain": "shop", "io.pnr.cpux": "main", "io.pnr.chunk": "web"}
INSTALLATION = Installation(
    domains="/srv/pnr/domains",
    own=("/srv/pnr/state", "/etc/pnr/policy.toml"),
    program=("/opt/pnr",),
    runtime="/srv/pnr/state/runtime",
    files=("/run/pnr/files", "/srv/pnr/state/files"),
    sockets=("/var/run/docker.sock", "/run/docker.sock"),
)
NET = HostNet(
    routes=(
        ("192.168.1.0/24", "eth0"),
        ("10.8.0.0/16", "tun0"),
        ("100.100.0.0/16", ""),
        ("172.17.0.0/16", "docker0"),
        ("172.18.0.0/16", "br-0123456789ab"),
        ("192.168.122.0/24", "virbr0"),
        ("fd12::/64", "eth0"),
    ),
    addresses=("127.0.0.1", "192.168.1.10", "10.77.0.5", "172.17.0.1", "172.18.0.1", "::1", "fd12::10"),
    gateways=("192.168.1.1", "172.31.1.1"),
    resolvers=("127.0.0.53", "10.99.0.53"),
    interfaces=(("br-0123456789ab", True), ("docker0", True), ("eth0", False), ("lo", False), ("virbr0", True)),
    names=(("box", "127.0.0.1"), ("logs", "192.168.1.10"), ("elsewhere", "192.0.2.9")),
)
"""A machine in a network of its own, with a VPN, virtual machines, and an engine."""


_TELLING = re.compile(
    r"/(?:bin|sbin|lib|lib64|libexec|embedded|etc/passwd|volumes/metadata\.db|engine-id|io\.containerd\.[^/]+"
    r"|overlay-containers|runtime-runc)$"
)


@dataclass
class Disk:
    """Everything is there, a folder and root's, but for what is said otherwise; of what tells of programs and systems
    only what is ``there``. ``same``: paths that are the same thing under two names. ``owners``: whose a path is,
    and what is below it. ``disks``: what lies on a disk of its own."""

    links: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    same: Mapping[str, str] = field(default_factory=dict)
    writable: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    owners: Mapping[str, int] = field(default_factory=dict)
    disks: tuple[str, ...] = ()
    there: tuple[str, ...] = ()

    def __call__(self, path: str) -> Seen:
        first: str | None = None
        way = "/"
        for part in path.split("/"):
            if part in ("", "."):
                continue
            way = posixpath.dirname(way) if part == ".." else posixpath.join(way, part)
            if way in self.links:
                first = first or way
                way = self.links[way]
        parts = [p for p in way.split("/") if p]
        steps = ["/", *("/" + "/".join(parts[: n + 1]) for n in range(len(parts)))]
        if any(step in self.locked for step in steps):
            return Seen(way, exists=False, trouble="Permission denied")
        rare = _TELLING.search(way) is not None and way not in self.there
        exists = not any(step in self.missing for step in steps) and not rare
        ids: tuple[tuple[int, int], ...] = ()
        device = 1
        for number, step in enumerate(steps):
            device = number + 1 if step in self.disks else device
            ids += ((device, hash(self.same.get(step, step))),)
        ids = ids if exists else ()
        left = [step for step in steps if not any(f"{step}/".startswith(f"{gone}/") for gone in self.missing)]
        owner = next((self.owners[step] for step in reversed(left) if step in self.owners), 0)
        others = next((step for step in steps if step in self.writable), None)
        kind = self.kinds.get(way, "folder") if exists else ""
        return Seen(way, exists, first, kind, others, ids, owner=owner)


@dataclass
class Engine:
    """What is on the engine, by name. ``shared``: what owners share, as owner, kind, name and domain."""

    containers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    volumes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    networks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    images: Mapping[str, ImageThere] = field(default_factory=dict)
    shared: tuple[tuple[str, str, str, str], ...] = ()
    is_complete: bool = True
    made: frozenset[str] = frozenset({"docker0", "br-0123456789ab"})
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def container(self, name: str) -> Mapping[str, Any] | None:
        return self.containers.get(name)

    def volume(self, name: str) -> Mapping[str, Any] | None:
        return self.volumes.get(name)

    def network(self, name: str) -> Mapping[str, Any] | None:
        return self.networks.get(name)

    def bridges(self) -> frozenset[str] | None:
        return self.made

    def addresses(self, host: str) -> tuple[str, ...]:
        return self.hosts.get(host, ())

    def image(self, name: str) -> ImageThere | None:
        return self.images.get(name)

    def shares(self, kind: str, name: str, owner: str, domain: str) -> bool:
        return (owner, kind, name, domain) in self.shared


def changed(policy: Policy, **values: Any) -> Policy:
    """A policy with other values, as in a file; ``__`` stands for the dot."""
    parsed: dict[str, Any] = {}
    for key, value in values.items():
        rule: Rule = RULES[key.replace("__", ".")]
        parsed[rule.name] = rule.kind.parse(value)
    return replace(
        policy, values={**policy.values, **parsed}, file="/etc/pnr/policy.toml", lines=dict.fromkeys(parsed, 3)
    )


def judge(policy: Policy = STANDARD, disk: Disk | None = None, net: HostNet = NET) -> Judge:
    """The judge of a policy."""
    return Judge(policy, replace(INSTALLATION, net=lambda: net), disk or Disk())


def rules(
    request: Request,
    policy: Policy = STANDARD,
    *,
    disk: Disk | None = None,
    engine: Engine | None = None,
    net: HostNet = NET,
) -> set[str]:
    """The rules that refuse a request."""
    return {refusal.rule for refusal in judge(policy, disk, net).request(request, engine or Engine())}


def create(host: Mapping[str, Any] | None = None, **body: Any) -> Request:
    """The request that makes a container of ours with this ``HostConfig``."""
    labels = {**body.pop("Labels", {}), **OWN}
    return to_create({"Image": "redis:7", "HostConfig": dict(host or {}), "Labels": labels, **body})


def send(method: str, path: str, body: Any = None) -> Request:
    """A request as it goes out."""
    return of_url(method, f"http+docker://localhost/v1.41{path}", json.dumps(body) if body is not None else None)


def container(domain: str = "shop", **host: Any) -> dict[str, Any]:
    """A container that is there, of a chunk of a domain; of nobody where that is ""."""
    labels = {**OWN, "io.pnr.domain": domain} if domain else {}
    return {"Id": "c" * 64, "Config": {"Labels": labels}, "HostConfig": host, "Mounts": []}
