"""``pnr import``: a Compose project as a domain file. Needs no daemon, and an engine only with ``--adopt``."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any, ClassVar

from reconciler.cli import exits
from reconciler.cli.options import allowed_env, file_options, policy_name
from reconciler.cli.terminal import complain, print_json
from reconciler.errors import PnrError

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.compose.converting.convert import Conversion, Existing
    from reconciler.compose.converting.settle import Judge
    from reconciler.compose.project import Project
    from reconciler.daemon.takeover import Verdict

LOSSES = exits.UNAVAILABLE
LARGEST_PROFILE = 1 << 20


class OutputExists(PnrError):
    """The file to be written is there already."""

    code: ClassVar[str] = "BadRequest"


class OutputFailed(PnrError):
    """The file can't be written."""

    code: ClassVar[str] = "OutputFailed"


def configure(parser: ArgumentParser) -> None:
    """Options, help and examples."""
    parser.description = (
        "Make a domain file of a Compose project. What has no counterpart is listed on standard error with its place\n"
        "and the reason; the rest is written. Files are found and read as docker-compose does it: compose.yaml and\n"
        "its override, .env, profiles, several -f, COMPOSE_FILE."
    )
    parser.epilog = (
        "examples:\n"
        "  pnr import compose.yaml -o domains/shop.json\n"
        "  pnr import -f compose.yaml -f compose.prod.yaml --profile web | less\n"
        "  pnr import --adopt -o domains/shop.json && pnr apply --wait   # takes over what runs\n\n"
        "exit codes: 0 all of it is in the domain file (there may be notes), 2 the Compose files are not valid,\n"
        "4 something has no counterpart (the rest is written), or no engine with --adopt; 64 wrong usage, or the\n"
        "output file exists"
    )
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="Compose files, the later over the earlier; - is standard input"
    )
    parser.add_argument(
        "-f", "--file", action="append", default=[], metavar="FILE", dest="more_files", help="the same, as with Compose"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write the domain file; else standard output")
    parser.add_argument("--force", action="store_true", help="write over a file that exists")
    parser.add_argument("--profile", action="append", default=[], metavar="NAME", help="a profile to enable")
    parser.add_argument("--env-file", action="append", default=[], metavar="FILE", help="variables, instead of .env")
    parser.add_argument("-p", "--project-name", metavar="NAME", help="the project's name, and so the domain's")
    parser.add_argument("--project-directory", metavar="DIR", help="where relative paths start")
    parser.add_argument(
        "--adopt",
        action="store_true",
        help="take over the containers, networks and volumes that Compose has made, without a restart where they match",
    )
    parser.add_argument("--json", action="store_true", help="the remarks as JSON on standard output")
    file_options(parser)


def run(args: Namespace) -> int:
    """Convert; an exit code."""
    from pathlib import Path

    from reconciler.compose.converting.convert import NothingToConvert
    from reconciler.compose.project import ComposeError

    output = Path(args.output) if args.output else None
    if output is not None and not output.is_dir():
        _refuse_to_overwrite(output, args.force)
    try:
        project = _project(args)
    except ComposeError as error:
        return _not_valid(error, args.json)
    if output is not None and output.is_dir():
        output = output / f"{project.name}.json"
        _refuse_to_overwrite(output, args.force)
    judge = _judge(output, args)
    try:
        conversion, verdicts = _adopted(project, judge) if args.adopt else (_convert(project, judge, None), None)
    except NothingToConvert as error:
        _tell(args.json, project, None, error.remarks, None, None)
        complain(str(error))
        return LOSSES
    if output is not None:
        _write(output, conversion.text)
    elif not args.json:
        sys.stdout.write(conversion.text.decode())
    _tell(args.json, project, conversion, conversion.remarks, verdicts, output)
    return LOSSES if conversion.losses else exits.OK


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


def _judge(output: Path | None, args: Namespace) -> Judge:
    """The loader with this machine's policy, as ``pnr validate`` and the daemon use them."""
    from pathlib import Path

    from reconciler.cli.folders import folders
    from reconciler.cli.reading import THROW_AWAY_KEY
    from reconciler.daemon.intake import Loading
    from reconciler.daemon.parts import may_read
    from reconciler.daemon.policy import make_policy
    from reconciler.daemon.protocol import ServiceOptions
    from reconciler.intent.model import Loaded, Place, Problem
    from reconciler.intent.positions import render
    from reconciler.probes.registry import known_types
    from reconciler.sources.contents import LocalContents, Places

    allowed = frozenset(allowed_env(args))
    domains, state = map(Path, folders(args))
    policy = make_policy(ServiceOptions(domains, state, engine="docker", policy=policy_name(args)))
    contents = LocalContents(lambda: THROW_AWAY_KEY, Places.of(os.environ, allowed), may_read=may_read(policy))
    loading = Loading(
        base_dir=str(output.absolute().parent if output is not None else os.getcwd()),
        env={name: os.environ[name] for name in allowed if name in os.environ},
        allowed_env=allowed,
        check_types=known_types(),
        contents=contents.glance(),  # the same text is judged several times, with some of it taken out
        policy=policy,
    )
    file = output.name if output is not None else "domain.json"

    def judge(text: bytes) -> Loaded:
        entry = loading.load(file, text)
        refused = tuple(Problem(Place(file, path=render(f.path)), f.code, f.message) for f in entry.refused)
        return Loaded(file, None, refused, entry.loaded.name) if refused else entry.loaded

    return judge


def _convert(project: Project, judge: Judge, existing: Existing | None) -> Conversion:
    from reconciler.compose.converting.convert import convert

    return convert(project, judge, existing, read=_read)


def _read(path: str) -> str:
    if not os.path.isfile(path):
        raise FileNotFoundError(path)
    with open(path, encoding="utf-8") as file:
        return file.read(LARGEST_PROFILE)


def _adopted(project: Project, judge: Judge) -> tuple[Conversion, list[Verdict]]:
    """The same for what is there already, with what becomes of it. Raises EngineUnavailable."""
    from reconciler.daemon import takeover
    from reconciler.engine.docker.composed import Composer

    composer = Composer()
    try:
        conversion = _convert(project, judge, takeover.existing(composer, project.name))
        domain = judge(conversion.text).domain
        assert domain is not None  # a conversion is valid
        return conversion, takeover.verdicts(composer, domain)
    finally:
        composer.close()


def _refuse_to_overwrite(output: Path, force: bool) -> None:
    if output.exists() and not force:
        raise OutputExists(f"{output} exists: --force writes over it")


def _write(output: Path, text: bytes) -> None:
    """Beside it and renamed, so that a daemon that watches never reads half of it."""
    import tempfile

    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=output.parent, prefix=".pnr-import-", delete=False) as file:
            file.write(text)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(file.name, 0o666 & ~umask)
        os.replace(file.name, output)
    except OSError as error:
        raise OutputFailed(f"{output} can't be written: {error.strerror or error}") from error


