"""What the options that several commands share say, and the service options that they make."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import TYPE_CHECKING

from reconciler.cli.folders import installed_policy

if TYPE_CHECKING:
    from reconciler.daemon.protocol import ServiceOptions


def policy_name(args: Namespace) -> str | None:
    """The policy file or profile; None where nothing names one. A file that can't be looked at counts as there."""
    named: str | None = args.policy if args.policy is not None else os.environ.get("PNR_POLICY") or None
    if named is not None:
        return named
    path = installed_policy()
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return path
    return path


def allowed_env(args: Namespace) -> tuple[str, ...]:
    """The names of environment variables that domain files may take."""
    given: list[str] | None = args.allow_env
    names = given if given is not None else os.environ.get("PNR_ALLOWED_ENV", "").split(",")
    return tuple(name.strip() for name in names if name.strip())


def service_options(args: Namespace, domains: str, state: str) -> ServiceOptions:
    """What the service is started with."""
    from pathlib import Path

    from reconciler.daemon.protocol import ServiceOptions

    return ServiceOptions(
        domains=Path(domains),
        state=Path(state),
        engine=args.engine,
        polling=getattr(args, "polling", False),
        allowed_env=allowed_env(args),
        policy=policy_name(args),
        insecure_folders=getattr(args, "insecure_folders", False) or os.environ.get("PNR_INSECURE_FOLDERS") == "1",
        usual_policy=installed_policy(),
    )
