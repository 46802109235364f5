"""The table of rules: every rule of the policy by its name, in the order of the reference page. Data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reconciler.policy.checks import (
    bind_rules,
    chunk,
    claims,
    devices,
    images,
    limits,
    logs,
    network,
    quotas,
    secrets,
    security,
    sharing,
    volumes,
)
from reconciler.policy.model import Policy
from reconciler.policy.rule import Profile, Rule

_ROWS = (
    *(*security.ROWS, *sharing.ROWS, *devices.ROWS),
    *(*bind_rules.ROWS, *volumes.ROWS),
    *(*network.ROWS, *logs.ROWS, *chunk.PROBES),
    *(*images.ROWS, *chunk.ADOPTION),
    *limits.ROWS,
    *(*claims.ROWS, *secrets.ROWS, *quotas.ROWS),
)
RULES: Mapping[str, Rule] = MappingProxyType({row.name: row for row in _ROWS})

SECTIONS: tuple[str, ...] = tuple(dict.fromkeys(name.partition(".")[0] for name in RULES))


def policy_of(profile: Profile) -> Policy:
    """A shipped profile as it is."""
    return Policy(profile, {name: rule.of(profile) for name, rule in RULES.items()})
