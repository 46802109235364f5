"""Short ways to write chunks, containers and situations in tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.facts import TV, Gate, GateEntry, Pnr, resolve
from reconciler.intent.model import Chunk, ChunkId, ContainerSpec, Cpux, Domain, HealthCheck, NetworkSpec, Strategy
from reconciler.planner.decide import decide
from reconciler.planner.health import Health
from reconciler.planner.observed import Condition, Container
from reconciler.planner.retry_state import RetryState
from reconciler.planner.situation import ChunkInput
from reconciler.planner.steps import Decision
from reconciler.planner.tracking import notice

TCP = HealthCheck(type="tcp", port_key="80")
YES = Pnr("is it ready?", ("yes",), TV.Y)


def gate(*names: str, domain: str = "shop", cpux: str = "main") -> Gate:
    """Entries that want Y; ``name=N`` wants N."""
    entries = []
    for name in names:
        key, _, tv = name.partition("=")
        wanted = Pnr("", (), TV.parse(tv or "Y"))
        entries.append(GateEntry(resolve(key, domain=domain, cpux=cpux), wanted))
    return tuple(entries)


def chunk(name: str = "web", *, needs: Gate = (), digest: str = "d1", domain: str = "shop", **more: Any) -> Chunk:
    """A chunk that answers ``NAME_ready``."""
    spec = ContainerSpec(
        name=more.pop("container", f"{domain}_{name}"),
        image=more.pop("image", "nginx:1"),
        digest=digest,
        settings=more.pop("settings", {}),
        networks=more.pop("networks", {f"pnr_{domain}": (name,)}),
    )
    values: dict[str, Any] = {
        "gate": needs,
        "flowout": {f"{name}_ready": Pnr(f"is {name} ready?", ("yes",), TV.Y)},
        "strategy": Strategy.STOP_FIRST,
        **more,
    }
    return Chunk(ChunkId(domain, "main", name), spec, **values)


def domain(*chunks: Chunk, name: str = "shop") -> Domain:
    """A domain of one CPUX with its own network."""
    return Domain(name, f"{name}.json", "digest", "intent", (Cpux("main", {}, chunks),), (NetworkSpec(f"pnr_{name}"),))


def container(of: Chunk, condition: Condition = Condition.RUNNING, **more: Any) -> Container:
    """A container of the chunk as it should be."""
    exited = condition in (Condition.EXITED, Condition.DEAD)
    base = Container(
        id=f"id-{of.container.name}-{of.container.digest}",
        name=of.container.name,
        image=of.container.image,
        image_id="sha256:1",
        condition=condition,
        owner=of.id,
        spec=of.container.digest,
        generation=1,
        run="" if condition is Condition.CREATED else "run1",
        networks=dict.fromkeys(of.container.networks, "10.0.0.2"),
        exit_code=137 if exited else None,
    )
    return replace(base, **more)


def situation(of: Chunk | None, *containers: Container, **more: Any) -> ChunkInput:
    """A chunk's situation; gate open, nothing remembered. What has no health check runs for long enough."""
    id = of.id if of is not None else more.pop("id")
    runs = [c.run for c in containers if c.run] if of is not None and of.health is None else []
    seen = Health(run=runs[0], since=900.0, began=900.0) if runs else Health()
    return ChunkInput(
        id=id,
        chunk=of,
        generation=more.pop("generation", 1),
        containers=tuple(containers),
        memory=more.pop("memory", RetryState()),
        health=more.pop("health", seen),
        now=more.pop("now", 1000.0),
        **more,
    )


def healthy(run: str = "run1") -> Health:
    """Probed and found well."""
    return Health(run=run, since=900.0, tv=TV.Y, successes=1, message="tcp 80 answered")


def think(i: ChunkInput) -> tuple[RetryState, Decision]:
    """What the loop does with a situation: notice, then decide."""
    memory = notice(i)
    return memory, decide(replace(i, memory=memory))


def steps(decision: Decision) -> list[str]:
    """The actions of a decision as text."""
    return [action.describe() for action, _ in decision.work.steps] if decision.work is not None else []


def as_dict(values: Mapping[str, Any]) -> dict[str, Any]:
    """A plain copy."""
    return dict(values)
