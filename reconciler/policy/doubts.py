"""What looks wrong with a policy that can be used: it says something of files that are not there, or says it in vain.
Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from reconciler.policy import patterns
from reconciler.policy.model import Policy

_WILD = frozenset("*?[")
_NAMESPACES = "namespaces.host"
_PORTS = ("ports.allowed", "ports.addresses", "quotas.ports")


def doubts(policy: Policy, files: Collection[str] | None) -> Iterator[str]:
    """In words, each with its line. ``files`` are the domain files that there are, by their paths in the domains
    directory; None where nobody can tell."""
    for section in policy.sections:
        line = min(section.lines.values(), default=0)
        where = f"{policy.file}:{line}: " if line else ""
        shown = f'[domain."{section.written or section.pattern}"]'
        if not section.values:
            yield f"{where}{shown} is empty"
        elif files is not None and not any(patterns.means(section.pattern, file) for file in files):
            why = ": domain files lie in the domains directory itself, not in its folders"
            yield f"{where}{shown} matches no domain file{why if '/' in section.pattern else ''}"
    yield from _past_the_ports(policy)
    if "binds.engine_socket" not in policy.lines:
        return
    for name in policy.words("binds.engine_socket"):
        domain = name.partition("/")[0]
        if not _WILD & set(domain) and files is not None and f"{domain}.json" not in files:
            yield (
                f"{policy.origin('binds.engine_socket')}: binds.engine_socket gives {name} the engine's socket, which"
                f" is for the file {domain}.json, and there is none: call the file so, or write a section for it"
            )


def _past_the_ports(policy: Policy) -> Iterator[str]:
    """Rules for ports that the host's network leads past: whoever has it listens on any port."""
    scopes: list[tuple[Mapping[str, Any], Mapping[str, int], Collection[str]]] = [(policy.values, policy.lines, ())]
    scopes += [({**policy.values, **one.values}, one.lines, one.adds) for one in policy.sections]
    for values, lines, adds in scopes:
        rules = [rule for rule in _PORTS if rule in lines]
        namespaces = {*values[_NAMESPACES], *(policy.words(_NAMESPACES) if _NAMESPACES in adds else ())}
        if rules and {"network", "*"} & namespaces:
            where, which = f"{policy.file}:{lines[rules[0]]}", " and ".join(rules)
            why = f"a container that has the host's network, which {_NAMESPACES} allows"
            yield f"{where}: {which} can not hold for {why}: set {_NAMESPACES} there too"
