"""Facts: questions with a three-valued answer, and the gates made of them. Pure.

A fact (in the seed's words a *PnR*, prompt and response) lives in the scope of one CPUX of one domain. Nobody
owns the table of facts but the controller's loop; everything here works on values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class TV(StrEnum):
    """Three-valued truth (Kleene): ``Y`` holds, ``N`` does not hold, ``U`` is unknown, which is no error."""

    Y = "Y"
    N = "N"
    U = "U"

    @classmethod
    def parse(cls, text: str) -> TV:
        """Read ``y``, ``N``, ``u`` or ``UN`` in any case. Raises ValueError for anything else."""
        upper = text.upper()
        return cls.U if upper == "UN" else cls(upper)


@dataclass(frozen=True, slots=True)
class Pnr:
    """A prompt with its response and truth value: a fact as declared, wanted or answered."""

    prompt: str
    response: tuple[str, ...]
    tv: TV


UNKNOWN = Pnr(prompt="", response=(), tv=TV.U)


class FactRef(NamedTuple):
    """The full name of a fact. ``cpux`` and ``domain`` are empty for the facts of the program itself. A tuple, since
    facts are looked up by it, tens of thousands at a time."""

    domain: str
    cpux: str
    key: str

    def __str__(self) -> str:
        return f"{self.domain}/{self.cpux}/{self.key}" if self.domain else self.key


SYSTEM_READY = FactRef("", "", "system_ready")


def resolve(name: str, *, domain: str, cpux: str) -> FactRef:
    """Turn ``key``, ``cpux/key`` or ``domain/cpux/key`` as written in a CPUX into a full name.

    ``system_ready`` names the program's own fact. Raises ValueError for any other number of parts.
    """
    parts = name.split("/")
    if not all(parts) or len(parts) > 3:
        raise ValueError(f"{name!r} is not of the form key, cpux/key or domain/cpux/key")
    if name == SYSTEM_READY.key:
        return SYSTEM_READY
    if len(parts) == 1:
        return FactRef(domain, cpux, parts[0])
    if len(parts) == 2:
        return FactRef(domain, parts[0], parts[1])
    return FactRef(*parts)


@dataclass(frozen=True, slots=True)
class GateEntry:
    """One condition of a gatekeeper: the fact ``ref`` must look like ``wanted``."""

    ref: FactRef
    wanted: Pnr

    def holds(self, fact: Pnr) -> bool:
        """True when the truth values are equal and, where responses are listed, one of them is shared."""
        if fact.tv is not self.wanted.tv:
            return False
        if fact.tv is TV.U or not self.wanted.response:
            return True
        return any(response in fact.response for response in self.wanted.response)

    def contradicted(self, fact: Pnr) -> bool:
        """True when the fact is *known* to be otherwise. Unknown contradicts nothing.

        Only a contradiction closes a gate that was open: nothing is stopped because nobody could be asked.
        """
        if fact.tv is TV.U:
            return False
        return not self.holds(fact)


Gate = tuple[GateEntry, ...]


def missing(gate: Gate, facts: Mapping[FactRef, Pnr]) -> tuple[GateEntry, ...]:
    """The entries of ``gate`` that do not hold. A fact nobody has answered is U."""
    return tuple(entry for entry in gate if not entry.holds(facts.get(entry.ref, UNKNOWN)))


def is_open(gate: Gate, facts: Mapping[FactRef, Pnr]) -> bool:
    """True when every entry holds; an empty gate is open."""
    return all(entry.holds(facts.get(entry.ref, UNKNOWN)) for entry in gate)


def is_closed(gate: Gate, facts: Mapping[FactRef, Pnr]) -> bool:
    """True when some entry is known not to hold (see :meth:`GateEntry.contradicted`)."""
    return any(entry.contradicted(facts.get(entry.ref, UNKNOWN)) for entry in gate)
