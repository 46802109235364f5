"""``depends_on`` as facts and gatekeepers: what each service answers, and what it waits for. Pure.

A chunk answers one thing. Which, follows from what its dependents ask for and from its health check: that it runs, that
it is healthy, or that its work is done. Where Compose would be content with less, the chunk waits longer, and that is
noted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reconciler.compose.converting.names import fact_key
from reconciler.compose.converting.remarks import Remarks
from reconciler.intent.model import Kind
from reconciler.intent.settings.isolation import SERVICE

Services = Mapping[str, Mapping[str, Any]]

STRICTER = "StricterOrder"
LOOSER = "LooserOrder"


class Condition(StrEnum):
    """What Compose lets a service wait for."""

    STARTED = "service_started"
    HEALTHY = "service_healthy"
    COMPLETED = "service_completed_successfully"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service's chunk answers: a fact, and the condition that it stands for."""

    key: str
    prompt: str
    condition: Condition

    @property
    def kind(self) -> Kind:
        """What kind of chunk answers so."""
        return Kind.JOB if self.condition is Condition.COMPLETED else Kind.SERVICE

    def fact(self) -> dict[str, Any]:
        """The fact as a domain file has it, in a flowout and in gatekeepers."""
        return {"prompt": self.prompt, "response": ["yes"], "tv": "Y"}


_WORDS = {
    Condition.STARTED: ("started", "Is {} running?"),
    Condition.HEALTHY: ("healthy", "Is {} healthy?"),
    Condition.COMPLETED: ("completed", "Has {} done its work?"),
}


def answers(services: Services, chunks: Mapping[str, str], jobs: Collection[str] = ()) -> dict[str, Answer]:
    """What each service answers; ``chunks`` are the names of their chunks, ``jobs`` those whose work ends."""
    wanted: dict[str, set[str]] = {name: set() for name in services}
    for service in services.values():
        for target, said in depends_on(service):
            if target in wanted:
                wanted[target].add(str(said.get("condition") or Condition.STARTED))
    taken: set[str] = set()
    found = {}
    for name, service in services.items():
        condition = Condition.COMPLETED if name in jobs else _condition(service, wanted[name])
        word, prompt = _WORDS[condition]
        found[name] = Answer(fact_key(chunks[name], word, taken), prompt.format(name), condition)
    return found


def started(service: str, chunk: str, taken: set[str]) -> Answer:
    """What a service answers that has no health check; its key is then among those ``taken``."""
    word, prompt = _WORDS[Condition.STARTED]
    return Answer(fact_key(chunk, word, taken), prompt.format(service), Condition.STARTED)


def _condition(service: Mapping[str, Any], wanted: set[str]) -> Condition:
    if Condition.COMPLETED in wanted:
        return Condition.COMPLETED
    if has_no_check(service):
        return Condition.STARTED
    asked = Condition.HEALTHY in wanted or service.get("healthcheck")
    return Condition.HEALTHY if asked else Condition.STARTED


def has_no_check(service: Mapping[str, Any]) -> bool:
    """Whether a service says that it has no health check, its image's included."""
    check = service.get("healthcheck") or {}
    return bool(check.get("disable")) or (check.get("test") or [""])[0] == "NONE"


def depends_on(service: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Whom a service waits for, and how, without those whose namespaces or volumes it shares: pnr sees to these
    itself, and Compose writes them into ``depends_on`` unasked."""
    shared = _shared(service)
    for target, said in (service.get("depends_on") or {}).items():
        plain = (said.get("condition") or Condition.STARTED) == Condition.STARTED
        if not (target in shared and plain):
            yield target, said


def _shared(service: Mapping[str, Any]) -> set[str]:
    modes = (str(service.get(key) or "") for key in ("network_mode", "ipc", "pid"))
    shared = {mode.removeprefix(SERVICE) for mode in modes if mode.startswith(SERVICE)}
    return shared | {str(entry).partition(":")[0] for entry in service.get("volumes_from") or ()}


def waits_for(
    name: str, services: Services, answered: Mapping[str, Answer], remarks: Remarks
) -> tuple[dict[str, Any], bool]:
    """The gatekeeper of a service's chunk, and whether the chunk is to be restarted when it closes."""
    gate: dict[str, Any] = {}
    restarts: dict[str, bool] = {}
    linked = {str(link).partition(":")[0] for link in services[name].get("links") or ()}
    for target, said in depends_on(services[name]):
        path = ("services", name, "depends_on", target)
        if target not in answered:
            remarks.note(path, "NotWaitedFor", f"{target} is not part of the domain, so {name} does not wait for it")
            continue
        answer = answered[target]
        gate[answer.key] = answer.fact()
        # Compose writes those that are linked into depends_on unasked, to be restarted with them.
        restarts[target] = bool(said.get("restart")) and target not in linked
        _compare(name, target, said, answer, remarks)
    restart = any(restarts.values())
    if restart and not all(restarts.values()):
        others = ", ".join(target for target, wanted in restarts.items() if not wanted)
        message = f"{name} is restarted when any of what it waits for stops holding, that of {others} included"
        remarks.note(("services", name, "depends_on"), "RestartsMore", message)
    return gate, restart


def _compare(name: str, target: str, said: Mapping[str, Any], answer: Answer, remarks: Remarks) -> None:
    path = ("services", name, "depends_on", target)
    condition = said.get("condition") or Condition.STARTED
    if condition != answer.condition:
        if condition == Condition.HEALTHY and answer.condition is Condition.STARTED:
            message = f"{target} has its health check turned off: {name} starts as soon as {target} runs"
            remarks.note(path, LOOSER, message)
        elif answer.condition is Condition.COMPLETED:
            message = f"{name} starts when {target} has ended with 0, as others that wait for {target}"
            remarks.note(path, STRICTER, message)
        else:
            message = f"{name} starts when {target} is healthy, not as soon as it runs: {target} has a health check"
            remarks.note(path, STRICTER, message)
    if said.get("required") is False:
        message = f"if {target} does not come up, Compose goes on without it; in the domain {name} waits"
        remarks.note(path, STRICTER, message)


def in_order(services: Services) -> list[str]:
    """The services, each after those that it waits for, otherwise in their own order."""
    done: dict[str, None] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in done or name in above or name not in services:
            return
        for target in services[name].get("depends_on") or {}:
            visit(target, (*above, name))
        done[name] = None

    for name in services:
        visit(name, ())
    return list(done)
