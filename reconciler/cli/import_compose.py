"""``pnr import``: a Compose project as a domain file. Needs no daemon, and an engine only with ``--adopt``."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from reconciler.cli import exits
from reconciler.cli.terminal import complain, print_json
from reconciler.errors import PnrError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.cli.import_judge import ImportJudge, Suggestion
    from reconciler.compose.converting.convert import Conversion, NothingToConvert
    from reconciler.compose.project import Project
    from reconciler.daemon.takeover import TakeOver, Verdict
    from reconciler.diagnostics import Diagnostic

LOSSES = exits.UNAVAILABLE
LARGEST_PROFILE = 1 << 20


class OutputExists(PnrError):
    """The file to be written is there already."""

    code: ClassVar[str] = "BadRequest"


class OutputFailed(PnrError):
    """The file can't be written."""

    code: ClassVar[str] = "OutputFailed"


def run(args: Namespace) -> int:
    """Convert; an exit code."""
    from pathlib import Path

    from reconciler.compose.project import ComposeError

    output = Path(args.output) if args.output else None
    policy_file = Path(args.suggest_policy) if args.suggest_policy else None
    for file in (output, policy_file):
        if file is not None and not file.is_dir():
            _refuse_to_overwrite(file, args.force)
    try:
        project = _project(args)
    except ComposeError as error:
        return _not_valid(error, args.json)
    if output is not None and output.is_dir():
        output = output / f"{project.name}.json"
        _refuse_to_overwrite(output, args.force)
    outcome = _outcome(args, project, output)
    conversion, suggestion = outcome.conversion, outcome.suggestion
    if policy_file is not None and suggestion is not None and suggestion.rules:
        _write(policy_file, suggestion.whole.encode(), mode=0o644)
        outcome.policy_file = policy_file
    if conversion is not None and output is not None:
        _refuse_to_remove(output, conversion)
        _write(output, conversion.text)
    elif conversion is not None and not args.json:
        sys.stdout.write(conversion.text.decode())
    _tell(args, project, outcome, output)
    if conversion is None:
        return LOSSES
    return LOSSES if conversion.losses or conversion.questions else exits.OK


@dataclass
class _Outcome:
    """What became of a project. Without a conversion, ``nothing`` says why."""

    conversion: Conversion | None = None
    nothing: NothingToConvert | None = None
    suggestion: Suggestion | None = None
    verdicts: list[Verdict] | None = None
    policy_file: Path | None = None

    @property
    def remarks(self) -> tuple[Diagnostic, ...]:
        """All that there is to be told."""
        told = self.conversion or self.nothing
        return told.remarks if told is not None else ()


def _outcome(args: Namespace, project: Project, output: Path | None) -> _Outcome:
    """Raises PnrError, EngineUnavailable among them."""
    from reconciler.cli.import_judge import ImportJudge, suggest
    from reconciler.compose.converting.convert import NothingToConvert, convert
    from reconciler.compose.converting.said import Said

    said = Said(frozenset(args.job), frozenset(args.service))
    with _taking_over(args) as takeover:
        there = takeover.existing(project.name) if takeover is not None else None

        def converted(judge: ImportJudge) -> Conversion | NothingToConvert:
            try:
                return convert(project, judge, there, read=_read, partial=args.partial, said=said)
            except NothingToConvert as nothing:
                return nothing

        judge = ImportJudge.of(output, args, project.variables)
        found = converted(judge)
        outcome = _Outcome(suggestion=suggest(args, judge, converted))
        if isinstance(found, NothingToConvert):
            outcome.nothing = found
        else:
            outcome.conversion = found
        if takeover is not None and there is not None:
            domain = judge(found.text).domain if not isinstance(found, NothingToConvert) else None
            lacking = found.lacking if not isinstance(found, NothingToConvert) else {}
            outcome.verdicts = takeover.verdicts(domain, lacking) if domain is not None else []
            outcome.verdicts += takeover.left_alone(project.name, there, found.left_out)
    return outcome


@contextmanager
def _taking_over(args: Namespace) -> Iterator[TakeOver | None]:
    if not args.adopt:
        yield None
        return
    from reconciler.daemon.takeover import TakeOver

    takeover = TakeOver()
    try:
        yield takeover
    finally:
        takeover.close()


