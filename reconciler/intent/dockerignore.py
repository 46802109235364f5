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


@dataclass(frozen=True, slots=True)
class _Pattern:
    text: str
    matches: re.Pattern[str]
    takes_back: bool


class Ignored:
    """Tells of paths with ``/`` between their parts, relative to the context, whether they are left out."""

    def __init__(self, patterns: Sequence[_Pattern] = ()) -> None:
        self._patterns = patterns

    def __call__(self, path: str) -> bool:
        """Whether ``path`` is left out."""
        if not self._patterns:
            return False
        parts = path.split("/")
        out = False
        for pattern in self._patterns:
            if pattern.takes_back is not out:
                continue  # it could change nothing
            if any(pattern.matches.fullmatch("/".join(parts[:count])) for count in range(len(parts), 0, -1)):
                out = not pattern.takes_back
        return out

    def wholly(self, folder: str) -> bool:
        """Whether nothing inside of a folder that is left out can be taken back."""
        return not any(pattern.takes_back and _reaches_into(pattern.text, folder) for pattern in self._patterns)


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
        patterns.append(_Pattern(cleaned, _compiled(cleaned, number), takes_back))
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


def _compiled(pattern: str, line: int) -> re.Pattern[str]:
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
    try:
        return re.compile("".join(out), re.DOTALL)
    except re.error as error:
        raise BadPattern(f"line {line}: {pattern!r} is no pattern ({error})") from error
