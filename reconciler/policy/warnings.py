"""What looks wrong with a policy that can be used: it says something of files that are not there, or says it in vain.
Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from reconciler.diagnostics import Diagnostic, Diagnostics, Path, Place
from reconciler.policy import patterns
from reconciler.policy.model import Policy

_WILD = frozenset("*?[")
_NAMESPACES = "namespaces.host"
_SOCKET = "binds.engine_socket"
_DRIVERS = {
    "logging.drivers": (
        *("awslogs", "etwlogs", "fluentd", "gcplogs", "gelf", "journald", "json-file", "local", "none"),
        *("splunk", "syslog"),
    ),
    "networks.drivers": ("bridge", "host", "ipvlan", "l2bridge", "macvlan", "none", "overlay", "transparent"),
    "volumes.types": ("bind", "btrfs", "cifs", "ext4", "nfs", "nfs4", "overlay", "tmpfs", "xfs"),
    "security.runtimes": ("crun", "io.containerd.runc.v2", "nvidia", "runc", "runsc"),
}
"""What engines know; a plug-in may have any other name."""
_VERY_ALIKE = 0.8
_LONGEST_NAME = 100
_PORTS = ("ports.allowed", "ports.addresses", "quotas.ports")


def warnings(policy: Policy, files: Collection[str] | None) -> tuple[Diagnostic, ...]:
    """Each with its line. ``files`` are the domain files that there are, by their paths in the domains directory; None
    where nobody can tell."""
    report = Diagnostics()
    for section in policy.sections:
        written = section.written or section.pattern
        line = min(section.lines.values(), default=0)
        place = Place(policy.file or "", line) if line else Place("")
        shown = f'[domain."{written}"]'
        if not section.values:
            report.warning(("domain", written), "Empty", f"{shown} is empty", place)
        elif files is not None and not any(patterns.means(section.pattern, file) for file in files):
            why = ": domain files lie in the domains directory itself, not in its folders"
            message = f"{shown} matches no domain file{why if '/' in section.pattern else ''}"
            report.warning(("domain", written), "NoSuchFile", message, place)
    _check_ports(policy, report)
    _check_drivers(policy, report)
    if _SOCKET in policy.lines and files is not None:
        _check_names(policy, files, report)
    return tuple(report)


def _check_names(policy: Policy, files: Collection[str], report: Diagnostics) -> None:
    for name in policy.words(_SOCKET):
        domain = name.partition("/")[0]
        if not _WILD & set(domain) and f"{domain}.json" not in files:
            message = (
                f"{_SOCKET} gives {name} the engine's socket, which is for the file {domain}.json, and there is none:"
                " call the file so, or write a section for it"
            )
            report.warning(_path(_SOCKET), "NoSuchFile", message, Place(policy.file or "", policy.lines[_SOCKET]))


def _path(rule: str) -> Path:
    return tuple(rule.split("."))


def _check_ports(policy: Policy, report: Diagnostics) -> None:
    """Rules for ports that the host's network leads past: whoever has it listens on any port."""
    scopes: list[tuple[Mapping[str, Any], Mapping[str, int], Collection[str]]] = [(policy.values, policy.lines, ())]
    scopes += [({**policy.values, **one.values}, one.lines, one.adds) for one in policy.sections]
    for values, lines, adds in scopes:
        rules = [rule for rule in _PORTS if rule in lines]
        namespaces = {*values[_NAMESPACES], *(policy.words(_NAMESPACES) if _NAMESPACES in adds else ())}
        if rules and {"network", "*"} & namespaces:
            why = f"a container that has the host's network, which {_NAMESPACES} allows"
            message = f"{' and '.join(rules)} can not hold for {why}: set {_NAMESPACES} there too"
            report.warning(_path(rules[0]), "InVain", message, Place(policy.file or "", lines[rules[0]]))


def _check_drivers(policy: Policy, report: Diagnostics) -> None:
    """Names of which a letter is wrong, it seems."""
    scopes = [(policy.values, policy.lines), *((one.values, one.lines) for one in policy.sections)]
    for values, lines in scopes:
        for rule, known in _DRIVERS.items():
            for name in values[rule] if rule in lines else ():
                close = get_close_matches(name[:_LONGEST_NAME], known, n=1, cutoff=_VERY_ALIKE)
                if close and name not in known and not _WILD & set(name):
                    message = f"{rule}: engines have no {name!r} of their own; did you mean {close[0]!r}?"
                    report.warning(_path(rule), "UnknownName", message, Place(policy.file or "", lines[rule]))
