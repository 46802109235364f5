"""Nothing starts in folders that others can write to: who writes domain files says what runs, who writes the state says
what is believed to run."""

from __future__ import annotations

import logging
from typing import ClassVar

from reconciler.daemon.protocol import ServiceOptions
from reconciler.errors import PnrError
from reconciler.host import folders

log = logging.getLogger("pnr.daemon")


class UnsafeFolder(PnrError):
    """Others than root and the daemon's user can write to the domains or the state directory."""

    code: ClassVar[str] = "UnsafeFolder"


def see_to_folders(options: ServiceOptions) -> None:
    """Look at both. Raises UnsafeFolder, or warns where the options say to go on."""
    for what, path in (("domains", options.domains), ("state", options.state)):
        try:
            why = folders.others_can_write(str(path))
        except OSError as error:
            why = f"it can't be looked at: {error.strerror or error}"
        if not why:
            continue
        said = f"others can write to the {what} directory {path}: {why}"
        if not options.insecure_folders:
            raise UnsafeFolder(
                f"{said}; chown it to the daemon's user and chmod go-w it, or go on with --insecure-folders"
            )
        log.warning("%s; it is used all the same (--insecure-folders)", said)
