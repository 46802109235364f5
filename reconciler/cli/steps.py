"""The next step for each reason, and for what is wrong with a file, where the message itself has none. Pure."""

from __future__ import annotations

from reconciler.cli.clues import step_from
from reconciler.daemon.viewing import Document, Found
from reconciler.sentences import taken_apart

_OF_REASON = {
    "ImagePullFailed": "Correct the image, the login or the registry; to try by hand: `docker pull {image}`.",
    "ImageBuildFailed": "Put what it is built from right: a change there is noticed within half a minute, and built.",
    "NameConflict": "Remove or rename what holds the name, or choose another in the domain file.",
    "ExternalMissing": "Make it, or correct its name in the domain file; then it goes on by itself.",
    "PortInUse": "Free the port, or publish another one in the domain file.",
    "OOMKilled": "Give it more memory (`mem_limit`), or find out what eats it: `pnr logs {chunk}`.",
    "ExitedNonZero": "Read what it printed (`pnr logs {chunk}`), and correct its settings, command or image.",
    "Exited": 'It is to be kept up but ended by itself: work that ends is declared with `"kind": "job"`; else give it a'
    " command that stays.",
    "CrashLooping": "Read what it printed (`pnr logs {chunk}`), and correct its settings, command or image.",
    "DeadlineExceeded": "Read what it printed (`pnr logs {chunk}`); if it only needs longer, raise `deadline_seconds`.",
    "Unhealthy": "Read what it printed: `pnr logs {chunk}`.",
    "StartFailed": "The engine's words name the cause: change the domain file, or what it refers to.",
    "CreateFailed": "The engine's words name the cause: change the domain file, or what it refers to.",
    "EngineError": "The engine's words name the cause; its own log tells more.",
    "PolicyRefused": "Change the domain file, or let the policy allow it: the message names the rule.",
    "Unsupported": "Take the setting out of the domain file, or update the engine.",
    "RolledBack": "Correct the domain file: the previous container serves until then; or try again with"
    " `pnr apply {domain}`.",
    "UpdatePaused": "Correct the domain file, and the update goes on.",
    "Suspended": "`pnr apply {domain}` brings it back.",
    "Probing": "See what it prints: `pnr logs {chunk}`.",
}
KILLED = 137
_KILLED = (
    "Something has killed it (137 is SIGKILL): most often the kernel, for want of memory. Give it more (`mem_limit`),"
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
_EXITS = ("ExitedNonZero", "CrashLooping", "RolledBack", "BackOff")


def step_of_chunk(found: Found) -> str:
    """What to do about a chunk that is not up, by its reason and what its last run printed."""
    ending = found.chunk.get("exit") or {}
    trouble = f"{found.message}\n{found.chunk.get('last_failure') or ''}"
    if ending.get("oom"):
        return _filled(_OF_REASON["OOMKilled"], found)
    if ending.get("code") == KILLED and "exit code 137" in trouble:
        return _filled(_KILLED, found)
    if found.reason in ("CrashLooping", "BackOff") and ending.get("code") == 0:
        return _filled(_OF_REASON["Exited"], found)
    if found.reason in _EXITS or (ending and "exit code" in trouble):
        clue = step_from(str(ending.get("output") or ending.get("earlier_output") or trouble))
        if clue:
            return clue
    passes = found.reason == "RolledBack" and found.chunk.get("next_try")
    if passes:
        return "Put that right, or wait: the previous container serves, and the cause can pass by itself."
    if found.reason in ("RolledBack", "UpdatePaused") and (found.chunk.get("auto_update") or {}).get("rejected"):
        return _OF_IMAGE
    text = _OF_REASON.get(found.reason, "")
    is_restarting = any(one.get("condition") == "restarting" for one in found.chunk.get("replicas") or ())
    if not text and ending and (found.chunk.get("last_failure") or is_restarting):
        text = _OF_REASON["Exited" if ending.get("code") == 0 else "ExitedNonZero"]
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
