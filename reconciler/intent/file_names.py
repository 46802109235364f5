"""Names of domain files. Pure."""

from __future__ import annotations

ENDING = ".json"


def stem(path: str) -> str:
    """A domain file's path in the domains directory without its ending: what the file itself is called. Who writes a
    file chooses the domain's name in it, and not this one."""
    return path.removesuffix(ENDING)
