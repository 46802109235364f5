"""All cases. Those of a group stand beside one another in one domain."""

from __future__ import annotations

from tests.integration.settings import cases_network, cases_process, cases_resources, cases_security, cases_storage
from tests.integration.settings.case import Case

GROUPS: dict[str, tuple[Case, ...]] = {
    "process": cases_process.CASES,
    "image": (*cases_process.OF_THE_IMAGE, *cases_storage.CASES),
    "network": cases_network.CASES,
    "security": (*cases_security.CASES, *cases_resources.CASES),
}
CASES: tuple[Case, ...] = tuple(case for cases in GROUPS.values() for case in cases)
