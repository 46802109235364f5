"""What a chunk may ask for that no request to the engine shows: where its health check goes, and whether it takes over
what somebody else has made. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.intent.model import Adopt, Chunk
from reconciler.policy.checks.case import Case
from reconciler.policy.checks.sharing import CONTAINER, leads_to_host
from reconciler.policy.rule import Rule, choice

PROBES = (
    Rule(
        "probes.host_network",
        choice("any", "read", "none"),
        "What a health check may do with a container that has the host's network, whose ports are ports of the host's"
        " own loopback: anything, connect and read (tcp, and http with GET, HEAD or OPTIONS), or nothing. Every other"
        " check asks the published port of its container, or an address that is neither the host's nor link-local,"
        " whatever the policy says.",
        "any",
        "read",
        "none",
    ),
)

ADOPTION = (
    Rule(
        "domains.adopt",
        choice("no", "matching", "replace"),
        "What a chunk may do with a container that pnr did not make: nothing, take it over where it is as declared, or"
        " replace it too. One that is taken over must be as this policy allows; with matching, a chunk that takes one"
        " over has no ignore_drift.",
        "replace",
        "matching",
        "no",
    ),
)

_READING = ("GET", "HEAD", "OPTIONS")


def health(case: Case, chunk: Chunk, body: Mapping[str, Any]) -> None:
    """A health check asks where it leads: with the host's network, a port of the host. ``body`` makes the chunk's
    container."""
    allowed = case.policy.word("probes.host_network")
    check = chunk.health
    if check is None or check.port_key is None or allowed == "any":
        return
    mode = str((body.get("HostConfig") or {}).get("NetworkMode") or "")
    is_host = mode == "host" or "host" in chunk.container.networks
    if not is_host and not (
        mode.startswith(CONTAINER) and leads_to_host(case, "network", mode.removeprefix(CONTAINER))
    ):
        return
    method = str(check.options.get("method", "GET"))
    if allowed == "none":
        case.refuse("probes.host_network", "health_check", "a health check that asks a port of the host")
    elif method not in _READING:
        said = f"a health check that sends {method} to a port of the host"
        case.refuse("probes.host_network", "health_check", said)


def adoption(case: Case, adopt: Adopt) -> None:
    """A chunk asks for a container that somebody else made."""
    order = ("no", "matching", "replace")
    wanted = {Adopt.NO: 0, Adopt.MATCHING: 1, Adopt.REPLACE: 2}[adopt]
    if wanted > order.index(case.policy.word("domains.adopt")):
        what = "take over" if wanted == 1 else "replace"
        case.refuse("domains.adopt", "adopt", f"to {what} a container that pnr did not make", order[wanted])


def drift(case: Case, chunk: Chunk) -> None:
    """A container of somebody else that is taken over need not be as declared: anybody's would do."""
    if chunk.adopt is Adopt.MATCHING and chunk.ignore_drift and case.policy.word("domains.adopt") == "matching":
        ignored = ", ".join(chunk.ignore_drift)
        said = (
            f"to take over a container that pnr did not make and that differs from what is declared (in {ignored});"
            " once it is taken over, adopt may go"
        )
        case.refuse("domains.adopt", "ignore_drift", said, "replace")
