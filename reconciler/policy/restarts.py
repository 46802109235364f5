"""Who starts a container again that has something of the host: pnr, where the policy wants that. Pure.

What the engine starts again by itself was judged when pnr started it, and nobody looks again: by then a link may lead
elsewhere. So such a container has no restart policy of the engine, and each start of it is one that was judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.diagnostics import Diagnostics
from reconciler.intent.model import Chunk, ContainerSpec, Domain, VolumeSpec
from reconciler.policy.checks.mounts import NEVER, RULE
from reconciler.policy.checks.volumes import is_of_host
from reconciler.policy.model import Policy


def amended(policy: Policy, domain: Domain) -> Domain:
    """The domain as it is carried out: without restart policies of the engine where pnr is to start a container again.
    A note tells of them."""
    if policy.flag(RULE):
        return domain
    volumes = {volume.name: volume for volume in domain.volumes}
    told: dict[str, str] = {}
    cpuxs = tuple(
        replace(cpux, chunks=tuple(_amended(chunk, volumes, told) for chunk in cpux.chunks)) for cpux in domain.cpuxs
    )
    if cpuxs == domain.cpuxs:
        return domain
    report = Diagnostics(domain.file)
    report.add(*domain.notes)
    if told:
        report.note(("cpuxs",), "StartedByPnr", _note(policy, told))
    return replace(domain, cpuxs=cpuxs, notes=tuple(report))


def has_of_host(spec: ContainerSpec, volumes: Mapping[str, VolumeSpec]) -> bool:
    """Whether a container has directories or files of the host, as far as its domain tells. A volume that is not the
    domain's may be one, and so may what another container has."""
    settings = spec.settings
    if settings.get("volumes_from"):
        return True
    return any(_is_of_host(entry, volumes) for entry in settings.get("volumes") or ())


def _is_of_host(entry: Mapping[str, Any], volumes: Mapping[str, VolumeSpec]) -> bool:
    if entry["type"] == "bind":
        return True
    if entry["type"] != "volume" or not entry["source"]:
        return False
    volume = volumes.get(str(entry["source"]))
    return volume is None or volume.external or is_of_host(volume.driver or "", volume.driver_opts)


def _amended(chunk: Chunk, volumes: Mapping[str, VolumeSpec], told: dict[str, str]) -> Chunk:
    spec = chunk.container
    if not has_of_host(spec, volumes):
        return chunk
    policy = str(spec.settings.get("restart") or "")
    if policy in NEVER:
        return replace(chunk, container=replace(spec, judged=True))
    if chunk.id.replica == 1:
        told[f"{chunk.id.cpux}/{chunk.id.chunk}"] = policy
    settings = {name: value for name, value in spec.settings.items() if name != "restart"}
    return replace(chunk, container=replace(spec, settings=settings, restart_of_ours=policy, judged=True))


def _note(policy: Policy, told: Mapping[str, str]) -> str:
    who = ", ".join(f"{name} (restart: {value})" for name, value in told.items())
    return (
        f"pnr itself starts again, and the engine does not: {who}; what a container has of the host is judged before"
        f" each start, so that while no pnr runs it is not started again (rule {RULE}, {policy.origin(RULE)})"
    )
