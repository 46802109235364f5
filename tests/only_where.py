"""Tests that only some machines can carry out: left out on a developer's other machine, and never where CI is set."""

from __future__ import annotations

import os

import pytest


def only_where(is_so: bool, *, reason: str) -> pytest.MarkDecorator:
    """Marks a test that needs what is not everywhere. Where CI is set it is tried all the same, and fails by itself."""
    return pytest.mark.skipif(not is_so and not os.environ.get("CI"), reason=reason)
