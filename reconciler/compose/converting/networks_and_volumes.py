"""A project's networks, volumes, secrets and configs as those of a domain. Pure.

They keep the names that Compose gives them in the engine: what is in a volume goes on being used, and other projects go
on finding a network.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from reconciler.compose.converting.draft import Draft
from reconciler.compose.converting.remarks import NO_COUNTERPART, Remarks

_NOTHING: tuple[Any, ...] = (None, "", {}, [], False)
_SOURCES = ("file", "environment", "content")
_OF_NETWORKS = ("driver", "driver_opts", "attachable", "enable_ipv4", "enable_ipv6", "internal", "ipam", "labels")
_OF_VOLUMES = ("driver", "driver_opts", "labels")


def with_values(model: Mapping[str, Any], variables: Mapping[str, str], remarks: Remarks) -> dict[str, Any]:
    """``model`` where what Compose could not do without is told, and configs from its variables have their content.

    (What comes from a variable that is not set stays as it is, for the loader to refuse.)
    """
    made = dict(model)
    for kind in ("networks", "volumes"):
        for name, said in (model.get(kind) or {}).items():
            if not (said or {}).get("name"):
                message = "its name is empty, and Compose can't make that either: a variable in it has no value"
                remarks.loss((kind, name, "name"), "NoName", message)
                made[kind] = {**made[kind], name: {**(said or {}), "name": f"{model['name']}_{name}"}}
    configs = {name: dict(said or {}) for name, said in (model.get("configs") or {}).items()}
    for said in configs.values():
        value = variables.get(str(said.get("environment")))
        if value is not None and not said.get("external"):
            del said["environment"]
            said["content"] = value
    return {**made, "configs": configs} if configs else made


def networks(
    draft: Draft, declared: Mapping[str, Any], own: Mapping[str, str], there: Collection[str], remarks: Remarks
) -> None:
    """Put the networks in. Those ``there``, by their names in the engine, were made by somebody else and stay so."""
    _put(draft, "networks", declared, own, there, _OF_NETWORKS, remarks)


def volumes(
    draft: Draft, declared: Mapping[str, Any], own: Mapping[str, str], there: Collection[str], remarks: Remarks
) -> None:
    """The same for volumes."""
    _put(draft, "volumes", declared, own, there, _OF_VOLUMES, remarks)


def _put(
    draft: Draft,
    kind: str,
    declared: Mapping[str, Any],
    own: Mapping[str, str],
    there: Collection[str],
    keys: tuple[str, ...],
    remarks: Remarks,
) -> None:
    for name, said in declared.items():
        entry = said or {}
        engine_name = str(entry.get("name") or name)
        found: dict[str, Any] = {"name": engine_name}
        if entry.get("external") or engine_name in there:
            found["external"] = True
        else:
            found |= {key: entry[key] for key in keys if entry.get(key) not in _NOTHING}
            if entry.get("enable_ipv4") is False:
                found["enable_ipv4"] = False
        known = {"name", "external", *keys}
        for key in entry:
            if key not in known and key[:2] != "x-" and entry[key] not in _NOTHING:
                remarks.loss((kind, name, key), NO_COUNTERPART, f"a {kind.removesuffix('s')} of pnr has no {key}")
        draft.tree.setdefault(kind, {})[own[name]] = found
        draft.origins[kind, own[name]] = (kind, name)


def contents(draft: Draft, kind: str, declared: Mapping[str, Any], own: Mapping[str, str]) -> None:
    """Put the secrets or configs in (``kind``), each with where its content comes from."""
    for name, said in declared.items():
        entry = said or {}
        kept = {key: entry[key] for key in (*_SOURCES, "external") if entry.get(key) not in (None, False)}
        draft.tree.setdefault(kind, {})[own[name]] = kept
        draft.origins[kind, own[name]] = (kind, name)


def tell_of_variables(draft: Draft, remarks: Remarks) -> None:
    """Of secrets that come from variables: whose these are from now on."""
    for name, said in draft.tree.get("secrets", {}).items():
        variable = said.get("environment")
        if variable is not None:
            message = (
                f"the daemon takes {variable} from its own environment, not from Compose's shell or .env: give it to it"
                f" (EnvironmentFile= in its unit, say), and allow it (PNR_ALLOWED_ENV={variable})"
            )
            remarks.note(draft.origin(("secrets", name)), "FromEnvironment", message)
