"""YAML text to nodes with places, as Compose reads YAML: anchors, merge keys, ``!reset`` and ``!override``. Pure.

The syntax is libyaml's, which PyYAML uses or follows and go-yaml is a translation of; what scalars mean is decided in
:mod:`.scalars`. What could hurt (nesting, aliases that grow, endless text) ends in a clear problem.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any

import yaml

from reconciler.compose.node import Node
from reconciler.compose.scalars import resolved
from reconciler.diagnostics import Diagnostics, Path, Place

MAX_BYTES = 1024 * 1024
"""How large one file may be, in bytes."""
MAX_NESTING = 64
MAX_NODES = 100_000
"""How many values one file may have once its aliases are put in."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file. ``cleared`` are the paths that ``!reset`` and ``!override`` take away from what the
    files before it say.
    """

    root: Node
    cleared: frozenset[Path]


@dataclass(slots=True)
class _Raw:
    """A node as written: ``content`` is a string, a list of nodes, a list of pairs, or for an alias its node.

    ``size`` counts the values in it with its aliases put in; ``open`` says that its end is not read yet.
    """

    kind: str
    tag: str | None
    content: Any
    line: int
    column: int
    quoted: bool = False
    open: bool = True
    size: int = 1


class _Unusable(Exception):
    """The file can't be read any further; the problem is recorded."""


def documents(content: bytes, file: str, report: Diagnostics) -> list[Document]:
    """The documents of a file; none where it has a problem, which is recorded."""
    try:
        text = _text(content, file, report)
        return [_Reader(file, report).document(raw) for raw in _Composer(text, file, report).all()]
    except _Unusable:
        return []


def _text(content: bytes, file: str, report: Diagnostics) -> str:
    if len(content) > MAX_BYTES:
        report.error((), "TooLarge", f"the file is larger than {MAX_BYTES // 1024} KiB", Place(file))
        raise _Unusable
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        report.error((), "BadEncoding", "the file is not UTF-8", Place(file, line, 1))
        raise _Unusable from None


class _Composer:
    """Puts the parser's events together, aliases left as they are."""

    def __init__(self, text: str, file: str, report: Diagnostics) -> None:
        self.text, self.file, self.report = text, file, report
        self.anchors: dict[str, _Raw] = {}

    def all(self) -> list[_Raw]:
        try:
            self.events = _Loader(self.text)
            found: list[_Raw] = []
            while self.events.check_event():
                event = self.events.get_event()
                if isinstance(event, yaml.DocumentStartEvent):
                    self.anchors = {}
                    found.append(self.node(self.events.get_event(), 0))
            return found
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            said = " ".join(part for part in (error.problem, error.context and f"({error.context})") if part)
            where = Place(self.file, mark.line + 1, mark.column + 1) if mark else Place(self.file)
            self.report.error((), "BadYaml", f"this is not YAML: {said}", where)
        except yaml.reader.ReaderError as error:
            position = error.position if isinstance(error.position, int) else 0
            line = self.text.count("\n", 0, position) + 1
            column = position - (self.text.rfind("\n", 0, position) + 1) + 1
            self.report.error((), "BadYaml", f"this is not YAML: {error.reason}", Place(self.file, line, column))
        raise _Unusable

    def node(self, event: Any, depth: int) -> _Raw:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if depth > MAX_NESTING:
            self.stop(line, column, "TooDeep", f"values are nested deeper than {MAX_NESTING} levels")
        if isinstance(event, yaml.AliasEvent):
            anchored = self.anchors.get(str(event.anchor))
            if anchored is None:
                self.stop(line, column, "UnknownAnchor", f"the anchor &{event.anchor} is not defined before this place")
            elif anchored.open:
                self.stop(line, column, "Cycle", f"the value of the anchor &{event.anchor} contains itself")
            return _Raw("alias", None, anchored, line, column, open=False, size=anchored.size if anchored else 0)
        made = _Raw(type(event).__name__, event.tag, None, line, column)
        if event.anchor is not None:
            self.anchors[event.anchor] = made
        if isinstance(event, yaml.ScalarEvent):
            made.content, made.quoted = event.value or "", event.style not in (None, "")
        elif isinstance(event, yaml.SequenceStartEvent):
            made.content = []
            while not isinstance(following := self.events.get_event(), yaml.SequenceEndEvent):
                made.content.append(self.node(following, depth + 1))
            made.size += sum(item.size for item in made.content)
        else:
            made.content = []
            while not isinstance(following := self.events.get_event(), yaml.MappingEndEvent):
                key = self.node(following, depth + 1)
                made.content.append((key, self.node(self.events.get_event(), depth + 1)))
            made.size += sum(key.size + value.size for key, value in made.content)
        made.open = False
        if made.size > MAX_NODES:
            self.stop(line, column, "TooLarge", f"with its aliases put in this has more than {MAX_NODES} values")
        return made

    def stop(self, line: int, column: int, code: str, message: str) -> None:
        self.report.error((), code, message, Place(self.file, line, column))
        raise _Unusable


