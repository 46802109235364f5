"""The table of rules: every rule of the policy by its name, in the order of the reference page. Data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reconciler.policy.rule import Rule
from reconciler.policy.rules import images, limits, network, security, storage, tenants

RULES: Mapping[str, Rule] = MappingProxyType(
    {row.name: row for group in (security, storage, network, images, limits, tenants) for row in group.ROWS}
)

SECTIONS: tuple[str, ...] = tuple(dict.fromkeys(name.partition(".")[0] for name in RULES))
