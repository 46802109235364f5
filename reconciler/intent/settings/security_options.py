"""``security_opt`` and ``credential_spec``: options of the kernel's security modules, a Windows account. Pure.

Normal form of the first: ``name=value`` (``no-new-privileges`` alone), sorted, each once; a seccomp profile as JSON
without spaces. As it is read from a domain file it may name a file instead (``seccomp=./profile.json``), which the
loader replaces by what is in it: a changed profile is a changed intent. Of the second: where the engine finds the
account, ``file://web.json`` or ``registry://web``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.diagnostics import nearest
from reconciler.intent.settings.faults import expected, object_of, shown, wrong
from reconciler.intent.settings.found import host_config
from reconciler.intent.settings.row import Needs
from reconciler.intent.settings.values import as_list, sorted_set, text

_KNOWN = ("apparmor", "credentialspec", "label", "no-new-privileges", "seccomp", "systempaths", "writable-cgroups")
_FLAGS = ("no-new-privileges", "writable-cgroups")
_OPEN_PATHS = "systempaths=unconfined"
_CREDENTIALS = "credentialspec="
_SECCOMP = "seccomp="
_SECCOMP_WORDS = ("unconfined", "builtin")
_LONGEST_PATH = 4096

# What an engine adds by itself (label: to a privileged container and to one that sees the host's processes), and what
# stands under another name in the file.
_OTHERS = ("label=", _CREDENTIALS)

CREDENTIALS_ACCEPT: dict[str, Any] = {
    "type": "object",
    "properties": {"file": {"type": "string"}, "registry": {"type": "string"}},
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
}


def _option(value: Any) -> str:
    given = text(value)
    name, rest = [*re.split("[=:]", given, maxsplit=1), ""][:2]
    if name not in _KNOWN:
        raise wrong(f"{shown(given)} is not a security option{nearest(name, _KNOWN)}: expected name=value")
    if given == "no-new-privileges":
        return given
    if not rest:
        raise wrong(f"{shown(given)} has no value: expected {name}=value")
    if name in _FLAGS and rest not in ("true", "false"):
        raise wrong(f"{shown(given)}: expected {name}=true or {name}=false")
    if name == "systempaths" and rest != "unconfined":
        raise wrong(f"{shown(given)}: expected {_OPEN_PATHS}")
    if name == "seccomp" and rest.startswith("{"):
        rest = profile(rest)
    elif name == "seccomp" and rest not in _SECCOMP_WORDS:
        rest = _file(rest)
    return "no-new-privileges" if (name, rest) == ("no-new-privileges", "true") else f"{name}={rest}"


def profile(given: str) -> str:
    """A seccomp profile as JSON without spaces. Raises an error for people."""
    try:
        found = json.loads(given)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise wrong(
            f"{shown(given)} is not a seccomp profile: expected a JSON object with defaultAction, syscalls and so on"
        )
    return json.dumps(found, sort_keys=True, separators=(",", ":"))


def _file(path: str) -> str:
    if len(path) > _LONGEST_PATH or not path.isprintable():
        raise expected("seccomp=unconfined, seccomp=builtin, a profile as JSON or the path of a file with one", path)
    if path.startswith("~"):
        raise wrong(f"{shown(path)}: ~ has no meaning for a service; write the whole path")
    return path


def profile_file(option: str) -> str | None:
    """The file that an option names as its profile."""
    rest = option.removeprefix(_SECCOMP)
    return None if rest == option or rest in _SECCOMP_WORDS or rest.startswith("{") else rest


def with_profiles(options: Iterable[str], profiles: Mapping[str, str]) -> list[str]:
    """The options with profiles for the files that they name."""
    files = ((option, profile_file(option)) for option in options)
    return sorted_set([option if path is None else f"{_SECCOMP}{profiles[path]}" for option, path in files])


def parse(value: Any) -> list[str]:
    """The options in normal form."""
    return sorted_set(as_list(_option, "a list of security options")(value))


def send(value: list[str], body: dict[str, Any]) -> None:
    """Into ``HostConfig``. ``systempaths`` is not an option of the engine's: docker's CLI sends two empty lists for
    it."""
    host = body.setdefault("HostConfig", {})
    host["SecurityOpt"] = [*(host.get("SecurityOpt") or ()), *(option for option in value if option != _OPEN_PATHS)]
    if _OPEN_PATHS in value:
        host["MaskedPaths"] = []
        host["ReadonlyPaths"] = []


def read(inspected: Mapping[str, Any]) -> list[str] | None:
    """The way back; an option that is not known stays as it is. None where there is none."""
    host = host_config(inspected)
    options = []
    for option in host.get("SecurityOpt") or ():
        try:
            options.append(_option(option))
        except ValueError:
            options.append(str(option))
    if host.get("MaskedPaths") == [] and host.get("ReadonlyPaths") == []:
        options.append(_OPEN_PATHS)
    return sorted_set(options) or None


def same(declared: Any, found: Any) -> bool:
    """An engine adds some of its own. What is said to be off is the same as not said."""
    wanted, there = _on(declared), _on(found)
    return wanted <= there and all(option.startswith(_OTHERS) for option in there - wanted)


def _on(options: Any) -> set[str]:
    return {option for option in options or () if option not in {f"{name}=false" for name in _FLAGS}}


def needs(value: list[str]) -> Needs | None:
    """What later engines brought: tried on 20.10, which refuses the one and can't start with the other."""
    if any(option.startswith("writable-cgroups=") for option in value):
        return Needs("1.48", "writable-cgroups in security_opt")
    return Needs("1.42", "seccomp=builtin in security_opt") if "seccomp=builtin" in value else None


def parse_credentials(value: Any) -> str:
    """``{"file": …}`` or ``{"registry": …}``; a config is Swarm's."""
    if not isinstance(value, Mapping):
        raise expected("an object with file or registry", value)

    def no_config(_: Any) -> None:
        raise wrong("a config is for Swarm: put the account's description in a file on the engine's host")

    found = object_of(value, {"file": text, "registry": text, "config": no_config})
    if len(found) != 1:
        raise wrong("expected exactly one of file and registry")
    kind, place = found.popitem()
    return f"{kind}://{str(place).removeprefix(f'{kind}://')}"


def send_credentials(value: str, body: dict[str, Any]) -> None:
    """Into ``HostConfig.SecurityOpt``."""
    host = body.setdefault("HostConfig", {})
    host["SecurityOpt"] = [*(host.get("SecurityOpt") or ()), _CREDENTIALS + value]


def read_credentials(inspected: Mapping[str, Any]) -> str | None:
    """The way back."""
    options = (str(option) for option in host_config(inspected).get("SecurityOpt") or ())
    return next((option.removeprefix(_CREDENTIALS) for option in options if option.startswith(_CREDENTIALS)), None)
