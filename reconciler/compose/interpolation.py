"""Variables put into a whole document, and what must be a number or a truth value read as one. Pure.

Compose casts after it has put the variables in, at a fixed set of paths, so that ``"${PORT}"`` may stand where a
number is wanted. Keys are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from reconciler.compose.node import Node
from reconciler.compose.patterns import Patterns
from reconciler.compose.scalars import single
from reconciler.compose.template import BadTemplate, Variables, substitute
from reconciler.diagnostics import Diagnostics, Path

MAX_OUTPUT = 4 * 1024 * 1024
"""How long all strings of a document may get together."""

_INTEGER = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_YES = frozenset({"y", "yes", "on"})
_NO = frozenset({"n", "no", "off"})


def interpolated(root: Node, variables: Variables, report: Diagnostics) -> Node:
    """``root`` with all variables put in. A string in trouble stays as it is; the trouble is recorded."""
    room = MAX_OUTPUT

    def walk(node: Node, path: Path, rules: Patterns[_Cast] | None) -> Node:
        nonlocal room
        if isinstance(node.value, dict):
            return node.having({k: walk(p, (*path, k), rules and rules.below(k)) for k, p in node.value.items()})
        if isinstance(node.value, list):
            return node.having([walk(p, (*path, i), rules and rules.below(i)) for i, p in enumerate(node.value)])
        if not isinstance(node.value, str):
            return node
        try:
            text = substitute(node.value, variables)
        except BadTemplate as error:
            report.error(path, error.code, str(error), node.place)
            return node
        room -= len(text)
        if room < 0:
            report.error(path, "TooLarge", f"with this text the file grows beyond {MAX_OUTPUT} characters", node.place)
            return node
        cast = rules.found if rules is not None else None
        if cast is None:
            return node.having(text)
        try:
            return node.having(cast(text, report))
        except ValueError as error:
            source = f" (from {node.value})" if text != node.value else ""
            report.error(path, "BadValue", f"{error}{source}", node.place)
            return node

    return walk(root, (), _CASTS)


def _integer(text: str, _: Diagnostics) -> int:
    if not _INTEGER.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
        raise ValueError(_wanted("a whole number", text))
    return int(text)


def _number(text: str, _: Diagnostics) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(_wanted("a number", text))
    return float(text)


def _single(text: str, report: Diagnostics) -> float | int:
    return single(_number(text, report))


def truth(text: str, report: Diagnostics) -> bool:
    """``true`` or ``false``; the other words of YAML 1.1 with a warning. Raises ValueError."""
    word = text.lower()
    if word in _YES | _NO:
        better = "true" if word in _YES else "false"
        report.warning((), "YamlBoolean", f'"{text}" for boolean is not supported by YAML 1.2, please use `{better}`')
        return word in _YES
    if word not in ("true", "false"):
        raise ValueError(_wanted("true or false", text))
    return word == "true"


def _wanted(what: str, text: str) -> str:
    # The text may have come out of a variable, and so be secret: only its emptiness is told.
    return f"expected {what}" + (", found an empty text" if not text else "")


_Cast = Callable[[str, Diagnostics], Any]

_INTEGERS = (
    "cpu_count",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "cpu_shares",
    "deploy.placement.max_replicas_per_node",
    "deploy.replicas",
    "deploy.restart_policy.max_attempts",
    "deploy.rollback_config.parallelism",
    "deploy.update_config.parallelism",
    "healthcheck.retries",
    "oom_score_adj",
    "pids_limit",
    "ports.*.target",
    "scale",
    "ulimits.*",
    "ulimits.*.hard",
    "ulimits.*.soft",
)
_NUMBERS = ("cpu_percent", "deploy.rollback_config.max_failure_ratio", "deploy.update_config.max_failure_ratio")
_TRUTHS = (
    "healthcheck.disable",
    "init",
    "oom_kill_disable",
    "privileged",
    "read_only",
    "stdin_open",
    "tty",
    "volumes.*.read_only",
    "volumes.*.volume.nocopy",
)
_TRUTHS_OF_NETWORKS = ("attachable", "enable_ipv4", "enable_ipv6", "external", "internal")

_CASTS: Patterns[_Cast] = Patterns(
    [
        *((f"services.*.{key}", _integer) for key in _INTEGERS),
        *((f"services.*.{key}", _number) for key in _NUMBERS),
        ("services.*.cpus", _single),
        *((f"services.*.{key}", truth) for key in _TRUTHS),
        *((f"networks.*.{key}", truth) for key in _TRUTHS_OF_NETWORKS),
        *((f"{kind}.*.external", truth) for kind in ("volumes", "secrets", "configs")),
    ]
)
