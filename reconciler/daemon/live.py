"""The stack as a live picture for a terminal: a table a domain, drawn with rich.

:func:`render` is pure (view in, renderable out); :class:`LiveView` puts it on the terminal. No state is told by
colour alone. Times are those of the clock, not ages, so that a picture at rest stays true without being redrawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reconciler.daemon.clean import clean
from reconciler.daemon.plain_output import urls
from reconciler.daemon.viewing import Found, chunks, clock_time, problem_text

View = Mapping[str, Any]

_LOOKS = {
    "completed": ("✔", "green"),
    "executing": ("▶", "blue"),
    "ready": ("○", "yellow"),
    "failed": ("✖", "red"),
}
_TV_STYLES = {"Y": "green", "N": "red", "U": "yellow"}
_URGENCY = {"failed": 0, "executing": 1, "ready": 2, "completed": 3}
_LINES_A_DOMAIN = 4  # title, header, facts, empty line
_LINES_AROUND = 6


def render(view: View, *, now: datetime | None = None, height: int = 50, hint: str = "") -> RenderableType:
    """The picture of a view. ``height`` is the number of lines that there is room for: where it does not
    suffice, what is completed is counted instead of listed. ``hint`` stands in the last line."""
    now = now or datetime.now(UTC)
    room = max(3, height - _LINES_AROUND - _LINES_A_DOMAIN * len(view["domains"]))
    listed = sorted(chunks(view["domains"]), key=lambda found: _URGENCY.get(found.state, 0))[:room]
    shown = {found.name for found in listed}
    parts: list[RenderableType] = [_heading(view)]
    parts.extend(Text(clean(f"! {note}"), style="yellow") for note in list(view["daemon"].get("notes") or ())[:3])
    parts.extend(_domain(domain, shown, now) for domain in view["domains"])
    if not view["domains"]:
        parts.append(Text("no domain is declared yet: put a JSON file into the domains directory", style="dim"))
    if hint:
        parts.append(Text(clean(hint), style="dim"))
    return Group(*parts)


def _heading(view: View) -> Text:
    daemon = view["daemon"]
    text = Text("pnr ", style="bold")
    text.append(clean(f"{daemon.get('version', '')}  {daemon.get('engine', '')}"), style="dim")
    if not daemon.get("engine_up", True):
        text.append(clean(f"  ✖ the engine does not answer: {daemon.get('message', '')}"), style="red")
    elif daemon.get("message"):
        text.append(clean(f"  {daemon['message']}"), style="yellow")
    return text


def _domain(domain: View, shown: set[str], now: datetime) -> RenderableType:
    parts: list[RenderableType] = [_title(domain)]
    parts.extend(Text(clean(f"✖ {problem_text(problem)}"), style="red") for problem in domain["errors"][:5])
    if len(domain["errors"]) > 5:
        parts.append(Text(f"  … {len(domain['errors']) - 5} more, see `pnr validate`", style="red"))
    parts.extend(Text(clean(f"! {problem_text(one)}"), style="yellow") for one in domain.get("warnings", ())[:3])
    if domain.get("held"):
        parts.append(Text(clean(f"! {domain['held']}"), style="yellow"))
    own = list(chunks([domain]))
    if own:
        parts.append(_table([found for found in own if found.name in shown], now))
        hidden = [found for found in own if found.name not in shown]
        if hidden:
            counts = ", ".join(
                f"{sum(found.state == state for found in hidden)} {state}"
                for state in _URGENCY
                if any(found.state == state for found in hidden)
            )
            parts.append(Text(f"  … and {counts}", style="dim"))
    parts.extend(_facts(cpux) for cpux in domain["cpuxs"] if cpux["facts"])
    return Padding(Group(*parts), (1, 0, 0, 0))


def _title(domain: View) -> Text:
    text = Text(clean(str(domain["name"])), style="bold")
    text.append(f"  generation {domain['generation']}", style="dim")
    if domain.get("commit"):
        text.append(clean(f"  commit {str(domain['commit'])[:12]}"), style="dim")
    if domain.get("suspended"):
        text.append("  down", style="yellow")
    elif domain.get("removing"):
        text.append("  ▶ removing", style="blue")
    elif domain["settled"]:
        text.append("  ✔ settled", style="green")
        found = urls(domain)
        if found:
            text.append(f"  {' '.join(found)}", style="bold")
    elif domain["stalled"]:
        text.append("  ! stalled", style="red")
    return text


def _table(found: Sequence[Found], now: datetime) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=False)
    for name in ("chunk", "state", "reason", "since"):
        table.add_column(name, no_wrap=True)
    table.add_column("message", no_wrap=True, overflow="ellipsis", ratio=1)
    for each in found:
        icon, style = _LOOKS.get(each.state, ("?", ""))
        table.add_row(
            Text(clean(f"{each.cpux['name']}/{each.chunk['name']}")),
            Text(f"{icon} {clean(each.state)}", style=style),
            Text(clean(each.reason)),
            Text(clock_time(each.chunk.get("since"), now), style="dim"),
            Text(clean(each.message), style="dim"),
        )
    return table


def _facts(cpux: View) -> Text:
    text = Text("facts ", style="dim", no_wrap=True, overflow="ellipsis")
    for key, fact in cpux["facts"].items():
        tv = clean(str(fact.get("tv", "U")))
        text.append(f" {clean(str(key))}=")
        text.append(tv, style=_TV_STYLES.get(tv, ""))
    return text


class LiveView:
    """Shows views on a terminal, in one place. A context manager: the last picture stays when it ends."""

    def __init__(self, console: Console | None = None, *, hint: str = "") -> None:
        self._console = console or Console(highlight=False)
        self._hint = hint
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="ellipsis")

    def __enter__(self) -> LiveView:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def show(self, view: View) -> None:
        """Draw a view."""
        picture = render(view, height=self._console.size.height, hint=self._hint)
        self._live.update(picture, refresh=True)
