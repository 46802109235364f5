"""JSON as it is meant to be, and nothing else: the first thing that meets a domain file's bytes.

What could hurt the parser (size, depth, endless numbers) is found before it runs, by patterns that cost a few
milliseconds at most. What the parser would let pass (duplicate keys, NaN, lone surrogates) is found after it.
Every error comes with its line, column and path.
"""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate
from typing import Any, ClassVar, NoReturn

from reconciler.diagnostics import MOST_TOLD, Diagnostic, Path, Place, cut_off, escaped
from reconciler.errors import PnrError
from reconciler.intent import positions

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_NUMBER_LENGTH = 400

_STRINGS = re.compile(positions.STRING, re.DOTALL)
_LONG_NUMBER = re.compile(rf"[-+0-9.eE]{{{MAX_NUMBER_LENGTH + 1},}}")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7})(?: |$)", re.MULTILINE)
_TO_STEPS = bytes.maketrans(b"[{]}", b"++--")
_STEP = {ord("+"): 1, ord("-"): -1}
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[{]}"))

# What the standard parser says, and what a person should read instead.
_EXPECTED = {
    "Expecting property name enclosed in double quotes": (
        "expected a key in double quotes here (single quotes, comments and a comma before the closing brace"
        " are not JSON)"
    ),
    "Illegal trailing comma before end of object": "a comma before the closing brace is not JSON: remove it",
    "Illegal trailing comma before end of array": "a comma before the closing bracket is not JSON: remove it",
    "Expecting ':' delimiter": "expected a colon between key and value",
    "Expecting ',' delimiter": "expected a comma or the closing bracket",
    "Expecting value": 'expected a value (an object, a list, a "string", a number, true, false or null)',
    "Extra data": "expected the end of the file: the JSON document is complete before this place",
    "Unterminated string starting at": "this string is never closed: a double quote is missing",
    "Invalid \\escape": 'unknown escape in a string: after a backslash JSON knows only " \\ / b f n r t and uXXXX',
    "Invalid \\uXXXX escape": "expected four hexadecimal digits after \\u",
}


class BadJson(PnrError):
    """The bytes are not strict JSON. ``errors`` holds everything found; the text is the first of it."""

    code: ClassVar[str] = "BadJson"

    def __init__(self, *errors: Diagnostic) -> None:
        super().__init__(str(errors[0]))
        self.errors = errors


def parse(data: bytes, file: str) -> Any:
    """The value that ``data`` holds. ``file`` is only named in errors. Raises :class:`BadJson`."""
    text = decode(data, file)
    if not text.strip(" \t\r\n"):
        _fail(file, "", 0, "Empty", "the file is empty: expected a JSON object with the domain's name and cpuxs")
    _check_shape(text, file)
    loose: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            loose.append("key")
        return found

    def number(raw: str) -> float:
        value = float(raw)
        if math.isinf(value):
            loose.append("number")
        return value

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_float=number, parse_constant=loose.append)
    except json.JSONDecodeError as error:
        raise BadJson(_syntax_error(text, file, error)) from None
    if loose or _SURROGATE_ESCAPE.search(text):
        errors = _loose_places(text, file)
        if errors:
            raise BadJson(*errors)
    return value


