"""What a domain file refers to besides itself: whether it is the file's own. Pure."""

from __future__ import annotations

from glob import escape

from reconciler.intent.contents import Source, SourceKind
from reconciler.policy import paths
from reconciler.policy.checks import kinds, places
from reconciler.policy.checks.case import Case
from reconciler.policy.rule import PATHS, WORDS, Rule
from reconciler.policy.values import DOMAIN

ROWS = (
    Rule(
        "secrets.files",
        PATHS,
        "Which files a domain may have the content of, as secrets, configs, env_file, label_file, as files that sops or"
        " age open, and as build contexts; they follow the rules of `files` as well. Links are followed, and both ends"
        f" must be in the list. `{DOMAIN}` is the folder beside the domain file that is called as the file is.",
        ["/"],
        ["/"],
        [DOMAIN],
    ),
    Rule(
        "secrets.credentials",
        WORDS,
        "Which of the daemon's systemd credentials it may have.",
        ["*"],
        ["*"],
        [],
    ),
    Rule(
        "secrets.environment",
        WORDS,
        "Which variables of the daemon's environment it may have, as secrets and as `${NAME}`, of those that"
        " --allow-env allows at all.",
        ["*"],
        ["*"],
        [],
    ),
)

_FIELD = "secret"


def source(case: Case, wanted: Source, path: str, *, is_folder: bool) -> None:
    """Refuse a content that the domain file may not have. ``path`` is what is to be read for it now: its own path, one
    that it leads to, or one that it takes along; "" where it is not a file."""
    match wanted.kind:
        case SourceKind.TEXT:
            return
        case SourceKind.ENVIRONMENT:
            if not case.policy.allows("secrets.environment", wanted.name):
                case.refuse("secrets.environment", _FIELD, f"{wanted} of the daemon", wanted.name)
        case SourceKind.CREDENTIAL:
            if not case.policy.allows("secrets.credentials", wanted.name):
                case.refuse("secrets.credentials", _FIELD, f"{wanted} of the daemon", wanted.name)
        case _:
            places.file(case, path, "file", is_folder=is_folder)
            _own(case, path)


def _own(case: Case, path: str) -> None:
    given = kinds.expanded(case, case.policy.words("secrets.files"))
    for way in dict.fromkeys((paths.normal(path), case.look(path).real)):
        if paths.covering(given, way) is None:
            allowed = ", ".join(case.policy.words("secrets.files")) or "none"
            said = f"the file {way}: it is none of those that this domain file is given (given: {allowed})"
            case.refuse("secrets.files", "file", said, escape(way))
            return
