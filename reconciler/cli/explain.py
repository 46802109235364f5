"""Why a chunk is as it is, in a few sentences: the cause at the root, and what to do next. Pure.

A chunk that waits is no cause: whoever should answer what it waits for is. So the chain is followed to the chunks
that stand at its end, and those are what the last sentences are about.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from reconciler.daemon.viewing import Document, Found, chunks, clock_time, find, matches, problem_text, span
from reconciler.daemon.viewing import moment as moment_of

MOST_LINKS = 20
MOST_OUTPUT_LINES = 10

_NEXT = {
    "ImagePullFailed": "The message names the cause; to try by hand: `docker pull {image}`.",
    "ImageBuildFailed": "Put what it is built from right: a change there is noticed within half a minute, and built.",
    "NameConflict": "Remove or rename the container that holds the name, or choose another in the domain file.",
    "ExternalMissing": "Make it, or correct its name in the domain file; then it goes on by itself.",
    "PortInUse": "Free the port, or publish another one in the domain file.",
    "OOMKilled": "Give it more memory (`mem_limit`), or find out what eats it: `pnr logs {chunk}`.",
    "ExitedNonZero": "Read what it printed: `pnr logs {chunk}`.",
    "CrashLooping": "Read what it printed before it ended: `pnr logs {chunk}`.",
    "Exited": 'It is to be kept up but ended by itself; work that ends is declared with `"kind": "job"`.',
    "DeadlineExceeded": "Read what it printed (`pnr logs {chunk}`); if it only needs longer, raise `deadline_seconds`.",
    "Unhealthy": "Read what it printed: `pnr logs {chunk}`.",
    "StartFailed": "The engine's message names the cause; change the domain file, or what it refers to.",
    "CreateFailed": "The engine's message names the cause; change the domain file, or what it refers to.",
    "EngineError": "The engine's message names the cause; its own log tells more.",
    "RolledBack": "The previous container serves; correct the domain file, and the update is tried again.",
    "UpdatePaused": "Correct the domain file, and the update goes on.",
    "Suspended": "`pnr apply {domain}` brings it back.",
}
_NEXT_IMAGE = "It is tried again when its tag moves on, the domain file changes, or you say `pnr apply`."
_NEXT_ROLLED_BACK = "The previous container serves; the cause can pass by itself."
# Where no next try is told of, what failed is not tried again by itself.
_WAITS_FOR_A_CHANGE = ("RolledBack", "UpdatePaused")


def explain(view: Document, chunk: str, now: datetime | None = None) -> str:
    """The cause of a chunk's state and the next step, one sentence or a few, a line each.

    ``chunk`` is ``chunk``, ``cpux/chunk`` or ``domain/cpux/chunk``. Raises UnknownChunk.
    """
    found = find(view, chunk)
    return "\n".join(_Teller(view, now or datetime.now(UTC)).tell(found))


class _Teller:
    def __init__(self, view: Document, now: datetime) -> None:
        self._view = view
        self._now = now
        self._told: set[str] = set()

    def tell(self, found: Found) -> list[str]:
        """All sentences about one chunk."""
        daemon = self._view["daemon"]
        lines = []
        if not daemon.get("engine_up", True):
            said = f": {daemon['message']}" if daemon.get("message") else ""
            lines.append(
                f"The engine does not answer{said}. What runs goes on, but nothing can be started or checked"
                " until it does. See that the Docker engine runs (`docker info`)."
            )
        lines += self._domain(found.domain) + self._chunk(found)
        return [*lines, *(f"{note}." for note in daemon.get("notes") or ())]

    def _domain(self, domain: Document) -> list[str]:
        lines = []
        if domain["errors"]:
            first = problem_text(domain["errors"][0])
            more = len(domain["errors"]) - 1
            rest = f" (and {more} more, see `pnr validate`)" if more else ""
            then = "everything stays as it is" if domain.get("unknown") else "its last good content stays in force"
            lines.append(f"{domain['file']} is not valid, so {then}: {first}{rest}")
        if domain.get("held"):
            lines.append(f"Removal of {domain['name']} is held back: {domain['held']}.")
        elif domain.get("removing"):
            lines.append(f"{domain['file']} is gone, so {domain['name']} is being removed.")
        return lines

    def _chunk(self, found: Found) -> list[str]:
        self._told.add(found.name)
        since = moment_of(found.chunk.get("since"))
        age = f" for {span((self._now - since).total_seconds())}" if since is not None else ""
        waiting = found.chunk.get("waiting_for") or []
        said = "" if waiting or not found.message else f": {found.message}"
        head = f"{found.name} is {found.state} ({found.reason}){age}{said}."
        lines = [head.replace("..", ".")]
        for fact in waiting:
            lines.extend(self._missing(found, fact))
        if found.state != "completed" and not waiting:
            lines.extend(self._evidence(found))
            lines.extend(self._next(found))
        lines.extend(self._image(found))
        lines.extend(f"In its /runtime: {problem}." for problem in found.chunk.get("facts_problems") or [])
        lines.extend(f"{note.partition(': ')[2]}." for note in found.chunk.get("file_notes") or [])
        return lines

    def _image(self, found: Found) -> list[str]:
        lines = []
        moved = str(found.chunk.get("image_moved") or "")
        auto = found.chunk.get("auto_update") or {}
        if moved and not auto.get("policy"):
            lines.append(
                f"Its tag has moved ({moved}); what runs is left alone until it is made anew,"
                f" or `pnr apply {found.domain['name']}` says so."
            )
        if auto.get("trouble"):
            due = clock_time(auto.get("next_at"), self._now)
            lines.append(f"About its image: {auto['trouble']}" + (f"; asked again at {due}." if due else "."))
        if auto.get("rejected"):
            lines.append(f"The image {auto['rejected']} was tried and rejected.")
        return lines

    def _missing(self, found: Found, fact: Document) -> list[str]:
        name = str(fact["fact"])
        wanted = _value(fact.get("wanted"), fact.get("wanted_response"))
        now = self._fact(name)
        is_now = _value(fact.get("found", "U"), (now or {}).get("response") if fact.get("found") != "U" else None)
        text = f"It waits for {name}: wanted {wanted}, found {is_now}"
        prompt = (now or {}).get("prompt")
        if prompt:
            text += f' ("{prompt}")'
        who = [str(each) for each in fact.get("answered_by") or []]
        if name == "system_ready":
            return [f"{text}. The program answers it, Y as soon as the engine answers."]
        if not who:
            return [
                f"{text}. Nothing that is declared answers it: put it in the flowout of a chunk,"
                f" or in the rt_state of {_scope(name, found)}, or correct the name in the gatekeeper."
            ]
        lines = [f"{text}; answered by {', '.join(who)}."]
        for answerer in self._answerers(who, name):
            lines.extend(self._follow(answerer))
        return lines

    def _follow(self, answerer: Found) -> list[str]:
        if answerer.name in self._told:
            waits = bool(answerer.chunk.get("waiting_for"))
            return [f"{answerer.name} in turn waits for one of these: a circle of gates."] if waits else []
        if len(self._told) >= MOST_LINKS:
            return [f"And so on: `pnr why {answerer.name}`."]
        if answerer.state == "completed":
            self._told.add(answerer.name)
            return [f"{answerer.name} is up, and that is its answer: change the gatekeeper, or what it answers."]
        return self._chunk(answerer)

    def _answerers(self, names: list[str], fact: str) -> Iterable[Found]:
        scope = fact.split("/")[:2] if fact.count("/") == 2 else []
        for found in chunks(self._view):
            for name in names:
                full = name if "/" in name or not scope else "/".join([*scope, name])
                if matches(found, full):
                    yield found
                    break

    def _fact(self, name: str) -> Document | None:
        parts = name.split("/")
        if len(parts) != 3:
            return None
        for domain in self._view["domains"]:
            for cpux in domain["cpuxs"]:
                if [domain["name"], cpux["name"]] == parts[:2]:
                    fact: Document | None = cpux["facts"].get(parts[2])
                    return fact
        return None

    def _evidence(self, found: Found) -> list[str]:
        lines = []
        probe = found.chunk.get("probe")
        if probe and probe.get("last_error"):
            times = probe.get("failures") or probe.get("total_failures") or 0
            when = f", last at {clock_time(probe['last_at'], self._now)}" if probe.get("last_at") else ""
            row = "time" if times == 1 else "times"
            lines.append(f"Its {probe['type']} check has failed {times} {row}{when}: {probe['last_error']}.")
        ending = found.chunk.get("exit")
        if ending:
            memory = ", killed for want of memory" if ending.get("oom") else ""
            output = [line for line in str(ending.get("output") or "").splitlines() if line.strip()]
            shown = output[-MOST_OUTPUT_LINES:]
            lines.append(
                f"Its container ended with exit code {ending.get('code')}{memory}"
                + ("; it printed last:" if shown else "; it printed nothing.")
            )
            lines.extend(f"    {line}" for line in shown)
        last = str(found.chunk.get("last_error") or "")
        if last and last not in found.message and not ending and not probe:
            lines.append(f"The last error was: {last}.")
        return lines

    def _next(self, found: Found) -> list[str]:
        parts = []
        image = _image(found)
        waits = found.reason in _WAITS_FOR_A_CHANGE and not found.chunk.get("next_try")
        advice = _NEXT.get(found.reason)
        if found.reason == "RolledBack" and not waits:
            advice = _NEXT_ROLLED_BACK
        if waits and (found.chunk.get("auto_update") or {}).get("rejected"):
            advice = _NEXT_IMAGE
        if advice:
            parts.append(advice.format(chunk=found.name, domain=found.domain["name"], image=image))
        next_try = moment_of(found.chunk.get("next_try"))
        if next_try is not None and not waits:
            left = (next_try - self._now).total_seconds()
            when = f"at {clock_time(found.chunk['next_try'], self._now)} (in {span(left)})" if left >= 1 else "now"
            attempts = found.chunk.get("attempts")
            count = f" after {attempts} attempts" if isinstance(attempts, int) and attempts > 1 else ""
            parts.append(f"It is tried again {when}{count}; `pnr apply` tries it at once.")
        return [" ".join(parts)] if parts else []


def _value(tv: object, response: object) -> str:
    said = f" [{', '.join(str(word) for word in response)}]" if isinstance(response, list) and response else ""
    return f"{tv}{said}"


def _scope(fact: str, found: Found) -> str:
    parts = fact.split("/")
    return "/".join(parts[:2]) if len(parts) == 3 else f"{found.domain['name']}/{found.cpux['name']}"


def _image(found: Found) -> str:
    return str(found.chunk.get("image") or "IMAGE")
