"""What one reading of a project carries along: its report, the files read so far, and where paths start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.compose import dotenv, files
from reconciler.compose.node import Node
from reconciler.compose.parsing import Document, documents
from reconciler.compose.paths import join
from reconciler.compose.project import ComposeError
from reconciler.compose.template import Variables
from reconciler.diagnostics import Diagnostics, Path, Place

MAX_FILES = 200
"""How many files one project may be made of."""
_REMOTE = ("https://", "http://", "git://", "ssh://", "git@", "github.com/", "oci://")


@dataclass(frozen=True, slots=True)
class Asked:
    """A file that is wanted, and what wants it: a node of another file with its path, or the person (None)."""

    path: str
    by: Node | None = None
    at: Path = ()

    @property
    def place(self) -> Place:
        return self.by.place if self.by is not None else Place(self.path)


@dataclass(slots=True)
class World:
    """What is the same for all files of a project."""

    report: Diagnostics
    home: str | None
    read_before: dict[str, list[Document]] = field(default_factory=dict)

    def documents(self, asked: Asked) -> list[Document]:
        """The documents of a file. Raises ComposeError where it is not there; what is wrong in it is recorded."""
        if asked.path not in self.read_before:
            if len(self.read_before) >= MAX_FILES:
                said = f"the project is made of more than {MAX_FILES} files"
                self.report.error(asked.at, "TooLarge", said, asked.place)
                self.report.raise_if_any(ComposeError)
            self.read_before[asked.path] = documents(self.content(asked), asked.path, self.report)
        return self.read_before[asked.path]

    def content(self, asked: Asked) -> bytes:
        """The bytes of a file. Raises ComposeError where it can't be read."""
        try:
            return files.read(asked.path)
        except files.Unreadable as error:
            which = "it" if asked.place.file == asked.path else f"the file {asked.path}"
            said = f"{which} can't be read: {error}"
            self.report.error(asked.at, "NotReadable", said, asked.place)
            self.report.raise_if_any(ComposeError)
            raise AssertionError("a recorded problem is thrown") from error

    def env_file(self, asked: Asked, around: Mapping[str, str]) -> dict[str, str]:
        """The variables of a file; what is wrong in it is recorded. Raises ComposeError where it can't be read."""
        return dotenv.read(self.content(asked), asked.path, around, self.report)

    def local(self, path: str, folder: str, asked_by: Node, at: Path) -> str:
        """The absolute path of a file of this machine. Raises ComposeError for one of another."""
        if path.startswith(_REMOTE):
            self.report.error(
                at,
                "RemoteResource",
                f"{path} is not on this machine: fetch it (git clone, or docker compose publish's counterpart) and name"
                " the local file",
                asked_by.place,
            )
            self.report.raise_if_any(ComposeError)
        return path if path.startswith("/") else join(folder, path)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where paths start: files are opened from ``folder`` (absolute), paths of the model are put behind ``base``."""

    folder: str
    base: str
    environment: Mapping[str, str]
    included: tuple[str, ...] = ()

    def variables(self, report: Diagnostics) -> Variables:
        """The values for the strings of its files."""
        return Variables(self.environment.get, lambda name: report.warning((), dotenv.UNSET, dotenv.unset(name)))
