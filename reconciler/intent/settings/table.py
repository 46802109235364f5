"""The rows: every container setting that pnr knows, under the name that Compose gives it. Data.

A new setting is a new row. What a row can be made of: readers of values in :mod:`.values` and :mod:`.words`, places
in the Engine API in :mod:`.places`; a setting with a form of its own has a module of its own (ports, volumes).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from reconciler.intent.settings import healthcheck, ports, volumes, words
from reconciler.intent.settings.places import in_config, in_host_config
from reconciler.intent.settings.row import Setting, declared_and_found
from reconciler.intent.settings.values import (
    container_path,
    duration_text,
    flag,
    number,
    size,
    size_text,
    word,
)

_TEXT: dict[str, Any] = {"type": "string"}
_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_TEXT_OR_TEXTS: dict[str, Any] = {"anyOf": [_TEXT, _TEXTS]}
_COMMAND: dict[str, Any] = {"anyOf": [_TEXT, _TEXTS, {"type": "null"}]}
_PAIRS: dict[str, Any] = {
    "anyOf": [
        {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}},
        _TEXTS,
    ]
}
_FLAG: dict[str, Any] = {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": r"\$"}]}
_NUMBER_OR_TEXT: dict[str, Any] = {"type": ["number", "string"]}

SMALLEST_MEMORY = 6 * 1024**2
"""Below this the engine refuses to create a container."""


def _list_or_empty(value: Any) -> list[Any]:
    return list(value or ())


def _text_or_empty(value: Any) -> str:
    return value or ""


def _billionths(value: float) -> int:
    return round(value * 10**9)


def _working_dir(value: Any) -> str:
    return "" if value == "" else container_path(value)


_ROWS = (
    Setting(
        "command",
        "process",
        "What runs in the container, instead of the image's own command: a list of words, or a line that is split"
        " into words as a shell would, without a shell. null or nothing: the image's own.",
        ["redis-server", "--save", ""],
        words.command,
        _COMMAND,
        *in_config("Cmd", from_api=_list_or_empty),
        same=words.declared_or_image,
    ),
    Setting(
        "entrypoint",
        "process",
        "The program that the command is handed to, in the same forms. An empty one clears the image's; null is"
        " the image's own.",
        ["/docker-entrypoint.sh"],
        words.command,
        _COMMAND,
        *in_config("Entrypoint", from_api=_list_or_empty),
    ),
    Setting(
        "environment",
        "process",
        "Environment variables, as an object or as a list of KEY=value. null removes one that the image sets.",
        {"LOG_LEVEL": "info"},
        words.environment,
        _PAIRS,
        *in_config("Env", words.environment_to_api, words.environment_from_api),
        same=words.within,
        tell=words.tell_names,
    ),
    Setting(
        "ports",
        "network",
        "Published ports: an object from container port to host port, or Compose's list (host port first)."
        " Without an address they are bound to 127.0.0.1 only.",
        {"80": "8080"},
        ports.parse,
        ports.ACCEPTS,
        ports.send,
        ports.read,
        tell=declared_and_found(ports.tell),
    ),
    Setting(
        "volumes",
        "storage",
        "Directories of the host and named volumes in the container: source:target[:mode] or the long form."
        " Modes: ro, rw, z, Z, nocopy. Relative sources start at the folder of the domain file.",
        ["data:/data", "./nginx.conf:/etc/nginx/nginx.conf:ro"],
        volumes.parse,
        volumes.ACCEPTS,
        volumes.send,
        volumes.read,
        same=volumes.same,
        tell=declared_and_found(volumes.tell),
    ),
    Setting(
        "labels",
        "metadata",
        "Labels of the container, as an object or as a list of KEY=value. Those that begin with io.pnr. are pnr's.",
        {"com.example.team": "shop"},
        words.labels,
        _PAIRS,
        *in_config("Labels", from_api=lambda found: dict(found or {})),
        same=words.within,
        tell=words.tell_names,
    ),
    Setting(
        "user",
        "process",
        "The user, and if wanted the group, that the command runs as: names or numbers.",
        "1000:1000",
        word('a user such as "1000:1000" or "node"', r"[^\s:\x00-\x1f]+(?::[^\s:\x00-\x1f]+)?"),
        _TEXT,
        *in_config("User", from_api=_text_or_empty),
        same=words.declared_or_image,
    ),
    Setting(
        "working_dir",
        "process",
        "The directory in the container in which the command starts: an absolute path.",
        "/app",
        _working_dir,
        _TEXT,
        *in_config("WorkingDir", from_api=_text_or_empty),
        same=words.declared_or_image,
    ),
    Setting(
        "restart",
        "process",
        'What the engine itself does when the container ends: "no" (default: pnr sees to it), always,'
        " unless-stopped, on-failure or on-failure:N.",
        "no",
        words.restart,
        _TEXT,
        *in_host_config("RestartPolicy", words.restart_to_api, words.restart_from_api),
        live=True,
        undeclared="no",
    ),
    Setting(
        "hostname",
        "network",
        "The name that the container has for itself.",
        "db1",
        word(
            "a host name (letters, digits, - and _ between dots, at most 63)",
            r"(?=.{1,63}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
            r"(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*",
        ),
        _TEXT,
        *in_config("Hostname", from_api=_text_or_empty),
        same=words.declared_or_image,
    ),
    Setting(
        "healthcheck",
        "health",
        "The container's own health check, run by the engine: test, interval, timeout, retries, start_period,"
        " disable. A chunk's health_check of type docker asks for its result.",
        {"test": ["CMD", "redis-cli", "ping"], "interval": "10s", "retries": 3},
        healthcheck.parse,
        healthcheck.ACCEPTS,
        healthcheck.send,
        healthcheck.read,
        same=healthcheck.same,
        tell=declared_and_found(healthcheck.tell),
    ),
    Setting(
        "stop_signal",
        "process",
        "The signal that asks the container to end.",
        "SIGTERM",
        words.signal,
        _TEXT,
        *in_config("StopSignal", from_api=words.signal_found),
        same=words.declared_or_image,
    ),
    Setting(
        "stop_grace_period",
        "process",
        "How long the container may take to end before it is killed, rounded up to whole seconds.",
        "30s",
        words.whole_seconds,
        _TEXT,
        *in_config("StopTimeout", int, lambda found: None if found is None else float(found)),
        tell=declared_and_found(duration_text),
    ),
    Setting(
        "init",
        "process",
        "Run a small init as process 1 that hands on signals and reaps what is left over.",
        True,
        flag,
        _FLAG,
        *in_host_config("Init"),
    ),
    Setting(
        "tmpfs",
        "storage",
        "Directories that live in memory: path[:options], one or a list.",
        ["/tmp:size=64m"],
        words.tmpfs,
        _TEXT_OR_TEXTS,
        *in_host_config("Tmpfs", from_api=lambda found: dict(sorted((found or {}).items()))),
    ),
    Setting(
        "read_only",
        "security",
        "Nothing can be written in the container but in volumes and tmpfs.",
        True,
        flag,
        _FLAG,
        *in_host_config("ReadonlyRootfs", from_api=bool),
    ),
    Setting(
        "cap_add",
        "security",
        "Linux capabilities to add to the engine's usual ones.",
        ["NET_ADMIN"],
        words.capabilities,
        _TEXTS,
        *in_host_config("CapAdd", from_api=words.capabilities_found),
    ),
    Setting(
        "cap_drop",
        "security",
        "Linux capabilities to take away from the engine's usual ones.",
        ["ALL"],
        words.capabilities,
        _TEXTS,
        *in_host_config("CapDrop", from_api=words.capabilities_found),
    ),
    Setting(
        "mem_limit",
        "resources",
        "The most memory that the container may use: bytes, or a size such as 64m or 1g; at least 6m.",
        "256m",
        size(SMALLEST_MEMORY),
        _NUMBER_OR_TEXT,
        *in_host_config("Memory", from_api=lambda found: found or None),
        tell=declared_and_found(size_text),
        live=True,
    ),
    Setting(
        "cpus",
        "resources",
        "The most processor time that the container may use, in processors: 0.5 is half of one.",
        "0.5",
        number("a number of processors", 0.01, 10000),
        _NUMBER_OR_TEXT,
        *in_host_config("NanoCpus", _billionths, lambda found: found / 10**9 if found else None),
        tell=declared_and_found(lambda cpus: f"{cpus:g}"),
        live=True,
    ),
)

SETTINGS: Mapping[str, Setting] = MappingProxyType({row.name: row for row in _ROWS})
"""All container settings by name, in the order of the reference page."""
