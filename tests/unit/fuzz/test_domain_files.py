"""Any domain file is judged, whatever is in it: what honest and hostile people write, changed a little or a lot."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.daemon.intake import Judged
from reconciler.intent.schema import domain_schema
from reconciler.probes import registry
from tests.corpus.bad_files import CASES
from tests.unit.fuzz.material import DICE, damaged, encoded, mutated, values, words_of
from tests.unit.intent.reading import RICH
from tests.unit.policy.corpus.entry import POLICIES, Entry
from tests.unit.policy.corpus.honest import HONEST
from tests.unit.policy.corpus.page import HOSTILE
from tests.unit.policy.test_corpus import EVIL, judged


def _document(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


_READ = [(entry, _document(entry.file)) for entry in (*HOSTILE, *HONEST) if len(entry.file) < 20_000]
KNOWN = [(entry, document) for entry, document in _READ if isinstance(document, dict)]
DOCUMENTS = [document for _, document in KNOWN] + [RICH]
_SCHEMA = domain_schema(registry.known_types())
WORDS = sorted({*words_of(DOCUMENTS), *(word for word in words_of([_SCHEMA]) if len(word) < 40)})
VALUES = values(WORDS)
BAD = [case.data for case in CASES]


def judge_it(data: bytes, like: Entry, policy: str) -> Judged:
    """What becomes of a file on the disk and beside the files that another was written for."""
    entry = Entry("fuzz", "fuzz", data, "any", policy, like.disk, like.env, like.beside)
    found = judged(entry)
    assert found.errors.get(EVIL) or any(domain.file == EVIL for domain in found.domains.values())
    for problem in found.errors.get(EVIL, ()):
        assert problem.code
        assert str(problem).isprintable()
        assert len(str(problem)) < 10_000
    json.dumps([str(problem) for problem in found.errors.get(EVIL, ())]).encode()
    return found


@given(DICE, st.data(), st.sampled_from(sorted(POLICIES)))
def test_a_file_like_those_that_are_known_is_judged(dice: random.Random, data: st.DataObject, policy: str) -> None:
    like, document = dice.choice(KNOWN)
    for _ in range(dice.choice((1, 1, 2, 3, 8))):
        document = mutated(document, dice, lambda: data.draw(VALUES), WORDS)
    judge_it(encoded(document, dice), like, policy)


@given(DICE, st.sampled_from(sorted(POLICIES)))
def test_a_file_of_parts_of_several_is_judged(dice: random.Random, policy: str) -> None:
    like, document = dice.choice(KNOWN)
    other = dice.choice(DOCUMENTS)
    for key in other:
        if dice.random() < 0.6:
            document = {**document, key: other[key]}
    document = mutated(document, dice, lambda: dice.choice(DOCUMENTS), WORDS)
    judge_it(encoded(document, dice), like, policy)


@given(DICE)
def test_a_file_that_was_bad_already_is_judged_when_it_gets_worse(dice: random.Random) -> None:
    like, _ = dice.choice(KNOWN)
    data = dice.choice(BAD)
    for _ in range(dice.randrange(1, 5)):
        data = damaged(data, dice)
    judge_it(data, like, "standard")


@given(VALUES)
def test_any_document_is_judged(document: Any) -> None:
    judge_it(json.dumps(document).encode(), KNOWN[0][0], "standard")
