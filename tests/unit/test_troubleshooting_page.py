"""docs/troubleshooting.md is the catalogue of faults, as the tests have it."""

from __future__ import annotations

from pathlib import Path

from tests.integration.faults.catalogue import FAULTS, SECTIONS
from tests.integration.faults.page import page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "troubleshooting.md"


def test_the_page_is_as_make_docs_writes_it() -> None:
    assert PAGE.read_text() == page(), "docs/troubleshooting.md is out of date; run: make docs"


def test_each_fault_has_a_name_of_its_own_and_values_for_its_texts() -> None:
    faults = [fault for section in SECTIONS for fault in section.faults]
    assert len(FAULTS) == len(faults)
    for fault in faults:
        fault.cause.format(**fault.example)
        fault.step.format(**fault.example)
