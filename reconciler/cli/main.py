"""The command ``pnr``: finds the subcommand, and imports only what that one needs."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, NoReturn

from reconciler import __version__
from reconciler.cli import exits
from reconciler.cli.command import Argument, Command
from reconciler.cli.commands import COMMANDS
from reconciler.cli.commands.shared import FOLDERS
from reconciler.errors import PnrError

_GARBAGE = 10_000
"""The collector looks after so many new objects. Python's 700 would be reached 400 times by what is imported alone."""

_EPILOG = """\
example:
  pnr run --domains ./domains --state ./state

exit codes: 0 done or settled, 1 failed, 2 invalid, 3 stalled, 4 no daemon or no engine, 5 a removal
is held, 64 wrong usage, 130 Ctrl-C. `pnr COMMAND --help` has the details.
"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """Knows its width: argparse would import shutil to find out, for every option that is declared."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=100)


class _CommandsHelp(_Help):
    """Has room for the longest command's name, which argparse measures without its indentation."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = max(len(command.name) for command in COMMANDS) + self._indent_increment * 2


class _Parser(argparse.ArgumentParser):
    """Ends with 64 on wrong usage: argparse's own 2 means "invalid" here."""

    def error(self, message: str) -> NoReturn:
        from reconciler.daemon.clean import clean

        self.print_usage(sys.stderr)
        self.exit(exits.USAGE, f"{self.prog}: {clean(message)}\n")


class _CommandParser(_Parser):
    """The parser of one command, filled in when it is the one that is asked for."""

    def __init__(self, *, command: Command, prog: str) -> None:
        super().__init__(prog=prog, formatter_class=_Help, description=command.description, epilog=command.epilog)
        self._command = command

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        # SUPPRESS, so that a command's parser does not undo what was given before the command.
        _declare(self, FOLDERS, default=argparse.SUPPRESS)
        _declare(self, self._command.arguments)
        self.set_defaults(module=self._command.module)
        if self._command.actions:
            _declare_commands(self, self._command.actions, "action", "ACTION")
        verbatim = next((argument for argument in self._command.arguments if argument.is_verbatim), None)
        if verbatim is None or "--" not in args:
            return super().parse_known_args(args, namespace)
        # argparse takes a second "--" out of the words, and that may be the one that is to be completed.
        at = args.index("--")
        found, unknown = super().parse_known_args(args[:at], namespace)
        setattr(found, verbatim.names[0], args[at + 1 :])
        return found, unknown


def _declare(parser: argparse.ArgumentParser, arguments: Iterable[Argument], **more: Any) -> None:
    for argument in arguments:
        parser.add_argument(*argument.names, help=argument.help, **argument.settings, **more)


def _declare_commands(
    parser: argparse.ArgumentParser, commands: Iterable[Command], dest: str, metavar: str, **more: Any
) -> None:
    parsers = parser.add_subparsers(dest=dest, metavar=metavar, required=True, parser_class=_CommandParser, **more)
    for command in commands:
        parsers.add_parser(command.name, help=command.summary, command=command)


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = _Parser(
        prog="pnr",
        description="Drop a JSON file, and it becomes and stays true: a reconciler for Docker.",
        epilog=_EPILOG,
        formatter_class=_CommandsHelp,
    )
    parser.add_argument("--version", action="version", version=f"pnr {__version__}")
    _declare(parser, FOLDERS, default=argparse.SUPPRESS)
    _declare_commands(parser, COMMANDS, "command", "COMMAND", title="commands", prog="pnr")
    return parser


def program() -> int:
    """What the command ``pnr`` runs: the same, for a process of its own.

    What is imported stays to the end: that the garbage collector looks at it again and again while it comes, and that
    it is taken apart piece by piece before the process ends, would be a third of what a start costs."""
    gc.set_threshold(_GARBAGE)
    try:
        return main()
    finally:
        gc.freeze()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")  # a terminal with a small character set is no reason to fail
    try:
        args = make_parser().parse_args(argv)
        code: int = import_module(f"reconciler.cli.{args.module}").run(args)
        sys.stdout.flush()
    except SystemExit as ending:  # argparse: help, version, wrong usage
        return ending.code if isinstance(ending.code, int) else exits.USAGE
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has seen enough. What Python still wants to flush at the end goes nowhere, quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.OK
    except PnrError as error:
        from reconciler.cli.terminal import complain

        complain(str(error))
        return exits.of(error)
    return code
