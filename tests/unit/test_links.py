"""Where a path leads: as the kernel would follow it, however links are chained."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler import links
from reconciler.host import paths

NAMES = ["a", "b", "c"]
PART = st.sampled_from([*NAMES, "..", ".", ""])
TARGET = st.builds(
    lambda start, parts: start + "/".join(parts) or ".",
    st.sampled_from(["", "/"]),
    st.lists(PART, min_size=1, max_size=4),
)


def chain(folder: Path, length: int) -> str:
    """The first of so many links that lead to one another, the last one to a file."""
    (folder / "end").write_text("here")
    for number in range(length):
        (folder / f"{number}").symlink_to(f"{number + 1}" if number + 1 < length else "end")
    return str(folder / "0")


def test_as_many_links_are_followed_as_the_kernel_follows(tmp_path: Path) -> None:
    first = chain(tmp_path, links.MOST_LINKS)
    assert links.follow(first) == os.path.realpath(tmp_path / "end")


@pytest.mark.parametrize("length", [links.MOST_LINKS + 1, 1500])
def test_a_longer_chain_leads_nowhere(tmp_path: Path, length: int) -> None:
    with pytest.raises(OSError, match="symbolic links follow one another") as caught:
        links.follow(chain(tmp_path, length))
    assert caught.value.errno == errno.ELOOP


def test_a_circle_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b/x")
    (tmp_path / "b").symlink_to("a/y")
    with pytest.raises(OSError, match="symbolic links follow one another"):
        links.follow(str(tmp_path / "a"))


def test_a_look_at_what_leads_nowhere_says_why_and_never_raises(tmp_path: Path) -> None:
    for way in (
        chain(tmp_path, 1500),
        "/proc/1/root/etc",
        "/proc/self/fd/0/x",
        "a\0b",
        "/" + "x/" * 5000,
        "/" + "x" * 5000,
    ):
        seen = paths.look(way)
        assert seen.trouble or not seen.exists or way.startswith("/proc")


@given(tree=st.dictionaries(st.sampled_from(NAMES), st.none() | TARGET), path=st.lists(PART, min_size=1, max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_links_are_followed_as_the_standard_library_does(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, str | None], path: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    for name, target in tree.items():
        if target is None:
            (folder / name).mkdir()
        else:
            (folder / name).symlink_to(f"{folder}{target}" if target.startswith("/") else target)
    way = f"{folder}/{'/'.join(path)}"
    try:
        expected = os.path.realpath(way, strict=True)
    except OSError as error:
        if error.errno != errno.ELOOP:
            return  # what is missing is taken as it is written
        with pytest.raises(OSError, match="symbolic links follow one another"):
            links.follow(way)
        return
    assert links.follow(way) == expected
