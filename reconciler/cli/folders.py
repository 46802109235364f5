"""Which folders a command works on. The one module that knows where an installed service keeps them.

Paths are text here: commands that only ask the daemon start without pathlib.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Mapping


def installed(platform: str = sys.platform, env: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """The domains and state directories of the installed service."""
    if platform == "win32":
        base = env.get("PROGRAMDATA", r"C:\ProgramData")
        return rf"{base}\pnr\domains", rf"{base}\pnr\state"
    if platform == "darwin":
        return "/usr/local/etc/pnr/domains", "/usr/local/var/pnr"
    return "/etc/pnr/domains", "/var/lib/pnr"


def installed_policy(platform: str = sys.platform, env: Mapping[str, str] = os.environ) -> str:
    """The policy file of this machine, whoever runs pnr on it."""
    domains = installed(platform, env)[0]
    return domains.removesuffix("domains") + "policy.toml"


def folders(args: Namespace, env: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """The domains and the state directory: from the command line, else PNR_DOMAINS and PNR_STATE, else
    ``domains`` and ``state`` in the current directory, else those of the installed service.

    The two belong together: where one is chosen to be local, or named by hand, the other never falls back to the
    installed service's, whose state would take domains that it does not find for removed ones.
    """
    domains = getattr(args, "domains", None) or env.get("PNR_DOMAINS")
    state = getattr(args, "state", None) or env.get("PNR_STATE")
    is_local = domains or state or os.path.isdir("domains") or os.path.isdir("state")
    other = ("domains", "state") if is_local else installed(env=env)
    return domains or other[0], state or other[1]
