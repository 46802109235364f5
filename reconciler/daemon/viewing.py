"""Finds things in a view (the document of ``pnr status --json``) and words times for people. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from reconciler.daemon.short_names import find_chunk
from reconciler.errors import PnrError
from reconciler.quantities import durations

Document = Mapping[str, Any]

MOST_KNOWN = 20


class UnknownDomain(PnrError):
    """A name that no domain has."""

    code = "UnknownDomain"


class Found:
    """A chunk of a view, with the CPUX and the domain that it is in."""

    __slots__ = ("chunk", "cpux", "domain")

    def __init__(self, domain: Document, cpux: Document, chunk: Document) -> None:
        self.domain, self.cpux, self.chunk = domain, cpux, chunk

    @property
    def name(self) -> str:
        """The full name, ``domain/cpux/chunk``."""
        return f"{self.domain['name']}/{self.cpux['name']}/{self.chunk['name']}"

    @property
    def state(self) -> str:
        """One of the four states."""
        return str(self.chunk["state"])

    @property
    def reason(self) -> str:
        """The reason in CamelCase."""
        return str(self.chunk.get("reason") or "")

    @property
    def message(self) -> str:
        """The message for people."""
        return str(self.chunk.get("message") or "")


def worked_on_elsewhere(view: Document, only: Collection[str] = ()) -> list[str]:
    """Of the domains that another pnr works on, and this one leaves alone: why."""
    return [
        str(error["message"])
        for domain in view["domains"]
        if not only or domain["name"] in only
        for error in domain["errors"]
        if error["code"] == "WorkedOnElsewhere"
    ]


def chunks(domains: Iterable[Document]) -> Iterator[Found]:
    """All chunks of domains of a view, in its order."""
    for domain in domains:
        for cpux in domain["cpuxs"]:
            for chunk in cpux["chunks"]:
                yield Found(domain, cpux, chunk)


def find(view: Document, name: str) -> Found:
    """The one chunk that ``name`` means. Raises UnknownChunk where there is none, or more than one."""
    known = {each.name: each for each in chunks(view["domains"])}
    return known[find_chunk(name, known, _instead(view, sorted(known)))]


def _instead(view: Document, names: Sequence[str]) -> str:
    text = f"there is {', '.join(names[:8])}{', …' if len(names) > 8 else ''}" if names else "there are none"
    never_valid = [domain["file"] for domain in view["domains"] if domain["errors"] and not domain["cpuxs"]]
    if never_valid:
        text += f"; not valid, see `pnr validate`: {', '.join(never_valid)}"
    return text


def unknown_domain(names: Collection[str], known: Collection[str]) -> UnknownDomain:
    """The error about names that no domain has."""
    listed = sorted(known)
    more = f" and {len(listed) - MOST_KNOWN} more" if len(listed) > MOST_KNOWN else ""
    told = f"{', '.join(listed[:MOST_KNOWN])}{more}" if listed else "none"
    return UnknownDomain(f"there is no domain {', '.join(names)}; known are: {told}")


def chosen(view: Document, names: list[str]) -> list[Document]:
    """The domains of these names, all where none is named. Raises UnknownDomain."""
    domains = list(view["domains"])
    known = {domain["name"] for domain in domains}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise unknown_domain(unknown, known)
    return [domain for domain in domains if not names or domain["name"] in names]


def held_lines(held: Mapping[str, str]) -> list[str]:
    """Whose removal is held, and why: a line for all that are held for the same."""
    names: dict[str, list[str]] = {}
    for name, text in held.items():
        names.setdefault(text, []).append(name)
    return [f"the removal of {', '.join(group)} is held: {text}" for text, group in names.items()]


def problem_text(problem: Document) -> str:
    """``file:line:col: path: message [Code]``."""
    where = str(problem.get("file", ""))
    if problem.get("line"):
        where += f":{problem['line']}:{problem.get('column', 0)}"
    at = f" {problem['path']}:" if problem.get("path") else ""
    return f"{where}:{at} {problem.get('message', '')} [{problem.get('code', '')}]"


def moment(text: object) -> datetime | None:
    """An ISO 8601 time of a view; None where there is none."""
    if not isinstance(text, str) or not text:
        return None
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def ago(text: object, now: datetime) -> str:
    """How long a time of a view is past (``3m``), "" where there is none."""
    then = moment(text)
    return durations.rounded((now - then).total_seconds()) if then is not None else ""


def clock_time(text: object, now: datetime) -> str:
    """A time of a view as a local clock shows it, with the date where it is another day."""
    then = moment(text)
    if then is None:
        return ""
    local = then.astimezone()
    return local.strftime("%H:%M:%S" if local.date() == now.astimezone().date() else "%Y-%m-%d %H:%M:%S")
