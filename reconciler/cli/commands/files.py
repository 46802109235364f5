"""The commands that read and write files."""

from __future__ import annotations

from reconciler.cli.command import Command, choice, flag, option, positional
from reconciler.cli.commands.shared import NOTHING, OF_FILES, POLICY_FILE

VALIDATE = Command(
    "validate",
    "validate",
    "check domain files",
    "Check domain files: these, or all of the domains directory, as the daemon judges them: names and ports that\n"
    "the state folder records for a file belong to that file. Every error of a file is shown at once, as\n"
    "file:line:column: path: message [Code]. Relative paths in a named file start where that file lies.",
    NOTHING,
    (
        positional(
            "file",
            "judged together, apart from the domains directory",
            nargs="*",
            metavar="FILE",
            completes="files",
        ),
        flag("--json", "a list of errors as in `pnr status --json`"),
        flag(
            "--other-host",
            "the files are for another machine (in CI, for example): judge host paths by their names alone, and read"
            " neither state nor secrets of this machine",
        ),
        *OF_FILES,
    ),
    (
        "pnr validate",
        "pnr validate shop.json",
        "pnr validate --json | jq '.[].message'",
        "pnr validate --other-host --policy policy.toml *.json",
    ),
    "0 all valid (there may be warnings), 2 an error, 4 the directory can't be read",
)

IMPORT = Command(
    "import",
    "import_compose",
    "make a domain file of a Compose project",
    "Make a domain file of a Compose project. What has no counterpart is listed on standard error with its place\n"
    "and the reason; the rest is written, but for services that would lack a mount, a secret, a config or a\n"
    "privilege, and for those that wait for them. Files are found and read as docker-compose does it:\n"
    "compose.yaml and its override, .env, profiles, several -f, COMPOSE_FILE.",
    "nothing; with `--adopt` an engine",
    (
        positional(
            "files",
            "Compose files, the later over the earlier; - is standard input",
            nargs="*",
            metavar="FILE",
            completes="files",
        ),
        option(
            "-f --file",
            "FILE",
            "the same as FILE, as docker-compose writes it",
            many=True,
            dest="more_files",
            completes="files",
        ),
        option("-o --output", "FILE", "where to write the domain file; else standard output", completes="files"),
        flag("--force", "write over a file that exists"),
        option("--profile", "NAME", "a profile to enable", many=True),
        option("--env-file", "FILE", "variables, instead of .env", many=True, completes="files"),
        option("-p --project-name", "NAME", "the project's name, and so the domain's"),
        option("--project-directory", "DIR", "where relative paths start", completes="folders"),
        flag(
            "--adopt",
            "take over the containers, networks and volumes that Compose has made, without a restart where they match",
        ),
        option(
            "--job", "SERVICE", "its work ends: it becomes a job, which runs to its end once a generation", many=True
        ),
        option("--service", "SERVICE", "it should keep running, though Compose would not start it again", many=True),
        flag(
            "--partial", "write also services that lack a mount, a secret, a config or a privilege, as far as they go"
        ),
        option(
            "--suggest-policy",
            "FILE",
            "write a policy that allows, besides what this one does, what it has refused",
            completes="files",
        ),
        flag("--verbose", "each note by itself, with its place"),
        flag("--json", "the remarks as JSON on standard output"),
        *OF_FILES,
    ),
    (
        "pnr import compose.yaml -o domains/shop.json",
        "pnr import -f compose.yaml -f compose.prod.yaml --profile web | less",
        "pnr import --adopt -o domains/shop.json && pnr apply --wait   # takes over what runs",
        "pnr import --job migrate --service worker -o domains/shop.json   # what ends, and what does not",
        "pnr import --suggest-policy policy.toml; pnr import --policy policy.toml -o domains/shop.json",
    ),
    "0 all of it is in the domain file (there may be notes), 2 the Compose files are not valid,\n"
    "4 something has no counterpart (the rest is written), or a question is to be answered (--job, --service), or\n"
    "no engine with --adopt; 64 wrong usage, or the output file exists",
    "[from Compose](from-compose.md)",
)

POLICY = Command(
    "policy",
    "policy",
    "show what the policy says of a domain file, and check a policy file",
    "Show what the policy says of a domain file, or check a policy file.",
    NOTHING,
    (),
    (
        "pnr policy explain shop.json",
        "pnr policy explain shop.json --json | jq '.rules[].from'",
        "pnr policy check policy.toml",
    ),
    "0 it can be used, 2 it can't, 4 it can't be read",
    "[policy](policy.md)",
    (
        Command(
            "explain",
            "policy",
            "show what is in force for a domain file, and where it stands",
            "Show what the policy says of a domain file, rule by rule, and where that stands: a line of the policy"
            " file,\n"
            "in which section, or the profile. The file need not be there: its path in the domains directory counts.",
            arguments=(
                positional("file", "a domain file", metavar="FILE", completes="files"),
                flag("--changed", "only rules that differ from the profile"),
                flag("--json", "as JSON"),
                POLICY_FILE,
            ),
        ),
        Command(
            "check",
            "policy",
            "say whether a policy file can be used",
            "Say whether a policy file (else the one in force) can be used: unknown words and values are errors, all"
            " at\n"
            "once, as file:line: message; what looks wrong is a warning.",
            arguments=(
                positional("file", "a policy file", nargs="?", metavar="FILE", completes="files"),
                flag("--json", "as JSON"),
                POLICY_FILE,
            ),
        ),
    ),
)

GRAPH = Command(
    "graph",
    "graph",
    "draw which chunk waits for which fact",
    "Draw chunks as nodes and the facts that they wait for as edges, from the domain files.",
    NOTHING,
    (
        positional(
            "file", "these files, else all of the domains directory", nargs="*", metavar="FILE", completes="files"
        ),
        choice("--format", ("mermaid", "dot"), "mermaid", default="mermaid"),
        flag("--json", "nodes and edges as JSON"),
        *OF_FILES,
    ),
    ("pnr graph > stack.mmd", "pnr graph --format dot shop.json | dot -Tsvg > shop.svg"),
    "0 drawn, 2 a file is not valid (what can be read is drawn), 4 the directory can't be read",
)

SCHEMA = Command(
    "schema",
    "schema",
    "print the JSON Schema of a domain file",
    "Print the JSON Schema of a domain file, the installed health-check types included. An editor completes\n"
    'and checks a domain file that names it: {"$schema": "./pnr.schema.json", "name": …}.',
    NOTHING,
    (flag("--json", "accepted, since it is always JSON"),),
    ("pnr schema > pnr.schema.json",),
    "0 printed",
    "[the domain file](domain-reference.md)",
)

COMPLETION = Command(
    "completion",
    "completion",
    "print what lets a shell complete commands, domains and chunks",
    "Print a script that lets a shell complete what is typed after pnr: commands, options, files, and the names of\n"
    "domains and chunks, from the daemon or else from the state folder. `make install` puts it where shells look\n"
    "for it. With `-- WORD…` it prints what the last word can become, which is what the script asks.",
    NOTHING,
    (
        choice("shell", ("bash", "zsh", "fish"), "the shell that is to complete", metavar="SHELL"),
        positional(
            "words", "what is typed after pnr; the last word is to be completed", nargs="*", default=[], metavar="WORD"
        )._replace(is_verbatim=True),
        flag("--json", "what a word can become as JSON"),
    ),
    (
        'eval "$(pnr completion bash)"   # in ~/.bashrc',
        "pnr completion zsh > ~/.zfunc/_pnr",
        "pnr completion fish > ~/.config/fish/completions/pnr.fish",
    ),
    "0 printed",
    "[completion](#completion)",
)
