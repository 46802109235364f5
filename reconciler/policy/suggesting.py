"""The least change of a policy with which what it refused is allowed, as lines of a policy file. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.policy.model import Policy
from reconciler.policy.reference import written
from reconciler.policy.refusal import Refusal
from reconciler.policy.rule import FLAG, KEEP, NONE, Rule
from reconciler.policy.table import RULES, SECTIONS

_LAXEST: Mapping[str, Any] = {"namespaces.containers": "any", "limits.required": []}
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


def changed(policy: Policy, rules: Mapping[str, Any]) -> Policy:
    """The policy with these rules, as a file would say them."""
    values = {name: _parsed(RULES[name], policy, value) for name, value in rules.items()}
    return replace(policy, values={**policy.values, **values}, lines={**dict.fromkeys(rules, 0), **policy.lines})


def lines(rules: Mapping[str, Any]) -> str:
    """Rules as a policy file has them."""
    parts = []
    for section in SECTIONS:
        said = [
            f"{name.partition('.')[2]} = {written(value)}"
            for name, value in rules.items()
            if name.startswith(f"{section}.")
        ]
        if said:
            parts.append("\n".join([f"[{section}]", *said]))
    return "\n\n".join(parts)


def whole(policy: Policy, rules: Mapping[str, Any]) -> str:
    """A policy file that says what ``policy`` says, but for these rules."""
    kept = {name: _shown(RULES[name], policy) for name in policy.lines}
    return f'profile = "{policy.profile}"\n\n{lines({**kept, **rules})}\n'


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


def _parsed(rule: Rule, policy: Policy, value: Any) -> Any:
    if not rule.kind.is_list or KEEP not in value:
        return rule.kind.parse(value)
    own = rule.kind.parse([one for one in value if one != KEEP])
    return tuple(dict.fromkeys((*rule.of(policy.profile), *own)))
