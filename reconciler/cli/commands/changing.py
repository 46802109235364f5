"""The commands that change what runs."""

from __future__ import annotations

from reconciler.cli.command import Command, flag, option, positional, seconds
from reconciler.cli.commands.shared import DOMAINS, EITHER, ENGINE, LAST_VIEW, OF_ENGINES

RUN = Command(
    "run",
    "run",
    "run the daemon: make Docker match the domain files, and keep it so",
    "Run the daemon: make Docker match the domain files, and keep it so, until Ctrl-C or SIGTERM. The containers\n"
    "keep running when it ends, and the next start adopts them untouched.",
    ENGINE,
    (
        flag("--plain", "plain lines, on a terminal too"),
        flag("--quiet", "print only warnings and errors"),
        flag("--polling", "look at the folder on a timer (network drives tell of no changes)"),
        *OF_ENGINES,
    ),
    ("pnr run", "pnr run --domains ./domains --state ./state", "pnr run --engine simulated"),
    "0 ended as asked, 4 it could not start",
)

APPLY = Command(
    "apply",
    "apply",
    "converge once",
    "Converge once: look at the domain files and the engine now, and do what is needed. Domains that were\n"
    "taken down come back, and what failed is tried again at once. With a running daemon the daemon does it,\n"
    "and without --wait the command returns at once; without a daemon the command does it, and waits.\n"
    "It says on standard error what it waits for; --timeout limits the wait.",
    EITHER,
    (
        DOMAINS,
        flag("--wait", "wait until all is settled, failed or stalled, removals included"),
        option("--timeout", "SECONDS", "stop waiting after so long (a daemon goes on with its work)", type=seconds),
        LAST_VIEW,
        *OF_ENGINES,
    ),
    ("pnr apply --wait && echo up", "pnr apply shop --wait --timeout 300"),
    "0 settled (or, without --wait, handed to the daemon), 1 failed, 2 a file is not valid,\n"
    "3 stalled, 4 no engine, 5 a removal is held until a person confirms it, 64 no such domain,\n"
    "124 not done within --timeout",
)

DOWN = Command(
    "down",
    "down",
    "take domains down",
    "Take domains down: stop and remove their containers and networks, dependents first. Files and named\n"
    "volumes stay; with --volumes these are listed with their sizes, and removed after a yes. It is remembered:\n"
    "`pnr apply`, or a change of its file, brings a domain back.",
    EITHER,
    (
        positional("domain", "these domains", nargs="*", completes="domains"),
        flag("--all", "all domains"),
        flag("--volumes", "remove their named volumes too, and what is in them"),
        flag("--yes", "do not ask before volumes are removed"),
        LAST_VIEW,
        *OF_ENGINES,
    ),
    ("pnr down shop", "pnr down shop --volumes", "pnr down --all --volumes --yes"),
    "0 gone, 1 nothing was done (the answer was no, or another pnr works on it), 4 no engine, 64 no\n"
    "such domain, none named and no --all, or --volumes without --yes where there is no terminal to ask on",
)

CONFIRM_REMOVAL = Command(
    "confirm-removal",
    "confirm_removal",
    "remove domains whose files are gone and whose removal is held",
    "Remove domains whose files are gone and whose removal is held because it looks like an accident (all files\n"
    "gone at once, the folder missing or replaced): all held ones if none is named. The command is the\n"
    "confirmation: it does not ask. It waits until they are removed, dependents first. Named volumes stay.",
    EITHER,
    (
        positional("domain", "only these domains", nargs="*", completes="held"),
        flag("--json", 'print only {"confirmed": [names]}'),
        *OF_ENGINES,
    ),
    (
        "pnr status                       # says what is held, and why",
        "pnr confirm-removal shop blog",
        "pnr confirm-removal",
    ),
    "0 removed (or nothing is held), 4 no engine, 64 no such domain, or its file is not gone",
    "[when files go](#when-files-go)",
)

PRUNE = Command(
    "prune",
    "prune",
    "remove unused images that pnr pulled or built",
    "Remove images that pnr pulled or built, that no container uses (running or not, made by pnr or not) and\n"
    "no domain declares. They are listed first, and removed after a yes. Other images are never touched.",
    EITHER,
    (
        flag("--dry-run", "list them, and remove nothing"),
        flag("--yes", "do not ask"),
        flag("--json", "what was found, or the result, as JSON"),
        *OF_ENGINES,
    ),
    ("pnr prune --dry-run", "pnr prune --yes"),
    "0 removed or nothing to remove, 1 some could not be removed, 4 no engine, 64 no terminal to ask on, and no --yes",
    "[images](images.md)",
)
