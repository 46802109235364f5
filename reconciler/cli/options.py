"""Options that several commands share, and the service options that they make."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.daemon.protocol import ServiceOptions


def engine_options(parser: ArgumentParser) -> None:
    """``--engine`` and ``--allow-env``."""
    parser.add_argument(
        "--engine", choices=("docker", "simulated"), default="docker", help="what runs containers (docker)"
    )
    allow_env_option(parser)


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
    )
