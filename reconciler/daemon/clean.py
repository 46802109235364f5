"""Makes foreign text safe to show: the one function between what others wrote and a terminal.

File contents, container output and the engine's messages may hold escape sequences that move the cursor, change
the window's title or answer for the user, and bidirectional controls that make a line read as something else.
"""

from __future__ import annotations

import re

# Whole sequences go, so that no `[31m` is left standing; a sequence without its end loses only its introducer.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\r\n]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-Z\\^-~]"  # two-character escapes; an unfinished [ or ] is left to the character rule
)
_BLANK = "\t\n\r\v\f\x85\u2028\u2029"


def clean(text: str, *, lines: bool = False) -> str:
    """``text`` with nothing in it but printable characters and spaces.

    Escape sequences and all control, format and bidirectional characters are dropped, lone surrogates shown as
    U+FFFD. Line breaks become spaces; with ``lines`` they (and tabs, as spaces) are kept.
    """
    if text.isprintable():
        return text
    if lines:
        return "\n".join(clean(line.replace("\t", "    ")) for line in text.replace("\r\n", "\n").split("\n"))
    return "".join(_shown(character) for character in _SEQUENCE.sub("", text)).rstrip()


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    if character in _BLANK or character.isspace():
        return " "
    return "\ufffd" if "\ud800" <= character <= "\udfff" else ""
