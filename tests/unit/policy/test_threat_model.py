"""The threat model names the tests that hold its promises; the examples of policies are what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.policy import Profile
from tests.unit.policy.corpus.entry import EXAMPLES, POLICIES, example
from tests.unit.policy.corpus.honest import HONEST
from tests.unit.policy.corpus.page import HOSTILE, PAGE

ROOT = Path(__file__).parents[3]
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.toml"))
_PROMISE = re.compile(r"^(\d+)\. (.*?)(?=^\d+\. |^#|\Z|^`|^- )", re.MULTILINE | re.DOTALL)
_TEST = re.compile(r"\[(tests/[^\]]+\.py)::(\w+)\]")


def promises() -> list[tuple[int, str]]:
    return [(int(number), text) for number, text in _PROMISE.findall(PAGE.read_text())]


def test_promises_are_numbered_one_by_one() -> None:
    numbers = [number for number, _ in promises()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 20


@pytest.mark.parametrize(("number", "text"), promises(), ids=lambda value: str(value)[:40])
def test_each_promise_names_tests_that_there_are(number: int, text: str) -> None:
    named = _TEST.findall(text)
    assert named, f"{number}: no test"
    for file, name in named:
        assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE), f"{file}::{name}"


def test_who_looks_for_security_finds_the_threat_model() -> None:
    for page in ("SECURITY.md", "README.md", "docs/policy.md", "examples/policies/README.md"):
        assert "threat-model.md" in (ROOT / page).read_text(), page


@pytest.mark.parametrize("name", NAMES)
def test_an_example_loads_and_each_of_its_rules_says_why(name: str) -> None:
    policy = example(name)
    assert policy.profile is (Profile.STRICT if name == "shared-lab" else Profile.STANDARD)
    assert policy.lines
    text = (EXAMPLES / f"{name}.toml").read_text()
    sections = re.findall(r"^\[\w[^\]]*\]$", text, re.MULTILINE)
    assert text.count("\n# ") >= len(sections), "each section says why"
    assert text.startswith("# ")


@pytest.mark.parametrize("name", NAMES)
def test_an_example_changes_what_it_names(name: str) -> None:
    policy = example(name)
    usual = POLICIES[str(policy.profile)]
    same = [rule for rule in policy.lines if policy.values[rule] == usual.values[rule]]
    assert not same, f"as in the profile already: {same}"


@pytest.mark.parametrize("name", NAMES)
def test_somebody_tries_to_break_out_of_each_example_and_somebody_lives_with_it(name: str) -> None:
    assert name in {entry.policy for entry in HOSTILE}
    assert name in {entry.policy for entry in HONEST}


def test_all_examples_are_in_the_list() -> None:
    listed = re.findall(r"^\| \[([a-z-]+)\.toml\]", (EXAMPLES / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == NAMES == sorted(set(POLICIES) - {"open", "standard", "strict"})
