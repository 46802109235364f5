"""The commands that show what is, or what would be done."""

from __future__ import annotations

from reconciler.cli.command import Command, flag, option, positional, whole_number
from reconciler.cli.commands.shared import CHUNK, DAEMON, DOMAINS, EITHER, ENGINE, OF_ENGINES

_MOST_EVENTS = 1_000_000
_MOST_LINES = 10_000

PLAN = Command(
    "plan",
    "plan",
    "show what would be done, and do nothing",
    "Show what would be done to make the domain files true, and do nothing. Each line is one call of the\n"
    "engine: [the steps before it] -> #number, object, what is done, and why. Then what can't be done now,\n"
    "with the reason.",
    ENGINE,
    (flag("--json", "the steps and the errors as JSON"), *OF_ENGINES),
    ("pnr plan", "pnr plan --json | jq '.steps | length'"),
    "0 shown, 2 a file is not valid (what the others ask for is shown), 4 no engine",
)

STATUS = Command(
    "status",
    "status",
    "show the state of every chunk",
    "Show the state of every chunk, as the running daemon sees it.",
    DAEMON,
    (
        DOMAINS,
        flag("--watch", "keep showing changes, until Ctrl-C"),
        flag("--json", "the documented JSON document (with --watch: one a line)"),
    ),
    ("pnr status", "pnr status shop --watch", "pnr status --json | jq '.domains[].settled'"),
    "0 shown, 4 no daemon answers, 64 no such domain",
)

WHY = Command(
    "why",
    "why",
    "explain a chunk's state in a sentence",
    "Explain a chunk's state: first the cause, second what to do, then the evidence.",
    DAEMON,
    (
        positional("chunk", CHUNK, metavar="CHUNK", completes="chunks"),
        flag(
            "--json",
            "the chunk as in `pnr status --json`, with `explanation`; only that for a file that was never valid",
        ),
    ),
    ("pnr why web", "pnr why shop/main/web"),
    "0 said, 4 no daemon answers, 64 no such chunk, or more than one",
    "[troubleshooting](troubleshooting.md)",
)

FACTS = Command(
    "facts",
    "facts",
    "show all facts",
    "Show all facts: Y holds, N does not hold, U is unknown.",
    DAEMON,
    (DOMAINS, flag("--json", "a list of facts as JSON")),
    ("pnr facts", "pnr facts shop --json | jq '.[] | select(.tv != \"Y\")'"),
    "0 shown, 4 no daemon answers, 64 no such domain",
)

EVENTS = Command(
    "events",
    "events",
    "show who changed what, when and why",
    "Show what happened, when and why, from the journal in the state directory.",
    "the state folder",
    (
        option("--limit", "N", "how many of the newest (100)", type=whole_number(_MOST_EVENTS), default=100),
        option("--domain", "NAME", "only those of this domain", dest="only", completes="domains"),
        flag("--follow", "keep showing new events, until Ctrl-C", "-f"),
        flag("--json", "one JSON object a line"),
    ),
    (
        "pnr events --limit 20",
        "pnr events --domain shop --follow",
        "pnr events --json | jq 'select(.kind == \"transition\")'",
    ),
    "0 shown, 4 the journal can't be read",
)

LOGS = Command(
    "logs",
    "logs",
    "show what a chunk's container prints",
    "Show what a chunk's container prints, both streams, without control characters; of several replicas\n"
    "each line with the replica's name before it. With --follow it goes on with the next container when one is\n"
    "replaced, and ends when the chunk is gone.",
    DAEMON,
    (
        positional("chunk", f"{CHUNK}; chunk#2: one replica", metavar="CHUNK", completes="chunks"),
        option(
            "--tail",
            "N",
            "how many lines to begin with (100)",
            type=whole_number(_MOST_LINES, "a number of lines"),
            default=100,
        ),
        flag("--follow", "keep showing what it prints, until Ctrl-C", "-f"),
        flag("--json", 'one JSON object {"text": …} a line'),
    ),
    ("pnr logs web", "pnr logs shop/main/api --tail 20 --follow"),
    "0 shown, 4 no daemon answers, 64 no such chunk, or more than one",
)

IMAGES = Command(
    "images",
    "images",
    "show which image each chunk runs, and which is the newest",
    "Show the image of each chunk: the digest that its containers run, and the one that the registry has under\n"
    "that name now. Registries are asked through the engine, each for ten seconds at most; nothing is pulled.",
    EITHER,
    (flag("--json", "a list of entries as JSON"), flag("--offline", "do not ask the registries"), *OF_ENGINES),
    ("pnr images", "pnr images --json | jq '.[] | select(.state == \"newer\") | .chunk'"),
    "0 shown, 4 no engine",
    "[images](images.md)",
)
