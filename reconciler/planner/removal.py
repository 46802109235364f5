"""When files of domains vanish: which domains may go, and which are held until a person confirms. Pure.

A removal is judged for the domains directory as a whole, by all that went within the last minute, not file by file: a
loop of ``rm``, a disk that is not mounted and a wrong path all begin with one file. What came along meanwhile changes
nothing in that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

FEWEST_FOR_ALL = 2
FEWEST_FOR_MOST = 4


class Hold(StrEnum):
    """Why a removal waits for a person."""

    FOLDER_MISSING = "FolderMissing"
    FOLDER_REPLACED = "FolderReplaced"
    NONE_AT_START = "NoneAtStart"
    ALL_GONE = "AllGone"
    MOST_GONE = "MostGone"


class Place(StrEnum):
    """What stands in the domains directory's place, beside what stood there when all was well."""

    SAME = "same"
    REPLACED = "replaced"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Absent:
    """A domain whose file is not there. ``at`` is when the stir in the folder began in which it went.

    ``confirmed``: a person took it down. ``by_commit``: the new commit of a git work tree removed the file. ``held``:
    it was held before. ``seen``: its file was there since the program started.
    """

    at: float
    seen: bool = True
    confirmed: bool = False
    by_commit: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True)
class LetGo:
    """A domain that was let go within the last minute, without a person's word. ``at``: as in :class:`Absent`."""

    at: float
    by_commit: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    """The domains directory as it is judged: since when each domain of it is known, and those that are ``absent``, or
    were ``let_go`` before."""

    known: Mapping[str, float]
    absent: Mapping[str, Absent]
    let_go: Mapping[str, LetGo] = field(default_factory=dict)
    place: Place = Place.SAME


@dataclass(frozen=True, slots=True)
class Verdict:
    """The domains that ``go``, and those that are held again. ``hold`` is why, with the counts that led to it: so many
    ``gone`` of so many ``known``. None: nothing is held for what there is to see now."""

    go: Sequence[str]
    held: Sequence[str]
    hold: Hold | None = None
    gone: int = 0
    known: int = 0


def judge(folder: Folder) -> Verdict:
    """Judge all that is absent. What was held before stays so until a person, or a commit, says that it is meant."""
    gone = {*folder.absent, *folder.let_go}
    known = _known_before(folder, gone)
    hold, counted, of = _hold(folder, known, gone)
    held, go = [], []
    for name, absent in folder.absent.items():
        takes_all = hold is Hold.NONE_AT_START or _takes_all(known, gone)
        meant = absent.confirmed or (absent.by_commit and not takes_all)
        if meant or (hold is None and not absent.held):
            go.append(name)
        else:
            held.append(name)
    return Verdict(go, held, hold, counted, of)


def _known_before(folder: Folder, gone: set[str]) -> frozenset[str]:
    """The domains that were there when the first of these went. One that came in the same stir, and after those that
    went, came along: an upload may write the new files before it removes the old ones."""
    recent = [one.at for one in folder.absent.values() if not one.held] + [one.at for one in folder.let_go.values()]
    begun = min(recent, default=float("inf"))
    latest = max((folder.known[name] for name in gone if name in folder.known), default=float("-inf"))
    return frozenset(gone | {name for name, since in folder.known.items() if since < begun or since <= latest})


def _takes_all(known: frozenset[str], gone: set[str]) -> bool:
    return len(known) >= FEWEST_FOR_ALL and gone == known


def _hold(folder: Folder, known: frozenset[str], gone: set[str]) -> tuple[Hold | None, int, int]:
    if all(one.confirmed for one in folder.absent.values()):
        return None, 0, 0
    counts = len(gone), len(known)
    if folder.place is Place.MISSING:
        return Hold.FOLDER_MISSING, *counts
    if gone == known and not any(one.seen for one in folder.absent.values()):
        return Hold.NONE_AT_START, *counts
    if folder.place is Place.REPLACED:
        return Hold.FOLDER_REPLACED, *counts
    if _takes_all(known, gone):
        return Hold.ALL_GONE, *counts
    by_commit = {name for name, one in folder.absent.items() if one.by_commit}
    by_commit |= {name for name, one in folder.let_go.items() if one.by_commit}
    others, left = gone - by_commit, known - by_commit
    if len(left) >= FEWEST_FOR_MOST and len(others) * 2 > len(left):
        return Hold.MOST_GONE, len(others), len(left)
    return None, *counts
