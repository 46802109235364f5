"""What pnr is made from is pinned with hashes, and is what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FILES = [*sorted((ROOT / "requirements").glob("*.txt")), ROOT / "demo" / "api" / "requirements.txt"]
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def pinned(file: Path) -> dict[str, tuple[Requirement, int]]:
    """The requirements in a file by name, each with how many hashes it has."""
    found: dict[str, tuple[Requirement, int]] = {}
    text = "\n".join(line for line in file.read_text().splitlines() if not line.startswith("#"))
    for line in text.replace("\\\n", " ").splitlines():
        words = line.split("--hash=")[0]
        requirement = Requirement(words)
        found[canonicalize_name(requirement.name)] = (requirement, len(HASH.findall(line)))
        assert line.count("--") == len(HASH.findall(line)), f"{file.name}: an option in {line[:80]}"
    return found


def versions(file: Path) -> dict[str, str]:
    return {name: str(requirement.specifier) for name, (requirement, _) in pinned(file).items()}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_each_package_has_one_version_and_hashes_and_no_place_of_its_own(file: Path) -> None:
    assert pinned(file)
    for requirement, hashes in pinned(file).values():
        assert [one.operator for one in requirement.specifier] == ["=="], requirement
        assert hashes, f"{requirement} has no hash"
        assert requirement.url is None
    assert "://" not in file.read_text(), "whoever installs says from where"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("build", PROJECT["build-system"]["requires"]),
        ("run", PROJECT["project"]["dependencies"]),
        ("developer", PROJECT["project"]["dependencies"]),
        ("developer", PROJECT["project"]["optional-dependencies"]["dev"]),
        ("tools", PROJECT["project"]["optional-dependencies"]["tools"]),
    ],
)
def test_what_is_pinned_is_what_the_project_asks_for(name: str, wanted: Iterable[str]) -> None:
    found = pinned(ROOT / "requirements" / f"{name}.txt")
    for line in wanted:
        asked = Requirement(line)
        pin, _ = found[canonicalize_name(asked.name)]
        (only,) = pin.specifier
        assert asked.specifier.contains(only.version, prereleases=True), f"{line}, but {pin}; run: make lock"


def test_what_is_tested_is_what_is_run() -> None:
    build, run, developer = (versions(ROOT / "requirements" / f"{name}.txt") for name in ("build", "run", "developer"))
    assert run.items() <= developer.items(), "run: make lock"
    assert all(developer.get(name, version) == version for name, version in build.items()), "run: make lock"


def test_make_install_run_and_test_take_their_packages_from_the_lists() -> None:
    """There is no second place that says which version of a package is taken: the lists are the constraints."""
    script = (ROOT / "scripts" / "packages.sh").read_text()
    assert '--require-hashes --no-build-isolation \\\n    --requirement "requirements/$set.txt"' in script
    makefile = (ROOT / "Makefile").read_text()
    rules = dict(re.findall(r"^(\$\(VENV\)/\.\w+|run|test): (.*(?:\n\t.*)*)", makefile, re.MULTILINE))
    assert "scripts/packages.sh $(BIN)/python build run\n" in rules["$(VENV)/.installed"]
    assert "scripts/packages.sh $(BIN)/python developer\n" in rules["$(VENV)/.developer"]
    assert "$(VENV)/.installed" in rules["$(VENV)/.compiled"]
    assert "$(VENV)/.compiled" in rules["run"]
    assert "$(VENV)/.developer" in rules["test"]
    assert 'scripts/packages.sh "$PREFIX/bin/python" build run\n' in (ROOT / "scripts" / "install.sh").read_text()


@pytest.mark.parametrize("wanted", PROJECT["project"]["dependencies"])
def test_each_dependency_has_a_lower_and_an_upper_bound(wanted: str) -> None:
    assert sorted(bound.operator for bound in Requirement(wanted).specifier) == ["<", ">="]


def test_nothing_is_installed_past_the_pins() -> None:
    """Whoever calls pip names files with hashes, or brings nothing in."""
    for file in (ROOT / "Makefile", *(ROOT / "scripts").glob("*.sh"), *(ROOT / "demo").glob("*/Dockerfile")):
        text = file.read_text().replace("\\\n", " ")
        for line in (line for line in text.splitlines() if "pip install" in line and not line.startswith("#")):
            assert "--require-hashes" in line or "--no-deps --no-build-isolation" in line, f"{file.name}: {line}"


def test_images_of_registries_are_named_by_digest() -> None:
    text = (ROOT / "scripts" / "images.sh").read_text()
    named = re.findall(r"^[A-Z]+_IMAGE=(.*)$", text, re.MULTILINE)
    assert len(named) == 3
    assert all(re.fullmatch(r"[a-z]+@sha256:[0-9a-f]{64}", image) for image in named)


def test_continuous_integration_runs_the_audit_and_the_readmes_test_command() -> None:
    shown = re.search(r"```sh\nmake run .*\n(make test) .*\n```", (ROOT / "README.md").read_text())
    assert shown is not None
    commands = (ROOT / ".ci" / "run").read_text().splitlines()
    assert commands[-2:] == ["make audit OFFLINE=1", f"exec {shown[1]}"]
