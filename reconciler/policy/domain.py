"""Judges a domain before anything of it is made: with the requests that it would lead to. Pure.

What is refused is told at the setting in the file that asks for it: the setting whose ``send`` wrote the field, and in
a list the item that comes out as the one that was refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.intent.findings import Finding
from reconciler.intent.model import Adopt, Chunk, ContainerSpec, Domain
from reconciler.intent.positions import Path
from reconciler.intent.settings import SETTINGS, payload
from reconciler.planner.bodies import network_body, volume_body
from reconciler.planner.observed import LABEL_CHUNK, LABEL_CPUX, LABEL_DOMAIN, LABEL_REPLICA
from reconciler.policy import names
from reconciler.policy.judge import Judge
from reconciler.policy.model import Policy
from reconciler.policy.refusal import CODE, Refusal
from reconciler.policy.request import Request, Route, to_create
from reconciler.policy.suggesting import allowing, lines
from reconciler.sentences import advised

_INDEX = re.compile(r"(?P<top>(?:HostConfig\.)?[A-Za-z]+)\[(?P<index>[^\]]*)\]")
_DEPLOYED = {
    "mem_limit": ("deploy", "resources", "limits", "memory"),
    "cpus": ("deploy", "resources", "limits", "cpus"),
    "pids_limit": ("deploy", "resources", "limits", "pids"),
    "gpus": ("deploy", "resources", "reservations", "devices"),
    "restart": ("deploy", "restart_policy"),
}
_MOUNTS = ("HostConfig.Binds", "HostConfig.Mounts")
_PART = re.compile(r"(?>[A-Za-z]:[\\/][^:]*|[^:]*):((?>[A-Za-z]:[\\/][^:]*|[^:]*))(?::.*)?")


class _Declared:
    """What a domain itself says of containers: those that it makes, by name, are its own."""

    is_complete = False

    def __init__(self, domain: Domain) -> None:
        self._chunks = {chunk.container.name: chunk for chunk in domain.chunks()}

    def container(self, name: str) -> Mapping[str, Any] | None:
        chunk = self._chunks.get(name)
        if chunk is None:
            return None
        return {**payload(chunk.container), "Labels": _labels(chunk)}

    def volume(self, name: str) -> Mapping[str, Any] | None:
        return None

    def network(self, name: str) -> Mapping[str, Any] | None:
        return None


def judge_domain(judge: Judge, domain: Domain, tree: Mapping[str, Any]) -> list[Finding]:
    """Everything that the policy refuses of a domain. ``tree`` is its file as it is written."""
    found = (
        Finding(domain.name, domain.file, place, CODE, _message(judge.policy, refusal))
        for place, refusal in refusals(judge, domain, tree)
    )
    return list(dict.fromkeys(found))


def _message(policy: Policy, refusal: Refusal) -> str:
    """What is refused, and the very lines that would allow it."""
    said = f"the policy refuses {refusal}"
    rules = allowing(policy, [refusal])
    if not rules:
        return said
    shown = " ".join(lines(rules).split("\n"))
    return advised(said, f"take it out of the domain file, or allow it in /etc/pnr/policy.toml: {shown}")


def refusals(judge: Judge, domain: Domain, tree: Mapping[str, Any]) -> Iterator[tuple[Path, Refusal]]:
    """The same as the policy's own words, each with its place in the file."""
    if judge.policy.is_open:
        return
    world = _Declared(domain)
    ceiling = judge.policy.ceiling("limits.replicas")
    for chunk, path in _chunks(domain):
        if ceiling is not None and chunk.id.replica > ceiling:
            continue  # the first one is told of them all
        if ceiling is not None and chunk.id.replica == 1 and chunk.replicas > ceiling:
            yield from ((_replicas(_at(tree, path), path), refusal) for refusal in _copies(judge, chunk, ceiling))
        yield from _of_chunk(judge, chunk, path, tree, world)
    yield from _belongings(judge, domain, tree)


