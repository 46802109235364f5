"""Volumes: how they are written, and their normal form. Pure. The Engine API's form is in :mod:`.mounts`.

Normal form: a list, sorted by target, of ``{"type": "bind" | "volume" | "tmpfs" | "image", "source": …, "target":
"/data", "read_only": false}``; ``source`` is None for an anonymous volume and for tmpfs. Only where they were declared,
and say something else than what is usual: ``selinux`` (``z`` or ``Z``), ``propagation``, ``recursive``,
``create_host_path`` (false) of a bind; ``nocopy`` (true), ``labels`` (of an anonymous volume), ``subpath`` of a volume;
``size`` (bytes), ``mode`` (permission bits) of a tmpfs; ``subpath`` of an image.

Sources stay as written; the loader makes paths absolute and gives named volumes their engine-side names with
:func:`map_volume_sources`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.diagnostics import nearest
from reconciler.intent import image_names
from reconciler.intent.settings.accepts import FLAG, PAIRS, object_with
from reconciler.intent.settings.faults import Faults, expected, object_of, shown, wrong
from reconciler.intent.settings.row import Needs
from reconciler.intent.settings.values import choice, container_path, flag, is_windows_path, size, text
from reconciler.intent.settings.words import labels
from reconciler.quantities import sizes

PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
USUAL_PROPAGATION = "rprivate"
RECURSIVE = ("enabled", "disabled", "writable", "readonly")
CONSISTENCIES = ("default", "consistent", "cached", "delegated")
"""Accepted, and of no effect: as engines do, which kept the words of an earlier Docker Desktop."""
TYPES = ("bind", "volume", "tmpfs", "image")

_PART = r"(?>[A-Za-z]:[\\/][^:]*|[^:]*)"  # atomic: "C:\\x" is one path, never a volume C on \\x
SHORT = re.compile(rf"(?:(?P<source>{_PART}):)?(?P<target>{_PART})(?::(?P<mode>[^:\\/]*))?")
_VOLUME_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]+")
_GIVEN_NAME = re.compile(r"[0-9a-f]{64}")
_MODES = ("ro", "rw", "z", "Z", "nocopy", *PROPAGATIONS, *CONSISTENCIES[1:])
_OCTAL = re.compile(r"0?[0-7]{3,4}|0o[0-7]{3,4}")
# Numbers that are written as people write modes, and that as numbers are modes that nobody wants.
_OCTAL_IN_DISGUISE = re.compile(r"1?[04567]{3}|1777")

_NOT_HERE = {
    "npipe": "a named pipe is Windows' own, and pnr serves Linux containers: leave it out",
    "cluster": "cluster volumes are Swarm's: leave it out, or declare a volume with its driver",
}

_STRING = {"type": "string"}
ACCEPTS: dict[str, Any] = {
    "type": "array",
    "items": {
        "anyOf": [
            _STRING,
            {
                **object_with(
                    type={"enum": list(TYPES)},
                    source=_STRING,
                    target=_STRING,
                    read_only=FLAG,
                    consistency=_STRING,
                    bind=object_with(
                        propagation={"enum": list(PROPAGATIONS)},
                        create_host_path=FLAG,
                        recursive={"enum": list(RECURSIVE)},
                        selinux={"enum": ["z", "Z"]},
                    ),
                    volume=object_with(labels=PAIRS, nocopy=FLAG, subpath=_STRING),
                    tmpfs=object_with(size={"type": ["string", "integer"]}, mode={"type": ["string", "integer"]}),
                    image=object_with(subpath=_STRING),
                ),
                "required": ["type", "target"],
            },
        ]
    },
}


def parse(value: Any) -> list[dict[str, Any]]:
    """A list, each item in Compose's short form (``source:target[:mode]``) or its long one."""
    if not isinstance(value, list | tuple):
        raise expected('a list such as ["./data:/data"]', value)
    faults = Faults()
    by_target: dict[str, dict[str, Any]] = {}
    for index, item in enumerate(value):
        entry = faults.read((index,), _item, item)
        if entry is None:
            continue
        if by_target.setdefault(entry["target"], entry) != entry:
            faults.add((index,), f"something else is mounted on {entry['target']} already", item)
    faults.throw()
    return in_order(by_target.values())


