"""``pnr events``: the journal, from its file. Works without a daemon."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reconciler.cli import exits
from reconciler.cli.folders import folders
from reconciler.cli.terminal import print_json, say
from reconciler.daemon.clean import clean
from reconciler.daemon.viewing import clock_time
from reconciler.errors import PnrError

if TYPE_CHECKING:
    from pathlib import Path

Entry = Mapping[str, Any]


class JournalUnreadable(PnrError):
    """The journal is not there, or this user may not read it."""

    code = "JournalUnreadable"


def run(args: Namespace) -> int:
    """Show the journal; an exit code. Raises JournalUnreadable."""
    from pathlib import Path

    from reconciler.state import journal

    _, state = folders(args)
    path = Path(state) / journal.NAME
    _see_that_it_can_be_read(path, may_be_missing=args.follow)
    for entry in _newest(journal.read(path, limit=None if args.only else args.limit), args.only, args.limit):
        _show(entry, as_json=args.json)
    if args.follow:
        for entry in of_domain(journal.follow(path), args.only):
            _show(entry, as_json=args.json)
    return exits.OK


def _see_that_it_can_be_read(path: Path, *, may_be_missing: bool) -> None:
    try:
        path.open("rb").close()
    except FileNotFoundError as error:
        if not may_be_missing:
            raise JournalUnreadable(
                f"there is no journal at {path}: no daemon has run with this state folder; name it with --state"
            ) from error
    except OSError as error:
        raise JournalUnreadable(f"can't read the journal {path}: {error.strerror or error}") from error


def _newest(entries: list[dict[str, Any]], domain: str | None, limit: int) -> list[Entry]:
    return list(of_domain(entries, domain))[-limit:]


def _show(entry: Entry, *, as_json: bool) -> None:
    if as_json:
        print_json(entry, indent=None)
    else:
        say(event_line(entry))


def of_domain(entries: Iterable[Entry], name: str | None) -> Iterator[Entry]:
    """The entries of a domain; all where none is named."""
    return (entry for entry in entries if name is None or entry.get("domain") == name)


def event_line(entry: Entry, now: datetime | None = None) -> str:
    """One entry of the journal as a cleaned line: time, what it is about, what happened. Pure."""
    stamp = clock_time(entry.get("at"), now or datetime.now(UTC))
    about = "/".join(str(entry[part]) for part in ("domain", "cpux", "chunk") if entry.get(part))
    words = [stamp, about or "pnr", str(entry.get("kind", ""))]
    if entry.get("from") and entry.get("to"):
        words.append(f"{entry['from']} -> {entry['to']}")
    if entry.get("reason"):
        words.append(f"({entry['reason']})")
    words.append(str(entry.get("message", "")))
    if entry.get("by"):
        words.append(f"by {entry['by']}")
    return clean(" ".join(word for word in words if word))
