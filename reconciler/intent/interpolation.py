"""``${NAME}`` in strings, with the syntax that Docker Compose gives it. Pure: all values are handed in.

Differences from Compose, on purpose: a variable without a value and without a default is an error, not an empty
string; in braces a dotted name (``${mongodb.url}``) reaches into a nested map of the domain's ``env``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from reconciler.diagnostics import Diagnostics, Path, escaped
from reconciler.errors import PnrError
from reconciler.intent.settings import Interpolated
from reconciler.intent.settings.faults import shown

MAX_NESTING = 32
MAX_OUTPUT = 4 * 1024 * 1024
"""How many characters all interpolated strings of a file may have together."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")
_OPERATOR = re.compile(r":?[-?+]")
_SPECIAL = re.compile(r"[$}]")


class InterpolationError(PnrError):
    """A string cannot be interpolated. The message never holds a variable's value."""

    code: ClassVar[str] = "BadInterpolation"


class MissingVariable(InterpolationError):
    """A variable has no value."""

    code: ClassVar[str] = "MissingVariable"


class OutputTooLarge(InterpolationError):
    """The strings of a file grow beyond what is bearable."""

    code: ClassVar[str] = "TooLarge"


class FromVariables(Interpolated):
    """A string that came out of interpolation, with the ``source`` it came from and the ``values`` put into it.

    Messages show the source and none of the values, since they may be secret.
    """

    __slots__ = ("source", "values")
    source: str
    values: tuple[str, ...]

    def __new__(cls, value: str, source: str, values: Iterable[str]) -> FromVariables:
        made = super().__new__(cls, value)
        made.source = source
        made.values = tuple(values)
        return made


def found(value: Any) -> str:
    """A value for a message; of one that came from variables only the template."""
    return shown(value.source if isinstance(value, FromVariables) else value)


@dataclass(frozen=True, slots=True)
class Variables:
    """Where values come from: the domain's ``env`` first, then the allowed names of the environment."""

    domain: Mapping[str, Any]
    environment: Mapping[str, str]
    allowed: Collection[str]

    def lookup(self, name: str) -> str | None:
        """The value of ``name`` or None. Raises :class:`InterpolationError` where the name is a whole map."""
        found = self._declared(name)
        if isinstance(found, str):
            return found
        if isinstance(found, dict):
            inner = next((key for key in found if _DOTTED.fullmatch(f"a.{key}")), None)
            hint = f", for example ${{{name}.{escaped(inner)}}}" if inner else ""
            raise InterpolationError(f"{name} is a map in env: name one of the values in it{hint}")
        if isinstance(found, list):
            raise InterpolationError(f"{name} is a list in env: only text, numbers and true or false can be used")
        if found is not None:
            return json.dumps(found)
        if name in self.allowed:
            return self.environment.get(name)
        return None

    def missing(self, name: str) -> str:
        """The sentence that tells what to do about a variable without a value."""
        known = "" if name in self.allowed else ", or allow the name for the daemon's environment"
        return f"{name} has no value: set it in the domain's env, give a default as in ${{{name}:-value}}{known}"

    def _declared(self, name: str) -> Any:
        if name in self.domain:
            return self.domain[name]
        found: Any = self.domain
        for part in name.split("."):
            if not isinstance(found, dict) or part not in found:
                return None
            found = found[part]
        return found


def interpolate(text: str, variables: Variables) -> str:
    """``text`` with every variable replaced. Raises :class:`InterpolationError`."""
    if "$" not in text:
        return text
    reader = _Reader(text, variables)
    value = reader.read(0, wanted=True)
    return FromVariables(value, text, reader.values) if value != text else text