def parse_briefly(data: bytes, file: str) -> Any:
    """The same of what somebody wrote who is not to be given much time: the first error alone, and without the place
    in the document, which takes long to find. Raises :class:`BadJson`."""

    def bad(code: str, message: str) -> NoReturn:
        raise BadJson(Diagnostic.of_file(file, code, message))

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            seen: set[str] = set()
            twice = next(key for key, _ in items if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            bad("DuplicateKey", f'the key "{escaped(twice)}" stands twice in an object')
        return found

    def number(raw: str) -> float:
        value = float(raw)
        return bad("NotANumber", "a number is too large") if math.isinf(value) else value

    text = decode(data, file)
    if not text.strip(" \t\r\n"):
        bad("Empty", "the file is empty")
    bare = _STRINGS.sub(" ", text)
    if _depth(bare) > MAX_DEPTH:
        bad("TooDeep", f"nested deeper than {MAX_DEPTH} levels")
    if _LONG_NUMBER.search(bare):
        bad("NumberTooLong", f"a number of more than {MAX_NUMBER_LENGTH} characters")
    try:
        value = json.loads(
            text,
            object_pairs_hook=pairs,
            parse_float=number,
            parse_constant=lambda word: bad("NotANumber", f"{word} is not JSON"),
        )
    except json.JSONDecodeError as error:
        message = _EXPECTED.get(error.msg, "this is not JSON")
        raise BadJson(Diagnostic((), "Syntax", message, place=Place(file, error.lineno, error.colno))) from None
    if _SURROGATE_ESCAPE.search(text) and _LONE_SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        bad("LoneSurrogate", "half a surrogate pair (\\uD800 to \\uDFFF) is not a character")
    return value


def decode(data: bytes, file: str) -> str:
    """The text of a file that must be UTF-8 of a bearable size. Raises :class:`BadJson`."""
    if len(data) > MAX_BYTES:
        message = f"the file has {len(data)} bytes; a domain file may have {MAX_BYTES} (1 MiB) at most"
        raise BadJson(Diagnostic.of_file(file, "TooLarge", message))
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")) or b"\0" in data[:2]:
        _fail(file, "", 0, "NotUtf8", "the file is UTF-16 or UTF-32: save it as UTF-8 (without a byte-order mark)")
    if data.startswith(b"\xef\xbb\xbf"):
        _fail(file, "", 0, "ByteOrderMark", "the file begins with a byte-order mark: save it as UTF-8 without one")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8")
        message = f"byte 0x{data[error.start]:02x} is not valid UTF-8 here: save the file as UTF-8"
        _fail(file, good, len(good), "NotUtf8", message)


def _check_shape(text: str, file: str) -> None:
    bare = _STRINGS.sub(" ", text)
    if _depth(bare) > MAX_DEPTH:
        deep = next(t for t in positions.tokens(text) if len(t.path) >= MAX_DEPTH and t.raw in ("{", "["))
        message = f"nested deeper than {MAX_DEPTH} levels: a domain file needs far fewer"
        _fail(file, text, deep.start, "TooDeep", message, tuple(deep.path))
    if _LONG_NUMBER.search(bare):
        for token in positions.tokens(text):
            if _LONG_NUMBER.match(token.raw):
                message = f"a number of {len(token.raw)} characters; at most {MAX_NUMBER_LENGTH} are read"
                _fail(file, text, token.start, "NumberTooLong", message, tuple(token.path))


def _depth(bare: str) -> int:
    """How deep a text is nested that has no strings any more."""
    steps = bare.encode("utf-8", "surrogatepass").translate(_TO_STEPS, _NOT_BRACKETS)
    while b"+-+-" in steps:  # of equal neighbours, which can be many, one is as deep as all
        steps = steps.replace(b"+-+-", b"+-")
    return max(accumulate(map(_STEP.__getitem__, steps)), default=0)


def _syntax_error(text: str, file: str, error: json.JSONDecodeError) -> Diagnostic:
    offset, code = error.pos, "Syntax"
    conflict = _CONFLICT.search(text)
    if conflict and conflict.start() <= offset:
        offset, code = conflict.start(), "MergeConflict"
        message = "an unresolved merge conflict: edit the file, or finish the merge"
    elif error.msg.startswith("Invalid control character"):
        code = "ControlCharacter"
        character = escaped(text[offset : offset + 1])
        message = f"a raw control character ({character}) in a string: write it as an escape, or close the string"
    elif not text[offset:].strip(" \t\r\n") or error.msg.startswith("Unterminated"):
        code = "Truncated"
        message = "the file ends too early: " + _EXPECTED.get(error.msg, "something is missing")
    else:
        message = _EXPECTED.get(error.msg, "this is not JSON")
        found = text[offset : offset + 20].partition("\n")[0].strip()
        if found:
            message += f", found {escaped(found)}"
    return _error(file, text, offset, code, message, positions.path_at(text, offset))


def _loose_places(text: str, file: str) -> tuple[Diagnostic, ...]:
    """What the parser let pass, in the order of the file; cut off at a bearable number."""
    index = positions.LineIndex(text)
    told: list[Diagnostic] = []
    more = 0
    for token in positions.tokens(text):
        found = _looseness(token)
        if found is not None and len(told) < MOST_TOLD:
            told.append(Diagnostic(tuple(token.path), *found, place=Place(file, *index.place(token.start))))
        elif found is not None:
            more += 1
    return cut_off(told, more=more)


def _looseness(token: positions.Token) -> tuple[str, str] | None:
    raw = token.raw
    if raw.startswith('"'):
        if "\\u" in raw and _LONE_SURROGATE.search(positions.decode_key(raw)):
            where = "key" if token.is_key else "string"
            return "LoneSurrogate", f"half a surrogate pair (\\uD800 to \\uDFFF) in this {where} is not a character"
        if token.again:
            return "DuplicateKey", f'the key "{escaped(str(token.path[-1]))}" stands in this object before'
        return None
    if raw in ("NaN", "Infinity", "-Infinity"):
        return "NotANumber", f"{raw} is not JSON: expected a number"
    if raw[0] in "-0123456789" and math.isinf(float(raw)):
        return "NotANumber", f"{escaped(raw)} is larger than any number that can be read"
    return None


def _error(file: str, text: str, offset: int, code: str, message: str, path: Path = ()) -> Diagnostic:
    return Diagnostic(path, code, message, place=Place(file, *positions.LineIndex(text).place(offset)))


def _fail(file: str, text: str, offset: int, code: str, message: str, path: Path = ()) -> NoReturn:
    raise BadJson(_error(file, text, offset, code, message, path))
