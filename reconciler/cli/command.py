"""What a command is: its arguments, its help and its function. The table of all of them is ``commands.py``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

Completes = Literal["", "domains", "held", "chunks", "files", "folders", "policies", "variables"]
"""What a shell completes a value with; "" where the choices are all, or nothing is known."""


class Argument(NamedTuple):
    """A positional argument or an option. ``settings`` are argparse's, without names and help.

    ``is_verbatim``: all that stands behind ``--`` is its value, whatever it looks like."""

    names: tuple[str, ...]
    help: str
    settings: Mapping[str, Any]
    completes: Completes = ""
    is_verbatim: bool = False

    @property
    def is_option(self) -> bool:
        """Whether it begins with a dash."""
        return self.names[0].startswith("-")

    @property
    def takes_value(self) -> bool:
        """Whether a word belongs to it that is not its name."""
        return "action" not in self.settings or self.settings["action"] == "append"

    @property
    def placeholder(self) -> str:
        """What stands for its value in a text."""
        choices = self.settings.get("choices")
        return "|".join(choices) if choices else str(self.settings.get("metavar") or self.names[0].upper())


class Command(NamedTuple):
    """A row of the table. ``module`` in ``reconciler.cli`` has ``run(args) -> exit code``, and is imported to run only.

    ``summary`` is its line in the list of commands, ``description`` the long text (in lines that fit a terminal),
    ``exits`` what its exit codes mean, ``needs`` what has to be there, ``more`` a page that says more. A command with
    ``actions`` has commands of its own.
    """

    name: str
    module: str
    summary: str
    description: str
    needs: str = ""
    arguments: tuple[Argument, ...] = ()
    examples: tuple[str, ...] = ()
    exits: str = ""
    more: str = ""
    actions: tuple[Command, ...] = ()

    @property
    def epilog(self) -> str | None:
        """What stands below its options: examples and exit codes."""
        if not self.examples:
            return None
        title = "examples" if len(self.examples) > 1 else "example"
        return f"{title}:\n" + "".join(f"  {one}\n" for one in self.examples) + f"\nexit codes: {self.exits}"


def flag(name: str, help: str, *others: str) -> Argument:
    """An option that is given or not."""
    return Argument((name, *others), help, {"action": "store_true"})


def option(
    names: str, metavar: str, help: str, *, completes: Completes = "", many: bool = False, **settings: Any
) -> Argument:
    """An option with a value; ``names`` with blanks between. ``many``: it may be given several times."""
    if many:
        settings = {"action": "append", "default": [], **settings}
    return Argument(tuple(names.split()), help, {"metavar": metavar, **settings}, completes)


def choice(name: str, choices: tuple[str, ...], help: str, **settings: Any) -> Argument:
    """An argument whose value is one of a few."""
    return Argument((name,), help, {"choices": choices, **settings})


def positional(name: str, help: str, *, completes: Completes = "", **settings: Any) -> Argument:
    """An argument that is known by where it stands."""
    return Argument((name,), help, settings, completes)


def whole_number(most: int, what: str = "a number") -> Callable[[str], int]:
    """Reads a number from 1 to ``most``."""

    def read(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not {what} from 1 to {most}")
        return int(text)

    return read


def seconds(text: str) -> float:
    """Reads a number of seconds above 0."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return found
