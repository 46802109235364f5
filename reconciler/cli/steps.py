"""The next step about a chunk, and about what is wrong with a file, where the message itself has none. Pure."""

from __future__ import annotations

from reconciler.cli.clues import step_from
from reconciler.daemon.viewing import Document, Found
from reconciler.sentences import taken_apart
from reconciler.states import Heals, Reason

KILLED = 137
_KILLED = (
    "Something has killed it (137 is SIGKILL): most often the kernel, for lack of memory. Give it more (`mem_limit`),"
    " or find out what eats it: `pnr logs {chunk}`."
)
_OF_IMAGE = "It is tried again when its tag moves on, the domain file changes, or you say `pnr apply`."
_OF_FILE = {
    "Syntax": "Correct the file at that place; `pnr validate` checks it, and it is taken as soon as it is saved.",
    "MergeConflict": "Resolve the conflict in the file (`git mergetool`, or edit it) and save it.",
    "MissingVariable": "Give the variable a value in the domain's `env`, a default (`${{NAME:-value}}`), or allow it"
    " from the daemon's environment (`--allow-env NAME`).",
    "SourceMissing": "Make the file, or correct its name in the domain file; it is looked for again by itself.",
    "SourceUnreadable": "Write the Dockerfile or file that is named there, make it readable, or correct its path.",
    "UnsatisfiableGate": "Correct the gatekeeper (the name of its fact, or the answer that it wants), or let a chunk"
    " (flowout) or the CPUX's rt_state answer so.",
    "GateCycle": "Take one of these gates out, so that one of them can start first.",
    "DuplicateDomain": "Give the domain in {file} another name, or remove one of the two files.",
    "PolicyRefused": "Take it out of the domain file, or allow it in the policy: set the rule that the message names in"
    " /etc/pnr/policy.toml and restart pnr (docs/policy.md).",
}
_EXITS = (Reason.EXITED_NON_ZERO, Reason.CRASH_LOOPING, Reason.ROLLED_BACK, Reason.BACK_OFF)


def step_of_chunk(found: Found) -> str:
    """What to do about a chunk that is not up, by its reason and what its last run printed; "" where pnr is at work."""
    ending = found.chunk.get("exit") or {}
    trouble = f"{found.message}\n{found.chunk.get('last_failure') or ''}"
    if ending.get("oom") or f"killed for lack of memory (exit code {KILLED})" in trouble:
        return _filled(Reason.OOM_KILLED.advice, found)
    if ending.get("code") == KILLED and "exit code 137" in trouble:
        return _filled(_KILLED, found)
    if found.reason in (Reason.CRASH_LOOPING, Reason.BACK_OFF) and ending.get("code") == 0:
        return _filled(Reason.EXITED.advice, found)
    if found.reason in _EXITS or (ending and "exit code" in trouble):
        clue = step_from(str(ending.get("output") or ending.get("earlier_output") or trouble))
        if clue:
            return clue
    passes = found.reason == Reason.ROLLED_BACK and found.chunk.get("next_try")
    if passes:
        return "Correct that, or wait: the previous container serves, and the cause can pass by itself."
    rejected = (found.chunk.get("auto_update") or {}).get("rejected")
    if rejected and found.reason in (Reason.ROLLED_BACK, Reason.UPDATE_PAUSED):
        return _OF_IMAGE
    # A daemon of another version may know reasons that are not in this one's table.
    reason = Reason(found.reason) if found.reason in set(Reason) else None
    text = reason.advice if reason is not None and reason.heals is not Heals.YES else ""
    is_restarting = any(one.get("condition") == "restarting" for one in found.chunk.get("replicas") or ())
    if not text and ending and (found.chunk.get("last_failure") or is_restarting):
        text = (Reason.EXITED if ending.get("code") == 0 else Reason.EXITED_NON_ZERO).advice
    return _filled(text, found)


def _filled(text: str, found: Found) -> str:
    image = str(found.chunk.get("image") or "IMAGE")
    return text.format(chunk=found.name, domain=found.domain["name"], image=image)


def step_of_problem(problem: Document) -> str:
    """What to do about what is wrong with a file."""
    _, step = taken_apart(str(problem.get("message", "")))
    if step:
        return sentence(step)
    usual = "Correct the file at that place; `pnr validate` checks it, and it is taken as soon as it is saved."
    return _OF_FILE.get(str(problem.get("code")), usual).format(file=problem.get("file", "the file"))


def sentence(step: str) -> str:
    """A step as a sentence of its own."""
    return f"{step[0].upper()}{step[1:]}{'' if step.endswith(('.', '!', '?')) else '.'}" if step else ""
