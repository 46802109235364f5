"""Rows of the table of container settings: what runs in the container, and how it is begun and ended. Data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.intent.settings import words
from reconciler.intent.settings.accepts import COMMAND, FLAG, PAIRS, TEXT
from reconciler.intent.settings.found import flag_found, same_flag
from reconciler.intent.settings.places import in_config, in_host_config
from reconciler.intent.settings.row import Setting, declared_and_found
from reconciler.intent.settings.values import container_path, flag, list_or_empty, text_or_empty, word
from reconciler.quantities import durations


def _working_dir(value: Any) -> str:
    return "" if value == "" else container_path(value)


def _sent_beside(value: Any, body: dict[str, Any]) -> None:
    """A parameter of the call, not a part of its body."""


def _never_shown(inspected: Mapping[str, Any]) -> None:
    """No engine shows what was asked for."""


def _taken_on_trust(declared: Any, found: Any) -> bool:
    return True


ROWS: tuple[Setting, ...] = (
    Setting(
        "command",
        "process",
        "What runs in the container, instead of the image's own command: a list of words, or a line that is split"
        " into words as a shell would, without a shell. null or nothing: the image's own.",
        ["redis-server", "--save", ""],
        words.command,
        COMMAND,
        *in_config("Cmd", from_api=list_or_empty),
        same=words.declared_or_image,
    ),
    Setting(
        "entrypoint",
        "process",
        "The program that the command is handed to, in the same forms. An empty one clears the image's; null is"
        " the image's own.",
        ["/docker-entrypoint.sh"],
        words.command,
        COMMAND,
        *in_config("Entrypoint", from_api=list_or_empty),
        nothing=(),
    ),
    Setting(
        "environment",
        "process",
        "Environment variables, as an object or as a list of KEY=value. null removes one that the image sets.",
        {"LOG_LEVEL": "info"},
        words.environment,
        PAIRS,
        *in_config("Env", words.environment_to_api, words.environment_from_api),
        same=words.within,
        tell=words.tell_names,
    ),
    Setting(
        "user",
        "process",
        "The user, and if wanted the group, that the command runs as: names or numbers.",
        "1000:1000",
        word('a user such as "1000:1000" or "node"', r"[^\s:\x00-\x1f]+(?::[^\s:\x00-\x1f]+)?"),
        TEXT,
        *in_config("User", from_api=text_or_empty),
        same=words.declared_or_image,
    ),
    Setting(
        "working_dir",
        "process",
        "The directory in the container in which the command starts: an absolute path.",
        "/app",
        _working_dir,
        TEXT,
        *in_config("WorkingDir", from_api=text_or_empty),
        same=words.declared_or_image,
    ),
    Setting(
        "restart",
        "process",
        'What the engine itself does when the container ends: "no" (default: pnr restarts it), always,'
        " unless-stopped, on-failure or on-failure:N. Where the container has something of the host"
        " (binds.engine_restarts of the policy), and that of a job that fails, pnr alone starts it again.",
        "no",
        words.restart,
        TEXT,
        *in_host_config("RestartPolicy", words.restart_to_api, words.restart_from_api),
        live=True,
        undeclared="no",
        unset={"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}},
    ),
    Setting(
        "stop_signal",
        "process",
        "The signal that asks the container to end.",
        "SIGTERM",
        words.signal,
        TEXT,
        *in_config("StopSignal", from_api=words.signal_found),
        same=words.declared_or_image,
    ),
    Setting(
        "stop_grace_period",
        "process",
        "How long the container may take to end before it is killed, rounded up to whole seconds.",
        "30s",
        words.whole_seconds,
        TEXT,
        *in_config("StopTimeout", int, lambda found: None if found is None else float(found)),
        tell=declared_and_found(durations.exact),
    ),
    Setting(
        "init",
        "process",
        "Run a small init as process 1 that hands on signals and reaps what is left over.",
        True,
        flag,
        FLAG,
        *in_host_config("Init"),
    ),
    Setting(
        "tty",
        "process",
        "Give the command a terminal.",
        True,
        flag,
        FLAG,
        *in_config("Tty", from_api=flag_found),
        same=same_flag,
        nothing=(False,),
    ),
    Setting(
        "stdin_open",
        "process",
        "Keep the command's standard input open.",
        True,
        flag,
        FLAG,
        *in_config("OpenStdin", from_api=flag_found),
        same=same_flag,
        nothing=(False,),
    ),
    Setting(
        "platform",
        "process",
        "The platform of the image, os[/architecture[/variant]]: for pulling it, and for creating the container.",
        "linux/amd64",
        word("a platform such as linux/arm64", r"[a-z0-9_]+(?:/[a-z0-9_]+){0,2}"),
        TEXT,
        _sent_beside,
        _never_shown,
        same=_taken_on_trust,
    ),
)
