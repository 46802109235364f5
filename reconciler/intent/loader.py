"""From the bytes of a domain file to a domain, or to everything that is wrong with it. Pure.

The steps: strict JSON, variables, the shape of each value, what values say of one another; then, with nothing to
complain about, the meaning. Bad input never raises: it comes back as problems, all of a file at once, in its order.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError

from reconciler.diagnostics import Path
from reconciler.intent import complaints, gathering, image_sources, strict_json
from reconciler.intent.chunks import chunks_of_file
from reconciler.intent.complaints import Complaint
from reconciler.intent.contents import Contents, NoContents
from reconciler.intent.crosschecks import crosscheck
from reconciler.intent.document import DomainFile
from reconciler.intent.interpolation import Trouble, Variables, interpolate_tree
from reconciler.intent.model import CheckType, Loaded
from reconciler.intent.readers import NAME_PATTERN
from reconciler.intent.resolve import replicas_of, resolve
from reconciler.intent.said_names import written_name

MAX_ENTRIES = 10_000
"""How many entries one object or list in a domain file may have."""
MAX_CHUNKS = 10_000
"""How many chunks a domain may have; equal copies of one count each."""

_ABOUT_A_VALUE = frozenset({"WrongType", "InvalidValue", "BadName", "OutOfRange"})


def load(
    data: bytes,
    file: str,
    *,
    base_dir: str | None,
    env: Mapping[str, str],
    allowed_env: Collection[str],
    check_types: Mapping[str, CheckType],
    contents: Contents | None = None,
    reader: str = "",
    defaults: Mapping[str, Any] | None = None,
) -> Loaded:
    """What ``data``, the content of the domain file ``file``, means.

    ``base_dir`` is the folder against which relative paths in it are completed (None: they stay as they are).
    ``env`` is the daemon's environment, of which only the names in ``allowed_env`` may be used. ``check_types`` are
    the health-check types there are, besides the built-in ``fact``. ``contents`` reads what the file refers to,
    for ``reader``: see Source. ``defaults`` are normal forms of settings, for containers that declare none.
    """
    try:
        tree = strict_json.parse(data, file)
    except strict_json.BadJson as error:
        return Loaded(file, None, error.problems, _as_name(written_name(data)))
    text = data.decode("utf-8")
    if not isinstance(tree, dict):
        wrong = Complaint((), "WrongType", f"expected an object with name and cpuxs, found {complaints.found(tree)}")
        return Loaded(file, None, complaints.problems([wrong], text, file))
    oversized = _oversized(tree)
    if oversized:
        return Loaded(file, None, complaints.problems(oversized, text, file), _name(tree))
    declared = tree.get("env")
    variables = Variables(declared if isinstance(declared, dict) else {}, env, allowed_env)
    plain = {"env", "$schema", *(key for key in tree if key.startswith("x-"))}
    tree, troubles = interpolate_tree(tree, variables, skip=plain)
    found = [Complaint(trouble.path, trouble.error.code, str(trouble.error)) for trouble in troubles]
    follow_ups: list[Complaint] = []
    document: DomainFile | None = None
    beyond = 0
    try:
        document = DomainFile.model_validate(tree)
    except ValidationError as error:
        follow_ups += complaints.from_pydantic(error, tree)
        beyond = max(0, error.error_count() - complaints.MAX_CONSIDERED)
    follow_ups += crosscheck(tree, check_types)
    follow_ups += gathering.crosscheck(tree)
    follow_ups += image_sources.crosscheck(tree)
    found += _without_consequences(follow_ups, troubles)
    found += _too_many_copies(document) if document is not None else []
    if found or document is None:
        return Loaded(file, None, complaints.problems(found, text, file, beyond=beyond), _name(tree))
    gathered = gathering.gather(
        document, tree, base_dir=base_dir, contents=contents or NoContents(), variables=variables, reader=reader
    )
    if gathered.complaints:
        found = list(gathered.complaints)
        return Loaded(file, None, complaints.problems(found, text, file), document.name, gathered.sources)
    domain = resolve(
        document,
        name=file,
        digest=hashlib.sha256(data).hexdigest(),
        base_dir=base_dir,
        check_types=check_types,
        gathered=gathered,
        defaults=defaults,
    )
    return Loaded(file, domain, (), domain.name, gathered.sources)


def _oversized(tree: Mapping[str, Any]) -> list[Complaint]:
    """What has more parts than anybody could have meant. To go on with it would take long and tell nothing."""
    found: list[Complaint] = []
    chunks = 0

    def walk(node: Any, path: Path) -> None:
        nonlocal chunks
        if len(node) > MAX_ENTRIES:
            message = f"{len(node)} entries; at most {MAX_ENTRIES} can stand in one place"
            found.append(Complaint(path, "TooMany", message))
            return
        if path[-1:] == ("design_chunks",):
            chunks += len(node)
        for key, part in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(part, dict | list):
                walk(part, (*path, key))

    walk(tree, ())
    if chunks > MAX_CHUNKS:
        message = f"{chunks} chunks; a domain may have at most {MAX_CHUNKS}: split it"
        found.append(Complaint(("cpuxs",), "TooMany", message))
    return found


def _too_many_copies(document: DomainFile) -> list[Complaint]:
    copies = sum(replicas_of(chunk) for chunk, _ in chunks_of_file(document))
    if copies <= MAX_CHUNKS:
        return []
    message = (
        f"{copies} containers, copies counted; a domain may have at most {MAX_CHUNKS}: fewer replicas, or split it"
    )
    return [Complaint(("cpuxs",), "TooMany", message)]


def _without_consequences(follow_ups: list[Complaint], troubles: list[Trouble]) -> list[Complaint]:
    """Without those that are only there because a variable in the value could not be replaced."""
    inside: set[Path] = {trouble.path[:end] for trouble in troubles for end in range(len(trouble.path))}
    exactly = {trouble.path for trouble in troubles}
    return [
        complaint
        for complaint in follow_ups
        if complaint.path not in exactly and not (complaint.code in _ABOUT_A_VALUE and complaint.path in inside)
    ]


def _name(tree: Mapping[str, Any]) -> str | None:
    return _as_name(tree.get("name"))


def _as_name(name: object) -> str | None:
    return name if isinstance(name, str) and re.fullmatch(NAME_PATTERN, name) else None
