"""Any policy file is a policy or an error with its lines; and who judges by the policy judges."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.policy import Policy, Profile
from reconciler.policy.reading import PolicyInvalid, read
from reconciler.policy.table import RULES, SECTIONS
from tests.unit.fuzz.material import DICE, ODD_NUMBERS, ODD_TEXTS, TEXTS, damaged
from tests.unit.policy import judging
from tests.unit.policy.corpus.entry import EXAMPLES

FILE = "/etc/pnr/policy.toml"
FILES = [path.read_text() for path in sorted(EXAMPLES.glob("*.toml"))]
KEYS = [name.partition(".")[2] for name in RULES]
OWN = [value for rule in RULES.values() for value in (rule.open, rule.standard, rule.strict)]
PATTERNS = [
    "shop.json",
    "infra/*",
    "infra/*.json",
    "*",
    "a?.json",
    "**",
    "../x",
    "/x",
    "",
    ".x",
    "[a]",
    "shop",
    "é.json",
]
REQUEST = judging.create({"Binds": ["/srv/x:/x"], "Memory": 1 << 30, "CapAdd": ["NET_ADMIN"]})


def written(value: Any) -> str:
    """As TOML has it."""
    match value:
        case None:
            return '""'
        case int() if value == 1 << 64:
            return "0x" + "f" * 5000
        case int() if value == 10**30:
            return "9" * 5000
        case bool() | int() | str():
            return json.dumps(value)
        case float():
            return str(value) if math.isfinite(value) else "nan"
        case dict():
            return "{" + ", ".join(f"{json.dumps(str(key))} = {written(one)}" for key, one in value.items()) + "}"
        case _:
            return "[" + ", ".join(written(one) for one in value) + "]"


SCALARS = st.booleans() | st.sampled_from(ODD_NUMBERS) | TEXTS | st.sampled_from(OWN)
VALUES = st.recursive(
    SCALARS
    | st.sampled_from(["...", "@domain", "@domains", "none", "SYS_ADMN", "shop/main", "shop/main/web", "8000-1"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | TEXTS, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(sorted(RULES)) | st.builds(
    "{}.{}".format, st.sampled_from([*SECTIONS, "x"]), st.sampled_from(KEYS)
)
RULE_LINES = st.lists(st.tuples(NAMES, VALUES).map(lambda pair: f"{pair[0]} = {written(pair[1])}"), max_size=4)
SECTION = st.builds(
    lambda pattern, lines: "".join(f"[domain.{json.dumps(pattern)}]\n" + "".join(f"{line}\n" for line in lines)),
    st.sampled_from(PATTERNS) | TEXTS,
    RULE_LINES,
)


def taken(text: str) -> Policy | None:
    """The policy, where it is one; and it can be asked."""
    try:
        policy = read(text, FILE)
    except PolicyInvalid as error:
        for line in str(error).splitlines():
            assert line.startswith(f"{FILE}:")
            assert len(line) < 5000
        return None
    assert policy.values.keys() == RULES.keys()
    for file in ("shop.json", "infra/dns.json", "é.json"):
        assert policy.for_file(file).values.keys() == RULES.keys()
    judging.judge(policy).request(REQUEST, judging.Engine())
    return policy


@given(st.sampled_from(["open", "standard", "strict", "x"]), RULE_LINES, st.lists(SECTION, max_size=3))
def test_rules_with_any_values_are_taken_or_told(profile: str, lines: list[str], sections: list[str]) -> None:
    taken("\n".join([f"profile = {json.dumps(profile)}", *lines, *sections]))


@given(DICE)
def test_an_example_that_is_changed_is_taken_or_told(dice: random.Random) -> None:
    data = dice.choice(FILES).encode()
    for _ in range(dice.randrange(1, 6)):
        if dice.random() < 0.5:
            data = damaged(data, dice)
            continue
        lines = data.split(b"\n")
        odd = dice.choice((dice.choice(ODD_TEXTS), dice.choice(ODD_NUMBERS), dice.choice(OWN)))
        at = dice.randrange(len(lines))
        key, equals, _ = lines[at].partition(b"=")
        lines[at] = (
            key + equals + b" " + written(odd).encode(errors="replace") if equals else lines[dice.randrange(len(lines))]
        )
        data = b"\n".join(lines)
    taken(data.decode(errors="replace"))


@given(st.text(max_size=200) | st.text("[]{}\"'=,.#\n abdx1-:T", max_size=80))
def test_any_text_is_taken_or_told(text: str) -> None:
    taken(text)
    taken(f'profile = "{Profile.STANDARD}"\n{text}')


def test_the_shipped_examples_are_what_is_changed() -> None:
    assert len(FILES) >= 3
    assert all(taken(text) is not None for text in FILES)
    assert Path(FILE).name == "policy.toml"
