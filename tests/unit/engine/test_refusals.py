"""What the engine says when it can't make, start or run something inside: the cause that is so, and the step."""

from __future__ import annotations

import pytest

from reconciler.engine.docker.refusals import meaning, of_run_inside
from reconciler.sentences import taken_apart

RUNC = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "


@pytest.mark.parametrize(
    ("said", "cause", "step"),
    [
        (
            "Cannot mkdir: /bin/busybox is not a directory",
            "the working directory /bin/busybox is not a directory in the image",
            "`working_dir`",
        ),
        (
            RUNC + 'chdir to cwd ("/root") set in config.json failed: permission denied: unknown',
            "it can't begin in the working directory /root: permission denied",
            "`working_dir` or `user`",
        ),
        (
            RUNC + 'error mounting "/srv/app" to rootfs at "/etc/x": mount /srv/app:/etc/x: not a directory: unknown: '
            "Are you trying to mount a directory onto a file (or vice-versa)?",
            "/srv/app can't be mounted at /etc/x: one is a file, the other a directory",
            "source or the target",
        ),
        (
            "standard_init_linux.go:228: exec user process caused: no such file or directory",
            "what is to run the command is not in the image",
            "CRLF",
        ),
        (
            "standard_init_linux.go:228: exec user process caused: exec format error",
            "its command is not a program for this machine's processor: exec format error",
            "`platform`",
        ),
        (
            RUNC + "error setting rlimits for ready process: error setting rlimit type 7: operation not permitted: x",
            "the engine can't set the limits that are asked for: operation not permitted",
            "`ulimits`",
        ),
        ("Unknown runtime specified nvidia", "the engine has no runtime nvidia", "`runtime`"),
        ("unknown or invalid runtime name: nvidia", "the engine has no runtime nvidia", "`runtime`"),
    ],
)
def test_what_can_not_be_made_or_started_is_told_with_its_cause_and_step(said: str, cause: str, step: str) -> None:
    told, todo = taken_apart(meaning(said))
    assert told.startswith(cause)
    assert step in todo


def test_words_that_are_not_known_are_told_without_a_cause_of_our_own() -> None:
    assert meaning("/x/y: not a directory") == "/x/y: not a directory"


@pytest.mark.parametrize(
    ("why", "cause"),
    [
        ("stat /bin/check: no such file or directory: unknown", "/bin/check is not in the container"),
        ("executable file not found in $PATH: unknown", "/bin/check is not in the container"),
        ("permission denied: unknown", "/bin/check in the container can't be executed: permission denied"),
    ],
)
def test_a_command_that_can_not_be_run_inside_is_named(why: str, cause: str) -> None:
    said = f'OCI runtime exec failed: exec failed: unable to start container process: exec: "/bin/check": {why}\r\n'
    told, step = taken_apart(of_run_inside(said))
    assert told == cause
    assert step


def test_what_a_command_inside_printed_stays_as_it_is() -> None:
    assert of_run_inside('my exec: "x": failed\n') == 'my exec: "x": failed\n'
