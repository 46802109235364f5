"""The faults, each with what `pnr why CHUNK` says of it. The tests hold the program to these texts, and
docs/troubleshooting.md is made from them (``make docs``). They stand in :mod:`.texts`, by kind.
"""

from __future__ import annotations

from tests.integration.faults.texts.containers import CONTAINERS
from tests.integration.faults.texts.files import FILES
from tests.integration.faults.texts.gates import GATES
from tests.integration.faults.texts.health import HEALTH
from tests.integration.faults.texts.images import IMAGES
from tests.integration.faults.texts.places import PLACES
from tests.integration.faults.texts.surroundings import AROUND, HANDS

SECTIONS = (IMAGES, PLACES, HEALTH, CONTAINERS, GATES, FILES, HANDS, AROUND)
FAULTS = {fault.name: fault for section in SECTIONS for fault in section.faults}

NEVER = (
    r"\.\.(?!\.)|;;|: :|,,| 0 times",
    r"Traceback|File \"|requests\.exceptions|urllib3",
    r"there is no chunk",
    r"None|\{\w*\}",
)
"""What stands in no line, whatever is the matter."""
