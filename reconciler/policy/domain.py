"""Judges a domain before anything of it is made: with the requests that it would lead to. Pure.

What is refused is told at the setting in the file that asks for it: the setting whose ``send`` wrote the field, and in
a list the item that comes out as the one that was refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from glob import escape
from itertools import islice
from typing import Any

from reconciler.diagnostics import Diagnostic, Path, Place
from reconciler.intent.chunks import copies_of
from reconciler.intent.model import Chunk, ContainerSpec, Domain
from reconciler.intent.networks import NAMELESS, RESERVED
from reconciler.intent.settings import SETTINGS, payload
from reconciler.intent.sharing import Borrowed
from reconciler.planner.bodies import network_body, volume_body
from reconciler.planner.observed import LABEL_BUILT_BY, LABEL_CHUNK, LABEL_CPUX, LABEL_DOMAIN, LABEL_REPLICA
from reconciler.policy import names
from reconciler.policy.checks import chunk as checks
from reconciler.policy.checks import claims, quotas
from reconciler.policy.checks.sharing import allows_unowned
from reconciler.policy.judge import Judge
from reconciler.policy.paths import is_absolute
from reconciler.policy.refusal import CODE, Refusal
from reconciler.policy.request import Request, Route, to_create
from reconciler.policy.suggesting import allowing, lines, pattern_of
from reconciler.policy.values import DOMAINS
from reconciler.policy.world import ImageThere
from reconciler.sentences import advised

_INDEX = re.compile(r"(?P<top>(?:HostConfig\.)?[A-Za-z]+)\[(?P<index>[^\]]*)\]")
_DEPLOYED = {
    "mem_limit": ("deploy", "resources", "limits", "memory"),
    "cpus": ("deploy", "resources", "limits", "cpus"),
    "pids_limit": ("deploy", "resources", "limits", "pids"),
    "gpus": ("deploy", "resources", "reservations", "devices"),
    "restart": ("deploy", "restart_policy"),
}
_POOL = re.compile(r"IPAM\.Config\[(?P<index>[0-9]+)\]\.(?P<key>[A-Za-z]+)(?:\[(?P<name>.*)\])?")
_POOL_KEYS: Mapping[str, Path] = {"Subnet": ("subnet",), "IPRange": ("ip_range",), "Gateway": ("gateway",)}
_MOUNTS = ("HostConfig.Binds", "HostConfig.Mounts")
MOST_REFUSED = 100
"""So many refusals of a file are told: to find the place of each takes a while."""
POLICY_FILE = "/etc/pnr/policy.toml"
ENGINES_OWN = frozenset({*RESERVED, *NAMELESS})
"""Networks that every engine has, which follow rules of their own."""
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

    def bridges(self) -> frozenset[str] | None:
        return None

    def addresses(self, host: str) -> tuple[str, ...]:
        return ()

    def image(self, name: str) -> ImageThere | None:
        return None

    def shares(self, kind: str, name: str, owner: str, domain: str) -> bool:
        return False


def judge_domain(judge: Judge, domain: Domain, tree: Mapping[str, Any]) -> list[Diagnostic]:
    """Everything that the policy refuses of a domain. ``tree`` is its file as it is written."""
    found = (
        Diagnostic(place, CODE, _message(judge, refusal), place=Place(domain.file))
        for place, refusal in refusals(judge, domain, tree)
    )
    told = dict.fromkeys(islice(found, MOST_REFUSED))
    if next(found, None) is not None:
        told[Diagnostic(("name",), "MoreProblems", "… and the policy refuses more", place=Place(domain.file))] = None
    return list(told)


def _message(judge: Judge, refusal: Refusal) -> str:
    """What is refused, and the very lines that would allow it, to this file alone."""
    said = f"the policy refuses {refusal}"
    shown = allowed_by(judge, [refusal])
    return advised(said, f"take it out of the domain file, or allow it in {shown}") if shown else said


def allowed_by(judge: Judge, refusals: Iterable[Refusal]) -> str:
    """A file, and the lines in it that would allow these, to the file alone that is judged for; nothing where there are
    none."""
    rules = allowing(judge.policy, refusals)
    pattern = pattern_of(judge.domain_file) if judge.domain_file else ""
    return f"{judge.policy.file or POLICY_FILE}: {' '.join(lines(rules, pattern).split(chr(10)))}" if rules else ""


def refusals(judge: Judge, domain: Domain, tree: Mapping[str, Any]) -> Iterator[tuple[Path, Refusal]]:
    """The same as the policy's own words, each with its place in the file."""
    if judge.policy.is_open:
        return
    world = _Declared(domain)
    case = judge.case(domain=domain.name)
    claims.domain(case, domain.name)
    yield from ((("name",), refusal) for refusal in case.refused)
    used: list[quotas.Used] = []
    ceiling = judge.policy.ceiling("limits.replicas")
    for chunk, path in copies_of(domain):  # each has its own ports
        if ceiling is not None and chunk.id.replica > ceiling:
            continue  # the first one is told of them all
        if ceiling is not None and chunk.id.replica == 1 and chunk.replicas > ceiling:
            yield from ((_replicas(_at(tree, path), path), refusal) for refusal in _copies(judge, chunk, ceiling))
        yield from _of_chunk(judge, chunk, path, tree, world)
        used.append(quotas.Used(chunk, path, payload(chunk.container).get("HostConfig") or {}))
    yield from _belongings(judge, domain, tree)
    yield from quotas.quotas(judge.case, domain, used)


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
        place = _place(spec, written, body, refusal)
        if not (judge.places.elsewhere and _is_of_the_place(refusal, written, place)):
            yield (*path, "container", *place), refusal
    if spec.build is not None:
        labels = json.dumps({LABEL_BUILT_BY: chunk.id.domain})
        query = {"t": [spec.image, *spec.build.tags], "networkmode": [spec.build.network or ""], "labels": [labels]}
        asked = Request(Route.BUILD, "POST", "/build", query=query, domain=chunk.id.domain)
        for refusal in judge.request(asked, world):
            yield (*path, "container", *_in_build(written, refusal)), refusal
    if spec.named:
        case = judge.case(owner=chunk.id)
        claims.container(case, spec.name)
        yield from (((*path, "container", "name"), refusal) for refusal in case.refused)
    case = judge.case(world, chunk.id)
    checks.health(case, chunk, body)
    checks.adoption(case, chunk.adopt)
    checks.drift(case, chunk)
    yield from (((*path, refusal.field), refusal) for refusal in case.refused)


