"""A service as a design chunk: what it waits for and answers, its health check, its container, its copies. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.compose.converting import container, dependencies
from reconciler.compose.converting.container import Names
from reconciler.compose.converting.dependencies import Answer, Condition
from reconciler.compose.converting.deploy import flatten
from reconciler.compose.converting.remarks import NO_COUNTERPART, Remarks
from reconciler.diagnostics import Path
from reconciler.intent.document import HealthCheck
from reconciler.intent.model import Kind
from reconciler.intent.settings import healthcheck

USUAL_INTERVAL = 30.0
USUAL_RETRIES = 3
LONGEST_DEADLINE = 604800
"""What the engine takes where a health check does not say."""

_ENDS = ("no", "on-failure")


@dataclass(frozen=True, slots=True)
class Found:
    """The containers of a service that Compose has made already: their names, in the order of their numbers."""

    names: tuple[str, ...] = ()


def copies_of(service: Mapping[str, Any], found: Found) -> int:
    """How many containers a service has: those that there are, or as many as are declared."""
    return len(found.names) or declared_copies(service)


def declared_copies(service: Mapping[str, Any]) -> int:
    """How many containers a service is to have; 0 for one that is turned off."""
    replicas = flatten(service).replicas
    return 1 if replicas is None else replicas


def convert(
    name: str,
    model: Mapping[str, Any],
    names: Names,
    answered: Mapping[str, Answer],
    found: Found,
    adopt: bool,
    remarks: Remarks,
) -> tuple[dict[str, Any], dict[Path, Path]]:
    """The chunk of a service, and where in the model its parts came from that stand elsewhere there."""
    services = {key: model["services"][key] for key in answered}
    service = model["services"][name]
    answer = answered[name]
    deployed = flatten(service)
    copies = 1 if answer.kind is Kind.JOB else copies_of(service, found)
    if answer.kind is Kind.JOB and copies_of(service, found) > 1:
        remarks.loss(
            ("services", name, "scale"), NO_COUNTERPART, "work that others wait for is done once: one container is made"
        )
    converted = container.convert(name, model, names, deployed, copies=copies, adopt=adopt, remarks=remarks)
    chunk: dict[str, Any] = {"name": names.chunks[name]}
    if answer.kind is Kind.JOB:
        chunk["kind"] = str(Kind.JOB)
    if adopt:
        chunk["adopt"] = True
    gate, restart = dependencies.waits_for(name, services, answered, remarks)
    if gate:
        chunk["gatekeeper"] = gate
    chunk["flowout"] = {answer.key: answer.fact()}
    if answer.condition is Condition.HEALTHY:
        chunk["health_check"] = _health_check(service)
    if restart:
        chunk["on_gate_close"] = "restart"
    if copies > 1:
        chunk["replicas"] = copies
    chunk["container"] = {"name": _container_name(name, model, copies, found, remarks), **converted.settings}
    if names.chunks[name] != name:
        message = f"the chunk is called {names.chunks[name]}: {name} can't be the name of one; it stays an alias"
        remarks.note(("services", name), "NameChanged", message)
    _told(name, service, answer, remarks)
    at = ("services", name)
    origins: dict[Path, Path] = {
        (): at,
        ("container",): at,
        ("container", "name"): (*at, "container_name"),
        ("replicas",): (*at, "scale"),
        ("health_check",): (*at, "healthcheck"),
        ("gatekeeper",): (*at, "depends_on"),
    }
    origins |= {("container", *where): (*at, *origin) for where, origin in converted.origins.items()}
    return chunk, origins


def _container_name(name: str, model: Mapping[str, Any], copies: int, found: Found, remarks: Remarks) -> str:
    """As Compose gives it; pnr numbers the names of copies itself."""
    service = model["services"][name]
    usual = str(service.get("container_name") or f"{model['name']}-{name}-1")
    if not found.names:
        return usual if copies == 1 else f"{model['name']}-{name}"
    if copies == 1:
        return found.names[0]
    stem = found.names[0].rpartition("-")[0]
    if found.names != tuple(f"{stem}-{number + 1}" for number in range(copies)):
        message = (
            f"its containers are called {', '.join(found.names)}; pnr numbers replicas from 1: containers with other"
            " names are not taken over"
        )
        remarks.loss(("services", name), "NotTakenOver", message)
        stem = f"{model['name']}-{name}"
    return stem


def _health_check(service: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's own word. The chunk is given as long as the engine may take to come to it."""
    check: dict[str, Any] = {"type": "docker"}
    said = service.get("healthcheck") or {}
    try:
        times = healthcheck.parse({key: part for key, part in said.items() if key != "test" and part is not None})
    except ValueError:
        return check  # what is wrong with it is told of the container's healthcheck
    once = times.get("interval", USUAL_INTERVAL) + times.get("timeout", USUAL_INTERVAL)
    longest = math.ceil(times.get("start_period", 0) + once * times.get("retries", USUAL_RETRIES))
    if longest > HealthCheck.model_fields["deadline_seconds"].default:
        check["deadline_seconds"] = min(longest, LONGEST_DEADLINE)
    return check


def _told(name: str, service: Mapping[str, Any], answer: Answer, remarks: Remarks) -> None:
    if answer.condition is Condition.HEALTHY and not (service.get("healthcheck") or {}).get("test"):
        message = f"others wait for {name} to be healthy, and it declares no test: its image must have a HEALTHCHECK"
        remarks.note(("services", name), "ImagesHealthCheck", message)
    if answer.kind is Kind.JOB and service.get("healthcheck") and not dependencies.has_no_check(service):
        message = f"{name} is work that ends, so that its health is not checked"
        remarks.note(("services", name, "healthcheck"), "HealthNotAsked", message)


def ask_what_ends(names: Sequence[str], model: Mapping[str, Any], remarks: Remarks) -> None:
    """Of services that are kept up: those of which it is written that they are not started again may be work that ends.
    That is asked; of those of which nothing is written it is told once."""
    silent = []
    for name in names:
        service = model["services"][name]
        of_deploy = (service.get("deploy") or {}).get("restart_policy")
        restart = flatten(service).settings.get("restart", (service.get("restart"), ()))[0]
        if restart and str(restart).partition(":")[0] in _ENDS:
            path = ("services", name, *(("deploy", "restart_policy") if of_deploy else ("restart",)))
            kept = f"Compose does not restart {name} when it has ended with 0; pnr starts it again"
            if service.get("ports") or (service.get("healthcheck") or {}).get("test"):
                remarks.note(path, "KeptUp", kept)
                continue
            message = (
                f"is {name} work that ends? {kept}. --job {name} makes it a job, which is run to its end once;"
                f" --service {name} says that it should keep running"
            )
            remarks.question(path, "WorkOrService", message)
        elif not restart:
            silent.append(name)
    if silent:
        message = (
            "without `restart` Compose does not restart a container that has ended; pnr starts it again"
            f" ({', '.join(silent)}). For work that ends use --job NAME"
        )
        remarks.note(("services",), "KeptUp", message)
