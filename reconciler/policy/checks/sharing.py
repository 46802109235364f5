"""Other containers that one shares something with: whose they are, and what they have themselves. Pure."""

from __future__ import annotations

from reconciler.policy.checks.case import Case, labels_of, owner_of, table

CONTAINER = "container:"
_FIELDS = {"network": "NetworkMode", "pid": "PidMode", "ipc": "IpcMode"}


def others(case: Case, name: str, field: str, what: str) -> bool:
    """Whether a container may share something with the one called ``name``; refuses where not."""
    allowed = case.policy.word("namespaces.containers")
    if allowed == "any":
        return True
    if allowed == "none":
        case.refuse("namespaces.containers", field, f"the {what} {name}")
        return False
    body = case.world.container(name)
    owner = owner_of(labels_of(body)) if body is not None else None
    if case.owner is not None and owner is not None and owner.domain == case.owner.domain:
        return True
    whose = f"belongs to {owner}" if owner is not None else "is not known to belong to its domain"
    case.refuse("namespaces.containers", field, f"the {what} {name}, which {whose}")
    return False


def leads_to_host(case: Case, kind: str, name: str) -> bool:
    """Whether a container lives in the host's namespace, maybe through further ones."""
    seen: set[str] = set()
    while name not in seen:
        seen.add(name)
        body = case.world.container(name)
        mode = str(table((body or {}).get("HostConfig")).get(_FIELDS[kind]) or "")
        if not mode.startswith(CONTAINER):
            return mode == "host" or (kind == "network" and _is_host_network(case, mode))
        name = mode.removeprefix(CONTAINER)
    return False


def _is_host_network(case: Case, name: str) -> bool:
    body = case.world.network(name) if name else None
    return body is not None and body.get("Driver") == "host"