class _Reader:
    """Reads a template in one pass, nested defaults included."""

    def __init__(self, text: str, variables: Variables) -> None:
        self.text = text
        self.at = 0
        self.variables = variables
        self.values: set[str] = set()

    def read(self, depth: int, *, wanted: bool) -> str:
        """Up to the end, or within braces up to the closing one. Values are looked up only where ``wanted``."""
        if depth > MAX_NESTING:
            raise InterpolationError(f"defaults are nested deeper than {MAX_NESTING} levels")
        out: list[str] = []
        size = 0
        while True:
            special = _SPECIAL.search(self.text, self.at)
            stop = special.start() if special else len(self.text)
            out.append(self.text[self.at : stop])
            self.at = stop + 1
            if special is None:
                if depth:
                    raise InterpolationError("a ${ is never closed: expected }")
                return "".join(out)
            if special.group() == "}":
                if depth:
                    return "".join(out)
                out.append("}")
                continue
            out.append(self._variable(depth, wanted))
            size += len(out[-1])
            if size > MAX_OUTPUT:
                raise OutputTooLarge(f"the text grows beyond {MAX_OUTPUT} characters")

    def _variable(self, depth: int, wanted: bool) -> str:
        following = self.text[self.at : self.at + 1]
        if following == "$":
            self.at += 1
            return "$"
        if following != "{":
            name = _NAME.match(self.text, self.at)
            if name is None:
                raise InterpolationError("a single $ stands for a variable: write $$ for a dollar sign")
            self.at = name.end()
            return self._plain(name.group(), wanted)
        name = _DOTTED.match(self.text, self.at + 1)
        if name is None:
            raise InterpolationError("expected a variable's name after ${, as in ${NAME} (or $$ for a dollar sign)")
        self.at = name.end()
        if self.text.startswith("}", self.at):
            self.at += 1
            return self._plain(name.group(), wanted)
        operator = _OPERATOR.match(self.text, self.at)
        if operator is None:
            found = escaped(self.text[self.at : self.at + 1]) or "the end of the text"
            raise InterpolationError(
                f"expected }} or one of :- - :? ? :+ + after the name {escaped(name.group())}, found {found}"
            )
        self.at = operator.end()
        return self._with_operator(name.group(), operator.group(), depth, wanted)

    def _with_operator(self, name: str, operator: str, depth: int, wanted: bool) -> str:
        value = self._lookup(name) if wanted else None
        there = value is not None and (value != "" or not operator.startswith(":"))
        kind, start = operator[-1], self.at
        other = self.read(depth + 1, wanted=wanted and kind != "?" and there is (kind == "+"))
        if kind == "+":
            return other if there else ""
        if there or not wanted:
            return value or ""
        if kind == "?":
            why = escaped(self.text[start : self.at - 1], 200) or "it is required"
            raise MissingVariable(f"{name} has no value: {why}")
        return other

    def _plain(self, name: str, wanted: bool) -> str:
        if not wanted:
            return ""
        value = self._lookup(name)
        if value is None:
            raise MissingVariable(self.variables.missing(name))
        return value

    def _lookup(self, name: str) -> str | None:
        value = self.variables.lookup(name)
        if value:
            self.values.add(value)
        return value


def interpolate_tree(tree: Any, variables: Variables, report: Diagnostics, *, skip: Collection[str] = ()) -> Any:
    """``tree`` with all its strings interpolated; keys are left as they are.

    The values of the top-level keys in ``skip`` stay as they are. So does a string that can't be interpolated, which is
    reported.
    """
    room = MAX_OUTPUT

    def walk(node: Any, path: Path) -> Any:
        nonlocal room
        if isinstance(node, str):
            if "$" not in node or room <= 0:
                return node
            try:
                value = interpolate(node, variables)
            except InterpolationError as error:
                report.error(path, error.code, str(error))
                return node
            room -= len(value)
            if room <= 0:
                large = f"with this text the file grows beyond {MAX_OUTPUT} characters"
                report.error(path, OutputTooLarge.code, large)
            return value
        if isinstance(node, dict):
            return {key: walk(value, (*path, key)) for key, value in node.items()}
        if isinstance(node, list):
            return [walk(value, (*path, index)) for index, value in enumerate(node)]
        return node

    if isinstance(tree, dict):
        return {key: value if key in skip else walk(value, (key,)) for key, value in tree.items()}
    return walk(tree, ())
