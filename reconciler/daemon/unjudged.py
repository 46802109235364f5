"""Files whose judgement fails: what it raises is the error of one file, and nobody else's. Pure but for the log.

No input is known that does so. Whoever finds one finds that other files are judged all the same.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence

from reconciler.diagnostics import Diagnostic
from reconciler.intent.judgement import InForce
from reconciler.intent.model import Domain

log = logging.getLogger("pnr.judging")

CODE = "CantBeJudged"
TOO_COSTLY = "TooCostly"
BEING_READ = "BeingRead"
DEEPEST_SHOWN = 12


def cant_be_judged(file: str, error: Exception) -> Diagnostic:
    """What is told of a file whose judgement failed.

    An exception's own words may hold what was being read, as a secret. So they are neither told nor logged.
    """
    if isinstance(error, MemoryError):
        return too_costly(file, "there is not enough memory for it")
    where = "".join(traceback.format_tb(error.__traceback__, limit=-DEEPEST_SHOWN))
    log.warning("%s can't be judged: %s\n%s", file, type(error).__name__, where.rstrip())
    said = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
    message = (
        f"it can't be judged ({type(error).__name__}{said}), and changes nothing; change it, and report this with the"
        " daemon's log: it should never be so"
    )
    return Diagnostic.of_file(file, CODE, message)


def too_costly(file: str, why: str) -> Diagnostic:
    """What is told of a file that takes more time or memory to be judged than there is for it."""
    log.warning("%s is too costly to be judged: %s", file, why)
    message = f"it takes too much to be judged ({why}), and changes nothing: make it simpler, or split it"
    return Diagnostic.of_file(file, TOO_COSTLY, message)


def costly_beside_others(file: str) -> Diagnostic:
    """What is told of a file for which there is no time left beside the others."""
    message = (
        "it takes too much to be judged beside all the others, and changes nothing: make it simpler, split it, or take"
        " others away"
    )
    return Diagnostic.of_file(file, TOO_COSTLY, message)


def being_read(file: str) -> Diagnostic:
    """What is told of a file while what it refers to is read."""
    message = "what it refers to is still being read; what is in force of it stays until then"
    return Diagnostic.of_file(file, BEING_READ, message)


def failed_there(file: str, what: str) -> Diagnostic:
    """What is told of a file whose judgement failed in another process, with the name of what was raised."""
    if what == MemoryError.__name__:
        return too_costly(file, "there is not enough memory for it")
    message = f"it can't be judged ({what}), and changes nothing; change it, and report this: it should never be so"
    return Diagnostic.of_file(file, CODE, message)


def at_fault(
    domains: Sequence[Domain],
    in_force: Sequence[InForce],
    judge: Callable[[Sequence[Domain], Sequence[InForce]], object],
    raised: Exception,
) -> dict[str, Diagnostic]:
    """The files beside which the others can't be judged, by name; all of them where that can't be told.

    Those that are in force already come first; of the rest halves are added as long as that goes well.
    """
    known = {one.domain.digest for one in in_force if one.domain is not None}
    sound: list[Domain] = []
    failed: dict[str, Diagnostic] = {}

    def add(group: Sequence[Domain]) -> None:
        try:
            judge([*sound, *group], in_force)
        except Exception as error:  # noqa: BLE001 - it is told of the file
            if len(group) == 1:
                failed[group[0].file] = cant_be_judged(group[0].file, error)
                return
            add(group[: len(group) // 2])
            add(group[len(group) // 2 :])
        else:
            sound.extend(group)

    for is_known in (True, False):
        group = [domain for domain in domains if (domain.digest in known) is is_known]
        if group:
            add(group)
    return failed or {domain.file: cant_be_judged(domain.file, raised) for domain in domains}
