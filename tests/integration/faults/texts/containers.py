"""Containers that end."""

from __future__ import annotations

from reconciler.states import Reason
from tests.integration.faults.texts.fault import Fault, Section, web

_START = (
    Reason.START_FAILED,
    Reason.CREATING,
    Reason.STARTING,
    Reason.RECOVERING,
    Reason.BACK_OFF,
    Reason.PULLING_IMAGE,
)
_END = (
    Reason.EXITED_NON_ZERO,
    Reason.CRASH_LOOPING,
    Reason.STARTING,
    Reason.RECOVERING,
    Reason.BACK_OFF,
    Reason.PROBING,
    Reason.RUNNING,
)

CONTAINERS = Section(
    "Containers that end",
    (
        Fault(
            "exits-1",
            "It ends at once with an error",
            "{name} is …exit code 1; it said: no DATABASE_URL given",
            "Read what it printed",
            _END,
            web(),
        ),
        Fault(
            "exits-0",
            "It ends without an error, though it is a service",
            "{name} is …ended with exit code 0",
            'It should keep running, but ended by itself: declare work that ends with `"kind": "job"`',
            (*_END, Reason.EXITED),
            web(),
        ),
        Fault(
            "out-of-memory",
            "It is killed for lack of memory",
            "{name} is …killed for lack of memory (exit code 137): it wanted more than its limit of 16 MiB",
            "Give it more memory (`mem_limit`)",
            (*_END, Reason.OOM_KILLED),
            web(),
        ),
        Fault(
            "crashes-again",
            "It crashes again and again, after having been up",
            "{name} is …exit code 4; it said: …lost the queue",
            "Read what it printed",
            _END,
            web(),
        ),
        Fault(
            "command-not-there",
            "The command is not in the image",
            "{name} is …: the command serve-shop is not in the image",
            "Correct `command` or `entrypoint`",
            _START,
            web(),
        ),
        Fault(
            "not-executable",
            "The command is not a program",
            "{name} is …: /www/index.html in the image can't be executed: permission denied",
            "Make it executable",
            _START,
            web(),
        ),
        Fault(
            "read-only-file-system",
            "It writes to a file system that is read-only",
            "{name} is …exit code 1; it said: touch: /var-run.pid: Read-only file system",
            "Give it a place to write to: `tmpfs`",
            _END,
            web(),
        ),
        Fault(
            "name-unknown-to-dns",
            "It asks for a name that nobody has",
            "{name} is …exit code 1; it said: wget: bad address 'databse:5432'",
            "The name databse is not known in its networks",
            _END,
            web(),
        ),
        Fault(
            "job-exits-3",
            "A job fails",
            "{name} is …exit code 3; it said: migration 12 failed",
            "Read what it printed",
            (*_END, Reason.RUNNING_JOB),
            web(),
        ),
        Fault(
            "update-crashes",
            "An update crashes",
            "{name} is …: the update failed and the previous container is back until the domain changes: …exit code…;"
            " it said: unknown option --fast",
            "…orrect the domain file",
            (Reason.ROLLED_BACK,),
            web(),
        ),
        Fault(
            "memory-below-least",
            "The memory limit is below the engine's least",
            "{file} is not valid, …mem_limit: expected a size of at least 6m, found '1m'",
            "Correct the file at that place",
            (),
            web(),
        ),
    ),
)