def _not_valid(error: Any, as_json: bool) -> int:
    if as_json:
        print_json({"errors": [problem.as_dict() for problem in error.problems]})
    else:
        complain(str(error))
    return exits.INVALID


def _tell(
    as_json: bool,
    project: Project,
    conversion: Conversion | None,
    remarks: Any,
    verdicts: list[Verdict] | None,
    output: Path | None,
) -> None:
    if as_json:
        told: dict[str, Any] = {
            "name": conversion.document["name"] if conversion is not None else project.name,
            "file": str(output) if output is not None else None,
            "remarks": [remark.as_dict() for remark in remarks],
            "warnings": list(project.warnings),
        }
        if conversion is not None and output is None:
            told["document"] = conversion.document
        if verdicts is not None:
            told["containers"] = [verdict.as_dict() for verdict in verdicts]
        print_json(told)
        return
    for warning in project.warnings:
        complain(f"warning: {warning}")
    for remark in remarks:
        complain(str(remark))
    for verdict in verdicts or ():
        complain(str(verdict))
    if conversion is not None:
        complain(_summary(conversion, output))


def _summary(conversion: Conversion, output: Path | None) -> str:
    chunks = sum(len(cpux["design_chunks"]) for cpux in conversion.document["cpuxs"].values())
    where = f"{output}: " if output is not None else ""
    lost = len(conversion.losses)
    without = f", {lost} thing{'s' if lost != 1 else ''} without counterpart" if lost else ""
    return f"{where}{chunks} chunk{'s' if chunks != 1 else ''}{without}"
