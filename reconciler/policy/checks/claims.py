"""Which names a domain file has as its own. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase

from reconciler.intent.file_names import stem
from reconciler.policy.checks.case import Case
from reconciler.policy.rule import WORDS, Rule
from reconciler.policy.values import DOMAIN

ROWS = (
    Rule(
        "claims.domains",
        WORDS,
        f"Which names of domains a file may have as its own; `{DOMAIN}` is the file's own name without its ending.",
        ["*"],
        ["*"],
        [DOMAIN],
    ),
    Rule(
        "claims.containers",
        WORDS,
        "Which names it may give to containers (`name`). The names that containers have without it begin with"
        f" the domain's, and are always its own. `{DOMAIN}` as above.",
        ["*"],
        ["*"],
        ["*"],
    ),
)


def domain(case: Case, name: str) -> None:
    """Refuse the name of a domain that the file may not have."""
    if not _is_given(case, "claims.domains", name):
        own = case.file is not None and DOMAIN in case.policy.words("claims.domains")
        hint = f"; this file may declare {stem(case.file)!r}" if own and case.file else ""
        case.refuse("claims.domains", "name", f"the name {name} of a domain, which this file is not given{hint}", name)


def container(case: Case, name: str) -> None:
    """Refuse a container's name that the file gives and may not have."""
    if not _is_given(case, "claims.containers", name):
        said = f"the name {name} of a container, which this file is not given"
        case.refuse("claims.containers", "container.name", said, name)


def _is_given(case: Case, rule: str, name: str) -> bool:
    for pattern in case.policy.words(rule):
        if DOMAIN in pattern:
            if case.file is None:  # nobody tells files apart
                return True
            # What is a file's own name is meant as it is written, whatever signs it has.
            own = stem(case.file)
            before, _, after = pattern.partition(DOMAIN)
            if (
                name.startswith(before)
                and name[len(before) :].startswith(own)
                and fnmatchcase(name[len(before) + len(own) :], after)
            ):
                return True
        elif fnmatchcase(name, pattern):
            return True
    return False
