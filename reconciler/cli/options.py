"""Options that several commands share, and the service options that they make."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from reconciler.cli.folders import installed_policy

if TYPE_CHECKING:
    from reconciler.daemon.protocol import ServiceOptions


def engine_options(parser: ArgumentParser) -> None:
    """``--engine``, and those of whoever reads domain files."""
    parser.add_argument(
        "--engine", choices=("docker", "simulated"), default="docker", help="what runs containers (docker)"
    )
    parser.add_argument(
        "--insecure-folders",
        action="store_true",
        help="go on where others than root and this user can write to the domains or the state folder",
    )
    file_options(parser)


def file_options(parser: ArgumentParser) -> None:
    """``--allow-env`` and ``--policy``: what decides whether a domain file is valid."""
    allow_env_option(parser)
    policy_option(parser)


def policy_option(parser: ArgumentParser) -> None:
    """``--policy``."""
    parser.add_argument(
        "--policy",
        metavar="FILE",
        default=None,
        help="what domains may ask for: a policy file, or one of open, standard, strict (PNR_POLICY; else"
        f" {installed_policy()} where there is one; else standard)",
    )


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


def allow_env_option(parser: ArgumentParser) -> None:
    """``--allow-env``."""
    parser.add_argument(
        "--allow-env",
        metavar="NAME",
        action="append",
        default=None,
        help="let ${NAME} in a domain file take this variable of the environment (PNR_ALLOWED_ENV: names with commas)",
    )


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
    )
