"""Why a chunk is as it is: first the cause at the root, second what to do, then what bears them out. Pure.

A chunk that waits is no cause: whoever should answer what it waits for is. So the chain is followed to the chunk that
stands at its end, and the first line is about that one.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from reconciler.cli.chain import Chain, Root
from reconciler.cli.steps import sentence, step_of_chunk, step_of_problem
from reconciler.daemon.short_names import UnknownChunk
from reconciler.daemon.viewing import (
    Document,
    Found,
    clock_time,
    find,
    problem_text,
)
from reconciler.daemon.viewing import moment as moment_of
from reconciler.planner.gist import gist
from reconciler.quantities import durations
from reconciler.sentences import LAST_ATTEMPT, taken_apart
from reconciler.states import FINE, WAIT, Reason

MOST_OUTPUT_LINES = 10
MOST_BETWEEN = 5

_FINE_AGAIN = "Nothing needs to be done while it runs; why it ended is in what it printed: `pnr logs {chunk}`."
_GOES_ON = "Wait: pnr is working on it; `pnr logs {chunk}` shows what the container prints."
_AGAIN = "Read what it printed (`pnr logs {chunk}`), and correct what its failure names; it is tried again by itself."


def explain(view: Document, chunk: str, now: datetime | None = None) -> str:
    """The cause of a chunk's state, the next step, and what bears them out, a line each.

    ``chunk`` is ``chunk``, ``cpux/chunk`` or ``domain/cpux/chunk``; of a file that is not valid it may be a chunk that
    only stands there, or the file. Raises UnknownChunk.
    """
    try:
        found = find(view, chunk)
    except UnknownChunk:
        domain = _only_in_a_file(view, chunk)
        if domain is None:
            raise
        return "\n".join(_of_file(domain))
    return "\n".join(_Teller(view, now or datetime.now(UTC)).tell(found))


def _only_in_a_file(view: Document, name: str) -> Document | None:
    """The file that is not valid and speaks of this chunk, or is called so."""
    *scope, chunk = name.split("/")
    for domain in view["domains"]:
        if not domain["errors"]:
            continue
        said = [str(one) for one in domain.get("said") or ()]
        called = {domain["name"], domain["file"], str(domain["file"]).removesuffix(".json"), *said[:1]}
        if name in called or (
            chunk in said and (not scope or scope[0] in called or scope[0] in said or len(scope) == 1)
        ):
            return dict(domain)
    return None


def _of_file(domain: Document) -> list[str]:
    first, *others = domain["errors"]
    then = (
        "what was in force before stays so"
        if domain.get("generation")
        else "nothing of it is in force, and nothing of it runs"
    )
    lines = [_tidy(f"{domain['file']} is not valid, so {then}: {_cause_of(first)}."), step_of_problem(first)]
    return lines + [_tidy(f"Another error: {_cause_of(other)}.") for other in others]


def _cause_of(problem: Document) -> str:
    """A problem without what its message says to do."""
    return problem_text({**problem, "message": taken_apart(str(problem.get("message", "")))[0]})


class _Teller:
    def __init__(self, view: Document, now: datetime) -> None:
        self._view = view
        self._now = now

    def tell(self, found: Found) -> list[str]:
        """All sentences about one chunk."""
        chain = Chain(self._view)
        root = chain.root(found)
        lead = (
            self._engine(found)
            or self._domain(found.domain)
            or (self._waiting(found, root) if root is not None else None)
            or self._state_folder(found)
            or (self._state(found), self._step(found))
        )
        lines = list(lead)
        if not self._view["daemon"].get("engine_up", True):
            lines.append(self._containers_of_engine())
        if lead[0] != self._state(found) and root is None:
            lines.append(self._state(found))
        if root is not None:
            lines.extend(f"{line}." for line in chain.links)
            if root.found is not None and root.found.name != found.name:
                lines.extend(self._evidence(root.found))
        else:
            lines.extend(self._evidence(found))
        lines.extend(self._removal(found.domain))
        lines.extend(self._image(found))
        lines.extend(f"In its /runtime: {problem}." for problem in found.chunk.get("facts_problems") or [])
        lines.extend(f"{note.partition(': ')[2]}." for note in found.chunk.get("file_notes") or [])
        lines.extend(f"{note}." for note in self._view["daemon"].get("notes") or ())
        return [_tidy(line) for line in dict.fromkeys(lines) if line]

    # --- the first two lines ------------------------------------------------------------------------------------

    def _engine(self, found: Found) -> tuple[str, str] | None:
        daemon = self._view["daemon"]
        if daemon.get("engine_up", True):
            return None
        cause, step = taken_apart(str(daemon.get("message") or ""))
        said = f": {cause}" if cause else ""
        return (
            f"The engine does not answer{said}; so {found.name} can't be seen, started or checked.",
            sentence(step) or Reason.ENGINE_UNAVAILABLE.advice,
        )

    def _containers_of_engine(self) -> str:
        """What became of the containers of an engine that does not answer, as far as anybody can know."""
        keeps = self._view["daemon"].get("live_restore")
        if keeps:
            return (
                "Its containers run on without it (its `live-restore` is on), unless their machine is off; they are"
                " seen again when it is back."
            )
        ends = "" if keeps is None else " (its `live-restore` is off)"
        but = " unless `live-restore` is on" if keeps is None else ""
        return (
            f"Where the engine was stopped, its containers have ended with it{ends}{but}: pnr starts them again when it"
            " is back. Where only pnr can't reach it, they run on."
        )

    def _domain(self, domain: Document) -> tuple[str, str] | None:
        if not domain["errors"]:
            return None
        first = domain["errors"][0]
        if first["code"] == "WorkedOnElsewhere":  # the file is right
            cause, step = taken_apart(str(first["message"]))
            return f"{cause}.", sentence(step)
        more = len(domain["errors"]) - 1
        rest = f" (and {more} more, see `pnr validate`)" if more else ""
        then = "everything stays as it is" if domain.get("unknown") else "its last good content stays in force"
        return f"{domain['file']} is not valid, so {then}: {_cause_of(first)}{rest}.", step_of_problem(first)

    def _waiting(self, found: Found, root: Root) -> tuple[str, str]:
        if root.found is None or root.found.name == found.name:
            return f"{found.name} {root.text}.", root.step
        age = self._age(found)
        between = root.through if len(root.through) <= MOST_BETWEEN else (*root.through[: MOST_BETWEEN - 1], "…")
        through = f" (through {', '.join(between)})" if between else ""
        if root.step:
            return f"{found.name} waits{age} for {root.found.name}{through}: {root.text}.", root.step
        text = f"{found.name} waits{age} for {root.found.name}{through}, which {self._how(root.found)}."
        return text, self._step(root.found)

    def _state_folder(self, found: Found) -> tuple[str, str] | None:
        trouble = str(self._view["daemon"].get("message") or "")
        if not trouble or found.state == "failed":
            return None
        cause, step = taken_apart(trouble)
        usual = "Make room on that disk, or correct the rights of the folder: it is tried again every second."
        return f"pnr can't keep its state: {cause}; {self._state(found)}", sentence(step) or usual

    def _state(self, found: Found) -> str:
        away, mended = found.chunk.get("ended_away"), found.chunk.get("mended") or {}
        if found.state == "completed" and away and str(mended.get("at") or "") <= str(away):
            at = clock_time(away, self._now)
            return (
                f"{found.name} had ended while the engine was away (seen at {at}), and was started again;"
                f" it {self._how(found)}."
            )
        if found.state == "completed" and mended:
            at = clock_time(mended.get("at"), self._now)
            said = f"{found.name} {mended['text']} from outside at {at} (by whom is not known), and was put right"
            return f"{said}; it {self._how(found)}."
        return f"{found.name} {self._how(found)}{_ended_before(found)}."

    def _how(self, found: Found) -> str:
        cause = self._cause(found)
        return f"is {found.state} ({found.reason}){self._age(found)}" + (f": {cause}" if cause else "")

    def _cause(self, found: Found) -> str:
        cause = taken_apart(found.message)[0].partition(LAST_ATTEMPT)[0]
        last = str(found.chunk.get("last_failure") or "")
        if found.state == "executing" and last and not self._is_failing_now(found):
            last, _ = taken_apart(last)
            if last not in cause:
                is_new = cause and cause not in last and found.reason != Reason.BACK_OFF
                doing = f" ({cause})" if is_new else ""
                cause = f"{last}; it is tried again{doing}"
        ending = found.chunk.get("exit") or {}
        is_restarting = any(one.get("condition") == "restarting" for one in found.chunk.get("replicas") or ())
        if is_restarting and "exit code" not in cause and ending.get("code") is not None:
            memory = "killed for lack of memory, " if ending.get("oom") else ""
            cause = f"{memory}exit code {ending['code']}; it is tried again ({cause})"
        return self._with_output(found, cause)

    @staticmethod
    def _with_output(found: Found, cause: str) -> str:
        """The cause with the last line that was printed, where it is about an end and has none of it."""
        about_an_end = "exit code" in cause and found.state != "completed"
        said, lines = _printed(found)
        if not about_an_end or not lines or "; it said: " in cause:
            return cause
        when = "" if said is not None else ", in this run or one before"
        ended, again, rest = cause.partition("; it is tried again")
        told = gist("\n".join(lines)).splitlines()[-1]
        return f"{ended}; it said{when}: {told}{again}{rest}"

    @staticmethod
    def _is_failing_now(found: Found) -> bool:
        """Whether what runs now fails its check: that is the cause, whatever the attempt before failed from."""
        probe = found.chunk.get("probe") or {}
        return found.reason in (Reason.PROBING, Reason.UNHEALTHY) and bool(probe.get("failures"))

    def _step(self, found: Found) -> str:
        holder = self._held_holder(found)
        if holder:
            return (
                f"`pnr confirm-removal {holder}` lets the removal of {holder} go on, whose container has that name; or"
                f" put the file of {holder} back.{self._next_try(found)}"
            )
        _, step = taken_apart(found.message)
        if not step and found.state == "executing":
            _, step = taken_apart(str(found.chunk.get("last_failure") or ""))
        if found.state == "completed":
            return _FINE_AGAIN.format(chunk=found.name) if _ended_before(found) else FINE
        if found.chunk.get("waiting_for"):
            return ""
        told = sentence(step) or step_of_chunk(found)
        if not told:
            usual = _GOES_ON if found.chunk.get("last_error") else WAIT
            told = (_AGAIN if found.chunk.get("last_failure") else usual).format(chunk=found.name)
        return f"{told}{self._next_try(found)}"

    def _held_holder(self, found: Found) -> str:
        """The domain that waits for a person to confirm its removal, and that still has the name or port this chunk
        wants; else ""."""
        if found.reason not in (Reason.NAME_CONFLICT, Reason.PORT_IN_USE, Reason.BACK_OFF):
            return ""
        said = f"{found.message}\n{found.chunk.get('last_failure') or ''}"
        held = (str(domain["name"]) for domain in self._view["domains"] if domain.get("held"))
        return next((name for name in held if f" {name}/" in said and name != found.domain["name"]), "")

    def _age(self, found: Found) -> str:
        since = moment_of(found.chunk.get("since"))
        return f" for {durations.rounded((self._now - since).total_seconds())}" if since is not None else ""

    def _next_try(self, found: Found) -> str:
        next_try = moment_of(found.chunk.get("next_try"))
        if next_try is None or found.state != "failed":
            return ""
        left = (next_try - self._now).total_seconds()
        at = f"at {clock_time(found.chunk['next_try'], self._now)} (in {durations.rounded(left)})"
        when = at if left >= 1 else "now"
        attempts = found.chunk.get("attempts")
        count = f" after {attempts} attempts" if isinstance(attempts, int) and attempts > 1 else ""
        return f" It is tried again {when}{count}; `pnr apply` tries it at once."

    # --- what bears them out ------------------------------------------------------------------------------------

    def _removal(self, domain: Document) -> list[str]:
        if domain.get("held"):
            return [f"Removal of {domain['name']} is held back: {domain['held']}."]
        if domain.get("removing"):
            return [f"{domain['file']} is gone, so {domain['name']} is being removed."]
        return []

    def _image(self, found: Found) -> list[str]:
        lines = []
        moved = str(found.chunk.get("image_moved") or "")
        auto = found.chunk.get("auto_update") or {}
        cause, step = taken_apart(moved)
        if step:
            lines.append(f"Its tag has moved, and what runs stays as it is ({cause}): {step}.")
        elif moved and not auto.get("policy"):
            lines.append(
                f"Its tag has moved ({moved}); what runs is left alone until it is recreated,"
                f" or `pnr apply {found.domain['name']}` says so."
            )
        if auto.get("trouble"):
            due = clock_time(auto.get("next_at"), self._now)
            trouble = ": ".join(filter(None, taken_apart(str(auto["trouble"]))))
            lines.append(f"About its image: {trouble}" + (f"; asked again at {due}." if due else "."))
        if auto.get("rejected"):
            lines.append(f"The image {auto['rejected']} was tried and rejected.")
        return lines

    def _evidence(self, found: Found) -> list[str]:
        if found.state == "completed":
            return []
        lines = []
        probe = found.chunk.get("probe")
        times = (probe or {}).get("failures") or (probe or {}).get("total_failures") or 0
        if probe and probe.get("last_error") and times:
            when = f", last at {clock_time(probe['last_at'], self._now)}" if probe.get("last_at") else ""
            row = "time" if times == 1 else "times"
            cause, _ = taken_apart(str(probe["last_error"]))
            lines.append(f"Its {probe['type']} check has failed {times} {row}{when}: {cause}.")
        ending = found.chunk.get("exit")
        if ending and (found.state == "failed" or found.chunk.get("last_failure")):
            memory = ", killed for lack of memory" if ending.get("oom") else ""
            said, output = _printed(found)
            how = "and its exit code is not known" if ending.get("code") is None else f"with exit code {ending['code']}"
            if output:
                printed = "; it printed last:" if said is not None else "; in this run or one before it printed last:"
            else:
                # Whether it printed something is not known before its output was read, or if that can't be read.
                printed = "; it printed nothing." if said is not None else "."
            lines.append(f"Its last run ended {how}{memory}{printed}")
            lines.extend(f"    {line}" for line in output[-MOST_OUTPUT_LINES:])
        last, _ = taken_apart(str(found.chunk.get("last_failure") or found.chunk.get("last_error") or ""))
        if last and self._is_failing_now(found):
            lines.append(f"The attempt before it failed: {last}.")
        elif last and found.state == "failed" and last not in found.message and not ending and not probe:
            lines.append(f"The last error was: {last}.")
        return lines


def _ended_before(found: Found) -> str:
    """How a service that is up ended by itself a while ago: it may well do so again."""
    crashes = found.chunk.get("crashes")
    if found.state != "completed" or not crashes:
        return ""
    times = "once" if crashes == 1 else f"{crashes} times"
    cause, _ = taken_apart(str(found.chunk.get("last_error") or ""))
    why = re.sub(r"^it ended by itself [^:]*: ", "", cause)
    return f"; before that it ended by itself {times}{', last with: ' if why else ''}{why}"


def _printed(found: Found) -> tuple[str | None, list[str]]:
    """What its last run printed (None: not known), and the lines to show: of a run before it, until that is known."""
    ending = found.chunk.get("exit") or {}
    said = ending.get("output")
    text = ending.get("earlier_output") if said is None else said
    return said, [line for line in str(text or "").splitlines() if line.strip()]


def _tidy(line: str) -> str:
    """A sentence that quotes another one ends once."""
    return line.rstrip(".") + "." if line.endswith("..") and not line.endswith("...") else line
