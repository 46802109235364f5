"""``pnr validate``: checks domain files, alone and against one another. Needs neither daemon nor engine."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from reconciler.cli import exits
from reconciler.cli.folders import folders
from reconciler.cli.options import file_options
from reconciler.cli.terminal import print_json, say


def configure(parser: ArgumentParser) -> None:
    """Options, help and examples."""
    parser.description = (
        "Check domain files: these, or all of the domains directory, as the daemon judges them: names and ports that\n"
        "belong to a file by what the state folder says are its own. Every error of a file is shown at once, as\n"
        "file:line:column: path: message [Code]. Relative paths in a named file start where that file lies."
    )
    parser.epilog = (
        "examples:\n  pnr validate\n  pnr validate shop.json\n  pnr validate --json | jq '.[].message'\n"
        "  pnr validate --other-host --policy policy.toml *.json\n\n"
        "exit codes: 0 all valid (there may be warnings), 2 an error, 4 the directory can't be read"
    )
    parser.add_argument("file", nargs="*", metavar="FILE", help="judged together, apart from the domains directory")
    parser.add_argument("--json", action="store_true", help="a list of errors as in `pnr status --json`")
    parser.add_argument(
        "--other-host",
        action="store_true",
        help="they are for another machine (in a forge's CI, say): judge paths of the host by their names alone, and"
        " read neither state nor secrets of this one",
    )
    file_options(parser)


def run(args: Namespace) -> int:
    """Check the files; an exit code."""
    from reconciler.cli.reading import judge_files

    judged = judge_files(args.file, folders(args), args, on_other_host=args.other_host)
    errors = [problem for name in sorted(judged.problems) for problem in judged.problems[name]]
    warnings = [problem for name in sorted(judged.warnings) for problem in judged.warnings[name]]
    if args.json:
        print_json(
            [{**problem.as_dict(), "severity": "error"} for problem in errors]
            + [{**problem.as_dict(), "severity": "warning"} for problem in warnings]
        )
    else:
        for problem in (*errors, *warnings):
            say(str(problem))
        for domain in judged.domains.values():
            for note in domain.notes:
                say(f"note: {domain.file}: {note}")
        invalid = len(judged.problems)
        say(_summary(len(judged.domains), invalid))
    return exits.INVALID if errors else exits.OK


def _summary(valid: int, invalid: int) -> str:
    def files(number: int) -> str:
        return f"{number} file{'' if number == 1 else 's'}"

    if not valid and not invalid:
        return "no domain files"
    return f"{files(valid)} valid" + (f", {files(invalid)} not valid" if invalid else "")