def _project(args: Namespace) -> Project:
    from pathlib import Path

    from reconciler.compose.reading import load

    files = [Path(name) for name in (*args.more_files, *args.files)]
    return load(
        files,
        environment=dict(os.environ),
        env_files=[Path(name) for name in args.env_file],
        profiles=tuple(args.profile),
        project_name=args.project_name,
        project_directory=Path(args.project_directory) if args.project_directory else None,
    )


def _read(path: str) -> str:
    if not os.path.isfile(path):
        raise FileNotFoundError(path)
    with open(path, encoding="utf-8") as file:
        return file.read(LARGEST_PROFILE)


def _refuse_to_overwrite(output: Path, force: bool) -> None:
    if output.exists() and not force:
        raise OutputExists(f"{output} exists: --force writes over it")


def _refuse_to_remove(output: Path, conversion: Conversion) -> None:
    """A chunk that the file has and that is left out now may be running: whoever follows the file would remove it."""
    import json

    try:
        before = json.loads(output.read_bytes())["cpuxs"]["main"]["design_chunks"]
        running = {chunk["name"] for chunk in before}
    except (OSError, ValueError, KeyError, TypeError):
        return  # not there yet, or nothing that an import has made
    gone = [f"{name} ({why})" for name, why in conversion.left_out.items() if name in running]
    if gone:
        raise OutputFailed(
            f"{output} stays as it is: it has {'; '.join(gone)}, which would be left out of it now, and so be removed"
            " where it runs. Make up for what is missing, or write it with --partial, or elsewhere"
        )


def _write(output: Path, text: bytes, mode: int | None = None) -> None:
    """Beside it and renamed, so that a daemon that watches never reads half of it."""
    import tempfile

    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=output.parent, prefix=".pnr-import-", delete=False) as file:
            file.write(text)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(file.name, 0o666 & ~umask if mode is None else mode)
        os.replace(file.name, output)
    except OSError as error:
        raise OutputFailed(f"{output} can't be written: {error.strerror or error}") from error


def _not_valid(error: Any, as_json: bool) -> int:
    if as_json:
        print_json({"errors": [one.as_dict() for one in error.errors]})
    else:
        complain(str(error))
    return exits.INVALID


def _tell(args: Namespace, project: Project, outcome: _Outcome, output: Path | None) -> None:
    from reconciler.cli import import_told

    conversion, suggestion = outcome.conversion, outcome.suggestion
    if args.json:
        print_json(_as_data(project, outcome, output))
    else:
        lines = [
            *import_told.warning_lines(project.warnings, verbose=args.verbose),
            *import_told.remark_lines(outcome.remarks, verbose=args.verbose),
            *import_told.verdict_lines(outcome.verdicts or (), verbose=args.verbose),
            *(import_told.suggestion_lines(suggestion, outcome.policy_file) if suggestion is not None else ()),
        ]
        for line in lines:
            complain(line)
        if suggestion is None and args.suggest_policy:
            complain(f"the policy refuses nothing in it: {args.suggest_policy} is not written")
        if conversion is not None:
            complain(import_told.summary(conversion, output))
    if conversion is None:
        complain(f"{outcome.nothing}; nothing is written")


def _as_data(project: Project, outcome: _Outcome, output: Path | None) -> dict[str, Any]:
    conversion, suggestion = outcome.conversion, outcome.suggestion
    told: dict[str, Any] = {
        "name": conversion.document["name"] if conversion is not None else project.name,
        "file": str(output) if output is not None and conversion is not None else None,
        "remarks": [{**remark.as_dict(), "severity": remark.severity} for remark in outcome.remarks],
        "warnings": [warning.message for warning in project.warnings],
    }
    without = conversion or outcome.nothing
    told["left_out"] = {name: str(why) for name, why in without.left_out.items()} if without is not None else {}
    if suggestion is not None:
        told["policy"] = {"file": suggestion.file, "lines": suggestion.rules}
    if conversion is not None and output is None:
        told["document"] = conversion.document
    if outcome.verdicts is not None:
        told["containers"] = [verdict.as_dict() for verdict in outcome.verdicts]
    return told
