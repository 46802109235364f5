"""The corpus before a daemon that has a real engine: each hostile file is refused for what it should be, and nothing of
it is made."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import pytest
from docker import APIClient

from tests.integration.policy.conftest import Town
from tests.unit.policy.corpus.entry import Entry
from tests.unit.policy.corpus.page import HOSTILE
from tests.unit.policy.judging import INSTALLATION, NET, Disk

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

NOT_HERE = ("SourceMissing", "SourceUnreadable", "ToolMissing", "binds.unseen", "binds.read_by_root", "binds.data")
"""What this machine's own disk may have against a file before it comes to what the file is in the corpus for."""


ELSEWHERE = (b"../..", *(one.encode() for one in NET.addresses if one not in ("127.0.0.1", "::1")))
"""What leads where it should on a certain machine only."""


def is_alone(entry: Entry) -> bool:
    """Whether it needs no other policy, nobody beside it, and neither a disk nor a network that is made for it."""
    is_here = entry.disk == Disk() and not any(one in entry.file for one in ELSEWHERE)
    return is_here and entry.policy == "standard" and not entry.beside and not entry.env


def reasons(errors: list[dict[str, Any]]) -> set[str]:
    """The rules and codes for which a file is refused."""
    rules = (re.findall(r"\brule ([a-z_. ]+), ", error["message"]) for error in errors)
    return {rule for found in rules for rule in found} | {str(error["code"]) for error in errors}


def made(api: APIClient, prefix: str) -> list[str]:
    """Whose an engine has anything, of domains whose names begin so."""
    client: Any = api
    there = [*client.containers(all=True), *client.networks(), *(client.volumes()["Volumes"] or ()), *client.images()]
    owners = [str((one.get("Labels") or {}).get("io.pnr.domain", "")) for one in there]
    return [owner for owner in owners if owner.startswith(prefix)]


def test_each_hostile_file_is_refused_for_its_reason_and_nothing_of_it_is_made(
    town: Town, docker_api: APIClient, unique: Callable[[str], str]
) -> None:
    daemon, prefix = town.daemon, unique("evil")
    entries = {f"{prefix}_{number}": entry for number, entry in enumerate(filter(is_alone, HOSTILE))}
    assert len(entries) >= 500
    # So that the folder of its name is another domain's.
    (daemon.domains / "other.json").write_text("{}")
    daemon.until(lambda: bool(town.errors("other")), "the other domain's file to be known")
    theirs, ours = str(PurePosixPath(INSTALLATION.domains).parent).encode(), str(daemon.root).encode()
    for name, entry in entries.items():
        data = entry.file.replace(b'"name": "shop"', f'"name": "{name}"'.encode(), 1)
        (daemon.domains / f"{name}.json").write_bytes(data.replace(theirs, ours))

    seen: dict[str, set[str]] = {}

    def are_judged() -> bool:
        errors = {one["file"]: one["errors"] for one in daemon.view()["domains"]}
        seen.update({name: reasons(errors.get(f"{name}.json", [])) for name in entries})
        return all(seen.values()) and not any("BeingRead" in found for found in seen.values())

    daemon.until(are_judged, "all to be refused")
    wrong = {str(entry): seen[name] for name, entry in entries.items() if not {entry.rule, *NOT_HERE} & seen[name]}
    assert not wrong
    exactly = [name for name, entry in entries.items() if entry.rule in seen[name]]
    assert len(exactly) > 0.9 * len(entries)
    assert made(docker_api, prefix) == []
    town.withdraw(*entries, "other")
    daemon.until(lambda: not any(one["file"].startswith(prefix) for one in daemon.view()["domains"]), "them to go")
