"""Command lines, split into words. No shell ever sees the words. Pure.

A shell's operator (``&&``, ``|``, ``>``) that stands on its own would reach the program as an argument: ``read``
refuses it. At one Compose drops the rest of the line without a word, also where it is a part of a word (``a;b``);
``read_as_compose`` says what it drops. In double quotes Compose takes whatever is behind a backslash without it, where
a shell does so with few signs; it keeps ``$(…)`` and back ticks together as a part of one word, and refuses other
parentheses.
"""

from __future__ import annotations

_BLANK = " \t\r\n"
_OPERATORS = frozenset({"&&", "||", ";", "|", "&", ">", ">>", "<", "<<", "2>", "2>>", "2>&1", "&>"})
_ESCAPABLE_IN_QUOTES = frozenset('"\\$`\n')
_OPERATORS_OF_COMPOSE = ";&|<>"
_BAD_LINE = "this is not a command line: a quotation or parenthesis in it is not closed, or stands where none can"


class Operator(ValueError):
    """A word that means something only to a shell."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def read(line: str) -> list[str]:
    """The words, as a POSIX shell splits them. Raises Operator for one outside quotes."""
    words: list[str] = []
    word: list[str] = []
    started = False  # there is a present word, be it empty
    plain = True  # nothing in the present word was quoted
    quote = ""
    characters = iter(line)
    for character in characters:
        if quote:
            if character == quote:
                quote = ""
            elif character == "\\" and quote == '"':
                following = next(characters, "")
                escaped = following in _ESCAPABLE_IN_QUOTES and following != ""
                word.append(following if escaped else "\\" + following)
            else:
                word.append(character)
        elif character in _BLANK:
            if started:
                words.append(_finished(word, plain))
            word, started, plain = [], False, True
        else:
            started = True
            if character in "'\"":
                quote, plain = character, False
            elif character == "\\":
                following = next(characters, "")
                if not following:
                    raise ValueError("ends in a lone backslash")
                word.append(following)
                plain = False
            else:
                word.append(character)
    if quote:
        raise ValueError("has a quotation that is not closed")
    if started:
        words.append(_finished(word, plain))
    return words


def _finished(word: list[str], plain: bool) -> str:
    joined = "".join(word)
    if plain and joined in _OPERATORS:
        raise Operator(joined)
    return joined


def read_as_compose(line: str) -> tuple[list[str], str]:
    """The words, and what Compose drops: the first operator, and all behind it."""
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
                raise ValueError(_BAD_LINE)
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
                raise ValueError(_BAD_LINE)
            quote = "$"
            word += character
            continue
        elif character == ")" and quote in ("", "$"):
            if not quote:
                raise ValueError(_BAD_LINE)
            quote = ""
        elif character in _OPERATORS_OF_COMPOSE and not quote:
            if character == ">" and word[:1].isdigit():
                started = False
            dropped = line[at - 1 :]
            return ([*words, word] if started else words), dropped
        started = True
        word += character
    if quote:
        raise ValueError(_BAD_LINE)
    return ([*words, word] if started else words), ""
