"""Where a build_path is looked for."""

from __future__ import annotations

from pathlib import Path

from reconciler.engine.docker.images import find_build


def test_it_is_relative_to_the_domains_folder_first_and_to_the_one_above_it_next(tmp_path: Path) -> None:
    domains = tmp_path / "domains"
    folders = (str(domains), str(tmp_path))
    wanted = str(domains / "nodes" / "api")
    assert find_build(wanted, folders) == wanted
    (tmp_path / "nodes" / "api").mkdir(parents=True)
    assert find_build(wanted, folders) == str(tmp_path / "nodes" / "api")
    (domains / "nodes" / "api").mkdir(parents=True)
    assert find_build(wanted, folders) == wanted


def test_an_absolute_path_elsewhere_is_taken_as_it_is(tmp_path: Path) -> None:
    assert find_build("/elsewhere/api", (str(tmp_path / "domains"), str(tmp_path))) == "/elsewhere/api"
