"""The four states of a design chunk, and the table of the reasons that stand beside them.

A reason is a row here and nowhere else: what it is called, with which states it stands, what it means, what to do about
it, and whether it passes by itself. The errors of engines, ``pnr why`` and the
table in ``docs/states.md`` come from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class State(StrEnum):
    """The four states, see docs/states.md."""

    READY = "ready"
    EXECUTING = "executing"
    COMPLETED = "completed"
    FAILED = "failed"


class Heals(StrEnum):
    """Whether a chunk gets out of a reason without a person. The values are what the documentation says."""

    YES = "yes"
    ONCE_CURED = "once its cause is gone"
    NO = "no"


@dataclass(frozen=True, slots=True)
class _Row:
    """What is known of a reason. ``states`` is empty where it is a word of the journal only. ``advice`` is a sentence;
    ``{chunk}``, ``{domain}`` and ``{image}`` stand for those of the chunk."""

    name: str
    states: tuple[State, ...]
    meaning: str
    advice: str
    heals: Heals


WAIT = "Wait: nothing has failed; `pnr logs {chunk}` shows what the container prints."
FINE = "Nothing needs to be done."
_CORRECT = "Read what it printed (`pnr logs {chunk}`), and correct its settings, command or image."
_ENGINE_NAMES = "The engine's words name the cause: change the domain file, or what it refers to."


def _working(name: str, meaning: str, *states: State, advice: str = WAIT) -> _Row:
    return _Row(name, states or (State.EXECUTING,), meaning, advice, Heals.YES)


def _up(name: str, meaning: str) -> _Row:
    return _Row(name, (State.COMPLETED,), meaning, FINE, Heals.YES)


def _failed(name: str, meaning: str, advice: str, *, heals: Heals = Heals.ONCE_CURED) -> _Row:
    return _Row(name, (State.FAILED,), meaning, advice, heals)


class Reason(StrEnum):
    """Why a chunk is in its state. Stable: people script against the names."""

    states: tuple[State, ...]
    meaning: str
    advice: str
    heals: Heals

    def __new__(cls, row: _Row | str) -> Self:
        assert isinstance(row, _Row)  # a name finds its row before this
        self = str.__new__(cls, row.name)
        self._value_ = row.name
        self.states, self.meaning, self.advice, self.heals = row.states, row.meaning, row.advice, row.heals
        return self

    NEW = _working(
        "New",
        "known, but pnr has not decided about it yet (`ready`; after a restart the state that it had, if the snapshot's"
        " reason can't be read)",
        *State,
    )
    WAITING_FOR_GATEKEEPER = _working(
        "WaitingForGatekeeper",
        "some gatekeeper facts do not hold, or a chunk that is being updated is about to answer them again; the"
        " message names them and who answers them (`executing` while an update waits)",
        State.READY,
        State.EXECUTING,
        advice="Wait, or check the chunk that should answer those facts: `pnr why {chunk}` follows them to the root.",
    )
    SUSPENDED = _Row(
        "Suspended",
        (State.READY,),
        "a person took the domain down",
        "`pnr apply {domain}` brings it back.",
        Heals.NO,
    )
    PULLING_IMAGE = _working("PullingImage", "the image is being fetched; what runs goes on meanwhile")
    BUILDING_IMAGE = _working("BuildingImage", "the image is being built; what runs goes on meanwhile")
    CREATING = _working("Creating", "the engine will create its container; the message says what it waits for")
    STARTING = _working("Starting", "the engine starts its container")
    STOPPING = _working("Stopping", "the engine stops its container")
    UPDATING = _working("Updating", "the container is being replaced because its intent changed or it drifted")
    RECOVERING = _working(
        "Recovering", "the container died, was changed by hand or became unhealthy, and is being put right"
    )
    REMOVING = _working("Removing", "no longer declared; dependents go first", State.EXECUTING, State.READY)
    CLEANING_UP = _Row(
        "CleaningUp",
        (),
        "a container that is to go could not be removed, and it is tried again; what is up is not touched",
        WAIT,
        Heals.YES,
    )
    ROLLING_BACK = _working("RollingBack", "an update failed; the previous container comes back")
    PROBING = _Row(
        "Probing",
        (State.EXECUTING,),
        "it runs, but the health check has not passed yet (the message is the last answer), or it has none and has not"
        " run for `stable_seconds` yet",
        "See what it prints: `pnr logs {chunk}`.",
        Heals.ONCE_CURED,
    )
    UNHEALTHY = _Row(
        "Unhealthy",
        (State.EXECUTING,),
        "it was healthy and is not any more; it is restarted when its gatekeeper holds",
        "Read what it printed: `pnr logs {chunk}`.",
        Heals.ONCE_CURED,
    )
    RUNNING_JOB = _working("RunningJob", "a job runs")
    BACK_OFF = _working(
        "BackOff",
        "it died again soon after it was recovered; the next attempt is held back",
        advice="Read what it printed (`pnr logs {chunk}`), and correct what its failure names; it is tried again by"
        " itself.",
    )
    HEALTHY = _up("Healthy", "the health check passes")
    RUNNING = _up("Running", "it has run for `stable_seconds`, and has no health check")
    JOB_SUCCEEDED = _up("JobSucceeded", "the job ended with exit code 0")
    ENGINE_UNAVAILABLE = _Row(
        "EngineUnavailable",
        tuple(State),
        "the engine does not answer, so the state is not known; the last known state is shown",
        "Check that the Docker engine runs (`systemctl status docker`, `docker info`), and start it if it does not; pnr"
        " goes on by itself then.",
        Heals.ONCE_CURED,
    )
    IMAGE_PULL_FAILED = _failed(
        "ImagePullFailed",
        "the image is not available; the message is the registry's own words",
        "Correct the image, the login or the registry; to try by hand: `docker pull {image}`.",
    )
    IMAGE_BUILD_FAILED = _failed(
        "ImageBuildFailed",
        "the image can't be built; the message is the last of what the build printed",
        "Correct the Dockerfile or the files that it uses: pnr notices a change within half a minute, and builds"
        " again.",
    )
    NAME_CONFLICT = _failed(
        "NameConflict",
        "a container, network or volume that does not belong to this chunk has the wanted name; the message names it",
        "Remove or rename what holds the name, or choose another in the domain file.",
    )
    EXTERNAL_MISSING = _failed(
        "ExternalMissing",
        "it needs a network, volume or container that does not exist and that no domain makes; the"
        " message names it. When it appears the chunk goes on by itself; a container that runs meanwhile goes on, and"
        " is joined again without a restart",
        "Make it, or correct its name in the domain file; then it goes on by itself.",
    )
    PORT_IN_USE = _failed(
        "PortInUse",
        "the host port is held; the message names the holder where it can be found",
        "Free the port, or publish another one in the domain file.",
    )
    ADDRESS_IN_USE = _failed(
        "AddressInUse",
        "another container, which the message names, or the network itself has the address that this one declares in a"
        " network",
        "Disconnect that container from the network, or give the chunk another address in the domain file.",
    )
    ADDRESS_IMPOSSIBLE = _failed(
        "AddressImpossible",
        "an address that it declares in a network is in none of that network's subnets; nothing was touched",
        "Give the chunk an address of the network's subnets in the domain file, or take another network.",
    )
    DEADLINE_EXCEEDED = _failed(
        "DeadlineExceeded",
        "not healthy within `deadline_seconds`; the message is the last answer",
        "Read what it printed (`pnr logs {chunk}`); if it only needs longer, raise `deadline_seconds`.",
    )
    EXITED_NON_ZERO = _failed(
        "ExitedNonZero", "it ended before it was up; exit code and last output are in the message", _CORRECT
    )
    EXITED = _failed(
        "Exited",
        "it ended with exit code 0, but is not a job; its last output is in the message",
        'It should keep running, but ended by itself: declare work that ends with `"kind": "job"`; else give it a'
        " command that keeps running.",
    )
    OOM_KILLED = _failed(
        "OOMKilled",
        "it was killed for lack of memory before it was up; exit code and last output are in the message",
        "Give it more memory (`mem_limit`), or find out what eats it: `pnr logs {chunk}`.",
    )
    CRASH_LOOPING = _Row(
        "CrashLooping",
        (State.FAILED, State.EXECUTING),
        "it ended by itself three times within ten minutes, whoever started it again; how often, after how long, with"
        " which exit code and output is in the message (`executing` while it runs again)",
        _CORRECT,
        Heals.ONCE_CURED,
    )
    CREATE_FAILED = _failed(
        "CreateFailed",
        "the engine refused to create it, or what it needs; the message is the engine's own words, or names a"
        " container that pnr did not make and that keeps a network from being recreated",
        _ENGINE_NAMES,
    )
    START_FAILED = _failed(
        "StartFailed", "the engine could not start its container; the message is the engine's own words", _ENGINE_NAMES
    )
    UPDATE_FAILED = _failed(
        "UpdateFailed",
        "the engine refused to change a setting of a running container; the container is replaced",
        "Wait: a new container takes its place.",
        heals=Heals.YES,
    )
    ENGINE_ERROR = _failed(
        "EngineError",
        "the engine failed at something else; the message is the engine's own words",
        "The engine's words name the cause; its own log has the details.",
    )
    UNSUPPORTED = _failed(
        "Unsupported",
        "the engine is too old, or runs on another system, for a setting; nothing was touched",
        "Take the setting out of the domain file, or update the engine.",
    )
    POLICY_REFUSED = _failed(
        "PolicyRefused",
        "the [policy](policy.md) of this daemon does not allow it; the message names the rule and the place that sets"
        " it; nothing was sent to the engine",
        "Change the domain file, or let the policy allow it: the message names the rule.",
    )
    ROLLED_BACK = _failed(
        "RolledBack",
        "the update failed and the previous container serves again (or the previous network, where a [changed"
        " network](#networks-that-can-t-be-changed) can't be made, or the previous connection to a network, where the"
        " engine refused the new one): where the cause can pass by itself, until the"
        " update is tried again (`next_try`); else until the domain changes or, after an [update to another"
        " image](images.md#following-a-tag), until its tag moves on",
        "Correct the domain file: the previous container serves until then; or try again with `pnr apply {domain}`.",
    )
    UPDATE_PAUSED = _failed(
        "UpdatePaused",
        "the update failed and `on_failure` is `pause`: nothing is done until the domain changes, or the tag moves on",
        "Correct the domain file, and the update goes on.",
        heals=Heals.NO,
    )
