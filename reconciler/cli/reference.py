"""Writes what is a table in the code into the pages of the documentation: ``make docs``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from reconciler.cli.command import Argument, Command
from reconciler.cli.commands import COMMANDS
from reconciler.cli.commands.shared import SHARED
from reconciler.intent.reference import render
from reconciler.probes.registry import known_types
from reconciler.states import Reason, State

_REASONS = "<!-- The reasons are written by `make docs` from reconciler/states.py: change them there. -->\n"
_END_OF_REASONS = "<!-- End of the reasons. -->\n"
_COMMANDS = "<!-- The commands are written by `make docs` from reconciler/cli/commands: change them there. -->\n"
_END_OF_COMMANDS = "<!-- End of the commands. -->\n"
_OPTIONS = "<!-- The options are written by `make docs` from reconciler/cli/commands: change them there. -->\n"
_END_OF_OPTIONS = "<!-- End of the options. -->\n"


def states_page(page: str) -> str:
    """The page about states, with the reasons as they are now."""
    return _between(page, _REASONS, _END_OF_REASONS, _reasons())


def commands_page(page: str) -> str:
    """The page about commands, with the table of them and with all their options as they are now."""
    page = _between(page, _COMMANDS, _END_OF_COMMANDS, _commands())
    return _between(page, _OPTIONS, _END_OF_OPTIONS, _options())


def _between(page: str, begin: str, end: str, lines: Iterator[str]) -> str:
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return before + begin + "\n" + "\n".join(lines) + "\n\n" + end + after


def _reasons() -> Iterator[str]:
    yield "| reason | with state | what it says | what to do | passes by itself |"
    yield "| --- | --- | --- | --- | --- |"
    for reason in Reason:
        advice = reason.advice.format(chunk="CHUNK", domain="DOMAIN", image="IMAGE")
        heals = "" if reason.states == (State.COMPLETED,) else reason.heals
        yield f"| `{reason}` | {_with_states(reason)} | {reason.meaning} | {advice} | {heals} |"


def _with_states(reason: Reason) -> str:
    if reason.states == tuple(State):
        return "any"
    return ", ".join(reason.states) or "(none: the journal's word for work)"


def _commands() -> Iterator[str]:
    yield "| command | what it does | needs |"
    yield "| --- | --- | --- |"
    for command in COMMANDS:
        for row, line in zip(command.actions or (command,), _usages(command), strict=True):
            more = f" ({command.more})" if command.more else ""
            yield f"| `{_cell(line)}` | {row.summary}{more} | {command.needs} |"


def _options() -> Iterator[str]:
    for command in COMMANDS:
        yield f"### pnr {command.name}\n"
        yield f"{_in_one_line(command.description)}\n"
        for row, line in zip(command.actions or (command,), _usages(command), strict=True):
            yield f"`{line}`" + (f": {_in_one_line(row.description)}" if row is not command else "") + "\n"
            yield from _arguments(row)
        yield "```sh"
        yield from command.examples
        yield "```\n"
        yield f"Exit codes: {_in_one_line(command.exits)}.\n"


def _arguments(command: Command) -> Iterator[str]:
    own = [argument for argument in command.arguments if argument.names not in SHARED]
    if own:
        yield "| argument | meaning |"
        yield "| --- | --- |"
        for argument in own:
            names = ", ".join(f"`{name}`" for name in argument.names) if argument.is_option else ""
            value = f" `{_cell(argument.placeholder)}`" if argument.takes_value or not argument.is_option else ""
            yield f"| {f'{names}{value}'.strip()} | {_cell(argument.help)} |"
        yield ""
    shared = [f"`{argument.names[0]}`" for argument in command.arguments if argument.names in SHARED]
    if shared:
        yield f"Also {', '.join(shared)}.\n"


def _usages(command: Command) -> Iterator[str]:
    """How a command is written, or each of its actions, without what all take."""
    if command.actions:
        for action in command.actions:
            yield f"pnr {command.name} {_usage(action)}"
    else:
        yield f"pnr {_usage(command)}"


def _usage(command: Command) -> str:
    shown = [one for one in command.arguments if one.names not in SHARED and one.names != ("--json",)]
    shown.sort(key=lambda argument: argument.is_option)
    return " ".join([command.name, *(_written(argument) for argument in shown)])


def _written(argument: Argument) -> str:
    if not argument.is_option:
        many = "…" if argument.settings.get("nargs") == "*" else ""
        dashes = "-- " if argument.is_verbatim else ""
        return f"[{dashes}{argument.placeholder}{many}]" if "nargs" in argument.settings else argument.placeholder
    value = f" {argument.placeholder}" if argument.takes_value else ""
    return f"[{argument.names[0]}{value}]"


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "domain-reference.md").write_text(render(known_types()), encoding="utf-8")
    for name, page in (("states.md", states_page), ("commands.md", commands_page)):
        path = folder / name
        path.write_text(page(path.read_text(encoding="utf-8")), encoding="utf-8")
