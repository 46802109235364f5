"""What one entry of the corpus is, and short ways to write one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.policy import Policy, reading
from tests.unit.policy.judging import OPEN, STANDARD, STRICT, Disk

EXAMPLES = Path(__file__).resolve().parents[4] / "examples" / "policies"
DIGEST = "sha256:" + "a" * 64


def example(name: str) -> Policy:
    """A policy of ``examples/policies``."""
    path = EXAMPLES / f"{name}.toml"
    return reading.read(path.read_text(), str(path))


POLICIES: Mapping[str, Policy] = {
    "standard": STANDARD,
    "strict": STRICT,
    "open": OPEN,
    **{name: example(name) for name in ("one-author", "team", "shared-lab")},
}


@dataclass(frozen=True)
class Entry:
    """A file, under the policy and on the disk that it is judged with. ``rule`` is that of the policy which must refuse
    it, or the code of the error that it must have; "" for an honest one. ``beside`` are files of others, which must not
    be refused for it."""

    group: str
    name: str
    file: bytes
    rule: str
    policy: str = "standard"
    disk: Disk = field(default_factory=Disk)
    env: Mapping[str, str] = field(default_factory=dict)
    beside: Mapping[str, bytes] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.group}: {self.name}" + (f" ({self.policy})" if self.policy != "standard" else "")


def encoded(document: Any) -> bytes:
    return json.dumps(document, indent=1).encode()


def domain(container: Mapping[str, Any], chunk: Mapping[str, Any] | None = None, **top: Any) -> bytes:
    """A domain of one chunk."""
    one = {"name": "web", "container": {"image": "redis", **container}, **(chunk or {})}
    return encoded({"name": "shop", "cpuxs": {"main": {"design_chunks": [one]}}, **top})


def chunks(*given: Mapping[str, Any], **top: Any) -> bytes:
    """A domain of several."""
    return encoded({"name": "shop", "cpuxs": {"main": {"design_chunks": list(given)}}, **top})


BARE: Mapping[str, Any] = {
    "image": f"registry.example.com/lab/app@{DIGEST}",
    **{"user": "1000:1000", "read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]},
    **{"mem_limit": "2g", "memswap_limit": "2g", "cpus": 2, "pids_limit": 100, "cgroup": "private"},
}
"""A container that the profile strict allows."""


class Group:
    """Entries of one group, as they are written down."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries: list[Entry] = []

    def add(self, name: str, rule: str, container: Mapping[str, Any] | bytes, /, **more: Any) -> None:
        """One more. What ``more`` has besides the fields of an entry belongs to the domain: ``chunk``, ``volumes``."""
        known = {key: more.pop(key) for key in ("policy", "disk", "env", "beside") if key in more}
        file = container if isinstance(container, bytes) else domain(container, more.pop("chunk", None), **more)
        self.entries.append(Entry(self.name, name, file, rule, **known))
