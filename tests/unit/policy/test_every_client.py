"""No code of pnr reaches the engine but through a client that the guard stands in front of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import reconciler

ROOT = Path(reconciler.__file__).parent
MAKES_CLIENTS = {"GuardedClient", "APIClient", "DockerClient", "from_env", "Session"}
SENDS_BESIDE = {"get_adapter", "mount", "HTTPConnection", "HTTPSConnection", "UnixHTTPAdapter", "urlopen"}


@cache
def calls() -> tuple[tuple[str, str, ast.Call], ...]:
    """Each call of the program: the file that it stands in, the last part of the name that is called."""
    return tuple(_calls())


def _calls() -> Iterator[tuple[str, str, ast.Call]]:
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
                yield path.relative_to(ROOT).as_posix(), name, node


def test_clients_are_made_in_one_place_and_are_guarded() -> None:
    made = [(file, name) for file, name, _ in calls() if name in MAKES_CLIENTS]
    assert made == [("engine/docker/client.py", "GuardedClient")]


def test_who_asks_for_a_client_hands_it_a_guard() -> None:
    asked = [
        (file, {word.arg: ast.unparse(word.value) for word in call.keywords}.get("guard"))
        for file, name, call in calls()
        if name == "make" and ast.unparse(call.func) in ("make", "clients.make") and file.startswith("engine/docker/")
    ]
    # Two have none: one asks only which version to speak, and one only looks at what Compose made (see below).
    assert sorted(asked, key=str) == [
        ("engine/docker/client.py", None),
        ("engine/docker/composed.py", None),
        ("engine/docker/engine.py", "self._guard"),
        ("engine/docker/engine.py", "self._guard"),
        ("engine/docker/engine.py", "self._guard"),
    ]


def test_the_clients_without_a_guard_only_look() -> None:
    looks = {"version", "close", "inspect_container", "inspect_image", "info", "containers", "volumes", "networks"}
    unguarded = ("engine/docker/client.py", "engine/docker/composed.py")
    asked = {
        name
        for file, name, call in calls()
        if file in unguarded
        and isinstance(call.func, ast.Attribute)
        and ast.unparse(call.func.value) in ("client", "self._client")
    }
    assert asked == looks


def test_the_engine_of_the_program_has_a_guard() -> None:
    made = [(file, {word.arg for word in call.keywords}) for file, name, call in calls() if name == "DockerEngine"]
    assert [file for file, _ in made] == ["daemon/assembly.py"]
    assert "guard" in made[0][1]


def test_nothing_is_sent_past_the_client() -> None:
    beside = [(file, name) for file, name, _ in calls() if name in SENDS_BESIDE and file.startswith("engine/")]
    assert beside == []
