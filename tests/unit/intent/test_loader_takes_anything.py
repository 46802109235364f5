"""Whatever comes, the loader judges it and raises nothing."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.intent.reading import RICH, read
from tests.unit.intent.test_strict_json import VALUES


@given(st.binary(max_size=400))
def test_any_bytes_are_judged_without_an_exception(data: bytes) -> None:
    loaded = read(data)
    assert loaded.domain is not None or loaded.errors


@given(VALUES)
def test_any_json_is_judged_without_an_exception(value: Any) -> None:
    loaded = read(value)
    assert loaded.domain is not None or loaded.errors


KEYS = st.sampled_from(
    """
    name cpuxs env networks volumes design_chunks rt_state container image gatekeeper flowin flowout health_check type
    port_key status_mapping success failure key response tv prompt update strategy on_failure kind facts status ports
    environment labels aliases default main a external driver build_path command healthcheck test x-y $schema
    """.split()  # noqa: SIM905  (a list of them is a page long)
)
WORDS = st.sampled_from(
    [
        "Y",
        "n",
        "x",
        "tcp",
        "http",
        "fact",
        "80:80",
        "./a:/b",
        "start-first",
        "job",
        "$A",
        "${B:-1}",
        "",
        "a/b",
        "\0",
        "é",
    ]
)
ALMOST = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 100_000) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=30,
)


def put(tree: Any, where: random.Random, what: Any) -> Any:
    """``tree`` with one of its values replaced by ``what``."""
    if isinstance(tree, dict | list) and tree and where.random() < 0.9:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        key = where.choice(keys)
        changed: Any = dict(tree) if isinstance(tree, dict) else list(tree)
        changed[key] = put(tree[key], where, what)
        return changed
    return what


@given(st.randoms(use_true_random=False), ALMOST)
def test_a_good_file_with_anything_put_in_it_is_judged_without_an_exception(where: random.Random, what: Any) -> None:
    loaded = read(put(RICH, where, what))
    assert loaded.domain is not None or loaded.errors
    for problem in loaded.errors:
        assert problem.place.line >= 1
        assert str(problem).isprintable()


@given(st.randoms(use_true_random=False), st.integers(0, 2000))
def test_a_file_cut_anywhere_is_refused(where: random.Random, at: int) -> None:
    data = json.dumps(RICH).encode()
    cut = data[: at % len(data)]
    assert read(cut).errors