@dataclass(slots=True)
class _Reader:
    """Makes nodes of what was written; aliases and merge keys are put in here."""

    file: str
    report: Diagnostics
    cleared: set[Path] = field(default_factory=set)

    def document(self, raw: _Raw) -> Document:
        self.cleared = set()
        root = self.node(raw, (), raw, tags=True)
        return Document(root or Node(None, self.place(raw)), frozenset(self.cleared))

    def place(self, raw: _Raw) -> Place:
        return Place(self.file, raw.line, raw.column)

    def node(self, raw: _Raw, path: Path, at: _Raw, *, tags: bool) -> Node | None:
        """The node of ``raw``, placed ``at`` its key; None for what ``!reset`` takes away."""
        while raw.kind == "alias":
            raw = raw.content
        if tags and raw.tag in ("!reset", "!override"):
            self.cleared.add(path)
            if raw.tag == "!reset":
                return None
            tags = False
        if raw.kind == "ScalarEvent":
            return Node(self.scalar(raw), self.place(at))
        if raw.kind == "SequenceStartEvent":
            items = [self.node(item, (*path, index), item, tags=tags) for index, item in enumerate(raw.content)]
            return Node([item for item in items if item is not None], self.place(at))
        return Node(self.mapping(raw, path, tags=tags), self.place(at))

    def scalar(self, raw: _Raw) -> Any:
        tag, text = raw.tag, str(raw.content)
        if tag in (None, "!"):
            return text if raw.quoted or tag else resolved(text)
        kind = str(tag).removeprefix(_STANDARD)
        if kind in (tag, "str"):
            return text
        if kind == "binary":
            try:
                return base64.b64decode(text, validate=False).decode("utf-8", "replace")
            except binascii.Error:
                self.report.error((), "BadYaml", "the value of !!binary is not base64", self.place(raw))
                return ""
        value = resolved(text)
        fits = {
            "int": isinstance(value, int) and not isinstance(value, bool),
            "float": isinstance(value, int | float) and not isinstance(value, bool),
            "bool": isinstance(value, bool),
            "null": value is None,
            "timestamp": hasattr(value, "tzinfo"),
        }
        if not fits.get(kind, True):
            self.report.error((), "BadYaml", f"{text!r} is not a value of the type !!{kind}", self.place(raw))
        return float(value) if kind == "float" and fits["float"] else value

    def mapping(self, raw: _Raw, path: Path, *, tags: bool) -> dict[str, Node]:
        found: dict[str, Node] = {}
        first: dict[str, _Raw] = {}
        merged: list[_Raw] = []
        for key, value in raw.content:
            name = self.key(key, path)
            if name is None:
                continue
            if name in first:
                said = f"the key {name} stood here before, in line {first[name].line}"
                self.report.error((*path, name), "DuplicateKey", said, self.place(key))
                continue
            first[name] = key
            if name == "<<" and not key.quoted and key.kind == "ScalarEvent":
                merged.append(value)
                continue
            node = self.node(value, (*path, name), key, tags=tags)
            if node is not None:
                found[name] = node
        for value in merged:
            for name, node in self.to_merge(value, path, tags=tags).items():
                found.setdefault(name, node)
        return found

    def key(self, raw: _Raw, path: Path) -> str | None:
        at = raw
        while raw.kind == "alias":
            raw = raw.content
        value = self.scalar(raw) if raw.kind == "ScalarEvent" else None
        if isinstance(value, str):
            return value
        shown = raw.content if raw.kind == "ScalarEvent" else "a list or mapping"
        self.report.error(path, "BadKey", f"a key must be text, and {shown} is none: put it in quotes", self.place(at))
        return None

    def to_merge(self, raw: _Raw, path: Path, *, tags: bool) -> dict[str, Node]:
        """The entries that a ``<<`` brings: of a mapping, or of a list of mappings, where the first one wins."""
        at = raw
        while raw.kind == "alias":
            raw = raw.content
        if raw.kind == "MappingStartEvent":
            node = self.node(raw, path, at, tags=tags)
            return {} if node is None else node.entries
        found: dict[str, Node] = {}
        if raw.kind == "SequenceStartEvent":
            for item in raw.content:
                inner = item
                while inner.kind == "alias":
                    inner = inner.content
                if inner.kind != "MappingStartEvent":
                    break
                for name, node in self.to_merge(item, path, tags=tags).items():
                    found.setdefault(name, node)
            else:
                return found
        said = "the value of << must be a mapping, or a list of mappings"
        self.report.error((*path, "<<"), "BadYaml", said, self.place(at))
        return {}