def _chunks(domain: Domain) -> Iterator[tuple[Chunk, Path]]:
    """Each chunk with its place in the file. Of equal copies all are looked at: each has its own ports."""
    for cpux in domain.cpuxs:
        index = -1
        for chunk in cpux.chunks:
            index += chunk.id.replica == 1
            yield chunk, ("cpuxs", cpux.name, "design_chunks", index)


def _labels(chunk: Chunk) -> dict[str, str]:
    return {
        LABEL_DOMAIN: chunk.id.domain,
        LABEL_CPUX: chunk.id.cpux,
        LABEL_CHUNK: chunk.id.chunk,
        LABEL_REPLICA: str(chunk.id.replica),
    }


def _of_chunk(
    judge: Judge, chunk: Chunk, path: Path, tree: Mapping[str, Any], world: _Declared
) -> Iterator[tuple[Path, Refusal]]:
    spec = chunk.container
    written = _at(tree, (*path, "container"))
    body = payload(spec, all_networks=True)
    body["Labels"] = {**(body.get("Labels") or {}), **_labels(chunk)}
    for refusal in judge.request(to_create(body, spec.settings.get("platform")), world):
        yield (*path, "container", *_place(spec, written, body, refusal)), refusal
    if spec.build is not None:
        query = {"t": [spec.image, *spec.build.tags], "networkmode": [spec.build.network or ""]}
        asked = Request(Route.BUILD, "POST", "/build", query=query)
        for refusal in judge.request(asked, world):
            key = "build" if "build" in written else "build_path"
            inner = ("network",) if refusal.field == "networkmode" else ()
            yield (*path, "container", key, *inner), refusal
    for refusal in adoption(judge, chunk.adopt):
        yield (*path, "adopt"), refusal


def adoption(judge: Judge, adopt: Adopt) -> list[Refusal]:
    """Whether a chunk may ask for what it asks for of a container that somebody else made."""
    case = judge.case()
    order = ("no", "matching", "replace")
    wanted = {Adopt.NO: 0, Adopt.MATCHING: 1, Adopt.REPLACE: 2}[adopt]
    if wanted > order.index(judge.policy.word("domains.adopt")):
        what = "to take over a container of somebody else" if wanted == 1 else "to replace a container of somebody else"
        case.refuse("domains.adopt", "adopt", what)
    return list(case.out)


def _copies(judge: Judge, chunk: Chunk, ceiling: float) -> list[Refusal]:
    case = judge.case()
    case.refuse("limits.replicas", f"Labels[{LABEL_REPLICA}]", f"{chunk.replicas} equal copies (at most {ceiling:.0f})")
    return list(case.out)


def _replicas(written: Mapping[str, Any], path: Path) -> Path:
    if written.get("replicas") is not None:
        return (*path, "replicas")
    container = _at(written, ("container",))
    return (*path, "container", "scale") if "scale" in container else (*path, "container", "deploy", "replicas")


def _belongings(judge: Judge, domain: Domain, tree: Mapping[str, Any]) -> Iterator[tuple[Path, Refusal]]:
    for network in domain.networks:
        if not network.external:
            asked = Request(Route.CREATE_NETWORK, "POST", "/networks/create", body=network_body(network, domain.name))
            place = _declaration(tree, "networks", network.name, f"pnr_{domain.name}_")
            for refusal in judge.request(asked):
                inner = {"Driver": ("driver",), "IPAM.Driver": ("ipam", "driver")}.get(refusal.field, ("driver_opts",))
                yield (*place, *inner), refusal
    for volume in domain.volumes:
        if not volume.external:
            asked = Request(Route.CREATE_VOLUME, "POST", "/volumes/create", body=volume_body(volume, domain.name))
            place = _declaration(tree, "volumes", volume.name, f"{domain.name}_")
            for refusal in judge.request(asked):
                yield (*place, "driver" if refusal.rule == "volumes.drivers" else "driver_opts"), refusal
        elif not judge.policy.flag("volumes.external"):
            case = judge.case()
            case.refuse("volumes.external", "HostConfig.Binds", f"the volume {volume.name}, which is not of its domain")
            yield from ((_declaration(tree, "volumes", volume.name, ""), refusal) for refusal in case.out)


