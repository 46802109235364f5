"""A policy file from its text. Pure. What is wrong with it comes all at once, with lines.

The standard library's parser tells no places. A statement of TOML ends where the text from its beginning can be parsed,
so the line of a key is found with the same parser, statement by statement: it is in the first one that brings the key.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler.diagnostics import Diagnostic, Diagnostics, Path, Place, nearest
from reconciler.errors import PnrError
from reconciler.intent.settings.faults import shown
from reconciler.policy import patterns
from reconciler.policy.model import PROTECTED, PROTECTED_DEFAULTS, Policy, Section
from reconciler.policy.rule import Profile, Rule
from reconciler.policy.table import RULES, SECTIONS, policy_of
from reconciler.policy.values import KEEP, BadValue

LARGEST = 256 * 1024
OF_FILES = "domain"
"""The key whose tables are patterns of domain files, each with sections of rules of its own."""
_AT_LINE = re.compile(r" \(at line (\d+), column (\d+)\)| \(at end of document\)")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class PolicyInvalid(PnrError):
    """A policy file that can't be used; ``errors`` is everything that is wrong with it."""

    code = "PolicyInvalid"

    def __init__(self, errors: Sequence[Diagnostic]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(one.brief for one in self.errors))


def profile_named(name: str) -> Policy | None:
    """A shipped profile by its name; None where there is no such."""
    return policy_of(Profile(name)) if name in list(Profile) else None


def read(text: str, file: str) -> Policy:
    """The policy that ``text``, the content of ``file``, describes. Raises PolicyInvalid."""
    try:
        tree = tomllib.loads(text)
        _check_numbers(tree)
    except tomllib.TOMLDecodeError as error:
        raise _no_toml(str(error), text, file) from error
    except RecursionError as error:
        raise _unreadable(file, "it is nested too deeply") from error
    except ValueError as error:  # ours, or Python's where there are too many for it, too
        raise _unreadable(file, "a number in it has too many digits") from error
    report = Diagnostics(file)
    profile = _profile(tree, report)
    rules = {key: value for key, value in tree.items() if key not in ("profile", OF_FILES)}
    changed = {rule.name: _with_own(rule, value, profile) for rule, value in _changed(rules, (), report)}
    _add_protected(changed, profile)
    found = _of_files(tree.get(OF_FILES), profile, report)
    _contradictions([section for _, section in found], report)
    wanted: list[Path] = [one.path for one in report] + [tuple(name.split(".")) for name in changed]
    wanted += [(*path, *name.split(".")) for path, section in found for name in section.values]
    lines = _lines(text, tree, wanted)
    if any(report):
        errors = {replace(one, place=Place(file, lines.get(one.path, 1))) for one in report}
        raise PolicyInvalid(sorted(errors, key=lambda one: (one.place.line, one.message)))
    values = {name: changed.get(name, rule.of(profile)) for name, rule in RULES.items()}
    sections = tuple(
        replace(section, lines={name: lines.get((*path, *name.split(".")), 1) for name in section.values})
        for path, section in found
    )
    changed_on = {name: lines.get(tuple(name.split(".")), 1) for name in changed}
    if PROTECTED in changed and tuple(PROTECTED.split(".")) not in lines:
        changed_on[PROTECTED] = changed_on[PROTECTED_DEFAULTS]
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Policy(profile, values, file, changed_on, sections, digest=digest)


def _profile(tree: Mapping[str, Any], report: Diagnostics) -> Profile:
    name = tree.get("profile")
    if name is None:
        report.error(
            (), "MissingKey", f'profile is missing: say where to start from, as in profile = "{Profile.STANDARD}"'
        )
    elif not isinstance(name, str) or name not in list(Profile):
        message = (
            f"there is no profile {shown(name)} (known: {', '.join(Profile)}){nearest(str(name), map(str, Profile))}"
        )
        report.error(("profile",), "InvalidValue", message)
    else:
        return Profile(name)
    return Profile.STRICT


