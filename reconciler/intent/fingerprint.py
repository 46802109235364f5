"""Hashes over meaning: what a container was made from, and what a whole domain intends. Pure.

Both last: they stand in labels and snapshots that later versions of pnr read. So they cover only what was declared,
never what a version fills in, and a field at its default is left out: a field that is added later changes no hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any

from reconciler.facts import FactRef
from reconciler.intent import image_names
from reconciler.intent.model import Build, Chunk, Cpux, Domain, MountedFile, NetworkSpec
from reconciler.intent.settings import SETTINGS
from reconciler.intent.writers import exclusive_strategy


def container_digest(
    *,
    image: str,
    settings: Mapping[str, Any],
    networks: Mapping[str, Sequence[str]],
    build_path: str | None,
    facts: bool,
    files: Sequence[MountedFile] = (),
    build: str = "",
    endpoints: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """The hash that changes exactly when a new container is needed. ``build_path`` as declared; ``build`` is the
    fingerprint of how the image is built."""
    covered: dict[str, Any] = {
        "v": 1,
        "image": image,
        "settings": settings,
        "networks": {name: sorted(aliases) for name, aliases in networks.items()},
        "build_path": build_path,
        "facts": facts,
    }
    if files:
        # Not with the source: the same content from another place is the same file.
        covered["files"] = sorted([file.target, file.fingerprint, file.uid, file.gid, file.mode] for file in files)
    if build:
        covered["build"] = build
    if endpoints:
        covered["endpoints"] = endpoints
    return _hash(covered)


def network_digest(spec: NetworkSpec) -> str:
    """The hash over what was declared of a network, besides its name."""
    return _hash({"v": 1, **_plain(replace(spec, name="", digest="", shared_with=()))})


def with_build(declared: Build, content: str) -> Build:
    """``declared`` with the hash over all that shapes the image: itself, and the ``content`` of the context by its own
    hash. How it is built (from which cache, with which memory) is left out, and so is where the context lies."""
    shape = replace(declared, context="", fingerprint="", dockerfile=None, **_NOT_SHAPING)
    return replace(declared, fingerprint=_hash({"v": 1, "content": content, "build": _plain(shape)}))


_NOT_SHAPING: dict[str, Any] = {"no_cache": False, "pull": False, "shm_size": None, "cache_from": (), "ulimits": {}}


def fixed_digest(
    *, image: str, settings: Mapping[str, Any], endpoints: Mapping[str, Mapping[str, Any]], **rest: Any
) -> str:
    """The same hash over what can't be changed in a container that is there, by its meaning: without what an engine can
    change as it runs (limits, further networks) and without what says the same as nothing; the image by its full name.
    ``rest`` is what else :func:`container_digest` takes."""
    lasting = {name: value for name, value in settings.items() if not SETTINGS[name].live}
    lasting = {name: value for name, value in lasting.items() if not SETTINGS[name].says_nothing(value)}
    cards = {
        network: {key: endpoint[key] for key in _OF_A_CARD if endpoint.get(key)}
        for network, endpoint in endpoints.items()
    }
    networks = rest.pop("networks")
    return container_digest(
        image=str(image_names.parse(image)),
        settings=lasting,
        # The first is its network mode, without which newer engines don't start it again.
        networks=dict.fromkeys([*networks][:1], ()),
        endpoints={network: card for network, card in cards.items() if card},
        **rest,
    )


_OF_A_CARD = ("mac_address", "driver_opts")
"""What of a connection is given as the container is created, or can't be told from what an engine fills in."""


def intent(domain: Domain, declared_options: Mapping[Any, Mapping[str, Any]]) -> str:
    """The hash over everything that ``domain`` means. ``declared_options`` holds the health checks' own options
    without defaults, by the chunk's full name. Whom it shares something with is for others to ask: nothing of the
    domain's own is done again for it."""
    return _hash(
        {
            "v": 1,
            "name": domain.name,
            "networks": sorted((_plain(replace(one, digest="", shared_with=())) for one in domain.networks), key=_text),
            "volumes": sorted((_plain(replace(one, shared_with=())) for one in domain.volumes), key=_text),
            "cpuxs": {cpux.name: _cpux(cpux, declared_options) for cpux in domain.cpuxs},
        }
    )


def _cpux(cpux: Cpux, declared_options: Mapping[Any, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "rt_state": _plain(cpux.rt_state),
        "chunks": {chunk.id.unit: _chunk(chunk, declared_options.get(chunk.id, {})) for chunk in cpux.chunks},
    }


def _chunk(chunk: Chunk, options: Mapping[str, Any]) -> dict[str, Any]:
    # The container's digest stands for its settings and files, and for the build, whose paths are absolute here.
    container = replace(chunk.container, settings={}, networks={}, build=None, fixed="", files=(), endpoints={})
    if chunk.auto_strategy:
        # Nothing was declared: how this version understands that is no change of the intent.
        chunk = replace(chunk, auto_strategy=False, strategy=exclusive_strategy(chunk.container))
    container = replace(container, guest_in=(), short_alias="", full_alias="")
    plain: dict[str, Any] = _plain(replace(chunk, container=container, gate=(), health=None))
    plain["gate"] = sorted((_plain(entry) for entry in chunk.gate), key=_text)
    if chunk.health is not None:
        # What a type says of itself is no part of what the domain says.
        told = replace(chunk.health, options=options, asks_from_outside=False, url_scheme=None)
        health = _plain(replace(told, on_success=(), on_failure=()))
        for side in ("on_success", "on_failure"):
            health[side] = sorted((_plain(answer) for answer in getattr(chunk.health, side)), key=_text)
        plain["health"] = health
    return plain


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        shown = ((field, getattr(value, field.name)) for field in fields(value))
        # Who reads something changes nothing of what it means.
        return {f.name: _plain(part) for f, part in shown if part != _default(f) and f.name != "reader"}
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, FactRef):
        return value._asdict()  # by the names of its parts, as it has always been
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


def _default(field: Any) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _hash(value: Any) -> str:
    return hashlib.sha256(_text(value).encode("ascii")).hexdigest()
