"""The table: every container setting that pnr knows, under the name that Compose gives it.

A new setting is a new row in one of the modules of :mod:`.rows`. What a row can be made of: readers of values in
:mod:`.values` and :mod:`.words`, places in the Engine API in :mod:`.places`; a setting with a form of its own has a
module of its own (ports, volumes).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reconciler.intent.settings.row import Setting
from reconciler.intent.settings.rows import health, metadata, network, process, resources, security, storage

_GROUPS = (process, network, storage, metadata, health, security, resources)

SETTINGS: Mapping[str, Setting] = MappingProxyType({row.name: row for group in _GROUPS for row in group.ROWS})
"""All container settings by name, in the order of the reference page."""