def _changed(tree: Mapping[str, Any], above: Path, report: Diagnostics) -> Iterator[tuple[Rule, Any]]:
    """The rules of a table of sections, each with what it says. ``above`` is where the table stands."""
    for section, rules in tree.items():
        if section not in SECTIONS:
            known = SECTIONS if above else ("profile", OF_FILES, *SECTIONS)
            hint = nearest(section, known) or _rule_of(section)
            message = f"unknown key {shown(section)}{hint} (known: {', '.join(known)})"
            report.error((*above, section), "UnknownKey", message)
            continue
        if not isinstance(rules, dict):
            message = f"{section} is a table of rules: write [{_shown((*above, section))}]"
            report.error((*above, section), "WrongType", message)
            continue
        for key, value in rules.items():
            rule = RULES.get(f"{section}.{key}")
            if rule is None:
                known = tuple(name.partition(".")[2] for name in RULES if name.startswith(f"{section}."))
                hint = nearest(key, known) or _rule_of(key)
                message = f"unknown key {shown(key)} in [{_shown((*above, section))}]{hint}"
                report.error((*above, section, key), "UnknownKey", message)
                continue
            try:
                yield rule, _parsed(rule, value)
            except BadValue as error:
                for said in error.each:
                    report.error((*above, section, key), "InvalidValue", f"{rule.name}: {said}")


def _shown(path: Path) -> str:
    """A table's name as it is written in a policy file."""
    return ".".join(part if _BARE.fullmatch(part) else f'"{part}"' for part in map(str, path))


@dataclass(frozen=True, slots=True)
class _Added:
    """A list with ``...`` in it: what comes to what holds without it."""

    items: tuple[Any, ...]


def _parsed(rule: Rule, value: Any) -> Any:
    if not rule.kind.is_list or not isinstance(value, list) or KEEP not in value:
        return rule.kind.parse(value)
    return _Added(tuple(rule.kind.parse([one for one in value if one != KEEP])))


def _with_own(rule: Rule, value: Any, profile: Profile) -> Any:
    return tuple(dict.fromkeys((*rule.of(profile), *value.items))) if isinstance(value, _Added) else value


def _of_files(tree: Any, profile: Profile, report: Diagnostics) -> list[tuple[Path, Section]]:
    """The sections for some domain files, each with its place."""
    if tree is None:
        return []
    if not isinstance(tree, dict):
        message = f'{OF_FILES} is a table of patterns of files: write [{OF_FILES}."shop.json".SECTION]'
        report.error((OF_FILES,), "WrongType", message)
        return []
    found: list[tuple[Path, Section]] = []
    taken: dict[str, str] = {}
    for written, rules in tree.items():
        path = (OF_FILES, written)
        try:
            pattern = patterns.parse(written)
        except BadValue as error:
            hint = f"; for all files write [{written}]" if written in SECTIONS else ""
            report.error(path, "InvalidValue", f"{error}{hint}")
            continue
        if pattern in taken:
            message = f"{shown(written)} and {shown(taken[pattern])} are the same pattern: write one section"
            report.error(path, "DuplicateKey", message)
            continue
        taken[pattern] = written
        if not isinstance(rules, dict):
            report.error(path, "WrongType", f"{_shown(path)} holds sections of rules: write [{_shown(path)}.SECTION]")
            continue
        said = {rule.name: value for rule, value in _changed(rules, path, report)}
        values = {name: value.items if isinstance(value, _Added) else value for name, value in said.items()}
        adds = frozenset(name for name, value in said.items() if isinstance(value, _Added))
        adds |= _protecting(values, profile)
        found.append((path, Section(pattern, values, {}, adds, written)))
    return found


def _contradictions(sections: list[Section], report: Diagnostics) -> None:
    """Two sections that are equally exact, mean one file, and say different things of it."""
    for index, one in enumerate(sections):
        for other in sections[:index]:
            if patterns.exactness(one.pattern) != patterns.exactness(other.pattern):
                continue
            both = [
                name
                for name in one.values.keys() & other.values.keys()
                if one.values[name] != other.values[name] or (name in one.adds) != (name in other.adds)
            ]
            if both and patterns.may_mean_one(one.pattern, other.pattern):
                section, _, key = min(both).partition(".")
                message = (
                    f"{one.written!r} and {other.written!r} may mean the same file, are equally exact, and say"
                    f" different things of {section}.{key}: make one of them more exact"
                )
                report.error((OF_FILES, one.written, section, key), "Conflict", message)


