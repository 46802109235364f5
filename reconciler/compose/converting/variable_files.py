"""Files of variables and labels whose values hang on what only Compose has, its shell and its ``.env``. Pure, but for a
function that reads files.

A domain keeps such files as files. What pnr would read otherwise from one is written out under ``environment`` or
``labels`` instead: a value with ``${HOST}``, where ``.env`` says what that is, or a ``$`` that Compose takes for
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.compose import dotenv
from reconciler.compose.converting.remarks import Remarks
from reconciler.diagnostics import Diagnostics, Path
from reconciler.intent import envfile
from reconciler.intent.interpolation import Variables
from reconciler.intent.referenced_contents import FILES_OF

Values = dict[str, str]

CODE = "WrittenOut"
_NO_VARIABLES = Variables({}, {}, frozenset())
"""What the daemon has for the files of an imported domain: no ``env``, and nothing that is sure to be there."""


def written_out(
    model: Mapping[str, Any], variables: Mapping[str, str], read: Callable[[str], str], remarks: Remarks
) -> dict[str, Any]:
    """``model``, a project in canonical form with these ``variables``, where each file gives pnr what it gives Compose.
    One that gives nothing any more is None in the list of its service."""
    services = {}
    for name, service in model["services"].items():
        services[name] = dict(service)
        for key in FILES_OF:
            if service.get(key):
                services[name] |= _of_service(service, key, variables, read, ("services", name, key), remarks)
    return {**model, "services": services}


def _of_service(
    service: Mapping[str, Any],
    key: str,
    variables: Mapping[str, str],
    read: Callable[[str], str],
    at: Path,
    remarks: Remarks,
) -> dict[str, Any]:
    """The settings of ``service`` that its files under ``key`` have to do with."""
    setting = FILES_OF[key]
    own: dict[str, str | None] = dict(service.get(setting) or {})
    files = [_File.of(entry, read) for entry in service[key]]
    around = variables if setting == "environment" else {}
    meant = _as_compose(files, _set(own, setting), around)
    if meant is None:
        return {}  # the loader of domain files says what is wrong
    every = _merged(meant)
    kept: list[Any] = list(service[key])
    written: dict[str, str | None] = {}
    for index, (ours, why) in enumerate(_as_pnr(files, _set(own, setting))):
        theirs = meant[index]
        if ours is None or ours.keys() - theirs.keys():
            kept[index], others = None, set(theirs)
            message = (
                f"pnr can't read {files[index].path} as Compose does{why}: what Compose reads from it stands under"
                f" {setting}, and the file counts no longer"
            )
            remarks.note((*at, index), CODE, message)
        else:
            others = {name for name in theirs if ours.get(name) != theirs[name]}
        changed = sorted(others - own.keys())
        if changed and kept[index] is not None:
            message = (
                f"what {files[index].path} says of {', '.join(changed)} hangs on variables of Compose's .env or shell,"
                f" which the daemon does not have: the values stand under {setting}"
            )
            remarks.note((*at, index), CODE, message)
        written |= {name: every[name] for name in changed}
    own |= written
    left = [file for file, entry in zip(files, kept, strict=True) if entry is not None]
    found = [ours for ours, _ in _as_pnr(left, _set(own, setting)) if ours is not None]
    if any({**_merged(found), **own}.get(name) != value for name, value in {**every, **own}.items()):
        # What is written out now means something to the rest of the files.
        kept = [None] * len(files)
        own = {**every, **own}
    return {key: kept, setting: own} if own else {key: kept}


class _File:
    """A file of variables, with its text; None where it is not there."""

    def __init__(self, path: str, raw: bool, text: str | None) -> None:
        self.path, self.raw, self.text = path, raw, text

    @classmethod
    def of(cls, entry: Any, read: Callable[[str], str]) -> _File:
        said = entry if isinstance(entry, Mapping) else {"path": entry}
        path = str(said.get("path"))
        try:
            return cls(path, said.get("format") == "raw", read(path))
        except (OSError, ValueError):
            return cls(path, False, None)


def _set(own: Mapping[str, str | None], setting: str) -> Values:
    """What the values in files can refer to."""
    return {name: value for name, value in own.items() if value is not None} if setting == "environment" else {}


def _as_compose(files: list[_File], own: Values, variables: Mapping[str, str]) -> list[Values] | None:
    """What Compose reads from each file; None where it would not read one."""
    found: list[Values] = []
    for file in files:
        before, around = _merged(found), {**own, **variables}
        report = Diagnostics()
        if file.text is None:
            found.append({})
        elif file.raw:
            try:
                names = Variables({}, around, around.keys())
                found.append(envfile.parse(file.text.encode(), names, raw=True, before=before))
            except envfile.BadEnvFile:
                return None
        else:
            found.append(dotenv.read(file.text.encode(), file.path, around, report, before))
        if report.of("error"):
            return None
    return found


def _as_pnr(files: list[_File], own: Values) -> list[tuple[Values | None, str]]:
    """What pnr reads from each file; None with the reason where it does not."""
    found: list[tuple[Values | None, str]] = []
    for file in files:
        before = _merged([ours for ours, _ in found if ours is not None])
        try:
            text = (file.text or "").encode()
            found.append((envfile.parse(text, _NO_VARIABLES, raw=file.raw, own=own, before=before), ""))
        except envfile.BadEnvFile as error:
            what, _, _ = str(error).partition("; ")  # the remedy would change what the stack runs with
            found.append((None, f" ({what})"))
    return found


def _merged(found: list[Values]) -> Values:
    return {name: value for values in found for name, value in values.items()}
