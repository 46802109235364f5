"""What ``pnr import`` asks of each text that it makes: whether it would be valid here, and what the policy refuses."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.cli.folders import folders, installed_policy
from reconciler.cli.options import allowed_env, policy_name
from reconciler.cli.reading import THROW_AWAY_KEY
from reconciler.daemon.intake import Loading
from reconciler.daemon.policy import make_policy
from reconciler.daemon.protocol import ServiceOptions
from reconciler.daemon.reading_contents import admission
from reconciler.intent.judgement import judge_domains
from reconciler.intent.model import Loaded
from reconciler.policy import Judge, Policy, domain, suggesting
from reconciler.policy.reading import profile_named
from reconciler.policy.refusal import CODE, Refusal
from reconciler.probes.registry import known_types
from reconciler.sources.contents import LocalContents, Places

_ROUNDS = 8


class ImportJudge:
    """The loader with the checks and the policy of this machine, as ``pnr validate`` and the daemon use them.

    ``refusals`` is all that the policy has refused.
    """

    def __init__(
        self, file: str | None, base_dir: str, allowed: frozenset[str], policy: Judge, contents: LocalContents
    ) -> None:
        self.policy = policy
        self.refusals: dict[Refusal, None] = {}
        self._file, self._base_dir, self._allowed = file or "domain.json", base_dir, allowed
        self.named = file
        # At a glance: the same text is judged several times, with some of it taken out.
        self._contents = contents.admitting(
            admission(policy, lambda found: self.refusals.update(dict.fromkeys(found)))
        ).glance()
        self._loading = Loading(
            base_dir=base_dir,
            env={name: os.environ[name] for name in allowed if name in os.environ},
            allowed_env=allowed,
            check_types=known_types(),
            contents=self._contents,
            policy=policy,
            path_of=lambda name: file,
        )

    @classmethod
    def of(cls, output: Path | None, args: Namespace, variables: Mapping[str, str]) -> ImportJudge:
        """As the command line says. ``variables`` are those of Compose: one that a secret may take from the daemon's
        environment is judged by what it is there."""
        domains, state = map(Path, folders(args))
        policy = make_policy(ServiceOptions(domains, state, engine="docker", policy=policy_name(args)))
        file = output.name if output is not None else None
        base_dir = str(output.absolute().parent if output is not None else os.getcwd())
        allowed = frozenset(allowed_env(args))
        contents = LocalContents(lambda: THROW_AWAY_KEY, Places.of({**variables, **os.environ}, allowed))
        return cls(file, base_dir, allowed, policy, contents)

    def under(self, policy: Policy) -> ImportJudge:
        """The same under another policy."""
        judge = Judge(policy, self.policy.places, self.policy.look)
        return ImportJudge(self.named, self._base_dir, self._allowed, judge, self._contents)

    def __call__(self, text: bytes) -> Loaded:
        """What is wrong with a domain file of this text; all of it that one look can tell."""
        entry = self._loading.load(self._file, text)
        found = entry.loaded.domain
        if found is None:
            return entry.loaded
        if entry.refused or entry.borrowed:
            judge = self.policy.for_file(self.named) if self.named is not None else self.policy
            tree = json.loads(text)
            self.refusals.update((one, None) for _, one in domain.refusals(judge, found, tree))
            # What is there already is told of, and not taken out: the name is what keeps the data.
            strangers = domain.strangers(judge, found, tree)
            taken = {(one.kind, one.name) for one in entry.borrowed if one.unowned}
            self.refusals.update((one, None) for _, one, what in strangers if what not in taken)
        judged = judge_domains([found], refused=entry.refused).diagnostics
        # That the policy does not give the domain's name to the file is told with the rest of what it refuses.
        wrong = [one for one in judged if one.severity == "error" and (one.code, one.path) != (CODE, ("name",))]
        return Loaded(self._file, None, tuple(wrong), found.name) if wrong else entry.loaded


@dataclass(frozen=True, slots=True)
class Suggestion:
    """How a policy would allow what it has refused: ``rules`` as lines of the policy file ``file`` (``is_there``: it is
    the one in force), ``whole`` the text of a file that says all of it. No ``rules``: no file can allow it."""

    refused: int
    file: str
    is_there: bool
    rules: str
    whole: str


def suggest(args: Namespace, judge: ImportJudge, convert: Callable[[ImportJudge], Any]) -> Suggestion | None:
    """What to write, where something was refused. ``convert`` converts again by a judge."""
    if not judge.refusals:
        return None
    whole = judge.policy.policy
    pattern = suggesting.pattern_of(judge.named) if judge.named is not None else ""
    policy = whole.for_file(judge.named) if judge.named is not None else whole
    rules: dict[str, Any] = {}
    refusals = list(judge.refusals)
    for _ in range(_ROUNDS):
        new = {**rules, **suggesting.allowing(suggesting.changed(policy, rules, pattern), refusals)}
        if new == rules:
            break
        rules = new
        trial = judge.under(suggesting.changed(policy, rules, pattern))
        convert(trial)  # allowing one thing may show the next
        refusals = list(trial.refusals)
    named = policy_name(args)
    is_there = named is not None and profile_named(named) is None
    file = named if named is not None and is_there else installed_policy()
    text = suggesting.whole(whole, rules, pattern)
    return Suggestion(len(judge.refusals), file, is_there, suggesting.lines(rules, pattern), text)
