"""What people expect around the code is there, and says the same as the code and the Makefile."""

from __future__ import annotations

import hashlib
import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
import yaml

from reconciler import __version__

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
MAKEFILE = (ROOT / "Makefile").read_text()
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
PAGES = ("CONTRIBUTING.md", "SECURITY.md", "README.md", "CHANGELOG.md")
# https://www.apache.org/licenses/LICENSE-2.0.txt
APACHE_2_0 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
LINE = 120
TEST_NAME = 80


def recipe(target: str) -> list[str]:
    """The commands of a target of the Makefile."""
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert found is not None, f"no target {target}"
    return [line.strip().removeprefix("@") for line in found[1].splitlines()]


def releases() -> dict[str, list[str]]:
    """The lines of the changelog by the heading of their release, in the file's order."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^## ", CHANGELOG, flags=re.MULTILINE)[1:]:
        heading, *lines = part.splitlines()
        found[heading] = lines
    return found


def test_the_licence_is_the_whole_text_of_the_one_that_the_metadata_names() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    assert PROJECT["license-files"] == ["LICENSE"]
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == APACHE_2_0
    assert not [line for line in PROJECT["classifiers"] if line.startswith("License ::")], "superseded by license"


def test_the_version_is_that_of_the_newest_release_in_the_changelog() -> None:
    unreleased, newest, *_ = releases()
    assert unreleased == "[Unreleased]"
    assert newest.startswith(f"[{__version__}] - ")
    assert PROJECT["version"] == __version__


def test_releases_in_the_changelog_are_dated_newest_first() -> None:
    days = [date.fromisoformat(heading.partition(" - ")[2]) for heading in list(releases())[1:]]
    assert days == sorted(days, reverse=True)


@pytest.mark.parametrize("release", releases())
def test_a_release_has_the_headings_of_keep_a_changelog_in_their_order(release: str) -> None:
    headings = [line.removeprefix("### ") for line in releases()[release] if line.startswith("### ")]
    assert headings == [kind for kind in KINDS if kind in headings]


def test_no_heading_in_the_changelog_is_empty_but_for_what_is_not_released() -> None:
    lines = [line for line in CHANGELOG.splitlines() if line]
    for line, following in zip(lines, [*lines[1:], "# the end"], strict=True):
        assert not (re.match("#{3,} ", line) and re.match("#{1,3} ", following)), line


def test_an_entry_of_the_changelog_is_short() -> None:
    entries = re.findall(r"^- .*\n(?:  .*\n)*", CHANGELOG, re.MULTILINE)
    assert len(entries) > 100
    for entry in entries:
        assert len(entry.splitlines()) <= 2, entry
        assert all(len(line) <= LINE for line in entry.splitlines()), entry


def test_the_hooks_before_a_commit_are_what_make_check_runs_and_fetch_nothing() -> None:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    assert [hook["entry"] for hook in hooks] == [line.replace("$(BIN)", ".venv/bin") for line in recipe("check")]


def test_editors_wrap_python_where_the_formatter_does() -> None:
    section = re.search(r"^\[\*\.py\]\n((?:.+\n)+)", (ROOT / ".editorconfig").read_text(), re.MULTILINE)
    assert section is not None
    assert f"max_line_length = {PYPROJECT['tool']['ruff']['line-length']}" in section[1]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_make_targets_and_files_that_there_are(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in set(re.findall(r"`make ([a-z]+)", text)):
        recipe(target)
    for link in set(re.findall(r"\]\(([^)#:]+)[)#]", text)):
        assert (ROOT / link).exists(), link
    if page == "CONTRIBUTING.md":
        for path in set(re.findall(r"`([\w.]+/[\w./-]*)`", text)):
            assert (ROOT / path).exists() or path.startswith((".", "dist/")), path


def test_the_name_of_a_test_is_a_short_sentence() -> None:
    names = {
        name
        for path in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text("utf-8"))
    }
    assert len(names) > 1000
    assert [name for name in sorted(names) if len(name) > TEST_NAME] == []
