"""``.dockerignore``: which paths of a build context are left out. Pure.

The rules are those of Docker (``moby/patternmatcher``): one pattern a line, relative to the context; ``*`` and ``?``
stop at slashes, ``**`` does not; ``!`` takes back; the last pattern that matches a path or one of the folders above it
decides; ``#`` at the beginning of a line is a comment.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.errors import PnrError

FILE = ".dockerignore"


class BadPattern(PnrError):
    """A line of a ``.dockerignore`` that is no pattern."""

    code = "BadPattern"


NO_PATTERN = -1
"""What stands for the pattern that decides where none matches."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    text: str
    expression: str
    takes_back: bool


class Ignored:
    """Tells of paths with ``/`` between their parts, relative to the context, whether they are left out.

    Who walks through a tree hands the decision on a folder down to what is in it: then each path is matched once, and
    against all patterns at a time.
    """

    def __init__(self, patterns: Sequence[_Pattern] = ()) -> None:
        self.patterns = tuple(patterns)
        self._taking_back = [pattern.text for pattern in patterns if pattern.takes_back]
        # Of several alternatives the first is taken: so the last pattern stands first.
        self._any = re.compile("|".join(f"({one.expression})" for one in reversed(self.patterns)), re.DOTALL)

    def decided(self, path: str, above: int = NO_PATTERN) -> int:
        """Which pattern decides on ``path``: the last that matches it or a folder above it. ``above`` is the one that
        decides on the folder that it is in."""
        if not self.patterns:
            return NO_PATTERN
        found = self._any.fullmatch(path)
        if found is None or found.lastindex is None:
            return above
        return max(above, len(self.patterns) - found.lastindex)

    def leaves_out(self, decided: int) -> bool:
        """Whether what this pattern decides on is left out."""
        return decided != NO_PATTERN and not self.patterns[decided].takes_back

    def __call__(self, path: str) -> bool:
        """Whether ``path`` is left out."""
        parts = path.split("/")
        decided = NO_PATTERN
        for count in range(1, len(parts) + 1):
            decided = self.decided("/".join(parts[:count]), decided)
        return self.leaves_out(decided)

    def wholly(self, folder: str) -> bool:
        """Whether nothing inside of a folder that is left out can be taken back."""
        return not any(_reaches_into(pattern, folder) for pattern in self._taking_back)


def parse(content: str) -> Ignored:
    """Read a ``.dockerignore``. Raises BadPattern with the number of the line."""
    patterns = []
    for number, line in enumerate(content.removeprefix("\ufeff").splitlines(), 1):
        pattern = line.strip()
        if not pattern or line.startswith("#"):
            continue
        takes_back = pattern.startswith("!")
        if takes_back:
            pattern = pattern[1:].strip()
            if not pattern:
                raise BadPattern(f"line {number}: ! without a pattern")
        cleaned = posixpath.normpath(pattern).lstrip("/")
        if cleaned in (".", "..", "") or cleaned.startswith("../"):
            continue
        patterns.append(_Pattern(cleaned, _expression(cleaned, number), takes_back))
    return Ignored(patterns)


def _reaches_into(pattern: str, folder: str) -> bool:
    """Whether ``pattern`` may match something inside of ``folder``."""
    parts, names = pattern.split("/"), folder.split("/")
    for part, name in zip(parts, names, strict=False):
        if "**" in part:
            return True
        if part != name and not set(part) & set("*?[\\"):
            return False
    return len(parts) > len(names)


def _expression(pattern: str, line: int) -> str:
    """A regular expression without groups of its own."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        one = pattern[at]
        if pattern.startswith("**", at):
            at += 3 if pattern.startswith("**/", at) else 2
            out.append("(?:.*/)?" if at < len(pattern) else ".*")
            continue
        if one == "*":
            out.append("[^/]*")
        elif one == "?":
            out.append("[^/]")
        elif one == "[":
            end = pattern.find("]", at + 2)
            if end < 0:
                raise BadPattern(f"line {line}: [ without ] in {pattern!r}")
            inside = pattern[at + 1 : end]
            negated = inside.startswith("^")
            body = re.sub(r"([\[\]&~|])", r"\\\1", inside.removeprefix("^"))
            out.append(f"[{'^' if negated else ''}{body}]")
            at = end
        elif one == "\\" and at + 1 < len(pattern):
            at += 1
            out.append(re.escape(pattern[at]))
        else:
            out.append(re.escape(one))
        at += 1
    expression = "".join(out)
    try:
        re.compile(expression)
    except re.error as error:
        raise BadPattern(f"line {line}: {pattern!r} is no pattern ({error})") from error
    return expression
