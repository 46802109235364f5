"""What the output of a container that ended says about what to do: the words that many programs print alike. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

Words = re.Match[str]

_CLUES: tuple[tuple[re.Pattern[str], Callable[[Words], str]], ...] = (
    (
        re.compile(
            r"bad port(?: spec)? '?(?P<a>[^'\s]+)|invalid port(?: number)?:? ['\"]?(?P<b>[^'\"\s]+)"
            r"|number (?P<c>\S+) is not in [01]\.\.65535",
            re.IGNORECASE,
        ),
        lambda m: (
            f"Correct the port {next(filter(None, m.groups()))} in its settings or `command`: a port is a number from"
            " 1 to 65535."
        ),
    ),
    (
        # Who serves has no name to look up there: that is where it is to listen.
        re.compile(r"\b\w+d: bad address '(?P<a>[^']*)'"),
        lambda m: (
            f"Correct what it is to listen on ({m['a']}) in its settings or `command`: a port, or an address of its"
            " own with a port."
        ),
    ),
    (
        re.compile(r"(?:bad address|unknown host:?|could not resolve host:?) '?\"?(?P<a>\d+(?:\.\d+)*)\b(?![.-]?\w)"),
        lambda m: f"Correct {m['a']} in its settings or `command`: that is neither an address nor a name.",
    ),
    (
        re.compile(
            r"bad address '?\"?(?P<a>[\w.-]+)|could not resolve host:? (?P<b>[\w.-]+)|ENOTFOUND (?P<c>[\w.-]+)"
            r"|lookup (?P<d>[\w.-]+)(?: on \S+)?: (?:no such host|server misbehaving)"
            r"|could not translate host name \"(?P<e>[\w.-]+)\"|unknown host:? '?(?P<f>[\w.-]+)"
            r"|EAI_AGAIN (?P<g>[\w.-]+)|UnknownHostException: (?P<h>[\w.-]+)"
            r"|host not found in (?:upstream|resolver) \"(?P<i>[\w.-]+)|getaddrinfo for (?P<j>[\w.-]+) failed"
            r"|connecting to (?P<k>[\w.-]+):\d+\. (?:name or service not known|temporary failure in name resolution)",
            re.IGNORECASE,
        ),
        lambda m: (
            f"The name {next(filter(None, m.groups()))} is not known in its networks: correct it, or connect the chunk"
            " to the network (`networks`) in which a container has that name; chunks of one CPUX know each other by"
            " their names."
        ),
    ),
    (
        re.compile(
            r"temporary failure in name resolution|name or service not known|nodename nor servname"
            r"|no address associated",
            re.IGNORECASE,
        ),
        lambda _: (
            "A name that it asks for is not known in its networks: correct it in its settings, or connect the chunk to"
            " the network (`networks`) in which a container has that name."
        ),
    ),
    (
        re.compile(r"read-only file system|EROFS", re.IGNORECASE),
        lambda _: (
            "Give it a place to write to: `tmpfs` or a volume at that path in the domain file, or take out `read_only`,"
            " or the `:ro` of the volume that is there."
        ),
    ),
    (
        re.compile(r"no space left on device|ENOSPC", re.IGNORECASE),
        lambda _: (
            "Make room where it writes: a `tmpfs` has no more than its `size`; on the engine's disk `pnr prune` removes"
            " images that nothing uses, and `docker system df` shows what takes it."
        ),
    ),
    (
        re.compile(r"exec format error", re.IGNORECASE),
        lambda _: (
            "Take an image for this machine's platform: what it is to run is not a program for its processor. A script"
            " begins with the line `#!/bin/sh`."
        ),
    ),
    (
        re.compile(r"^exec (?P<path>/\S+): no such file or directory"),
        lambda m: (
            f"If {m['path']} is not in the image, correct `command`; if it is, what is to run it is not: correct the"
            " first line of the script (`#!`; it must not end as on Windows, CRLF), or take an image that has its C"
            " library."
        ),
    ),
    (
        re.compile(r"permission denied|EACCES|operation not permitted|EPERM", re.IGNORECASE),
        lambda _: (
            "See that its user (`user`) may do that: rights of the files in its volumes, or a capability (`cap_add`)."
        ),
    ),
    (
        re.compile(r"connection refused|ECONNREFUSED", re.IGNORECASE),
        lambda _: (
            "Whom it connects to does not listen there: correct the address, or let it wait with a gatekeeper for the"
            " fact that the other one is up."
        ),
    ),
    (
        re.compile(r"^\s*Killed\s*$"),
        lambda _: (
            "Something that it ran was killed, most often for lack of memory: give it more (`mem_limit`), or find out"
            " what eats it."
        ),
    ),
    (
        re.compile(r"address already in use|EADDRINUSE", re.IGNORECASE),
        lambda _: "Two programs in its network want one port: give one of them another.",
    ),
)


def step_from(output: str) -> str:
    """What to do, where the output tells; else ""."""
    for line in reversed(output.splitlines()):
        for pattern, tell in _CLUES:
            found = pattern.search(line)
            if found is not None:
                return tell(found)
    return ""
