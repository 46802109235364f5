"""Log drivers: which options they have, and where these lead. Pure.

The engine reads and connects as root, whatever the container may. Its drivers take addresses apart with Go's
``url.Parse``, which lowers the scheme, drops what stands for a host before a path, and decodes percent signs. So only
forms are let through that all readers read alike; of the others it is said what the engine would make of them.
See https://github.com/moby/moby/tree/master/daemon/logger.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from reconciler.policy.checks import places
from reconciler.policy.checks.case import Case, Object, table
from reconciler.policy.checks.reaching import reach
from reconciler.policy.refusal import KNOWN_FIELDS
from reconciler.policy.rule import COUNT, GOALS, SIZE, WORDS, Rule
from reconciler.policy.values import HOST
from reconciler.quantities import sizes

ROWS = (
    Rule(
        "logging.drivers",
        WORDS,
        "Where the engine may put what containers print. A path or socket of the host among a driver's options follows"
        " the rules of binds, a certificate those for what is read only.",
        ["*"],
        [
            *("awslogs", "etwlogs", "fluentd", "gcplogs", "gelf", "journald", "json-file", "local", "none"),
            *("splunk", "syslog"),
        ],
        ["journald", "json-file", "local"],
    ),
    Rule(
        "logging.addresses",
        GOALS,
        "Where log drivers may send to, as HOST, HOST:PORT or a subnet. `*` is every machine but this one, and nothing"
        " that is link-local or tells a cloud's machines their secrets: these take an entry of their own. So does a"
        " server that is spoken to by HTTP (splunk, awslogs-endpoint): it may send the engine on to this machine."
        " `@host` is this machine by any of its addresses. The standard ports are those of fluentd, GELF and syslog. A"
        " name counts as what it stands for when the container is made.",
        ["*"],
        ["*", *(f"{HOST}:{port}" for port in (514, 6514, 12201, 24224))],
        [],
    ),
    Rule(
        "logging.options",
        WORDS,
        "Which options log drivers may have besides those that pnr knows of the engine's own drivers. An option for"
        " credentials of the machine (`awslogs-credentials-endpoint`) has to be named here as well.",
        ["*"],
        [],
        [],
    ),
    Rule(
        "logging.buffer",
        SIZE,
        "The maximum memory that the engine may keep of a container's output (max-buffer-size, fluentd-buffer-limit).",
        "none",
        "64m",
        "8m",
    ),
    Rule(
        "logging.files",
        COUNT,
        "The maximum number of files in which the engine may keep a container's output (max-file, cache-max-file):"
        " with each new one it renames as many as there may be, for seconds or for hours.",
        "none",
        1000,
        100,
    ),
)

FIELD = "HostConfig.LogConfig"
LONGEST = 4096

_EVERY = frozenset({"mode", "max-buffer-size", "cache-disabled", "cache-max-file", "cache-max-size", "cache-compress"})
_ABOUT = frozenset({"env", "env-regex", "labels", "labels-regex"})
_TAGGED = _ABOUT | {"tag"}


def _of(prefix: str, names: str) -> frozenset[str]:
    return frozenset(f"{prefix}-{name}" for name in names.split())


DRIVERS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "awslogs": frozenset({"tag"})
        | _of("awslogs", "create-group create-stream datetime-format endpoint force-flush-interval-seconds format")
        | _of("awslogs", "group max-buffered-events multiline-pattern region stream"),
        "etwlogs": frozenset(),
        "fluentd": _TAGGED
        | _of("fluentd", "address async async-connect async-reconnect-interval buffer-limit max-retries read-timeout")
        | _of("fluentd", "request-ack retry-wait sub-second-precision write-timeout"),
        "gcplogs": _ABOUT | _of("gcp", "log-cmd meta-id meta-name meta-zone project"),
        "gelf": _TAGGED
        | _of("gelf", "address compression-level compression-type tcp-max-reconnect tcp-reconnect-delay"),
        "journald": _TAGGED,
        "json-file": _TAGGED | {"compress", "max-file", "max-size"},
        "local": frozenset({"compress", "max-file", "max-size"}),
        "splunk": _TAGGED
        | _of("splunk", "caname capath format gzip gzip-level index index-acknowledgment insecureskipverify source")
        | _of("splunk", "sourcetype token url verify-connection"),
        "syslog": _TAGGED | _of("syslog", "address facility format tls-ca-cert tls-cert tls-key tls-skip-verify"),
    }
)
_ALL = frozenset().union(*DRIVERS.values(), _EVERY)

_FILES = frozenset({"syslog-tls-ca-cert", "syslog-tls-cert", "syslog-tls-key", "splunk-capath"})
_BUFFERS = frozenset({"max-buffer-size", "fluentd-buffer-limit"})
_COUNTS = frozenset({"max-file", "cache-max-file"})
_TEMPLATES = frozenset({"tag", "awslogs-group", "awslogs-stream"})
_WORDS = {"awslogs-region": re.compile(r"[a-z0-9-]{1,40}"), "gcp-project": re.compile(r"[a-z0-9:.-]{1,100}")}


@dataclass(frozen=True, slots=True)
class Form:
    """What an option that is an address may be: its schemes, those of sockets, the port where none is given, whether it
    may lack a scheme, and whether a path may follow."""

    schemes: tuple[str, ...]
    sockets: tuple[str, ...] = ()
    port: int = 0
    bare: bool = False
    path: bool = False


_SOCKETS = ("unix", "unixgram")
_FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "syslog-address": Form(("tcp", "udp", "tcp+tls"), _SOCKETS, 514),
        "fluentd-address": Form(("tcp", "tls", "udp"), _SOCKETS, 24224, bare=True),
        "gelf-address": Form(("tcp", "udp")),
        "splunk-url": Form(("http", "https"), path=True),
        "awslogs-endpoint": Form(("http", "https"), bare=True, path=True),
    }
)
_ANY = Form(("http", "https", "tcp", "udp", "tls", "tcp+tls", "grpc", "grpcs", "ws", "wss"), _SOCKETS, path=True)
_USUAL_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_HTTP = frozenset({"", *_USUAL_PORTS, "grpc", "grpcs"})
"""Of forms with a path these speak HTTP, whose servers may send the engine on to elsewhere, with what it sends."""
_FLUENTD = ("127.0.0.1", 24224)

_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_PLACE = re.compile(
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?(?P<path>/[A-Za-z0-9._~/-]*)?"
)
_PATH = re.compile(r"/[^%?#\\]*")
_COUNT = re.compile(r"[+]?[0-9]{1,9}")

# Texts in quotes may hold what ends an action: Go reads on behind it.
_ACTION = re.compile(r"""\{\{((?>(?:[^"'`}]|\}(?!\})|"(?>(?:[^"\\\n]|\\.)*)"|`[^`]*`|'(?>(?:[^'\\\n]|\\.)*)')*))\}\}""")
_ENDLESS = re.compile(r"\b(?:pad|printf?|println|range|define|template|block|html|js|urlquery|call|while)\b|:=|\$")
_GROWING = re.compile(r"\b(?:json|join)\b")
"""Each makes its text longer: nested a hundred times they take all of the engine's memory."""
_JOIN = re.compile(r"\bjoin\b")
_SHORT_JOIN = re.compile(r'\bjoin\s+(?:\.[A-Za-z.]*|\([^()]*\))\s+"[^"\\]{0,4}"')
"""With a few signs between; a text of the container's own between all letters of another one has no bounds."""


def logging(case: Case, host: Object, *, is_there: bool = False) -> None:
    """Where the engine puts what a container prints. ``is_there``: the container is, and the engine shows with its
    options those that it is itself set up with; they are not the domain's."""
    log = table(host.get("LogConfig"))
    case.unknown(log, frozenset({"Type", "Config"}), f"{FIELD}.")
    driver = str(log.get("Type") or "")
    if driver and not case.policy.allows("logging.drivers", driver):
        case.refuse("logging.drivers", FIELD, f"the log driver {driver}", driver)
    options = table(log.get("Config"))
    known = DRIVERS[driver] | _EVERY if driver in DRIVERS else (_ALL if driver in ("", "none") else frozenset())
    for name, value in options.items():
        if not is_there and name not in known and not case.policy.allows("logging.options", str(name)):
            of = f"the log driver {driver}" if driver else "log drivers"
            case.refuse("logging.options", FIELD, f"the option {str(name)[:80]} of {of}", str(name))
        _option(case, str(name), str(value), is_there=is_there)
    if driver == "fluentd" and not options.get("fluentd-address"):
        _reach(case, "fluentd-address", *_FLUENTD)


def _option(case: Case, name: str, text: str, *, is_there: bool) -> None:
    if not text:
        return
    if not text.isprintable() or len(text) > LONGEST:
        said = "control characters" if len(text) <= LONGEST else f"more than {LONGEST} characters"
        case.refuse(KNOWN_FIELDS, FIELD, f"{said} in the option {name[:80]} of the log driver")
        return
    if name in _FILES:
        places.host_path(case, text, FIELD, read_only=True, what=f"the {name} of the log driver, the host's")
    elif name in _FORMS:
        _address(case, name, text, _FORMS[name], is_there=is_there)
    elif name in _BUFFERS:
        _buffer(case, name, text)
    elif name in _COUNTS:
        _count(case, name, text)
    elif name in _TEMPLATES:
        if _is_more_than_fields(text):
            case.refuse(
                KNOWN_FIELDS, FIELD, f"a template in the option {name} that is more than fields and their parts"
            )
    elif name in _WORDS:
        if not _WORDS[name].fullmatch(text):
            case.refuse(KNOWN_FIELDS, FIELD, f"{text[:60]!r} for the option {name} of the log driver")
    elif name not in _ALL:
        # Of a driver that nobody here knows: what looks like a path or an address is taken for one.
        if "://" in text:
            _address(case, name, text, _ANY, is_there=is_there)
        elif text.startswith("/"):
            places.host_path(case, text, FIELD, what=f"the {name} of the log driver, the host's")


def _is_more_than_fields(text: str) -> bool:
    """Whether a template of Go's may take long, or come out long. What opens one has to be closed."""
    actions = _ACTION.findall(text)
    grown = sum(len(_GROWING.findall(action)) for action in actions)
    is_open = "{{" in _ACTION.sub(" ", text)
    joined = any(len(_JOIN.findall(action)) > len(_SHORT_JOIN.findall(action)) for action in actions)
    return is_open or grown > 2 or joined or any(_ENDLESS.search(action) for action in actions)


def _buffer(case: Case, name: str, text: str) -> None:
    ceiling = case.policy.ceiling("logging.buffer")
    if ceiling is None:
        return
    try:
        is_within = sizes.read_as_go(text) <= ceiling
    except ValueError:
        is_within = False
    if not is_within:
        case.refuse(
            "logging.buffer", FIELD, f"{text[:40]} for the option {name} of the log driver (at most {ceiling:.0f})"
        )


def _count(case: Case, name: str, text: str) -> None:
    """With each new file the engine renames all that there may be, whether they are there or not."""
    ceiling = case.policy.ceiling("logging.files")
    if ceiling is None:
        return
    if _COUNT.fullmatch(text) is None or int(text) > ceiling:
        said = f"{text[:40]} for the option {name} of the log driver (at most {ceiling:.0f})"
        case.refuse("logging.files", FIELD, said)


# --- addresses --------------------------------------------------------------------------------------------------------


def _address(case: Case, name: str, text: str, form: Form, *, is_there: bool) -> None:
    match = _SCHEME.fullmatch(text)
    scheme, rest = (match["scheme"].lower(), match["rest"]) if match is not None else ("", text)
    if scheme in form.sockets:
        _socket(case, name, rest)
        return
    if (scheme and scheme not in form.schemes) or (not scheme and not form.bare):
        said = f"the scheme {scheme}" if scheme else "no scheme that it knows"
        case.refuse(KNOWN_FIELDS, FIELD, f"the {name} of the log driver with {said}")
        return
    place = _PLACE.fullmatch(rest)
    if place is None or ((place["path"] or "/") != "/" and not form.path):
        case.refuse(KNOWN_FIELDS, FIELD, f"the {name} of the log driver in a form that programs read differently")
        return
    if is_there:
        return  # it may be the engine's own setting
    port = int(place["port"]) if place["port"] else form.port or _USUAL_PORTS.get(scheme, 0)
    _reach(case, name, place["ipv6"] or place["host"], port, leads_on=form.path and scheme in _HTTP)


def _socket(case: Case, name: str, rest: str) -> None:
    what = f"the {name} of the log driver, the host's"
    if not _PATH.fullmatch(rest):
        case.refuse(
            KNOWN_FIELDS, FIELD, f"the {name} of the log driver: a socket is written as unix:///path and no more"
        )
    sign, path = rest.find("/"), rest.partition("?")[0].partition("#")[0]
    if sign >= 0 and path[sign:].startswith("/"):
        places.host_path(case, path[sign:], FIELD, what=what)


def _reach(case: Case, name: str, host: str, port: int, *, leads_on: bool = False) -> None:
    """Refuse a goal that log drivers may not send to."""
    told = (f"the {name} ", " of the log driver")
    reach(case, "logging.addresses", FIELD, host, port, told=told, leads_on=leads_on)
