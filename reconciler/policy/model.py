"""The policy as it is in force: the value of each rule, and where that comes from. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from reconciler.policy.rule import Profile
from reconciler.policy.table import RULES


@dataclass(frozen=True, slots=True)
class Policy:
    """``values`` are the normal forms by the rule's name; ``lines`` says on which line of ``file`` a rule was changed.
    ``file`` is None where nothing but the profile holds."""

    profile: Profile
    values: Mapping[str, Any]
    file: str | None = None
    lines: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, profile: Profile) -> Policy:
        """A shipped profile as it is."""
        return cls(profile, {name: rule.of(profile) for name, rule in RULES.items()})

    @property
    def is_open(self) -> bool:
        """Whether it is the profile ``open`` without a change: nothing is refused, known or not."""
        return self.profile is Profile.OPEN and not self.lines

    def __str__(self) -> str:
        return f"profile {self.profile}" + (f", {self.file}" if self.file is not None else "")

    @property
    def caution(self) -> str:
        """What is to be told at the start, since it takes away what people rely on; "" where nothing is."""
        if self.profile is Profile.OPEN or self.flag("binds.protected_defaults"):
            return ""
        left = ", ".join(self.words("binds.protected")) or "nothing but pnr's own places and the engine's"
        return (
            f"the policy protects only what it lists itself (binds.protected_defaults = false,"
            f" {self.origin('binds.protected_defaults')}): {left}; domains may have the rest of the host's directories"
        )

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
