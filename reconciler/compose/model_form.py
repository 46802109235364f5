"""The canonical model: what ``docker-compose config --format json`` prints of a merged document. Pure.

Keys that are not printed by :mod:`.schema` (``x-`` keys among them) are left out below the top of the document.
"""

from __future__ import annotations

from reconciler.compose.codecs import anything
from reconciler.compose.node import Node
from reconciler.compose.schema import PROJECT
from reconciler.compose.shapes import apply
from reconciler.diagnostics import Diagnostics


def model_of(root: Node, report: Diagnostics) -> Node:
    """The model of a merged and normalized document; what can't be read is recorded."""
    found: dict[str, Node] = {}
    for key, node in root.entries.items():
        rule = (PROJECT.keys or {}).get(key)
        if rule is not None and rule.form is not None:
            made = apply(rule.form, node, report.at(key))
            if made is not None:
                found[key] = made
        elif key.startswith("x-"):
            found[key] = anything(node, report.at(key))
    return root.having(found)
