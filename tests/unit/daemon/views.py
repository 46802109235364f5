"""Hand-made views: documents of the shape of ``pnr status --json``."""

from __future__ import annotations

from typing import Any

View = dict[str, Any]


def fact(tv: str, *response: str, by: str = "") -> View:
    """A fact of a view."""
    return {
        "prompt": "is it so?",
        "response": list(response),
        "tv": tv,
        "since": "2026-01-01T00:00:00Z",
        "by": by,
    }


def chunk(name: str, state: str = "completed", reason: str = "Healthy", message: str = "", **more: Any) -> View:
    """A chunk of a view."""
    return {
        "name": name,
        "state": state,
        "reason": reason,
        "message": message,
        "since": "2026-01-01T00:00:00Z",
        "restarts": 0,
        "attempts": 1,
        "replicas": [],
        **more,
    }


def domain(name: str, *chunks: View, cpux: str = "stack", facts: View | None = None, **more: Any) -> View:
    """A domain of a view, with one CPUX."""
    return {
        "name": name,
        "file": f"{name}.json",
        "generation": 1,
        "commit": None,
        "settled": all(each["state"] == "completed" for each in chunks),
        "stalled": False,
        "suspended": False,
        "errors": [],
        "cpuxs": [{"name": cpux, "facts": facts or {}, "chunks": list(chunks)}] if chunks else [],
        **more,
    }


def view(*domains: View, **daemon: Any) -> View:
    """A whole view."""
    return {
        "daemon": {"pid": 1, "version": "0.1.0", "engine": "docker 20.10.24", "ready": True, **daemon},
        "domains": list(domains),
    }


def waits_for(fact: str, *answered_by: str, wanted: str = "Y", found: str = "U") -> View:
    """An entry of ``waiting_for``."""
    return {
        "fact": fact,
        "wanted": wanted,
        "wanted_response": ["yes"],
        "found": found,
        "answered_by": list(answered_by),
    }


def problem(file: str, message: str) -> View:
    """An entry of ``errors``."""
    return {"file": file, "line": 3, "column": 7, "path": "cpuxs.a", "code": "UnknownKey", "message": message}
