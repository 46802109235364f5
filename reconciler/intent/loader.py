"""From the bytes of a domain file to a domain, or to everything that is wrong with it. Pure.

The steps: strict JSON, variables, the shape of each value, what values say of one another; then, with nothing to
complain about, the meaning. Bad input never raises: it comes back as errors, all of a file at once, in its order.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from reconciler.diagnostics import Diagnostic, Diagnostics, Path
from reconciler.intent import bounds, characters, image_sources, referenced_contents, strict_json
from reconciler.intent.check_types import CheckType
from reconciler.intent.chunks import chunks_of_file
from reconciler.intent.container_checks import crosscheck
from reconciler.intent.contents import Contents, NoContents
from reconciler.intent.document import DomainFile
from reconciler.intent.field_readers import NAME_PATTERN
from reconciler.intent.interpolation import Variables, found, interpolate_tree
from reconciler.intent.locating import in_order
from reconciler.intent.model import Loaded
from reconciler.intent.model_errors import report_errors
from reconciler.intent.named_in_file import written_name
from reconciler.intent.positions import without_key
from reconciler.intent.resolve import replicas_of, resolve

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
        return Loaded(file, None, error.errors, _as_name(written_name(data)))
    text = data.decode("utf-8")
    report = Diagnostics(file)
    if not isinstance(tree, dict):
        report.error((), "WrongType", f"expected an object with name and cpuxs, found {found(tree)}")
        return Loaded(file, None, in_order(report, text))
    bounds.check(tree, report)
    if any(report):
        return Loaded(file, None, in_order(report, text), _name(tree))
    declared = tree.get("env")
    variables = Variables(declared if isinstance(declared, dict) else {}, env, allowed_env)
    plain = {"env", "$schema", *(key for key in tree if key.startswith("x-"))}
    tree = interpolate_tree(tree, variables, report, skip=plain)
    follow_ups = report.apart()
    bounds.check_ports(tree, follow_ups)
    if any(follow_ups):
        report.add(*follow_ups)
        return Loaded(file, None, in_order(report, text), _name(tree))
    document: DomainFile | None = None
    more = 0
    try:
        document = DomainFile.model_validate(tree)
    except ValidationError as error:
        more = report_errors(error, tree, follow_ups)
    crosscheck(tree, check_types, follow_ups)
    referenced_contents.crosscheck(tree, follow_ups)
    image_sources.crosscheck(tree, follow_ups)
    characters.crosscheck(tree, follow_ups)
    report.add(*_without_consequences(follow_ups, report))
    if document is not None:
        _check_copies(document, report)
    if document is None or any(report):
        return Loaded(file, None, in_order(report, text, more), _name(tree))
    gathered = referenced_contents.gather(
        document,
        tree,
        base_dir=base_dir,
        contents=contents or NoContents(),
        variables=variables,
        report=report,
        reader=reader,
    )
    if any(report):
        return Loaded(file, None, in_order(report, text), document.name, gathered.sources)
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


def _check_copies(document: DomainFile, report: Diagnostics) -> None:
    copies = [(replicas_of(chunk), len(chunk.flowout)) for chunk, _ in chunks_of_file(document)]
    bounds.check_copies(copies, sum(len(cpux.rt_state) for cpux in document.cpuxs.values()), report)


def _without_consequences(follow_ups: Iterable[Diagnostic], report: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Without those that are only there because a variable in the value could not be replaced, as was reported."""
    exactly = {one.path for one in report}
    inside: set[Path] = {path[:end] for path in exactly for end in range(len(path))}
    return [
        one
        for one in follow_ups
        if without_key(one.path) not in exactly and not (one.code in _ABOUT_A_VALUE and one.path in inside)
    ]


def _name(tree: Mapping[str, Any]) -> str | None:
    return _as_name(tree.get("name"))


def _as_name(name: object) -> str | None:
    return name if isinstance(name, str) and re.fullmatch(NAME_PATTERN, name) else None
