"""Which chunk a short name means."""

from __future__ import annotations

import pytest

from reconciler.daemon.short_names import UnknownChunk, can_mean, find_chunk

ALL = ("blog/main/db", "shop/main/db", "shop/main/web", "shop/main/web#2", "shop/night/backup")


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("backup", "shop/night/backup"),
        ("night/backup", "shop/night/backup"),
        ("shop/backup", "shop/night/backup"),
        ("shop/night/backup", "shop/night/backup"),
        ("web", "shop/main/web"),
        ("web#2", "shop/main/web#2"),
        ("blog/db", "blog/main/db"),
    ],
)
def test_a_chunk_is_found_by_as_much_of_its_name_as_tells_it_from_others(name: str, full: str) -> None:
    assert find_chunk(name, ALL, "") == full


@pytest.mark.parametrize("name", ["", "we", "main", "shop", "night/db", "main/web#3", "x/shop/main/web", "shop/main"])
def test_a_name_that_no_chunk_has_is_an_error_that_says_what_there_is(name: str) -> None:
    assert not any(can_mean(name, full) for full in ALL)
    with pytest.raises(UnknownChunk, match=f"there is no chunk {name}; `pnr status` lists them"):
        find_chunk(name, ALL, "`pnr status` lists them")


@pytest.mark.parametrize("name", ["db", "main/db"])
def test_a_name_that_several_chunks_have_is_an_error_that_names_them(name: str) -> None:
    with pytest.raises(UnknownChunk, match=f"{name} could be blog/main/db, shop/main/db; name one of these"):
        find_chunk(name, ALL, "")
