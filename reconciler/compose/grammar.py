"""What may stand where in a Compose file, and how Compose prints it. Pure.

Here are the rules, the words that make them, and the check; the tables are in :mod:`.schema`.

Written after the Compose specification's own schema (compose-spec.json of compose-go 2.9, which Compose 2.40 checks
with); no Python package ships that schema in a current state. A file is checked when it is merged with those before it,
while short forms are still short.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from reconciler.compose.codecs import Codec, text
from reconciler.compose.node import Node
from reconciler.compose.shapes import each, named_by, record, renamed
from reconciler.diagnostics import Diagnostics

MAX_SHOWN = 60


@dataclass(frozen=True)
class Rule:
    """What a value may be: a scalar of some ``kinds``, a list of ``items``, or a mapping.

    A mapping has the keys of ``keys`` (with ``x-`` keys where ``extensible``), or any that ``named`` matches, whose
    values all follow ``values``.

    How it is printed: ``codec`` says it where it is not put together from its parts. ``always`` is printed even if
    nothing says it. ``other_names`` are keys that Compose prints with another name (its own slip). With ``keeps_nulls``
    names without a value are printed.
    """

    kinds: frozenset[str] = frozenset()
    one_of: tuple[str, ...] = ()
    shape: re.Pattern[str] | None = None
    shape_means: str = ""
    low: float | None = None
    high: float | None = None
    items: Rule | None = None
    unique: bool = False
    keys: Mapping[str, Rule] | None = None
    required: tuple[str, ...] = ()
    extensible: bool = True
    named: str = ""
    values: Rule | None = None
    strict: bool = True
    anything: bool = False
    codec: Codec | None = None
    is_printed: bool = True
    always: Mapping[str, object] | None = None
    other_names: Mapping[str, str] | None = None
    keeps_nulls: bool = False

    def printed(self, codec: Codec) -> Rule:
        """The same, printed in another way."""
        return replace(self, codec=codec)

    @cached_property
    def form(self) -> Codec | None:
        """How it is printed in the canonical model; None: it is not."""
        if not self.is_printed or self.codec is not None:
            return self.codec if self.is_printed else None
        if self.keys is not None:
            made = record({key: rule.form for key, rule in self.keys.items() if rule.form is not None}, self.always)
            return renamed(made, self.other_names) if self.other_names else made
        if self.values is not None and self.values.form is not None:
            return named_by(self.values.form, nulls=self.keeps_nulls)
        return each(self.items.form) if self.items is not None and self.items.form is not None else None

    @property
    def takes_mapping(self) -> bool:
        return self.keys is not None or self.values is not None

    @cached_property
    def expected(self) -> str:
        """What people are told that may stand here."""
        words = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
        parts = [words[kind] for kind in words if kind in self.kinds and not (kind == "string" and self.one_of)]
        if self.one_of:
            parts.insert(0, f"one of {', '.join(self.one_of)}")
        if self.items is not None:
            parts.append("a list")
        if self.takes_mapping:
            parts.append("a mapping")
        return " or ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def any_of(*kinds: str) -> Rule:
    """A scalar of one of the kinds of JSON Schema."""
    return Rule(kinds=frozenset(kinds))


def word(*words: str) -> Rule:
    """One of a few words."""
    return Rule(kinds=frozenset({"string"}), one_of=words, codec=text)


def list_of(items: Rule, *kinds: str, unique: bool = False) -> Rule:
    """A list, or a scalar of one of the kinds."""
    return Rule(kinds=frozenset(kinds), items=items, unique=unique)


def keys(
    *required: str,
    extensible: bool = True,
    kinds: tuple[str, ...] = (),
    always: Mapping[str, object] | None = None,
    other_names: Mapping[str, str] | None = None,
    **keys: Rule,
) -> Rule:
    """A mapping with these keys, of which the ``required`` ones must be there, or a scalar of one of the kinds."""
    return Rule(
        kinds=frozenset(kinds),
        keys=keys,
        required=required,
        extensible=extensible,
        always=always,
        other_names=other_names,
    )


def either(rule: Rule, *kinds: str, items: Rule | None = None, unique: bool = False) -> Rule:
    """``rule``, or a scalar of other kinds, or a list. It is printed as ``rule`` is."""
    return replace(
        rule, kinds=rule.kinds | frozenset(kinds), items=items if items is not None else rule.items, unique=unique
    )


def map_of(
    values: Rule,
    *kinds: str,
    named: str = r".",
    strict: bool = True,
    extensible: bool = False,
    keeps_nulls: bool = False,
) -> Rule:
    """A mapping of names to what all follows one rule, or a scalar of one of the kinds."""
    return Rule(
        kinds=frozenset(kinds),
        values=values,
        named=named,
        strict=strict,
        extensible=extensible,
        keeps_nulls=keeps_nulls,
    )


def unprinted(rule: Rule) -> Rule:
    """What Compose takes, and does not print."""
    return replace(rule, is_printed=False)


def check(node: Node, rule: Rule, report: Diagnostics) -> None:
    """Records everything below ``path`` that the rule does not allow."""
    value = node.value
    if rule.anything:
        return
    if isinstance(value, dict) and rule.takes_mapping:
        _check_mapping(node, rule, report)
    elif isinstance(value, list) and rule.items is not None:
        for index, item in enumerate(node.items):
            check(item, rule.items, report.at(index))
            if rule.unique and any(_same(item, other) for other in node.items[:index]):
                report.error((index,), "Duplicate", "this stands in the list twice", item.place)
    elif not _fits(value, rule):
        report.error((), "WrongType", f"expected {rule.expected}, found {_found(value)}", node.place)
    elif isinstance(value, str) and rule.one_of and value not in rule.one_of:
        report.error((), "BadValue", f"expected {rule.expected}, found {_found(value)}", node.place)
    elif isinstance(value, str) and rule.shape is not None and not rule.shape.search(value):
        report.error((), "BadValue", f"expected {rule.shape_means}, found {_found(value)}", node.place)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if rule.low is not None and value < rule.low:
            report.error((), "BadValue", f"must be {rule.low:g} or more, and is {value}", node.place)
        if rule.high is not None and value > rule.high:
            report.error((), "BadValue", f"must be {rule.high:g} or less, and is {value}", node.place)


def _check_mapping(node: Node, rule: Rule, report: Diagnostics) -> None:
    for key, part in node.entries.items():
        inner = rule.keys.get(key) if rule.keys is not None else None
        if inner is None and rule.values is not None and re.search(rule.named, key):
            inner = rule.values
        if inner is not None:
            check(part, inner, report.at(key))
        elif rule.strict and not (rule.extensible and key.startswith("x-")):
            report.error((key,), "UnknownKey", _unknown(key, rule), part.place)
    for key in rule.required:
        if key not in node.entries:
            report.error((), "MissingKey", f"{key} is missing", node.place)


def _unknown(key: str, rule: Rule) -> str:
    if rule.keys is None:
        return f"{key!r} is not a name that Compose allows (letters, digits, dots, underscores and hyphens)"
    near = difflib.get_close_matches(key, rule.keys, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"Compose knows no key {key[:MAX_SHOWN]!r} here{hint}"


def _fits(value: Any, rule: Rule) -> bool:
    if value is None:
        return "null" in rule.kinds
    if isinstance(value, bool):
        return "boolean" in rule.kinds
    if isinstance(value, int):
        return bool(rule.kinds & {"integer", "number"})
    if isinstance(value, float):
        return "number" in rule.kinds or ("integer" in rule.kinds and value.is_integer())
    return isinstance(value, str) and "string" in rule.kinds


def _found(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # It may have come out of a variable: only short words without anything that looks like a secret are shown.
        return f"{value!r}" if re.fullmatch(r"[a-z+_-]{1,20}", value) else "a text"
    return str(value)


def _same(one: Node, other: Node) -> bool:
    if isinstance(one.value, dict) and isinstance(other.value, dict):
        return one.value.keys() == other.value.keys() and all(_same(v, other.value[k]) for k, v in one.value.items())
    if isinstance(one.value, list) and isinstance(other.value, list):
        return len(one.value) == len(other.value) and all(map(_same, one.value, other.value))
    same_kind = isinstance(one.value, bool) == isinstance(other.value, bool)
    return same_kind and not isinstance(one.value, dict | list) and bool(one.value == other.value)
