"""Volumes: their drivers, and what the driver ``local`` mounts. Pure.

The engine's local driver hands ``type``, ``o`` and ``device`` to mount(2). A flag ``bind`` or ``rbind`` in ``o`` makes
a bind of it, whatever the type says; options that it does not know go to the file system.
See https://github.com/moby/moby/blob/master/volume/local/local_unix.go.
"""

from __future__ import annotations

import re

from reconciler.policy.checks import places
from reconciler.policy.checks.case import Case, Object, table
from reconciler.policy.checks.reaching import reach
from reconciler.policy.checks.sharing import lent
from reconciler.policy.refusal import KNOWN_FIELDS
from reconciler.policy.rule import GOALS, NAMES, WORDS, Rule
from reconciler.policy.values import DOMAIN, UNOWNED

VOLUME_OPTIONS = [
    "bind", "rbind", "ro", "rw", "noexec", "nosuid", "nodev", "exec", "noatime", "nodiratime", "relatime", "sync",
    "size=*", "mode=*", "uid=*", "gid=*", "nr_inodes=*", "addr=*", "nfsvers=*", "vers=*", "hard", "soft", "intr",
    "nointr", "nolock", "lock", "proto=*", "port=*", "mountport=*", "timeo=*", "retrans=*", "rsize=*", "wsize=*",
    "actimeo=*", "noac", "nocto", "bg", "fg", "tcp", "udp", "fsc", "noresvport", "resvport", "local_lock=*", "sec=*",
    "username=*", "user=*", "password=*", "pass=*", "domain=*", "file_mode=*", "dir_mode=*", "iocharset=*",
    "noperm", "nobrl", "cache=*", "guest", "mfsymlinks", "seal", "nounix", "noserverino", "serverino",
]  # fmt: skip

ROWS = (
    Rule(
        "volumes.drivers",
        WORDS,
        "Which drivers of volumes may be used; another than local is a program that runs as root.",
        ["*"],
        ["local"],
        ["local"],
    ),
    Rule(
        "volumes.types",
        WORDS,
        "What a volume of the driver local may mount, by type of file system. `bind` is a directory of the host, to"
        " which the rules of binds apply, whatever its type says.",
        ["*"],
        ["bind", "cifs", "nfs", "nfs4", "tmpfs"],
        ["tmpfs"],
    ),
    Rule(
        "volumes.options",
        WORDS,
        "Which mount options it may have (`o`).",
        ["*"],
        VOLUME_OPTIONS,
        ["size=*", "mode=*", "uid=*", "gid=*", "noexec", "nosuid", "nodev", "ro"],
    ),
    Rule(
        "volumes.addresses",
        GOALS,
        "From which servers volumes of NFS and SMB may come, as HOST or a subnet. `*` is every machine but this one,"
        " which shows its own root to itself, and nothing that is link-local: these take an entry of their own. `@host`"
        " is this machine by any of its addresses. A name counts as what it stands for when the volume is made.",
        ["*"],
        ["*"],
        [],
    ),
    Rule(
        "volumes.external",
        NAMES,
        "Which volumes that do not belong to its domain a container may have, by their names in the engine. What"
        " another domain shares (`shared_with` at the volume in its file) takes no entry here. Of what belongs to no"
        f" domain `{DOMAIN}` stands for the domain file's own name, as Compose puts it before that of a volume, and"
        f" `{UNOWNED}` for all.",
        ["*"],
        [f"{DOMAIN}_*", f"{DOMAIN}-*"],
        [],
    ),
)

LOCAL = "local"
_NAMED_BY_ENGINE = re.compile(r"[0-9a-f]{64}")
_BINDS = ("bind", "rbind")
_OPTIONS = ("type", "o", "device", "size")
_WITHOUT_DEVICE = ("tmpfs",)
_SHARES = ("cifs", "smb3")
_OVER_NETWORK = ("nfs", "nfs4", *_SHARES)
_SERVERS = ("addr", "ip", "mountaddr", "mounthost")
_UNC = re.compile(r"[/\\\\]{2}(?P<host>[^/\\\\]*)")
_EXPORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:/]+):")
_HOST = re.compile(r"[A-Za-z0-9._:-]+")


def made(case: Case, driver: str, options: Object, field: str) -> None:
    """Refuse a volume that may not be made."""
    driver = driver or LOCAL
    if not case.policy.allows("volumes.drivers", driver):
        case.refuse("volumes.drivers", field, f"the volume driver {driver}", driver)
    if driver != LOCAL or not options:
        return
    for name in options:
        if name not in _OPTIONS:
            case.refuse(KNOWN_FIELDS, field, f"no rule is known for the option {name} of a volume")
    kind, device = (str(options.get(name) or "") for name in ("type", "device"))
    words = [word for word in str(options.get("o") or "").split(",") if word]
    is_bind = _is_bind(words)
    for word in words:
        if not case.policy.allows("volumes.options", word):
            case.refuse("volumes.options", field, f"the mount option {word.partition('=')[0]} of a volume", word)
    if not (kind or device or words):
        return
    name = "bind" if is_bind else kind
    if not case.policy.allows("volumes.types", name):
        case.refuse("volumes.types", field, f"a volume that mounts {'a directory' if is_bind else repr(name)}", name)
    if not is_bind and kind in _OVER_NETWORK:
        _servers(case, kind, device, words, field)
    if is_of_host(driver, options):
        places.host_path(case, device, field, read_only="ro" in words and "rw" not in words)


def _servers(case: Case, kind: str, device: str, words: list[str], field: str) -> None:
    """Where a volume over the network comes from: every machine that it names, whichever of them the kernel takes."""
    named = [value for key, sign, value in (word.partition("=") for word in words) if sign and key in _SERVERS]
    parts = _UNC.match(device) if kind in _SHARES else _EXPORT.match(device)
    if parts is not None:
        named.append(parts["host"])
    told = ("a volume from the server ", "")
    for host in dict.fromkeys(one.strip("[]").partition("%")[0] for one in named):
        if _HOST.fullmatch(host):
            reach(case, "volumes.addresses", field, host, 0, told=told)
        else:
            case.refuse(KNOWN_FIELDS, field, f"a volume from {host[:60]!r}, which is not a name or address of a server")


def is_of_host(driver: str, options: Object) -> bool:
    """Whether a volume is a place of the host: a directory, or what else its driver mounts by a path there."""
    if (driver or LOCAL) != LOCAL:
        return False
    kind, device = (str(options.get(name) or "") for name in ("type", "device"))
    words = [word for word in str(options.get("o") or "").split(",") if word]
    return _is_bind(words) or (device.startswith("/") and kind not in (*_WITHOUT_DEVICE, *_OVER_NETWORK))


def _is_bind(words: list[str]) -> bool:
    return any(word in _BINDS for word in words)


def used(case: Case, name: str, field: str, *, is_had: bool = False) -> None:
    """Refuse a volume that a container may not have: what is there under the name counts as if it were recreated.
    ``is_had``: a container has it already, so that one that the engine has named itself is nobody else's."""
    body = case.world.volume(name)
    if body is None:
        return
    made(case, str(body.get("Driver") or ""), table(body.get("Options")), field)
    if not (is_had and _NAMED_BY_ENGINE.fullmatch(name)):
        lent(case, "volume", name, body, field)
