"""The policy as it is in force: the value of each rule, and where that comes from. Pure values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from reconciler.intent.file_names import stem
from reconciler.policy import patterns
from reconciler.policy.rule import Profile

_DEFAULTS = {"defaults.memory": "mem_limit", "defaults.cpus": "cpus", "defaults.pids": "pids_limit"}
_LOG_FILES = 3

PROTECTED = "binds.protected"
PROTECTED_DEFAULTS = "binds.protected_defaults"

NAMED_FOR_DOMAINS = frozenset({"binds.engine_socket"})
"""Rules whose lists give something to domains by their names, as ``domain/cpux/chunk``."""


@dataclass(frozen=True, slots=True)
class Section:
    """What a policy says of some domain files: ``[domain."PATTERN"]``. ``pattern`` is in its normal form, ``written``
    as it stands in the file; of the lists in ``adds`` the values come to what holds without the section."""

    pattern: str
    values: Mapping[str, Any]
    lines: Mapping[str, int] = field(default_factory=dict)
    adds: frozenset[str] = frozenset()
    written: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """``values`` are the normal forms by the rule's name; ``lines`` says on which line of ``file`` a rule was changed.
    ``file`` is None where nothing but the profile holds. ``sections`` change rules for some domain files; what is in
    force for one of them says :meth:`for_file`, whose ``by_section`` has the patterns that rules come from. ``digest``
    is that of the file's text."""

    profile: Profile
    values: Mapping[str, Any]
    file: str | None = None
    lines: Mapping[str, int] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    by_section: Mapping[str, str] = field(default_factory=dict)
    digest: str = field(default="", compare=False)

    @property
    def is_open(self) -> bool:
        """Whether it is the profile ``open`` without a change: nothing is refused, known or not."""
        return self.profile is Profile.OPEN and not self.lines and not self.sections

    def for_file(self, path: str) -> Policy:
        """What is in force for a domain file, by its path in the domains directory. Each rule has the value that the
        most exact section says which says anything of it; see :mod:`.patterns`."""
        if not self.sections:
            return self
        values, lines, by_section = dict(self.values), dict(self.lines), dict(self.by_section)
        meant = [section for section in self.sections if patterns.means(section.pattern, path)]
        for section in sorted(meant, key=lambda section: patterns.exactness(section.pattern)):
            for name, value in section.values.items():
                before = values[name] if name in by_section else self._of_names(name, path)
                values[name] = tuple(dict.fromkeys((*before, *value))) if name in section.adds else value
                by_section[name] = section.written or section.pattern
            lines |= section.lines
        return replace(self, values=values, lines=lines, sections=(), by_section=by_section)

    def __str__(self) -> str:
        return f"profile {self.profile}" + (f", {self.file}" if self.file is not None else "")

    def _of_names(self, rule: str, path: str) -> Any:
        """What a rule says of all files, as far as it is this one's: what is given to the name of a domain is given to
        the file of that name."""
        if rule not in NAMED_FOR_DOMAINS:
            return self.values[rule]
        names = ((one, one.partition("/")[0]) for one in self.values[rule])
        return tuple(one for one, domain in names if set(domain) & set("*?[") or domain == stem(path))

    def of_no_file(self) -> Policy:
        """What is in force for what belongs to no domain file."""
        return replace(self, sections=())

    def defaults(self) -> dict[str, Any]:
        """The settings of a container that declares none of them, in their normal forms."""
        found = {setting: self.values[rule] for rule, setting in _DEFAULTS.items() if self.values[rule] is not None}
        if self.values["defaults.logs"] is not None:
            size = str(max(int(self.values["defaults.logs"]) // _LOG_FILES, 1))
            found["logging"] = {"driver": "json-file", "options": {"max-file": str(_LOG_FILES), "max-size": size}}
        return found

    @property
    def caution(self) -> str:
        """What is to be told at the start, since it takes away what people rely on; "" where nothing is."""
        if self.profile is Profile.OPEN:
            return ""
        said = []
        if not self.flag(PROTECTED_DEFAULTS):
            said.append(_caution(self.words(PROTECTED), self.origin(PROTECTED_DEFAULTS), "domains"))
        for section in self.sections:
            if not section.values.get(PROTECTED_DEFAULTS, True):
                where = f"{self.file}:{section.lines.get(PROTECTED_DEFAULTS, 1)}"
                whose = f"those of {section.written or section.pattern}"
                said.append(_caution(section.values.get(PROTECTED, ()), where, whose))
        return "; ".join(said)

    def says_somewhere(self, rule: str, value: Any) -> bool:
        """Whether a rule has this value, for all domain files or for some of them."""
        return any(said.get(rule, self.values[rule]) == value for said in ({}, *(one.values for one in self.sections)))

    def origin(self, rule: str) -> str:
        """Where the rule's value stands: ``/etc/pnr/policy.toml:12``, or the profile."""
        line = self.lines.get(rule)
        return f"{self.file}:{line}" if line is not None else f"profile {self.profile}"

    def flag(self, rule: str) -> bool:
        """The value of a rule that is true or false."""
        return bool(self.values[rule])

    def words(self, rule: str) -> tuple[str, ...]:
        """The value of a rule that is a list of names or paths."""
        return tuple(self.values[rule])

    def word(self, rule: str) -> str:
        """The value of a rule that is one of several words."""
        return str(self.values[rule])

    def ceiling(self, rule: str) -> float | None:
        """The value of a rule that is a number; None: there is no ceiling."""
        value = self.values[rule]
        return None if value is None else float(value)

    def allows(self, rule: str, name: str) -> bool:
        """Whether a list of names with ``*`` has this one."""
        return any(pattern == "*" or fnmatchcase(name, pattern) for pattern in self.words(rule))


def _caution(listed: Sequence[str], where: str, whose: str) -> str:
    left = ", ".join(listed) or "nothing but pnr's own places and the engine's"
    return (
        f"the policy protects only what it lists itself ({PROTECTED_DEFAULTS} = false, {where}): {left};"
        f" {whose} may have the rest of the host's directories"
    )
