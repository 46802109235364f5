"""Domain files for tests, and the shortest ways to read them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.diagnostics import Diagnostic
from reconciler.intent.judgement import InForce, judge_domains
from reconciler.intent.loader import load
from reconciler.intent.model import Chunk, Domain, Loaded
from reconciler.probes.registry import known_types

FIXTURES = Path(__file__).parents[2] / "fixtures"
CHECK_TYPES = known_types()


@dataclass(frozen=True)
class File:
    """A file as it was read."""

    data: bytes | None
    error: Diagnostic | None = None


def read(document: Any, **more: Any) -> Loaded:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    settings: dict[str, Any] = {
        "base_dir": "/srv/domains",
        "env": {"SECRET": "hunter2hunter2", "HOME": "/root"},
        "allowed_env": ("SECRET",),
        "check_types": CHECK_TYPES,
    }
    return load(data, "d.json", **{**settings, **more})


def valid(document: Any, **more: Any) -> Domain:
    loaded = read(document, **more)
    assert loaded.errors == ()
    assert loaded.domain is not None
    return loaded.domain


def document(*chunks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "d", "cpuxs": {"main": {"design_chunks": list(chunks)}}, **more}


def declared(name: str = "a", /, *, container: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "container": {"image": "x", **(container or {})}, **more}


def chunk(*, top: dict[str, Any] | None = None, **more: Any) -> Chunk:
    return next(valid(document(declared(**more), **(top or {}))).chunks())


def messages(loaded: Loaded) -> list[str]:
    assert loaded.domain is None
    return [problem.message for problem in loaded.errors]


RICH = document(
    declared(
        gatekeeper={"system_ready": {"response": ["yes"]}, "other/b": {"tv": "N"}},
        flowin={"x": None, "y": {}},
        flowout={"up": {"prompt": "?", "response": "yes"}, "ready": {}},
        health_check={"type": "http", "port_key": 80, "path": "/h", "headers": {"A": "1", "B": "2"}},
        container={
            "ports": {"80": 8080, "53/udp": ""},
            "environment": {"A": "1", "B": "2"},
            "labels": {"a": "b", "c": "d"},
            "networks": {"default": None, "back": {"aliases": ["z"]}},
            "volumes": ["data:/data", "./x:/x"],
            "healthcheck": {"interval": "10s", "test": "true"},
        },
    ),
    networks={"back": {"internal": True}, "more": None},
    volumes={"data": {"labels": {"k": "v"}}},
)


def check(domains: Sequence[Domain], in_force: Collection[InForce] = ()) -> list[Diagnostic]:
    """Everything that is wrong with domains taken together, in the order of files and chunks."""
    return list(judge_domains(domains, in_force).diagnostics)
