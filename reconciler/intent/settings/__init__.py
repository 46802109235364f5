"""The table of container settings: each a row that says how it is declared, sent, read back and compared.

Hashing, comparing, the JSON Schema and the reference page come from it. To add a setting, add a row to
:mod:`.table`; nothing else needs to know.
"""

from reconciler.intent.settings.body import payload, read_back, update_body
from reconciler.intent.settings.ports import port_key
from reconciler.intent.settings.row import Setting
from reconciler.intent.settings.table import SETTINGS
from reconciler.intent.settings.values import Interpolated
from reconciler.intent.settings.volumes import map_volume_sources

__all__ = [
    "SETTINGS",
    "Interpolated",
    "Setting",
    "map_volume_sources",
    "payload",
    "port_key",
    "read_back",
    "update_body",
]
