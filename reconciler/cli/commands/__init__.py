"""The table of commands. ``pnr --help``, the page about commands and what shells complete come from it.

Data only: nothing of what a command needs is imported here.
"""

from __future__ import annotations

from reconciler.cli.commands.changing import APPLY, CONFIRM_REMOVAL, DOWN, PRUNE, RUN
from reconciler.cli.commands.files import COMPLETION, GRAPH, IMPORT, POLICY, SCHEMA, VALIDATE
from reconciler.cli.commands.showing import EVENTS, FACTS, IMAGES, LOGS, PLAN, STATUS, WHY

COMMANDS = (
    RUN,
    APPLY,
    PLAN,
    VALIDATE,
    STATUS,
    WHY,
    FACTS,
    EVENTS,
    LOGS,
    DOWN,
    CONFIRM_REMOVAL,
    IMAGES,
    PRUNE,
    IMPORT,
    POLICY,
    GRAPH,
    SCHEMA,
    COMPLETION,
)
"""In the order in which they are listed."""
