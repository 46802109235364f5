"""What changes the hashes over a container and over a domain, and what does not."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.intent.check_types import CheckType, Options
from tests.unit.intent.reading import FIXTURES, RICH, chunk, declared, document, valid


def test_reformatting_changes_the_digest_but_not_the_intent() -> None:
    data = (FIXTURES / "article.json").read_bytes()
    one, two = valid(data), valid(json.dumps(json.loads(data), indent=8).encode())
    assert one.digest != two.digest
    assert one.intent == two.intent


def shuffled(value: Any, order: random.Random) -> Any:
    if isinstance(value, dict):
        items = [(key, shuffled(part, order)) for key, part in value.items()]
        order.shuffle(items)
        return dict(items)
    return [shuffled(part, order) for part in value] if isinstance(value, list) else value


@given(st.randoms(use_true_random=False))
def test_no_hash_depends_on_the_order_of_keys(order: random.Random) -> None:
    one, two = valid(RICH), valid(shuffled(RICH, order))
    assert one.intent == two.intent
    assert next(one.chunks()).container.digest == next(two.chunks()).container.digest


@pytest.mark.parametrize(
    "change",
    [
        {"container": {"image": "y"}},
        {"container": {"environment": ["A=2"]}},
        {"container": {"build_path": "app"}},
        {"container": {"networks": {"default": {"aliases": ["db"]}}}},
        {"facts": True},
    ],
)
def test_a_digest_changes_when_a_new_container_is_needed(change: dict[str, Any]) -> None:
    assert chunk(**change).container.digest != chunk().container.digest


@pytest.mark.parametrize(
    "change",
    [
        {"container": {"name": "web"}},
        {"container": {"pull_policy": "always"}},
        {"health_check": {"type": "tcp", "port_key": 80}},
        {"gatekeeper": {"up": {}}},
        {"flowin": {"up": {}}},
        {"flowout": {"up": {}}},
        {"on_gate_close": "stop"},
        {"update": {"on_failure": "pause"}},
        {"kind": "job"},
    ],
)
def test_a_digest_stays_when_the_container_can_stay_but_the_intent_changes(change: dict[str, Any]) -> None:
    before, after = valid(document(declared())), valid(document(declared(**change)))
    assert next(after.chunks()).container.digest == next(before.chunks()).container.digest
    assert after.intent != before.intent


def test_saying_a_default_changes_no_hash() -> None:
    said = declared(
        gatekeeper={}, flowout={}, flowin={}, kind="service", on_gate_close="keep", description="x", facts=False,
        update={"strategy": "auto", "on_failure": "rollback"},
        container={"pull_policy": "missing", "networks": ["default"]},
    )  # fmt: skip
    one, two = valid(document(declared())), valid(document(said, env={"A": 1}))
    assert one.intent == two.intent


def test_the_hashes_of_known_files_never_change() -> None:
    """They stand in labels of running containers: another hash would restart them all on an upgrade."""
    domain = valid(RICH)
    assert next(domain.chunks()).container.digest == RICH_DIGEST
    assert domain.intent == RICH_INTENT
    article = valid((FIXTURES / "article.json").read_bytes())
    assert next(article.chunks()).container.digest == ARTICLE_DIGEST
    assert article.intent == ARTICLE_INTENT


RICH_DIGEST = "f33818e6b003d01287870495ea24dee6554b6d363365838e45d1157d7f521d32"
RICH_INTENT = "899bbfa65ddb9768da97dc2e551e1f16efecbd8480b0ccf68a1d0546c84c662d"
ARTICLE_DIGEST = "f3e9360a924343707e8d86cd01947f0fd961f7c59335ba0a91967d062774ff41"
ARTICLE_INTENT = "8f7277a01e870569c9e0259da11caf2fee837dd9842217905535c7d365320b16"


def test_what_a_check_type_says_of_itself_and_a_new_default_change_no_intent() -> None:
    class Earlier(Options):
        path: str

    class Later(Earlier):
        more: int = 3

    file = document(declared(health_check={"type": "t", "path": "/"}))
    kinds = CheckType(Earlier), CheckType(Later, asks_from_outside=True, url_scheme="http")
    one, two = (valid(file, check_types={"t": kind}) for kind in kinds)
    assert one.intent == two.intent
