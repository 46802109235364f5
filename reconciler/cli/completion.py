"""``pnr completion``: the script by which a shell completes, and the answers to what the script asks.

The scripts know nothing of the commands: they hand over the words that stand on the command line, and get a candidate a
line, its help behind a tab, and last what else the shell is to offer (``:files``, ``:folders``, or ``:`` for nothing).
"""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from reconciler.cli import exits
from reconciler.cli.command import Argument, Command, Completes, flag
from reconciler.cli.commands import COMMANDS
from reconciler.cli.commands.shared import FOLDERS
from reconciler.cli.completion_names import Names, known_names
from reconciler.cli.completion_scripts import SCRIPTS
from reconciler.cli.folders import folders
from reconciler.cli.terminal import print_json
from reconciler.daemon.clean import clean

_ALWAYS = (*FOLDERS, flag("--help", "show its options"))
_VERSION = flag("--version", "show the version")
_ELSEWHERE: Mapping[Completes, str] = {"files": "files", "policies": "files", "folders": "folders"}


class Candidates(NamedTuple):
    """What a word can become, with help for each; and whether it can be one of the shell's own ``files`` or
    ``folders``."""

    words: Mapping[str, str]
    kind: str = ""


class _Line(NamedTuple):
    """What the words before the last one say. ``expects`` is the option whose value the last word is."""

    commands: Sequence[Command]
    command: Command | None
    options: tuple[Argument, ...]
    expects: Argument | None
    values: Mapping[str, str]
    given: Sequence[str]
    used: Sequence[Argument]
    is_plain: bool


def run(args: Namespace) -> int:
    """Print the script, or what the last word can become; an exit code."""
    if not args.words:
        print(SCRIPTS[args.shell], end="")
        return exits.OK
    found = complete(args.words, args)
    if args.json:
        print_json({"words": [{"word": word, "help": help} for word, help in found.words.items()], "kind": found.kind})
        return exits.OK
    for word, help in found.words.items():
        print(f"{clean(word)}\t{clean(help)}")
    print(f":{found.kind}")
    return exits.OK


def complete(words: Sequence[str], args: Namespace) -> Candidates:
    """What the last of the words behind ``pnr`` can become."""
    *before, last = _joined(words)
    line = _read(before)
    if line is None:
        return Candidates({})
    name, is_assigned, value = last.partition("=")
    if line.expects is not None:
        return _starting(_values(line.expects, last, line, args), last)
    if is_assigned and last.startswith("--") and not line.is_plain:
        option = _find(line.options, name)
        if option is None or not option.takes_value:
            return Candidates({})
        found = _starting(_values(option, value, line, args), value)
        return (
            found
            if last != words[-1]
            else Candidates({f"{name}={one}": help for one, help in found.words.items()}, found.kind)
        )
    if last.startswith("-") and not line.is_plain:
        return _starting(Candidates(_option_words(line)), last)
    return _starting(_of_place(last, line, args), last)


def _joined(words: Sequence[str]) -> list[str]:
    """The words, where bash has taken ``--option=value`` apart, with these together."""
    found: list[str] = []
    for number, word in enumerate(words):
        follows = found and found[-1].startswith("--")
        if follows and (word == "=" or (number and words[number - 1] == "=" and found[-1].endswith("="))):
            found[-1] += word
        else:
            found.append(word)
    return found


def _read(words: Iterable[str]) -> _Line | None:
    """What stands before the word to complete; None where that is not a command."""
    commands: Sequence[Command] = COMMANDS
    command: Command | None = None
    options: tuple[Argument, ...] = (*_ALWAYS, _VERSION)
    expects: Argument | None = None
    values: dict[str, str] = {}
    given: list[str] = []
    used: list[Argument] = []
    is_plain = False
    for word in words:
        if expects is not None:
            values[expects.names[0]] = word
            expects = None
        elif word.startswith("-") and word != "-" and not is_plain:
            name, is_assigned, value = word.partition("=")
            option = _find(options, name)
            is_plain = word == "--"
            if option is None:
                continue
            used.append(option)
            if is_assigned:
                values[option.names[0]] = value
            elif option.takes_value:
                expects = option
        elif commands:
            command = next((one for one in commands if one.name == word), None)
            if command is None:
                return None
            commands = command.actions
            options = (*_ALWAYS, *(argument for argument in command.arguments if argument.is_option))
        else:
            given.append(word)
    return _Line(commands, command, options, expects, values, given, used, is_plain)


def _find(options: Iterable[Argument], name: str) -> Argument | None:
    return next((option for option in options if name in option.names), None)


def _option_words(line: _Line) -> dict[str, str]:
    again = [option for option in line.used if option.settings.get("action") != "append"]
    return {
        next(name for name in option.names if name.startswith("--")): option.help
        for option in line.options
        if option not in again
    }


def _of_place(start: str, line: _Line, args: Namespace) -> Candidates:
    """What can stand here that is not an option: a command, or an argument of it."""
    if line.commands:
        return Candidates({command.name: command.summary for command in line.commands})
    assert line.command is not None
    left = list(line.given)
    for argument in line.command.arguments:
        if argument.is_option:
            continue
        is_many = argument.settings.get("nargs") == "*"
        if is_many or not left:
            found = _values(argument, start, line, args)
            return found._replace(words={word: help for word, help in found.words.items() if word not in left})
        left.pop(0)
    return Candidates({})


def _values(argument: Argument, start: str, line: _Line, args: Namespace) -> Candidates:
    choices = argument.settings.get("choices")
    if choices:
        return Candidates(dict.fromkeys(choices, ""))
    words: Mapping[str, str] = {}
    match argument.completes:
        case "policies":
            words = dict.fromkeys(("open", "standard", "strict"), "a profile")
        case "variables":
            words = dict.fromkeys(sorted(os.environ), "")
        case "domains":
            words = _names(line, args).domains
        case "held":
            words = _names(line, args).held
        case "chunks":
            names = _names(line, args)
            words = names.full_chunks if "/" in start else names.chunks
    return Candidates(words, _ELSEWHERE.get(argument.completes, ""))


def _names(line: _Line, args: Namespace) -> Names:
    """Those in the state folder that the line names, or that the command would take."""
    named = Namespace(**{**vars(args), **{name.removeprefix("--"): value for name, value in line.values.items()}})
    return known_names(folders(named)[1])


def _starting(found: Candidates, start: str) -> Candidates:
    return found._replace(words={word: help for word, help in found.words.items() if word.startswith(start)})
