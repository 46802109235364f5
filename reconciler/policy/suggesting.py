"""The least change of a policy with which what it refused is allowed, as lines of a policy file. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.policy import patterns
from reconciler.policy.model import Policy, Section
from reconciler.policy.reference import written
from reconciler.policy.refusal import Refusal
from reconciler.policy.rule import FLAG, Rule
from reconciler.policy.table import RULES, SECTIONS
from reconciler.policy.values import KEEP, NONE

_LAXEST: Mapping[str, Any] = {
    "namespaces.containers": "any",
    "limits.required": [],
    "probes.host_network": "any",
}
"""Of rules that are neither a flag nor a ceiling, and not a list of what is allowed."""
_LAXER: Mapping[str, tuple[str, ...]] = {"domains.adopt": ("no", "matching", "replace")}
"""Of rules that are one of several words, from strict to lax."""


def allowing(policy: Policy, refusals: Iterable[Refusal]) -> Mapping[str, Any]:
    """The rules that would have to say something else, each with what a policy file would say; nothing for what no
    policy short of the profile open can allow."""
    changed: dict[str, Any] = {}
    for refusal in refusals:
        for name, item in refusal.wants:
            if item and RULES[name].kind.is_list:
                changed[name] = _with(RULES[name], policy, changed.get(name), item)
            elif item:
                changed[name] = max(item, changed.get(name, item), key=_LAXER[name].index)
        rule = RULES.get(refusal.rule)
        if refusal.wants or rule is None:
            continue
        if rule.kind is FLAG:
            changed[rule.name] = not policy.flag(rule.name)
        elif rule.name in _LAXEST:
            changed[rule.name] = _LAXEST[rule.name]
        elif not rule.kind.is_list and not isinstance(policy.values[rule.name], Mapping):
            changed[rule.name] = NONE  # a ceiling
    return changed


def changed(policy: Policy, rules: Mapping[str, Any], pattern: str = "") -> Policy:
    """The policy with these rules, as a file would say them. With a ``pattern`` the policy is that of a domain file,
    and a section for it says them."""
    values = {name: _parsed(RULES[name], policy, value, in_section=bool(pattern)) for name, value in rules.items()}
    return replace(
        policy,
        values={**policy.values, **values},
        lines={**dict.fromkeys(rules, 0), **policy.lines},
        by_section={**policy.by_section, **(dict.fromkeys(rules, pattern) if pattern else {})},
    )


def lines(rules: Mapping[str, Any], pattern: str = "") -> str:
    """Rules as a policy file has them: for all domain files, or for those that a pattern means."""
    above = f"domain.{json.dumps(pattern, ensure_ascii=False)}." if pattern else ""
    parts = []
    for section in SECTIONS:
        said = [
            f"{name.partition('.')[2]} = {written(value)}"
            for name, value in rules.items()
            if name.startswith(f"{section}.")
        ]
        if said:
            parts.append("\n".join([f"[{above}{section}]", *said]))
    return "\n\n".join(parts)


def pattern_of(file: str) -> str:
    """A pattern that means the file: its path, with ? for signs that a pattern can't have."""
    return "".join("?" if sign in "*?[]{}\\" or not sign.isprintable() else sign for sign in file)


def _sections(policy: Policy, rules: Mapping[str, Any], pattern: str) -> str:
    """The sections for some domain files, as a policy file has them; with these rules in the one of the pattern."""
    said: dict[str, tuple[str, dict[str, Any]]] = {}
    for section in policy.sections:
        values = {name: _said(RULES[name], section, value) for name, value in section.values.items()}
        said[section.pattern] = (section.written or section.pattern, values)
    if pattern:
        said.setdefault(patterns.parse(pattern), (pattern, {}))[1].update(rules)
    return "".join(f"\n{lines(values, written)}\n" for written, values in said.values() if values)


def _said(rule: Rule, section: Section, value: Any) -> Any:
    return (
        [*([KEEP] if rule.name in section.adds else []), *said(rule, value)] if rule.kind.is_list else said(rule, value)
    )


def said(rule: Rule, value: Any) -> Any:
    """A value (its normal form) as a policy file would say it."""
    if not rule.kind.is_list:
        return NONE if value is None else value
    return [_text(one) for one in value]


def whole(policy: Policy, rules: Mapping[str, Any], pattern: str = "") -> str:
    """A policy file that says what ``policy`` says, but for these rules: of all files, or of those that a pattern
    means."""
    kept = {name: _shown(RULES[name], policy) for name in policy.lines}
    of_all = lines(kept if pattern else {**kept, **rules})
    return f'profile = "{policy.profile}"\n' + (f"\n{of_all}\n" if of_all else "") + _sections(policy, rules, pattern)


def _with(rule: Rule, policy: Policy, said: Any, item: str) -> Any:
    """A rule's list with one more item."""
    found: list[Any] = list(said) if said is not None else _shown(rule, policy)
    return found if item in found else [*found, item]


def _shown(rule: Rule, policy: Policy) -> Any:
    """The rule's value as a file would say it."""
    value = policy.values[rule.name]
    if not rule.kind.is_list:
        return NONE if value is None else value
    own: Collection[Any] = rule.of(policy.profile)
    if all(one in value for one in own):
        extra = [_text(one) for one in value if one not in own]
        return [KEEP, *extra] if own else extra
    return [_text(one) for one in value]


def _text(item: Any) -> str:
    return f"{item[0]}-{item[1]}" if isinstance(item, tuple) else str(item)


def _parsed(rule: Rule, policy: Policy, value: Any, *, in_section: bool) -> Any:
    if not rule.kind.is_list or KEEP not in value:
        return rule.kind.parse(value)
    own = rule.kind.parse([one for one in value if one != KEEP])
    return tuple(dict.fromkeys((*(policy.values[rule.name] if in_section else rule.of(policy.profile)), *own)))
