"""The corpus: what somebody hostile would write is refused for the reason that it should be, in the file and the line;
what honest people write passes."""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import dataclass, replace

import pytest

from reconciler.daemon.intake import Judged, Loading, judge
from reconciler.daemon.reading_contents import admission
from reconciler.diagnostics import Diagnostic
from reconciler.intent.contents import Source, SourceKind, SourceMissing, folder_parts
from reconciler.policy import Judge
from reconciler.policy.table import RULES
from reconciler.probes import registry
from reconciler.sources.contents import SourceRefused
from tests.unit.intent.reading import File
from tests.unit.policy import judging
from tests.unit.policy.corpus.entry import POLICIES, Entry
from tests.unit.policy.corpus.honest import HONEST
from tests.unit.policy.corpus.page import GROUPS, HOSTILE, PAGE, render

BASE = judging.INSTALLATION.domains
EVIL = "shop.json"  # called as its domain, and after those of most others


@dataclass
class Contents:
    """What files refer to: all that the policy lets be read is there."""

    policy: Judge

    def read(self, source: Source) -> bytes:
        self._admit(source)
        return b'{"defaultAction": "SCMP_ACT_ERRNO"}' if source.name.endswith(".json") else b"A=1\n"

    def fingerprint(self, source: Source) -> str:
        self._admit(source)
        return "f" * 64

    def fingerprint_of(self, content: bytes) -> str:
        return "f" * 64

    def stamp(self, source: Source) -> Hashable:
        return None

    def _admit(self, source: Source) -> None:
        if source.kind is SourceKind.ENVIRONMENT:
            raise SourceMissing(f"{source} is not set for the daemon")
        asked: list[tuple[str, bool]] = []
        if source.kind is SourceKind.FOLDER:
            context, dockerfile = folder_parts(source)
            asked.append((context, True))
            if dockerfile:
                asked.append((dockerfile if dockerfile.startswith("/") else f"{context}/{dockerfile}", False))
        elif source.kind in (SourceKind.FILE, SourceKind.SOPS, SourceKind.AGE):
            asked.append((source.name, False))
        refused = [why for path, is_folder in asked if (why := admission(self.policy)()(path, is_folder, source))]
        if refused:
            raise SourceRefused("the policy refuses " + "; ".join(refused))


def judged(entry: Entry) -> Judged:
    """What becomes of it, beside the files of others."""
    policy = judging.judge(POLICIES[entry.policy], entry.disk)
    return judge(
        Loading(
            BASE, entry.env, frozenset(entry.env), registry.known_types(), contents=Contents(policy), policy=policy
        ),
        {_called(entry): File(entry.file), **{name: File(data) for name, data in entry.beside.items()}},
    )


def _called(entry: Entry) -> str:
    """What the file is called: as its domain is, if it is an honest one."""
    return EVIL if entry.rule else f"{json.loads(entry.file)['name']}.json"


def reasons(found: Judged) -> set[str]:
    """The rules and codes for which the file is refused."""
    problems = found.errors.get(EVIL, ())
    named = {rule for rule in (*RULES, "known fields") for problem in problems if f"rule {rule}, " in problem.message}
    return named | {problem.code for problem in problems}


@pytest.mark.parametrize("entry", HOSTILE, ids=str)
def test_a_hostile_file_is_refused_for_the_reason_that_it_should_be(entry: Entry) -> None:
    found = judged(entry)
    assert entry.rule in reasons(found), [str(problem) for problem in found.errors.get(EVIL, ())]
    for problem in found.errors[EVIL]:
        assert str(problem).startswith(f"{EVIL}:")
        assert entry.rule not in RULES or problem.place.line > 0, f"no line: {problem}"
    assert set(found.errors) == {EVIL}, "somebody else's file is refused for it"
    assert not set(entry.beside) - {domain.file for domain in found.domains.values()}


@pytest.mark.parametrize("entry", HONEST, ids=str)
def test_an_honest_file_passes(entry: Entry) -> None:
    found = judged(entry)
    assert not found.errors, [str(problem) for problems in found.errors.values() for problem in problems]
    assert found.domains


@pytest.mark.parametrize("policy", sorted(set(POLICIES) - {"standard", "open"}))
def test_what_the_standard_profile_refuses_is_refused_by_what_builds_on_it(policy: str) -> None:
    # What is not a domain file at all is refused before any policy is asked.
    usual = [entry for entry in HOSTILE if entry.policy == "standard" and entry.group != "syntax and size"]
    let_through = [str(entry) for entry in usual if not judged(replace(entry, policy=policy)).errors.get(EVIL)]
    assert not let_through


def test_what_the_policy_refuses_is_refused_by_nothing_else() -> None:
    """Else an entry would say nothing of its rule."""
    by_rule = [entry for entry in HOSTILE if entry.rule in RULES]
    found = {str(entry): reasons(judged(replace(entry, policy="open"))) for entry in by_rule}
    assert not {name: codes for name, codes in found.items() if codes}


def test_no_refusal_shows_more_of_a_file_than_its_place() -> None:
    """What is refused for a secret names the file, and nothing of what is in it."""
    assert json.dumps("A=1") not in "".join(str(problem) for entry in HOSTILE for problem in _problems(entry))


def _problems(entry: Entry) -> tuple[Diagnostic, ...]:
    return tuple(judged(entry).errors.get(EVIL, ())) if entry.group == "secrets and files" else ()


def test_each_entry_is_there_once() -> None:
    names = [str(entry) for entry in (*HOSTILE, *HONEST)]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)


def test_the_corpus_is_as_large_as_it_was() -> None:
    assert len(HOSTILE) >= 150
    assert len([entry for entry in HONEST if entry.policy == "standard"]) >= 60
    assert {group.name for group in GROUPS} == {entry.group for entry in HOSTILE}


def test_the_page_counts_what_is_there() -> None:
    assert PAGE.read_text() == render(PAGE.read_text()), "docs/threat-model.md is out of date; run: make docs"
