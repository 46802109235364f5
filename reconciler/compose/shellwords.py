"""A command line split into words, as Compose splits it. Pure.

No shell ever sees the words. At a shell's operator (``&&``, ``|``, ``>``) Compose drops the rest of the line without a
word; it is dropped here as well, with a warning, since the stack has been running without it.
"""

from __future__ import annotations

_BLANK = " \t\r\n"
_OPERATORS = ";&|<>"
BAD_LINE = "this is no command line: a quotation or parenthesis in it is not closed, or stands where none can"


def split(line: str) -> tuple[list[str], str]:
    """The words, and what was dropped behind an operator. Raises ValueError."""
    words: list[str] = []
    word = ""
    started = False
    quote = ""  # the kind of quotation that is open: ' " ` or $ for $(…)
    at = 0
    while at < len(line):
        character = line[at]
        at += 1
        if character == "\\" and quote != "'":
            if at >= len(line):
                raise ValueError(BAD_LINE)
            word += line[at]
            at += 1
            started = True
            continue
        if character in _BLANK and not quote:
            if started:
                words.append(word)
            word, started = "", False
            continue
        if character in "'\"" and quote in ("", character, "`"):
            quote = "" if quote == character else character
            started = started or not quote
            continue
        if character == "`" and quote in ("", "`"):
            quote = "" if quote else "`"
        elif character == "(" and quote in ("", "$"):
            if quote or not word.endswith("$"):
                raise ValueError(BAD_LINE)
            quote = "$"
            word += character
            continue
        elif character == ")" and quote in ("", "$"):
            if not quote:
                raise ValueError(BAD_LINE)
            quote = ""
        elif character in _OPERATORS and not quote:
            if character == ">" and word[:1].isdigit():
                started = False
            dropped = line[at - 1 :]
            return ([*words, word] if started else words), dropped
        started = True
        word += character
    if quote:
        raise ValueError(BAD_LINE)
    return ([*words, word] if started else words), ""