def _is_of_the_place(refusal: Refusal, written: Mapping[str, Any], place: Path) -> bool:
    """Whether something is refused only since its file lies, for now, beside what it names by its absolute path."""
    if refusal.wants != (("binds.allowed", DOMAINS),) or len(place) < 2:
        return False
    items = written.get(str(place[0]))
    item = items[place[1]] if isinstance(items, list) and isinstance(place[1], int) else None
    source = item.get("source") if isinstance(item, Mapping) else item
    return is_absolute(str(source))


def _in_build(written: Mapping[str, Any], refusal: Refusal) -> Path:
    """The place in the container that asks for what is refused of a build."""
    key = "build" if "build" in written else "build_path"
    match = _INDEX.match(refusal.field)
    if refusal.field == "networkmode":
        return (key, "network")
    if match is None or match["top"] != "t":
        return (key,)
    tag = int(match["index"]) - 1
    return (key, "tags", tag) if tag >= 0 else ("image",) if "image" in written else (key,)


def _copies(judge: Judge, chunk: Chunk, ceiling: float) -> list[Refusal]:
    case = judge.case()
    case.refuse("limits.replicas", f"Labels[{LABEL_REPLICA}]", f"{chunk.replicas} replicas (at most {ceiling:.0f})")
    return case.refused


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
                yield (*place, *_in_network(refusal.field)), refusal
    for volume in domain.volumes:
        if not volume.external:
            asked = Request(Route.CREATE_VOLUME, "POST", "/volumes/create", body=volume_body(volume, domain.name))
            place = _declaration(tree, "volumes", volume.name, f"{domain.name}_")
            for refusal in judge.request(asked):
                yield (*place, "driver" if refusal.rule == "volumes.drivers" else "driver_opts"), refusal


def borrowed(judge: Judge, domain: Domain, tree: Mapping[str, Any]) -> Iterator[Borrowed]:
    """What a domain asks for that is not its own and that the policy does not name: it may have it only where the owner
    shares it."""
    for place, refusal, (kind, name) in strangers(judge, domain, tree):
        rule = f"{refusal.field}; rule {refusal.rule}, {refusal.origin}"
        unowned = allows_unowned(judge.case(domain=domain.name), refusal.rule, name)
        yield Borrowed(kind, name, place, CODE, rule, allowed_by(judge, [refusal]), unowned)


def strangers(judge: Judge, domain: Domain, tree: Mapping[str, Any]) -> Iterator[tuple[Path, Refusal, tuple[str, str]]]:
    """The same as refusals, each with its place in the file, and with the kind and name of what it is about."""
    if judge.policy.is_open:
        return
    for kind, name, place in _asked_for(domain, tree):
        rule = f"{kind}s.external"
        if not judge.policy.allows(rule, name):
            case = judge.case(domain=domain.name)
            case.refuse(rule, f"{kind}s", f"the {kind} {name}, which is not of its domain", escape(name))
            yield from ((place, refusal, (kind, name)) for refusal in case.refused)


def _asked_for(domain: Domain, tree: Mapping[str, Any]) -> Iterator[tuple[str, str, Path]]:
    for network in domain.networks:
        if network.external and network.name not in ENGINES_OWN:
            yield "network", network.name, _declaration(tree, "networks", network.name, "")
    for volume in domain.volumes:
        if volume.external:
            yield "volume", volume.name, _declaration(tree, "volumes", volume.name, "")


def _in_network(field: str) -> Path:
    """The place in the declaration of a network that a field of the request comes from."""
    match = _POOL.fullmatch(field)
    if match is None:
        return {"Driver": ("driver",), "IPAM.Driver": ("ipam", "driver")}.get(field, ("driver_opts",))
    pool: Path = ("ipam", "config", int(match["index"]))
    if match["name"] is not None:
        return (*pool, "aux_addresses", match["name"])
    return (*pool, *_POOL_KEYS.get(match["key"], ()))


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
