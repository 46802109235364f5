"""``pnr validate``: checks domain files, alone and against one another. Needs neither daemon nor engine."""

from __future__ import annotations

from argparse import Namespace

from reconciler.cli import exits
from reconciler.cli.folders import folders
from reconciler.cli.terminal import print_json, say


def run(args: Namespace) -> int:
    """Check the files; an exit code."""
    from reconciler.cli.reading import judge_files

    judged = judge_files(args.file, folders(args), args, on_other_host=args.other_host)
    errors = [error for name in sorted(judged.errors) for error in judged.errors[name]]
    warnings = [warning for name in sorted(judged.warnings) for warning in judged.warnings[name]]
    if args.json:
        print_json([{**one.as_dict(), "severity": one.severity} for one in (*errors, *warnings)])
    else:
        for one in (*errors, *warnings):
            say(str(one))
        for domain in judged.domains.values():
            for note in domain.notes:
                say(f"note: {note.brief}")
        invalid = len(judged.errors)
        say(_summary(len(judged.domains), invalid))
    return exits.INVALID if errors else exits.OK


def _summary(valid: int, invalid: int) -> str:
    def files(number: int) -> str:
        return f"{number} file{'' if number == 1 else 's'}"

    if not valid and not invalid:
        return "no domain files"
    return f"{files(valid)} valid" + (f", {files(invalid)} not valid" if invalid else "")
