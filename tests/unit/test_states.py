"""The table of reasons: what is in it, who takes from it, and the page that shows it."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import reconciler.daemon.assembly  # imports all engines
from reconciler.cli.reference import states_page
from reconciler.engine.protocol import EngineError
from reconciler.states import Heals, Reason, State

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "states.md"
assert reconciler.daemon.assembly.__doc__

Code = list[tuple[Path, ast.Module]]


@pytest.fixture(scope="module")
def code() -> Code:
    """All modules but the table and what prints it."""
    paths = sorted((ROOT / "reconciler").rglob("*.py"))
    return [(path, ast.parse(path.read_text())) for path in paths if path.name not in ("states.py", "reference.py")]


def engine_errors(kind: type[EngineError] = EngineError) -> Iterator[type[EngineError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from engine_errors(one)


def named(node: ast.AST, enum: str) -> Iterator[str]:
    """The members of an enumeration that are named below a node."""
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == enum:
            yield one.attr


def test_the_page_shows_the_table() -> None:
    assert states_page(PAGE.read_text()) == PAGE.read_text(), "docs/states.md is out of date; run: make docs"


@pytest.mark.parametrize("reason", list(Reason))
def test_each_reason_says_what_it_means_and_advises_in_a_sentence(reason: Reason) -> None:
    assert reason.meaning
    assert not reason.meaning.endswith(".")
    assert {field for _, field, _, _ in string.Formatter().parse(reason.advice) if field} <= {
        "chunk",
        "domain",
        "image",
    }
    assert reason.advice[0].isupper() or reason.advice[0] == "`"
    assert reason.advice.endswith(".")
    assert " " in reason.advice


def test_each_reason_is_given_by_some_code(code: Code) -> None:
    given = {name for _, tree in code for name in named(tree, "Reason")}
    assert given == set(Reason.__members__)


def test_the_code_of_each_error_of_an_engine_is_a_reason_of_a_chunk_that_failed() -> None:
    errors = set(engine_errors())
    assert len(errors) > 10
    for error in errors:
        assert isinstance(error.code, Reason)
        assert State.FAILED in error.code.states


def test_each_decision_that_names_state_and_reason_names_two_that_stand_together(code: Code) -> None:
    checked = 0
    for path, tree in code:
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Decision":
                states = [name for arg in call.args[:1] for name in named(arg, "State")]
                for reason in (name for arg in call.args[1:2] for name in named(arg, "Reason")):
                    assert State[states[0]] in Reason[reason].states, f"{path}:{call.lineno}"
                    checked += 1
    assert checked > 20


def test_what_no_waiting_passes_is_never_a_state_of_work() -> None:
    for reason in Reason:
        if reason.heals is Heals.NO:
            assert State.EXECUTING not in reason.states
