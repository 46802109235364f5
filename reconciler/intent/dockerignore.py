"""``.dockerignore``: which paths of a build context are left out. Pure.

The rules are those of Docker (``moby/patternmatcher``): one pattern a line, relative to the context; ``*`` and ``?``
stop at slashes, ``**`` does not; ``!`` takes back; the last pattern that matches a path or one of the folders above it
decides; ``#`` at the beginning of a line is a comment.

Who writes the patterns writes the names of the files as well, so none may be one that goes back and forth without an
end: Python lets nobody else run meanwhile. What stars in one part of a path stand for is settled from the left, each
for good; a pattern for which that is not right is followed sign by sign.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.errors import PnrError

FILE = ".dockerignore"
MOST_PATTERNS = 2000


class BadPattern(PnrError):
    """A line of a ``.dockerignore`` that is not a pattern."""

    code = "BadPattern"


NO_PATTERN = -1
"""What stands for the pattern that decides where none matches."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """What stands for one sign, or where it ``repeats`` for any number of them. ``sign``: the regular expression."""

    sign: str
    repeats: bool = False
    is_class: bool = False


_STAR, _ANY, _FOLDERS = (_Piece(sign, repeats=True) for sign in ("[^/]*", ".*", "(?:.*/)?"))
_MAYBE = _Piece("", repeats=True)
"""Before what may be left out as a whole."""
_SLASH = "/"


@dataclass(frozen=True, slots=True)
class _Pattern:
    text: str
    pieces: tuple[_Piece, ...]
    takes_back: bool

    @property
    def is_plain(self) -> bool:
        """Whether a regular expression finds what it matches without going back and forth."""
        stars, wide = self.pieces.count(_STAR), sum(piece in (_ANY, _FOLDERS) for piece in self.pieces)
        has_class = any(piece.is_class for piece in self.pieces)  # which may stand for a slash
        return wide <= 1 and not (stars and _ANY in self.pieces) and not (stars > 1 and has_class)

    @property
    def expression(self) -> str:
        """A regular expression without groups of its own, where it is plain."""
        out: list[str] = []
        at = 0
        while at < len(self.pieces):
            end = at + 1
            while end < len(self.pieces) and not self.pieces[end].repeats and self.pieces[end].sign != _SLASH:
                end += 1
            signs = "".join(piece.sign for piece in self.pieces[at + 1 : end])
            if self.pieces[at] is _STAR and end < len(self.pieces) and self.pieces[end] is _STAR:
                # What follows a star is taken where it comes first: the next star can go on from there to anywhere.
                out.append(f"(?>{_STAR.sign}?{signs})")
            else:
                out.append(self.pieces[at].sign + signs)
            at = end
        return "".join(out)

    def matches(self, path: str) -> bool:
        """Sign by sign, on all ways at a time: slow, but never slower than the two lengths make it."""
        pieces = [one for piece in self.pieces for one in ((_MAYBE, piece) if piece is _FOLDERS else (piece,))]
        reached = _with_what_may_be_nothing({0}, pieces)
        for sign in path:
            following: set[int] = set()
            for at in reached - {len(pieces)}:
                piece = pieces[at]
                if piece in (_ANY, _FOLDERS) or (piece is _STAR and sign != _SLASH):
                    following.add(at)
                elif not piece.repeats and re.fullmatch(piece.sign, sign, re.DOTALL):
                    following.add(at + 1)
                if piece is _FOLDERS and sign == _SLASH:
                    following.add(at + 1)
            if not following:
                return False
            reached = _with_what_may_be_nothing(following, pieces)
        return len(pieces) in reached


def _with_what_may_be_nothing(reached: set[int], pieces: Sequence[_Piece]) -> set[int]:
    """The places in a pattern that are reached, with those behind what may stand for nothing."""
    todo = list(reached)
    while todo:
        at = todo.pop()
        piece = pieces[at] if at < len(pieces) else None
        behind = {at + 1} if piece in (_STAR, _ANY) else {at + 1, at + 2} if piece is _MAYBE else set()
        todo.extend(behind - reached)
        reached |= behind
    return reached


class Ignored:
    """Tells of paths with ``/`` between their parts, relative to the context, whether they are left out.

    Who walks through a tree hands the decision on a folder down to what is in it: then each path is matched once, and
    against all patterns at a time.
    """

    def __init__(self, patterns: Sequence[_Pattern] = ()) -> None:
        self.patterns = tuple(patterns)
        self._taking_back = [pattern.text for pattern in patterns if pattern.takes_back]
        numbered = [(number, one) for number, one in enumerate(self.patterns) if one.is_plain]
        # Of several alternatives the first is taken: so the last pattern stands first.
        self._numbers = [number for number, _ in reversed(numbered)]
        self._any = re.compile("|".join(f"({one.expression})" for _, one in reversed(numbered)), re.DOTALL)
        self._others = [(number, one) for number, one in enumerate(self.patterns) if not one.is_plain]

    def decided(self, path: str, above: int = NO_PATTERN) -> int:
        """Which pattern decides on ``path``: the last that matches it or a folder above it. ``above`` is the one that
        decides on the folder that it is in."""
        if not self.patterns:
            return NO_PATTERN
        found = self._any.fullmatch(path) if self._numbers else None
        if found is not None and found.lastindex is not None:
            above = max(above, self._numbers[found.lastindex - 1])
        return max([above, *(number for number, one in self._others if number > above and one.matches(path))])

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
    patterns: list[_Pattern] = []
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
        if len(patterns) == MOST_PATTERNS:
            raise BadPattern(f"line {number}: there are more than {MOST_PATTERNS} patterns")
        patterns.append(_Pattern(cleaned, _pieces(cleaned, number), takes_back))
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


def _pieces(pattern: str, line: int) -> tuple[_Piece, ...]:
    out: list[_Piece] = []
    at = 0
    while at < len(pattern):
        one = pattern[at]
        if pattern.startswith("**", at):
            at += 3 if pattern.startswith("**/", at) else 2
            out.append(_FOLDERS if at < len(pattern) else _ANY)
            continue
        if one == "*":
            out.append(_STAR)
        elif one == "?":
            out.append(_Piece("[^/]"))
        elif one == "[":
            end = pattern.find("]", at + 2)
            if end < 0:
                raise BadPattern(f"line {line}: [ without ] in {pattern!r}")
            inside = pattern[at + 1 : end]
            negated = inside.startswith("^")
            body = re.sub(r"([\[\]&~|])", r"\\\1", inside.removeprefix("^"))
            out.append(_Piece(f"[{'^' if negated else ''}{body}]", is_class=True))
            try:
                re.compile(out[-1].sign)
            except re.error as error:
                raise BadPattern(f"line {line}: {pattern!r} is not a pattern ({error})") from error
            at = end
        elif one == "\\" and at + 1 < len(pattern):
            at += 1
            out.append(_Piece(re.escape(pattern[at])))
        else:
            out.append(_Piece(re.escape(one)))
        at += 1
    return tuple(out)
