"""What the files of a domains directory come to mean: loaded, and checked against one another. Pure.

Shared by the daemon and by ``pnr validate``, ``plan`` and ``graph``, so that all of them judge alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.facts import FactRef
from reconciler.intent.checks import Finding, check, locate_findings
from reconciler.intent.loader import load
from reconciler.intent.model import CheckType, Domain, Loaded, Problem


class FileRead(Protocol):
    """One file as it was read: its bytes, or the problem that stood in the way."""

    @property
    def data(self) -> bytes | None: ...
    @property
    def problem(self) -> Problem | None: ...


@dataclass(frozen=True, slots=True)
class Judged:
    """The valid domains by name; by file name what is wrong (all of it), and what only looks wrong.

    ``readable`` has, by file name, the valid domains and those that only do not go together with the rest.
    """

    domains: Mapping[str, Domain]
    problems: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    warnings: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    readable: Mapping[str, Domain] = field(default_factory=dict)


class LoadCache:
    """What the files of the last judgement came to mean, by their content.

    One cache serves calls of :func:`judge` whose other arguments are the same.
    """

    def __init__(self) -> None:
        self.loaded: dict[tuple[str, bytes], Loaded] = {}


def judge(
    files: Mapping[str, FileRead],
    *,
    base_dir: str,
    env: Mapping[str, str],
    allowed_env: Collection[str],
    check_types: Mapping[str, CheckType],
    known: Collection[FactRef] = (),
    cache: LoadCache | None = None,
) -> Judged:
    """Judge files by their names. An error holds back the file that it is in, and no other.

    ``base_dir`` is the absolute directory that relative paths in a file start from; ``known`` are facts that
    are answered by somebody not in ``files``. With ``cache`` only what changed since the last call is loaded.
    """
    before = cache.loaded if cache is not None else {}
    now: dict[tuple[str, bytes], Loaded] = {}
    loaded: dict[str, Domain] = {}
    problems: dict[str, tuple[Problem, ...]] = {}
    for name, file in sorted(files.items()):
        if file.problem is not None:
            problems[name] = (file.problem,)
        if file.data is None or file.problem is not None:
            continue
        key = (name, hashlib.sha256(file.data).digest())
        result = before.get(key) or load(
            file.data, name, base_dir=base_dir, env=env, allowed_env=allowed_env, check_types=check_types
        )
        now[key] = result
        if result.problems:
            problems[name] = result.problems
        elif result.domain is not None:
            loaded[name] = result.domain
    if cache is not None:
        cache.loaded = now
    findings = check(list(loaded.values()), known)
    wrong = _by_file([finding for finding in findings if finding.severity == "error"], files)
    doubtful = _by_file([finding for finding in findings if finding.severity != "error"], files)
    good = {domain.name: domain for name, domain in loaded.items() if name not in wrong}
    return Judged(good, {**problems, **wrong}, doubtful, loaded)


def _by_file(findings: list[Finding], files: Mapping[str, FileRead]) -> dict[str, tuple[Problem, ...]]:
    texts = {finding.file: (files[finding.file].data or b"").decode("utf-8", "replace") for finding in findings}
    found: dict[str, list[Problem]] = {}
    for problem in locate_findings(findings, texts):
        found.setdefault(problem.place.file, []).append(problem)
    return {name: tuple(problems) for name, problems in found.items()}