def in_order(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sorted by target."""
    return sorted(entries, key=lambda entry: str(entry["target"]))


def _item(item: Any) -> dict[str, Any]:
    if isinstance(item, str):
        return _from_short(text(item))
    if isinstance(item, Mapping):
        return _from_long(item)
    raise expected('a volume such as "./data:/data:ro", or an object with type, source and target', item)


# --- the short form -----------------------------------------------------------------------------------------------


def _from_short(item: str) -> dict[str, Any]:
    match = SHORT.fullmatch(item)
    if match is None:
        raise expected('a volume such as "./data:/data" or "./data:/data:ro"', item)
    source, target, mode = match["source"], match["target"], match["mode"]
    if mode is None and source is not None and target in _MODES:
        raise wrong(f'{shown(item)}: an anonymous volume takes no mode; write "source:target:mode"')
    if source is None and target[1:3] == ":/":  # would be a directory of Windows: surely not meant
        raise wrong(f"{shown(item)}: a volume's name has two or more characters")
    modes = mode.split(",") if mode is not None else []
    for given in modes:
        if given not in _MODES:
            known = f"ro, rw, z, Z, nocopy, {', '.join(PROPAGATIONS)}"
            raise wrong(f"{shown(given)} is not a known mode ({known}){nearest(given, _MODES)}")
    propagations = [given for given in modes if given in PROPAGATIONS]
    if {"ro", "rw"} <= set(modes) or {"z", "Z"} <= set(modes) or len(set(propagations)) > 1:
        raise wrong(f"{shown(item)}: the modes contradict each other")
    kind = "bind" if source is not None and is_path(source) else "volume"
    if "nocopy" in modes and kind == "bind":
        raise wrong(f"{shown(item)}: nocopy is for named volumes, not for directories of the host")
    if propagations and kind != "bind":
        raise wrong(f"{shown(item)}: {propagations[0]} is for directories of the host, not for volumes")
    if source is not None and kind == "volume":
        source = _volume_name(source)
    return _entry(
        kind,
        source,
        target,
        "ro" in modes,
        selinux=next((given for given in modes if given in ("z", "Z")), None),
        nocopy="nocopy" in modes,
        propagation=next(iter(propagations), None),
    )


# --- the long form ------------------------------------------------------------------------------------------------


def _type(value: Any) -> str:
    if isinstance(value, str) and value in _NOT_HERE:
        raise wrong(_NOT_HERE[value])
    return choice(*TYPES)(value)


def _mode(value: Any) -> int:
    """Permission bits: octal digits in quotes (``"1777"``), or the number itself (1023), as Compose gets it from YAML's
    ``01777``."""
    if isinstance(value, str) and _OCTAL.fullmatch(value):
        number = int(value.removeprefix("0o"), 8)
    elif isinstance(value, int) and not isinstance(value, bool):
        if _OCTAL_IN_DISGUISE.fullmatch(str(value)):
            raise wrong(f'the number {value} is the mode "0{value:o}"; if "0{value}" is meant, write it in quotes')
        number = value
    else:
        raise expected('a mode such as "1777" (octal, in quotes)', value)
    if not 1 <= number <= 0o7777:
        raise expected('a mode such as "1777" (octal, in quotes)', value)
    return number


def _subpath(value: Any) -> str:
    """A path inside of something: relative, and not out of it again."""
    path = text(value)
    normal = posixpath.normpath(path)
    if not path or path.startswith("/") or normal == ".." or normal.startswith("../"):
        raise expected('a path inside of it such as "data/www"', value)
    return normal


_OPTIONS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "bind": {
        "propagation": choice(*PROPAGATIONS),
        "create_host_path": flag,
        "recursive": choice(*RECURSIVE),
        "selinux": choice("z", "Z"),
    },
    "volume": {"labels": labels, "nocopy": flag, "subpath": _subpath},
    "tmpfs": {"size": size(1), "mode": _mode},
    "image": {"subpath": _subpath},
}


def _options_of(kind: str) -> Callable[[Any], dict[str, Any]]:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise expected("an object", value)
        return object_of(value, _OPTIONS[kind])

    return read


def _from_long(item: Mapping[str, Any]) -> dict[str, Any]:
    parts = object_of(
        item,
        {
            "type": _type,
            "source": text,
            "target": text,
            "read_only": flag,
            "consistency": choice(*CONSISTENCIES),
            **{kind: _options_of(kind) for kind in TYPES},
        },
    )
    for name in ("type", "target"):
        if name not in parts:
            raise wrong(f"{name} is missing")
    kind, source = parts["type"], parts.get("source") or None
    for other in TYPES:
        if other in parts and other != kind:
            raise wrong(f"options for {other} with a volume of type {kind}")
    if kind == "bind" and source is None:
        raise wrong("source, the directory or file of the host, is missing")
    if kind == "image":
        _check_image(source)
    if kind == "tmpfs" and source is not None:
        raise wrong("a tmpfs has no source")
    if kind == "volume" and source is not None:
        source = _volume_name(source)
    options, read_only = dict(parts.get(kind, {})), parts.get("read_only", False)
    _agree(kind, source, read_only, options)
    return _entry(kind, source, parts["target"], read_only or kind == "image", **options)


def _check_image(name: str | None) -> None:
    if name is None:
        raise wrong("source, the name of the image, is missing")
    try:
        image_names.parse_declared(name)
    except image_names.BadImageName as error:
        raise wrong(str(error)) from None


def _agree(kind: str, source: str | None, read_only: bool, options: Mapping[str, Any]) -> None:
    """Raise what is wrong with options that are right each by itself."""
    recursive = options.get("recursive")
    if recursive in ("writable", "readonly") and not read_only:
        raise wrong(f"recursive {recursive} says how far read_only goes: set read_only as well")
    if recursive == "readonly" and options.get("propagation", USUAL_PROPAGATION) != USUAL_PROPAGATION:
        raise wrong(f"recursive readonly takes the propagation {USUAL_PROPAGATION}: leave propagation out")
    if options.get("selinux") and (recursive or options.get("create_host_path") is False):
        with_it = "recursive" if recursive else "create_host_path false"
        raise wrong(f"an engine can't relabel (selinux) a directory with {with_it}: leave one of them out")
    if kind == "volume" and source is not None:
        if options.get("labels"):
            raise wrong(f"labels of a named volume belong to it: put them under volumes.{source} of the domain")
    elif kind == "volume" and options.get("subpath"):
        raise wrong("a volume without a name is new and empty: it has no subpath")


# --- both ---------------------------------------------------------------------------------------------------------


def is_path(source: str) -> bool:
    """Whether a source in the short form is a path of the host, not the name of a volume."""
    return source.startswith(("/", ".", "~")) or is_windows_path(source)


def _volume_name(source: str) -> str:
    if _VOLUME_NAME.fullmatch(source):
        return source
    if "/" in source or "\\" in source:
        raise wrong(f"{shown(source)} is not a volume's name; for a directory next to the file write './{source}'")
    raise expected("a volume's name (two or more letters, digits, _ . or -) or a path", source)


def _entry(kind: str, source: str | None, target: str, read_only: bool, **options: Any) -> dict[str, Any]:
    for path in (source if kind != "image" else None, target):
        if path and ":" in (path[2:] if is_windows_path(path) else path):
            raise wrong(f"{shown(path)}: the engine can't mount a path with a colon in it")
    entry: dict[str, Any] = {
        "type": kind,
        "source": source,
        "target": container_path(target),
        "read_only": read_only,
    }
    if entry["target"] == "/":
        raise wrong("nothing can be mounted on / itself")
    return entry | unusual(options)


_USUAL = {"propagation": USUAL_PROPAGATION, "recursive": "enabled"}


def unusual(options: Mapping[str, Any]) -> dict[str, Any]:
    """What of the options says something else than what is usual."""
    found = {name: value for name, value in options.items() if value and value != _USUAL.get(name)}
    found.pop("create_host_path", None)
    return {**found, "create_host_path": False} if options.get("create_host_path") is False else found


def map_volume_sources(volumes: Iterable[Mapping[str, Any]], fn: Callable[[str, str], str]) -> list[dict[str, Any]]:
    """The normal form with each source replaced by ``fn(type, source)``; entries without a source stay."""
    return [
        {**entry, "source": fn(entry["type"], entry["source"])} if entry["source"] is not None else dict(entry)
        for entry in volumes
    ]


def images_mounted(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The images that a container with these settings mounts: they must be there before it is created."""
    mounts = settings.get("volumes") or ()
    return tuple(dict.fromkeys(str(mount["source"]) for mount in mounts if mount["type"] == "image"))


_SINCE = (
    ("1.48", "type image in volumes", lambda entry: entry["type"] == "image"),
    ("1.45", "subpath in volumes", lambda entry: "subpath" in entry),
    ("1.44", "recursive in volumes", lambda entry: entry.get("recursive") in ("writable", "readonly")),
    # Before, what makes a missing directory can't be told not to go into what is mounted below it.
    (
        "1.42",
        "recursive in volumes without create_host_path false",
        lambda entry: "recursive" in entry and "create_host_path" not in entry,
    ),
)


def needs(value: list[dict[str, Any]]) -> Needs | None:
    """What an engine must be for all of them: the newest that any of them needs."""
    return next((Needs(api, what) for api, what, has in _SINCE if any(has(entry) for entry in value)), None)


def same(declared: Any, found: Any) -> bool:
    """Every declared one is there; the image may bring more, and pnr itself adds its runtime directory. For a volume
    without a name any anonymous one will do: Compose hands it on by its name when it recreates a container."""
    there: dict[Any, list[dict[str, Any]]] = {}
    for entry in found or ():
        there.setdefault(entry["target"], []).append(_as_it_is(entry))

    def has(entry: dict[str, Any]) -> bool:
        on_it = there.get(entry["target"], [])
        if not entry["source"]:
            on_it = [{**one, "source": None} if is_anonymous(one) else one for one in on_it]
        return entry in on_it

    return all(has(_as_it_is(entry)) for entry in declared)


def is_anonymous(entry: Mapping[str, Any]) -> bool:
    """Whether it is a volume to which the engine gave a name itself, or is to."""
    return entry["type"] == "volume" and (not entry["source"] or _GIVEN_NAME.fullmatch(entry["source"]) is not None)


def beyond(declared: Any, found: Any) -> list[str]:
    """What is mounted that was not declared, by its place in the container."""
    targets = {entry["target"] for entry in declared or ()}
    return [str(entry["target"]) for entry in found or () if entry["target"] not in targets]


def _as_it_is(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Whether a directory would have been made is of no account once it is mounted."""
    return {name: value for name, value in entry.items() if name != "create_host_path"}


def tell(entries: Any) -> str:
    """The volumes for people: ``./data:/data:ro``."""
    return ", ".join(_told(entry) for entry in entries) or "none"


def _told(entry: Mapping[str, Any]) -> str:
    modes = ["ro"] if entry["read_only"] and entry["type"] != "image" else []
    modes += [str(entry[name]) for name in ("selinux", "propagation") if name in entry]
    modes += ["nocopy"] if "nocopy" in entry else []
    modes += [f"{name}={entry[name]}" for name in ("recursive", "subpath") if name in entry]
    modes += [f"size={sizes.exact(entry['size'])}"] if "size" in entry else []
    modes += [f"mode={entry['mode']:o}"] if "mode" in entry else []
    modes += [f"labels={','.join(entry['labels'])}"] if "labels" in entry else []
    source = entry["source"] or ("tmpfs" if entry["type"] == "tmpfs" else "")
    return ":".join(part for part in (source, entry["target"], ",".join(modes)) if part)
