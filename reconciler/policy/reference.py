"""Writes the rules into the page about the policy (``docs/policy.md``): ``make docs``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reconciler.policy.rule import Profile
from reconciler.policy.table import RULES, SECTIONS

_LONGEST = 60

MARK = "<!-- The rules below are written by `make docs` from reconciler/policy/checks: change them there. -->"
"""What comes before it on the page is written by hand."""


def render(page: str) -> str:
    """The page with the rules as they are now."""
    return page.partition(MARK)[0] + MARK + "\n\n" + "\n".join(_sections()).rstrip() + "\n"


def _sections() -> Iterator[str]:
    long: list[tuple[str, str, Any]] = []
    for section in SECTIONS:
        yield f"### [{section}]\n"
        yield "| rule | what it says | values | open | standard | strict |"
        yield "| --- | --- | --- | --- | --- | --- |"
        for name, rule in RULES.items():
            if not name.startswith(f"{section}."):
                continue
            shown = []
            for profile in Profile:
                value = getattr(rule, profile.value)
                text = written(value)
                if len(text) > _LONGEST:
                    long.append((name, profile.value, value))
                    text = ""
                shown.append(f"`{text}`" if text else "see below")
            yield f"| `{name.partition('.')[2]}` | {rule.doc} | {rule.kind.form} | {' | '.join(shown)} |"
        yield ""
    yield "### The longer lists\n"
    told: dict[str, str] = {}
    for name, kind, value in long:
        text = ", ".join(f"`{one}`" for one in value)
        same = next((where for where, there in told.items() if there == text), None)
        yield f"- `{name}` in `{kind}`: " + (f"as `{same}`." if same is not None else f"{text}.")
        told.setdefault(f"{name} in {kind}", text)


def written(value: Any) -> str:
    """A value as it stands in a policy file."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(written(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {written(one)}" for key, one in value.items()) + "}"
    return json.dumps(value)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(render(path.read_text(encoding="utf-8")), encoding="utf-8")
