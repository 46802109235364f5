"""Arguments that several commands take, and what a command may need."""

from __future__ import annotations

from reconciler.cli.command import choice, flag, option, positional
from reconciler.cli.folders import installed_policy

FOLDERS = (
    option("--domains", "DIR", "the domain files (PNR_DOMAINS, ./domains)", completes="folders"),
    option("--state", "DIR", "what lasts, and the socket (PNR_STATE, ./state)", completes="folders"),
)
"""What every command takes, before and after its name."""

ALLOW_ENV = option(
    "--allow-env",
    "NAME",
    "let ${NAME} in a domain file take this variable of the environment (PNR_ALLOWED_ENV: names with commas)",
    action="append",
    completes="variables",
)
POLICY_FILE = option(
    "--policy",
    "FILE",
    "what domains may ask for: a policy file, or one of open, standard, strict (PNR_POLICY; else"
    f" {installed_policy()} where there is one; else standard)",
    completes="policies",
)
OF_FILES = (ALLOW_ENV, POLICY_FILE)
OF_ENGINES = (
    choice("--engine", ("docker", "simulated"), "what runs containers (docker)", default="docker"),
    flag(
        "--insecure-folders", "go on where others than root and this user can write to the domains or the state folder"
    ),
    *OF_FILES,
)
SHARED = frozenset(argument.names for argument in (*FOLDERS, *OF_ENGINES))
"""The options that are explained once for all commands."""

DOMAINS = positional("domain", "only these domains", nargs="*", completes="domains")
CHUNK = "chunk, cpux/chunk or domain/cpux/chunk"
LAST_VIEW = flag("--json", "print only the last view, as in `pnr status --json`")

DAEMON, ENGINE, EITHER, NOTHING = "the daemon", "an engine", "the daemon, or else an engine", "nothing"
