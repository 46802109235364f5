"""Names that a domain can't have: others are found for them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from reconciler.intent.field_readers import NAME_PATTERN

LONGEST = 63
_OTHER = re.compile(r"[^A-Za-z0-9_.-]+")


def usable(names: Iterable[str], *, shortest: int = 1) -> Mapping[str, str]:
    """For each of ``names`` the one that it has in the domain: itself wherever that is possible, each only once."""
    names = list(dict.fromkeys(names))
    good = {name: name for name in names if re.fullmatch(NAME_PATTERN, name) and len(name) >= shortest}
    taken = set(good)
    for name in names:
        if name not in good:
            good[name] = _unlike(taken, _tidy(name, shortest))
            taken.add(good[name])
    return good


def fact_key(chunk: str, word: str, taken: set[str]) -> str:
    """The key of the fact ``word`` of a chunk, which is then taken."""
    key = _unlike(taken, f"{chunk[: LONGEST - len(word) - 1]}_{word}")
    taken.add(key)
    return key


def _tidy(name: str, shortest: int) -> str:
    tidy = _OTHER.sub("-", name).lstrip("_.-")[:LONGEST]
    return tidy if len(tidy) >= shortest else f"{tidy or 'x'}-{'x' * shortest}"[:LONGEST]


def _unlike(taken: set[str], name: str) -> str:
    number, found = 2, name
    while found in taken:
        found = f"{name[: LONGEST - len(str(number)) - 1]}-{number}"
        number += 1
    return found
