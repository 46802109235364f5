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
    errors = [problem for name in sorted(judged.problems) for problem in judged.problems[name]]
    warnings = [problem for name in sorted(judged.warnings) for problem in judged.warnings[name]]
    if args.json:
        print_json([{**problem.as_dict(), "severity": problem.severity} for problem in (*errors, *warnings)])
    else:
        for problem in (*errors, *warnings):
            say(str(problem))
        for domain in judged.domains.values():
            for note in domain.notes:
                say(f"note: {note.brief}")
        invalid = len(judged.problems)
        say(_summary(len(judged.domains), invalid))
    return exits.INVALID if errors else exits.OK


def _summary(valid: int, invalid: int) -> str:
    def files(number: int) -> str:
        return f"{number} file{'' if number == 1 else 's'}"

    if not valid and not invalid:
        return "no domain files"
    return f"{files(valid)} valid" + (f", {files(invalid)} not valid" if invalid else "")
