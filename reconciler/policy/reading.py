"""A policy file from its text. Pure. What is wrong with it comes all at once, with lines.

The standard library's parser tells no places. A statement of TOML ends where the text up to there can be parsed, so the
line of a key is found with the same parser: it stands in the first statement after which the key is there. That takes a
while for a long text, and is done only for keys that are asked for.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from reconciler.errors import PnrError
from reconciler.policy.model import Policy
from reconciler.policy.rule import KEEP, BadValue, Profile, Rule
from reconciler.policy.table import RULES, SECTIONS

LARGEST = 256 * 1024
PROTECTED = "binds.protected"
PROTECTED_DEFAULTS = "binds.protected_defaults"
_AT_LINE = re.compile(r" \(at line (\d+), column (\d+)\)| \(at end of document\)")

Path = tuple[str, ...]


class PolicyInvalid(PnrError):
    """A policy file that can't be used; the message names file and line of everything that is wrong with it."""

    code = "PolicyInvalid"


def profile_named(name: str) -> Policy | None:
    """A shipped profile by its name; None where there is no such."""
    return Policy.of(Profile(name)) if name in list(Profile) else None


def read(text: str, file: str) -> Policy:
    """The policy that ``text``, the content of ``file``, describes. Raises PolicyInvalid."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyInvalid(_no_toml(str(error), text, file)) from error
    except RecursionError as error:
        raise PolicyInvalid(f"{file}: it is nested too deeply") from error
    wrong: list[tuple[Path, str]] = []
    profile = _profile(tree, wrong)
    changed = dict(_changed(tree, profile, wrong))
    _add_protected(changed, profile)
    wanted = [path for path, _ in wrong] + [tuple(name.split(".")) for name in changed]
    lines = _lines(text, tree, wanted)
    if wrong:
        told = sorted((lines.get(path, 1), message) for path, message in wrong)
        raise PolicyInvalid("\n".join(f"{file}:{line}: {message}" for line, message in told))
    values = {name: changed.get(name, rule.of(profile)) for name, rule in RULES.items()}
    return Policy(profile, values, file, {name: lines.get(tuple(name.split(".")), 1) for name in changed})


def _profile(tree: Mapping[str, Any], wrong: list[tuple[Path, str]]) -> Profile:
    name = tree.get("profile")
    if name is None:
        wrong.append(((), f'profile is missing: say where to start from, as in profile = "{Profile.STANDARD}"'))
    elif not isinstance(name, str) or name not in list(Profile):
        close = get_close_matches(str(name), [str(one) for one in Profile], n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        wrong.append((("profile",), f"there is no profile {name!r} (known: {', '.join(Profile)}){hint}"))
    else:
        return Profile(name)
    return Profile.STRICT


def _changed(tree: Mapping[str, Any], profile: Profile, wrong: list[tuple[Path, str]]) -> Iterator[tuple[str, Any]]:
    for section, rules in tree.items():
        if section == "profile":
            continue
        if section not in SECTIONS:
            known = ("profile", *SECTIONS)
            hint = _nearest(section, known) or _rule_of(section)
            wrong.append(((section,), f"unknown key {section!r}{hint} (known: {', '.join(known)})"))
            continue
        if not isinstance(rules, dict):
            wrong.append(((section,), f"{section} is a table of rules: write [{section}]"))
            continue
        for key, value in rules.items():
            rule = RULES.get(f"{section}.{key}")
            if rule is None:
                known = tuple(name.partition(".")[2] for name in RULES if name.startswith(f"{section}."))
                hint = _nearest(key, known) or _rule_of(key)
                wrong.append(((section, key), f"unknown key {key!r} in [{section}]{hint}"))
                continue
            try:
                yield rule.name, _value(rule, value, profile)
            except BadValue as error:
                wrong.append(((section, key), f"{rule.name}: {error}"))


def _value(rule: Rule, value: Any, profile: Profile) -> Any:
    if not rule.kind.is_list or not isinstance(value, list) or KEEP not in value:
        return rule.kind.parse(value)
    own = rule.kind.parse([one for one in value if one != KEEP])
    return tuple(dict.fromkeys((*rule.of(profile), *own)))


def _add_protected(changed: dict[str, Any], profile: Profile) -> None:
    """What a file lists as protected comes to the profile's list: to take from that takes a word of its own."""
    listed = changed.get(PROTECTED)
    defaults = RULES[PROTECTED].of(profile)
    if changed.get(PROTECTED_DEFAULTS, True) and listed is not None:
        changed[PROTECTED] = tuple(dict.fromkeys((*defaults, *listed)))
    elif not changed.get(PROTECTED_DEFAULTS, True):
        changed[PROTECTED] = listed or ()


def _nearest(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _rule_of(key: str) -> str:
    """Where a key belongs that stands in the wrong section."""
    found = next((name for name in RULES if name.partition(".")[2] == key), None)
    return f"; {key} belongs into [{found.partition('.')[0]}]" if found is not None else ""


def _no_toml(said: str, text: str, file: str) -> str:
    match = _AT_LINE.search(said)
    where = f"{match[1]}:{match[2]}" if match is not None and match[1] else f"{text.count(chr(10)) + 1}"
    return f"{file}:{where}: it is no TOML: {_AT_LINE.sub('', said)}"


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
    begins = 0
    for end in range(1, len(lines) + 1):
        if not missing:
            break
        try:
            part = tomllib.loads("".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
        for path in [path for path in missing if _has(part, path)]:
            found[path] = _first_with_text(lines, begins, end)
            missing.discard(path)
        begins = end
    return found


def _first_with_text(lines: list[str], begins: int, end: int) -> int:
    for number in range(begins, end):
        if lines[number].strip() and not lines[number].lstrip().startswith("#"):
            return number + 1
    return end
