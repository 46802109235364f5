"""Bad domain files as large as a file may be, each with the code of the last problem that is told of it."""

from __future__ import annotations

import json
from typing import Any

MIB = 1024 * 1024


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def one(**more: Any) -> dict[str, Any]:
    return {"name": "d", "cpuxs": {"main": {"design_chunks": [{"name": "a", "container": {"image": "x"}, **more}]}}}


HUGE: dict[str, tuple[bytes, str]] = {
    "duplicate keys": (b"{" + b",".join([b'"a":1'] * 40_000) + b"}", "MoreProblems"),
    "nine thousand unknown keys": (compact(one(**{f"k{n}": 1 for n in range(9000)})), "MoreProblems"),
    "100,000 unknown keys": (compact(one(**{f"{n:x}": 1 for n in range(100_000)})), "TooMany"),
    "empty chunks": (b'{"name":"d","cpuxs":{"a":{"design_chunks":[' + b"{}," * 300_000 + b"{}]}}}", "TooMany"),
    "many lists of empty chunks": (
        compact({"name": "d", "cpuxs": {f"c{n}": {"design_chunks": [{}] * 9000} for n in range(30)}}),
        "TooMany",
    ),
    "nine thousand empty chunks": (
        compact({"name": "d", "cpuxs": {"a": {"design_chunks": [{}] * 9000}}}),
        "MoreProblems",
    ),
    "CPUXs of numbers": (compact({"name": "d", "cpuxs": {f"c{n}": n for n in range(9000)}}), "MoreProblems"),
    "a long name": (compact({"name": "x" * 900_000, "cpuxs": {}}), "NothingDeclared"),
    "a long port": (compact(one(container={"image": "x", "ports": ["1:" * 400_000]})), "InvalidValue"),
    "a long image": (compact(one(container={"image": "a/" * 400_000})), "BadName"),
    "a long fact": (compact(one(gatekeeper={"a/" * 400_000: {}})), "BadName"),
    "dollar signs": (compact(one(description="${a" * 300_000)), "BadInterpolation"),
    "brackets": (b'{"a":' + b"[" * 30 + b"[]," * 60_000, "Truncated"),
    "an open string": (b'{"a":"' + b"\\\\" * 500_000, "Truncated"),
}