def _add_protected(changed: dict[str, Any], profile: Profile) -> None:
    """What a file lists as protected comes to the profile's list: to take from that takes a word of its own."""
    listed = changed.get(PROTECTED)
    defaults = RULES[PROTECTED].of(profile)
    if changed.get(PROTECTED_DEFAULTS, True) and listed is not None:
        changed[PROTECTED] = tuple(dict.fromkeys((*defaults, *listed)))
    elif not changed.get(PROTECTED_DEFAULTS, True):
        changed[PROTECTED] = listed or ()


def _protecting(values: dict[str, Any], profile: Profile) -> frozenset[str]:
    """The same in a section for some files: what it lists comes to what is protected without it. The names of the
    lists that are added to."""
    has_defaults = values.get(PROTECTED_DEFAULTS)
    if has_defaults is False:
        values.setdefault(PROTECTED, ())
        return frozenset()
    if has_defaults:
        values[PROTECTED] = tuple(dict.fromkeys((*RULES[PROTECTED].of(profile), *values.get(PROTECTED, ()))))
    return frozenset({PROTECTED} & values.keys())


def _rule_of(key: str) -> str:
    """Where a key belongs that stands in the wrong section."""
    found = next((name for name in RULES if name.partition(".")[2] == key), None)
    return f"; {key} belongs into [{found.partition('.')[0]}]" if found is not None else ""


def _no_toml(said: str, text: str, file: str) -> PolicyInvalid:
    match = _AT_LINE.search(said)
    line, column = (int(match[1]), int(match[2])) if match is not None and match[1] else (text.count("\n") + 1, 0)
    return _unreadable(file, f"it is not TOML: {_AT_LINE.sub('', said)}", line, column)


def _unreadable(file: str, message: str, line: int = 1, column: int = 0) -> PolicyInvalid:
    return PolicyInvalid([Diagnostic((), "Syntax", message, place=Place(file, line, column))])


def _has(tree: Mapping[str, Any], path: Path) -> bool:
    node: Any = tree
    for part in path:
        if not isinstance(node, dict) or part not in node:
            return False
        node = node[part]
    return True


def _lines(text: str, tree: Mapping[str, Any], wanted: list[Path]) -> dict[Path, int]:
    """The line on which the statement begins that brings each of these keys."""
    missing = {path for path in wanted if path and _has(tree, path)}
    found: dict[Path, int] = {}
    lines = text.splitlines(keepends=True)
    table: Path = ()
    begins = 0
    for end in range(1, len(lines) + 1):
        if not missing:
            break
        if end < len(lines) and not _may_begin(lines[end]):
            continue
        try:
            part = tomllib.loads("".join(lines[begins:end]))
        except tomllib.TOMLDecodeError:
            continue
        first = _first_with_text(lines, begins, end)
        begins = end
        if lines[first - 1].lstrip().startswith("["):
            table = _only(part)
            brought = {path for path in missing if table[: len(path)] == path}
        else:
            inside = (path for path in missing if path[: len(table)] == table)
            brought = {path for path in inside if _has(part, path[len(table) :]) and len(path) > len(table)}
        found |= dict.fromkeys(brought, first)
        missing -= brought
    return found


def _check_numbers(tree: Any) -> None:
    """TOML's have 64 bits. Raises ValueError."""
    if isinstance(tree, int) and not -(1 << 63) <= tree < 1 << 63:
        raise ValueError
    for inner in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        _check_numbers(inner)


def _may_begin(line: str) -> bool:
    """Whether a statement may begin with a line: a long list has many that none begins with, and need not be parsed
    up to each of them."""
    return "=" in line or line.lstrip().startswith("[")


def _only(tree: Mapping[str, Any]) -> Path:
    """The one table that a header alone makes."""
    path: Path = ()
    node: Any = tree
    while isinstance(node, dict) and node:
        (name, node), *_ = node.items()
        path = (*path, name)
    return path


def _first_with_text(lines: list[str], begins: int, end: int) -> int:
    for number in range(begins, end):
        if lines[number].strip() and not lines[number].lstrip().startswith("#"):
            return number + 1
    return end
