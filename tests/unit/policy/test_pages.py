"""The page about the policy and the example file say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.policy import Profile, reading
from reconciler.policy.reference import render, written
from reconciler.policy.table import RULES, policy_of

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "policy.md").read_text()


def test_the_page_about_the_policy_is_current() -> None:
    assert render(PAGE) == PAGE, "run: make docs"


def test_what_the_page_shows_of_a_profile_is_what_a_file_would_say() -> None:
    for profile in Profile:
        lines = [f"{name} = {written(getattr(rule, profile.value))}" for name, rule in RULES.items()]
        others = reading.read("\n".join([f'profile = "{profile}"', *lines]), "policy.toml")
        assert others.values == policy_of(profile).values


def test_the_examples_on_the_page_are_valid() -> None:
    examples = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert examples
    for example in examples:
        assert reading.read(example, "policy.toml").profile is not Profile.OPEN


def test_the_installed_file_is_the_standard_profile_and_its_comments_are_valid() -> None:
    text = (ROOT / "systemd" / "policy.toml").read_text()
    assert reading.read(text, "policy.toml").values == policy_of(Profile.STANDARD).values
    opened = re.sub(r"^# (\[[a-z]+\]|[a-z_]+ = .*)$", r"\1", text, flags=re.MULTILINE)
    assert len(reading.read(opened, "policy.toml").lines) == len(re.findall(r"^# [a-z_]+ = ", text, re.MULTILINE))
