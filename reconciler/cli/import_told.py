"""What ``pnr import`` says of a project on standard error: a few lines, or all of them with ``--verbose``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from reconciler.cli.import_judge import Suggestion
from reconciler.compose.converting.convert import Conversion
from reconciler.compose.converting.remarks import NOT_WRITTEN, subject
from reconciler.daemon.takeover import Verdict
from reconciler.diagnostics import Diagnostic

_ONE_BY_ONE = {"note": 1, "loss": 3, "question": 3}
"""How many of a kind are told each by itself."""
_WARNINGS = 3
_NAMES = 6
_LINES = 10


def remark_lines(remarks: Sequence[Diagnostic], *, verbose: bool) -> Iterator[str]:
    """The remarks: notes of one kind as one, with their services."""
    kinds: dict[tuple[str, str], list[Diagnostic]] = {}
    for remark in remarks:
        kinds.setdefault((remark.severity, remark.code), []).append(remark)
    notes: list[str] = []
    told: list[str] = []
    for (severity, _), group in kinds.items():
        few = verbose or len(group) <= _ONE_BY_ONE[severity]
        lines = [str(remark) for remark in group] if few else [_as_one(group)]
        (notes if severity == "note" else told).extend(lines)
    room = max(_LINES - len(told), 1)
    if not verbose and len(notes) > room:
        notes[room - 1 :] = [f"note: and {len(notes) - room + 1} more notes: --verbose lists all"]
    yield from (*told, *notes)


def _as_one(group: Sequence[Diagnostic]) -> str:
    names = list(dict.fromkeys(named for remark in group[1:] if (named := subject(remark))))
    return f"{group[0]} (and {len(group) - 1} more such: {listed(names)}; --verbose lists them)"


def listed(names: Sequence[str]) -> str:
    """Names for people, not too many of them."""
    more = [f"and {len(names) - _NAMES} more"] if len(names) > _NAMES + 1 else []
    return ", ".join([*(names[:_NAMES] if more else names), *more])


def warning_lines(warnings: Sequence[Diagnostic], *, verbose: bool) -> Iterator[str]:
    """Compose's own warnings."""
    few = warnings if verbose or len(warnings) <= _WARNINGS else warnings[: _WARNINGS - 1]
    yield from (f"warning: {warning.message}" for warning in few)
    if len(few) < len(warnings):
        yield f"warning: and {len(warnings) - len(few)} more warnings of Compose's own: --verbose lists them"


def verdict_lines(verdicts: Sequence[Verdict], *, verbose: bool) -> Iterator[str]:
    """What becomes of containers: of those that are as they should be in one line, where there are many."""
    kinds = {
        "as declared; they will be taken over as they are": [one for one in verdicts if one.matches],
        "not there yet; they will be made": [one for one in verdicts if not one.container_id],
    }
    grouped = {} if verbose else {said: group for said, group in kinds.items() if len(group) > _ONE_BY_ONE["loss"]}
    for said, group in grouped.items():
        yield f"{len(group)} containers: {said} ({listed([one.container for one in group])}; --verbose lists them)"
    in_groups = [one for group in grouped.values() for one in group]
    yield from (str(one) for one in verdicts if one not in in_groups)


def suggestion_lines(suggestion: Suggestion, written: Path | None) -> Iterator[str]:
    """How to have what the policy refuses."""
    things = f"{suggestion.refused} thing{'s' if suggestion.refused != 1 else ''}"
    if not suggestion.rules:
        yield f"the policy refuses {things}, which only the profile open allows: use --policy open"
        return
    if written is not None:
        yield f"the policy refuses {things}: {written} allows them. Read it, and import with --policy {written}"
        return
    text = suggestion.rules if suggestion.is_there else suggestion.whole.rstrip("\n")
    how = "give these rules these values in" if suggestion.is_there else "write to"
    yield (
        f"the policy refuses {things}. To allow just these, {how} {suggestion.file} (a container with these may be as"
        f" good as root on the host):\n\n{textwrap.indent(text, '    ')}\n"
    )
    yield "--suggest-policy FILE writes such a policy, and --policy FILE imports with it"


def summary(conversion: Conversion, output: Path | None) -> str:
    """The last line: what was made."""
    chunks = sum(len(cpux["design_chunks"]) for cpux in conversion.document["cpuxs"].values())
    where = f"{output}: " if output is not None else ""
    return f"{where}{_count(chunks, 'chunk')}{''.join(_shortcomings(conversion))}"


def _shortcomings(conversion: Conversion) -> Iterable[str]:
    if conversion.left_out:
        yield f", not written: {listed(list(conversion.left_out))} (--partial writes what can be)"
    left = [remark for remark in conversion.losses if remark.code != NOT_WRITTEN]
    if left:
        yield f", {_count(len(left), 'thing')} without counterpart"
    if conversion.questions:
        yield f", {_count(len(conversion.questions), 'question')} to be answered (--job, --service)"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"
