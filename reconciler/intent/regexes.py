"""What a regular expression may cost, told by its parse tree, before it is even compiled. Pure.

Python's engine backtracks, and never lets go of the interpreter while it does. What bounds a search is how many ways
there are to match: each repeat multiplies them by the length of the text, each choice by two, and a repeat of something
that can itself be matched in several ways, or that something later refers back to, has no bound at all. The text of an
expression does not tell that (the verbose form hides it in blanks, and has forms within); its parse tree does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_ONE_CHARACTER = frozenset({sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN})
_NOTHING = frozenset({*_ONE_CHARACTER, sre.AT})
_REPEATS = frozenset({sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT})
_WIDE = 4096
"""To compile a wider range without regard to case takes long: each character of it is looked up."""


@dataclass(frozen=True, slots=True)
class Cost:
    """``repeats`` are those of single characters, ``choices`` the places where one of two ways is taken. Where it is
    not ``is_bounded``, nothing is known; where it is not ``is_cheap``, even to compile it may take long."""

    repeats: int = 0
    choices: int = 0
    is_bounded: bool = True
    is_cheap: bool = True

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.repeats + other.repeats,
            self.choices + other.choices,
            self.is_bounded and other.is_bounded,
            self.is_cheap and other.is_cheap,
        )


_UNBOUNDED = Cost(is_bounded=False)


def cost(text: str, flags: int = 0) -> Cost:
    """What a search may cost. Raises re.error where it is no regular expression."""
    try:
        tree = parser.parse(text, flags)
        found = _of(tree)
        wide = _has_wide_range(tree) and _ignores_case(tree)
    except (RecursionError, OverflowError) as error:
        raise re.error("it is nested too deep, or repeats too often", text) from error
    return found if not wide else found + Cost(is_bounded=False, is_cheap=False)


def check(text: str) -> None:
    """Raises re.error where it is no regular expression."""
    if not cost(text).is_cheap:
        return  # that it can be parsed has to do
    try:
        re.compile(text)
    except (RecursionError, OverflowError) as error:
        raise re.error("it is nested too deep, or repeats too often", text) from error


def _of(items: Iterable[tuple[Any, Any]]) -> Cost:
    total = Cost()
    for op, argument in items:
        total += _item(op, argument)
    return total


def _item(op: Any, argument: Any) -> Cost:
    if op in _NOTHING:
        return Cost()
    if op is sre.SUBPATTERN:
        return _of(argument[-1])
    if op is sre.BRANCH:
        ways = argument[1]
        return sum((_of(way) for way in ways), Cost(choices=len(ways) - 1))
    if op in _REPEATS:
        _, most, inner = argument
        if most <= 1:
            return Cost(choices=1) + _of(inner)
        return Cost(repeats=1) if _is_one_character(inner) else _UNBOUNDED
    return _UNBOUNDED


def _is_one_character(items: Any) -> bool:
    return len(items) == 1 and items[0][0] in _ONE_CHARACTER


def _has_wide_range(tree: Any) -> bool:
    return any(op is sre.RANGE and argument[1] - argument[0] > _WIDE for op, argument in _pairs(tree))


def _ignores_case(tree: Any) -> bool:
    if tree.state.flags & re.IGNORECASE:
        return True
    return any(op is sre.SUBPATTERN and argument[1] & re.IGNORECASE for op, argument in _pairs(tree))


def _pairs(node: Any) -> Iterable[tuple[Any, Any]]:
    """Every operation in a parse tree with its argument."""
    if isinstance(node, parser.SubPattern):
        node = node.data
    if isinstance(node, tuple) and len(node) == 2 and isinstance(node[0], type(sre.LITERAL)):
        yield node
        node = [node[1]]
    if isinstance(node, list | tuple):
        for part in node:
            yield from _pairs(part)
