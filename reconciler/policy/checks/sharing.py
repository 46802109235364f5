"""What a container shares with others: their namespaces, and networks and volumes that are not its domain's. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase
from glob import escape

from reconciler.intent.engine_names import OF_SWARMS
from reconciler.planner.observed import LABEL_DOMAIN
from reconciler.policy.checks.case import Case, Object, labels_of, owner_of, table
from reconciler.policy.refusal import Against
from reconciler.policy.rule import Rule, choice, words_of
from reconciler.policy.values import DOMAIN, UNOWNED

NAMESPACES = ("network", "pid", "ipc", "uts", "user", "cgroup")

ROWS = (
    Rule(
        "namespaces.host",
        words_of(*NAMESPACES),
        "Which of the host's namespaces a container may live in. pid and ipc reach into processes of the host, and user"
        " takes the mapping of users away.",
        ["*"],
        ["network", "uts", "cgroup"],
        [],
    ),
    Rule(
        "namespaces.containers",
        choice("any", "domain", "none"),
        "Whose containers may share namespaces, volumes (volumes_from) and links with one: any, those of its domain, or"
        " none. What the other has counts as its own.",
        "any",
        "domain",
        "domain",
    ),
)

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
    if body is None and case.world.is_complete:
        said = f"the {what} {name}, which is not there, so that its owner is not known"
        case.refuse("namespaces.containers", field, said, against=Against.GONE)
        return False
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


def lent(case: Case, kind: str, given: str, body: Object, field: str) -> None:
    """Refuse a network or volume that is not the domain's own, unless its owner shares it or the policy names it.
    ``given`` is how it was asked for; what counts is the name that it has."""
    name, rule = str(body.get("Name") or given), f"{kind}s.external"
    owner = str(table(body.get("Labels")).get(LABEL_DOMAIN) or "")
    if (owner and owner == case.domain) or case.policy.allows(rule, name):
        return
    if not owner and case.domain and allows_unowned(case, rule, name):
        return
    if owner and case.domain and case.world.shares(kind, name, owner, case.domain):
        return
    whose = f"belongs to domain {owner}, which does not share it" if owner else "belongs to no domain"
    case.refuse(rule, field, f"the {kind} {name}, which {whose}", escape(name))


def allows_unowned(case: Case, rule: str, name: str) -> bool:
    """Whether the policy lets a domain have what belongs to no domain, by its name."""
    patterns = case.policy.words(rule)
    if UNOWNED in patterns and name not in OF_SWARMS:
        return True
    own = {escape(case.own_name), escape(case.own_name.lower())} - {""}
    return any(DOMAIN in one and fnmatchcase(name, one.replace(DOMAIN, word)) for one in patterns for word in own)
