"""What an engine shows of a setting, as "nothing was asked" where it only shows what it fills in by itself. Pure.

The makers of ``read`` and ``same`` that rows share. Releases differ in what they fill in, so each takes all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.intent.settings.values import sorted_set


def unless(*fillings: Any) -> Callable[[Any], Any]:
    """The value as it is; None where it is one of those that engines fill in (or nothing at all)."""

    def read(value: Any) -> Any:
        return (
            None
            if value is None or any(value == filling and type(value) is type(filling) for filling in fillings)
            else value
        )

    return read


def same_unless(*fillings: Any) -> Callable[[Any, Any], bool]:
    """Whether what was declared is what was found, where a declared filling is found as nothing."""

    def same(declared: Any, found: Any) -> bool:
        return bool(declared == found) or (found is None and declared in fillings)

    return same


def flag_found(value: Any) -> bool | None:
    """A flag that is off or missing was not asked for."""
    return True if value else None


def same_flag(declared: Any, found: Any) -> bool:
    """Off is the same as not asked for."""
    return bool(declared) is bool(found)


def list_found(value: Any) -> list[Any] | None:
    """A list; an empty one was not asked for."""
    return list(value) if value else None


def set_found(value: Any) -> list[str] | None:
    """The same where order means nothing."""
    return sorted_set([str(item) for item in value]) if value else None


def same_list(declared: Any, found: Any) -> bool:
    """An empty list is the same as none."""
    return list(declared or ()) == list(found or ())


def map_found(value: Any) -> dict[str, str] | None:
    """A map of strings; an empty one was not asked for."""
    return {str(key): str(part) for key, part in sorted(value.items())} if value else None


def same_map(declared: Any, found: Any) -> bool:
    """An empty map is the same as none."""
    return dict(declared or {}) == dict(found or {})


def host_config(inspected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The ``HostConfig`` of an inspection."""
    found: Mapping[str, Any] = inspected.get("HostConfig") or {}
    return found
