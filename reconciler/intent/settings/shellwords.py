"""Splits a command line into words as a POSIX shell does, without running a shell. Pure.

Compose does the same to a ``command`` or ``entrypoint`` that is one string. No shell ever sees the words, so an
operator (``&&``, ``|``, ``>``) that stands on its own would reach the program as an argument, or, in some
implementations, silently cut the command off: it is an error here, with the way out.
"""

from __future__ import annotations

from reconciler.intent.settings.faults import shown, wrong

_BLANK = frozenset(" \t\r\n")
_OPERATORS = frozenset({"&&", "||", ";", "|", "&", ">", ">>", "<", "<<", "2>", "2>>", "2>&1", "&>"})
_ESCAPABLE_IN_QUOTES = frozenset('"\\$`\n')


def split(line: str) -> list[str]:
    """The words of ``line``. Raises for an unfinished quotation and for shell operators outside quotes."""
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
                    raise wrong(f"the command {shown(line)} ends in a lone backslash")
                word.append(following)
                plain = False
            else:
                word.append(character)
    if quote:
        raise wrong(f"the command {shown(line)} has a quotation that is not closed")
    if started:
        words.append(_finished(word, plain))
    return words


def _finished(word: list[str], plain: bool) -> str:
    joined = "".join(word)
    if plain and joined in _OPERATORS:
        raise wrong(
            f"{joined} means something only to a shell, and none runs here;"
            ' write ["sh", "-c", "…"], or put it in quotes to pass it on as it is'
        )
    return joined