def _declaration(tree: Mapping[str, Any], kind: str, engine_name: str, prefix: str) -> Path:
    """Where a network or volume is declared that the engine calls so."""
    for key, declared in _at(tree, (kind,)).items():
        external = declared.get("external") if isinstance(declared, Mapping) else None
        said = [declared.get("name")] if isinstance(declared, Mapping) else []
        said += [external.get("name")] if isinstance(external, Mapping) else []
        if engine_name in (*said, f"{prefix}{key}"):
            return (kind, key)
    return (kind,)


# --- where in the container it stands -----------------------------------------------------------------------------


def _at(tree: Any, path: Path) -> Mapping[str, Any]:
    for part in path:
        if isinstance(part, int):
            tree = tree[part] if isinstance(tree, list) and part < len(tree) else None
        else:
            tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree if isinstance(tree, Mapping) else {}


def _place(spec: ContainerSpec, written: Mapping[str, Any], body: Mapping[str, Any], refusal: Refusal) -> Path:
    """The place in the container that asks for what is refused; nothing where it is what is missing."""
    top = refusal.top
    setting = next((s for s, value in spec.settings.items() if top in names.sent_by(s, value)), None)
    if setting is None and top in ("HostConfig.NetworkMode", "NetworkingConfig.EndpointsConfig"):
        setting = "networks"
    setting = setting or names.usual().get(top)
    if setting is None:
        return ()
    if setting == "network_mode" and setting not in written:
        return ("networks",)
    if setting not in written and setting in _DEPLOYED and "deploy" in written:
        return _DEPLOYED[setting]
    if setting not in written:
        return (setting,) if setting in spec.settings else ()
    return (setting, *_item(setting, written[setting], body, refusal))


def _item(setting: str, written: Any, body: Mapping[str, Any], refusal: Refusal) -> Path:
    """The item in a list or object that comes out as what is refused."""
    match = _INDEX.match(refusal.field)
    if match is None or setting not in SETTINGS:
        return ()
    wanted = _token_at(body, match["top"], match["index"])
    parts = written.items() if isinstance(written, Mapping) else enumerate(written if isinstance(written, list) else ())
    for key, item in parts:
        try:
            alone: dict[str, Any] = {}
            SETTINGS[setting].send(
                SETTINGS[setting].parse({key: item} if isinstance(written, Mapping) else [item]), alone
            )
        except ValueError:  # its value comes from a variable: only the whole can be told
            continue
        if wanted in _tokens(match["top"], _field(alone, match["top"])):
            return (key,)
    return ()


def _field(body: Mapping[str, Any], top: str) -> Any:
    outer, _, inner = top.rpartition(".")
    return (body.get(outer) or {}).get(inner) if outer else body.get(inner)


def _token_at(body: Mapping[str, Any], top: str, index: str) -> str:
    value = _field(body, top)
    if isinstance(value, Mapping):
        return index
    if isinstance(value, list) and index.isdecimal() and int(index) < len(value):
        return _token(top, value[int(index)])
    return ""


def _tokens(top: str, value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [str(key) for key in value]
    return [_token(top, item) for item in value] if isinstance(value, list) else []


def _token(top: str, item: Any) -> str:
    """What tells an item from others. A mount's is its target: its source is completed by the loader."""
    if top in _MOUNTS and isinstance(item, Mapping):
        return str(item.get("Target"))
    if top in _MOUNTS:
        match = _PART.fullmatch(str(item))
        return match[1] if match is not None else str(item)
    return json.dumps(item, sort_keys=True)
