"""``pnr policy``: what is in force for a domain file and where it stands, and whether a policy file can be used."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from reconciler.cli import exits
from reconciler.cli.folders import folders
from reconciler.cli.options import policy_name
from reconciler.cli.terminal import complain, print_json, say

if TYPE_CHECKING:
    from reconciler.policy import Policy


def run(args: Namespace) -> int:
    """Explain or check; an exit code."""
    return _check(args) if args.action == "check" else _explain(args)


def _explain(args: Namespace) -> int:
    from reconciler.daemon.policy import find_policy
    from reconciler.policy.reading import PolicyInvalid

    domains = folders(args)[0]
    try:
        found = find_policy(policy_name(args), domains)
    except PolicyInvalid as error:
        complain(str(error))
        return exits.INVALID
    path = _path(args.file, domains)
    policy = found.policy.for_file(path)
    rows = list(_rows(policy, only_changed=args.changed))
    if args.json:
        print_json({"file": path, "policy": policy.file, "profile": str(policy.profile), "rules": rows})
        return exits.OK
    say(f"{path}: {policy}")
    section = ""
    for row in rows:
        name, _, key = str(row["rule"]).partition(".")
        if name != section:
            say(f"\n[{name}]")
            section = name
        say(f"{key} = {row['shown']}    # {row['from']}")
    if not rows:
        say("all rules are as in the profile")
    for warning in found.warnings:
        complain(f"warning: no daemon starts with it: {warning.message}")
    return exits.OK


def _rows(policy: Policy, *, only_changed: bool) -> Any:
    from reconciler.policy.reference import written
    from reconciler.policy.suggesting import said
    from reconciler.policy.table import RULES

    for rule in RULES.values():
        if only_changed and rule.name not in policy.lines:
            continue
        value = said(rule, policy.values[rule.name])
        section = policy.by_section.get(rule.name)
        where = policy.origin(rule.name) + (f', section domain."{section}"' if section is not None else "")
        yield {"rule": rule.name, "value": value, "shown": written(value), "from": where, "section": section}


def _path(name: str, domains: str) -> str:
    """The path of a file in the domains directory; one that lies elsewhere counts as if it were put there."""
    for base in (os.path.abspath(name), os.path.join(os.path.abspath(domains), name)):
        path = os.path.relpath(base, os.path.abspath(domains))
        if not path.startswith(os.pardir) and not os.path.isabs(path):
            return path.replace(os.sep, "/")
    return os.path.basename(name)


def _check(args: Namespace) -> int:
    from reconciler.daemon.policy import find_policy
    from reconciler.policy.reading import PolicyInvalid
    from reconciler.policy.warnings import warnings

    name = args.file if args.file is not None else policy_name(args)
    domains = folders(args)[0]
    try:
        found = find_policy(name, domains)
    except PolicyInvalid as error:
        if args.json:
            print_json({"errors": [one.brief for one in error.errors], "warnings": []})
        else:
            say(str(error))
        return exits.INVALID
    told = [f"no daemon starts with it: {one.message}" for one in found.warnings]
    told += [one.brief for one in warnings(found.policy, _domain_files(domains))]
    if args.json:
        print_json({"errors": [], "warnings": told})
        return exits.OK
    for warning in told:
        say(f"warning: {warning}")
    policy = found.policy
    sections = f", {_counted(len(policy.sections), 'section')} for some domain files" if policy.sections else ""
    say(f"{policy} can be used: {_counted(len(policy.lines), 'rule')} changed{sections}")
    return exits.OK


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _domain_files(domains: str) -> list[str] | None:
    """The domain files that there are; None where nobody can tell."""
    try:
        return [name for name in os.listdir(domains) if name.endswith(".json") and not name.startswith(".")]
    except OSError:
        return None
