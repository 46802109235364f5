"""The command ``pnr``: finds the subcommand, and imports only what that one needs."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from reconciler import __version__
from reconciler.cli import exits
from reconciler.errors import PnrError

# name, module in reconciler.cli, one line of help. A module has `configure(parser)` and `run(args) -> exit code`.
COMMANDS = (
    ("run", "run", "run the daemon: make the domain files true, and keep them so"),
    ("apply", "apply", "converge once"),
    ("plan", "plan", "show what would be done, and do nothing"),
    ("validate", "validate", "check domain files"),
    ("status", "status", "show how every chunk stands"),
    ("why", "why", "say in a sentence why a chunk is as it is"),
    ("facts", "facts", "show all facts"),
    ("events", "events", "show who changed what, when and why"),
    ("logs", "logs", "show what a chunk's container prints"),
    ("down", "down", "take domains down"),
    ("confirm-removal", "confirm_removal", "let domains go whose files are gone, and whose removal is held"),
    ("images", "images", "show which image each chunk runs, and which is the newest"),
    ("prune", "prune", "remove images of ours that nothing uses any more"),
    ("import", "import_compose", "make a domain file of a Compose project"),
    ("policy", "policy", "show what the policy says of a domain file, and check a policy file"),
    ("graph", "graph", "draw which chunk waits for which fact"),
    ("schema", "schema", "print the JSON Schema of a domain file"),
)

_GARBAGE = 10_000
"""The collector looks after so many new objects. Python's 700 would be reached 400 times by what is imported alone."""

_EPILOG = """\
example:
  pnr run --domains ./domains --state ./state

exit codes: 0 done or settled, 1 failed, 2 invalid, 3 stalled, 4 no daemon or no engine, 5 a removal
is held, 64 wrong usage, 130 Ctrl-C. `pnr COMMAND --help` tells more.
"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """Knows its width: argparse would import shutil to find out, for every option that is declared."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=100)


class _CommandsHelp(_Help):
    """Has room for the longest command's name, which argparse measures without its indentation."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = max(len(name) for name, _, _ in COMMANDS) + self._indent_increment * 2


class _Parser(argparse.ArgumentParser):
    """Ends with 64 on wrong usage: argparse's own 2 means "invalid" here."""

    def error(self, message: str) -> NoReturn:
        from reconciler.daemon.clean import clean

        self.print_usage(sys.stderr)
        self.exit(exits.USAGE, f"{self.prog}: {clean(message)}\n")


class _CommandParser(_Parser):
    """The parser of one subcommand, filled in when it is the one that is asked for."""

    def __init__(self, *, module: str, prog: str) -> None:
        super().__init__(prog=prog, formatter_class=_Help)
        self._module = module

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        module = import_module(f"reconciler.cli.{self._module}")
        _folder_options(self)
        module.configure(self)
        self.set_defaults(run=module.run)
        return super().parse_known_args(args, namespace)


class ActionParser(_Parser):
    """The parser of one of several things that a subcommand can do: ``pnr policy check``."""

    def __init__(self, *, prog: str) -> None:
        super().__init__(prog=prog, formatter_class=_Help)
        _folder_options(self)


def _folder_options(parser: argparse.ArgumentParser) -> None:
    # SUPPRESS, so that a subcommand's parser does not undo what was given before the subcommand.
    parser.add_argument(
        "--domains", metavar="DIR", default=argparse.SUPPRESS, help="the domain files (PNR_DOMAINS, ./domains)"
    )
    parser.add_argument(
        "--state", metavar="DIR", default=argparse.SUPPRESS, help="what lasts, and the socket (PNR_STATE, ./state)"
    )


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = _Parser(
        prog="pnr",
        description="Drop a JSON file, and it becomes and stays true: a reconciler for Docker.",
        epilog=_EPILOG,
        formatter_class=_CommandsHelp,
    )
    parser.add_argument("--version", action="version", version=f"pnr {__version__}")
    _folder_options(parser)
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_CommandParser, title="commands", prog="pnr"
    )
    for name, module, text in COMMANDS:
        commands.add_parser(name, help=text, module=module)
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
        code: int = args.run(args)
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
