"""What is costly to be judged is spared where it can't be right, and left out where there is no time for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.daemon import sparing
from reconciler.daemon.intake import Entry, Key, Loading
from reconciler.diagnostics import Diagnostic, Place
from reconciler.intent import locating
from reconciler.intent.judgement import InForce
from reconciler.probes.registry import known_types

YES = {"prompt": "?", "response": ["yes"], "tv": "Y"}


def entry(name: str, *gates: str) -> Entry:
    chunk: dict[str, Any] = {"name": "a", "gatekeeper": dict.fromkeys(gates, YES), "container": {"image": "x"}}
    data = json.dumps({"name": name, "cpuxs": {"main": {"design_chunks": [chunk]}}}).encode()
    return Loading("/", {}, (), known_types()).load(f"{name}.json", data)


def key(name: str) -> Key:
    return f"{name}.json", name.encode()


def test_what_is_wrong_in_itself_means_nothing_where_it_is_costly(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = entry("wrong", *(f"nothing{number}" for number in range(200)))
    assert sparing.spared(wrong).loaded.domain is not None
    monkeypatch.setattr(sparing, "COSTLY_SECONDS", 0.0)
    found = sparing.spared(wrong).loaded
    assert (found.domain, found.name) == (None, "wrong")
    assert {problem.code for problem in found.errors} == {"UnsatisfiableGate", "MoreProblems"}
    assert found.errors[-1].message == "… and 100 more problems"
    assert found.errors[0].place.line


def test_what_others_may_make_right_is_judged_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparing, "COSTLY_SECONDS", 0.0)
    found = sparing.spared(entry("waits", "other/main/fact"))
    assert found.loaded.domain is not None
    assert found.cost > 0


def test_without_time_for_all_the_dearest_are_left_out_but_none_that_is_in_force() -> None:
    costs = {"dear": 3.0, "cheap": 0.5, "kept": 5.0, "dearer": 4.0}
    entries = {key(name): replace(entry(name), cost=cost) for name, cost in costs.items()}
    domain = entries[key("kept")].loaded.domain
    assert domain is not None
    in_force = [InForce("kept", "kept.json", replace(domain, digest=b"kept".hex()))]
    wanted = {name: key(name) for name in costs}
    found = sparing.too_many(wanted, entries, in_force, 9.0)
    assert {name: problem.code for name, problem in found.items()} == {"dearer": "TooCostly"}


def test_places_are_looked_for_in_so_much_text_at_once_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    diagnostics = [_diagnostic("a.json"), _diagnostic("b.json")]
    looked: list[str] = []
    located = locating.located

    def look(found: Sequence[Diagnostic], text: str, domain: str) -> list[Diagnostic]:
        looked.append(found[0].place.file)
        return located(found, text, domain)

    monkeypatch.setattr(locating, "located", look)
    texts = {"a.json": (b'{\n"name": 1}', "d"), "b.json": (b'{\n\n"name": 1   }', "d")}
    locator = locating.Locator(most_bytes=20)
    lines = []
    for _ in range(3):
        locator.begin()
        found = locator.places(diagnostics, texts)
        lines.append((found["a.json"][0].place.line, found["b.json"][0].place.line))
    assert lines == [(2, 0), (2, 3), (2, 3)]
    assert looked == ["a.json", "b.json"]


def _diagnostic(file: str) -> Diagnostic:
    return Diagnostic(("name",), "BadName", "it is bad", place=Place(file))
