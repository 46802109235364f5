"""What registries and engines say when an image can't be had: is it worth another try, and what can be done about it.

The engine passes on a registry's answer as words, behind one and the same status (API 1.41 says 500 for a wrong
password as for a registry that is down), so words are what is looked at; the patterns stand here and nowhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.quantities import durations

LONGEST_WAIT_SECONDS = 30.0

_NOT_THERE = re.compile(
    r"manifest unknown|manifest for .* not found|name unknown|repository .* not found|not found: does not exist"
    r"|unknown blob|unsupported media type",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"unauthorized|authentication required|no basic auth credentials|access (?:is )?denied|access forbidden"
    r"|incorrect username or password|requested access to the resource is denied|\b403\b|^denied|: denied",
    re.IGNORECASE,
)
_PLATFORM = re.compile(
    r"no matching manifest|does not match the specified platform|platform specifier|no match for platform"
    r"|cannot be used on this platform",
    re.IGNORECASE,
)
_TLS = re.compile(r"x509:|certificate|server gave HTTP response to HTTPS client", re.IGNORECASE)
_NAME = re.compile(r"invalid reference format|invalid tag|repository name must", re.IGNORECASE)
_DISK = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
_PASSES = re.compile(
    r"toomanyrequests|too many requests|\b429\b|rate limit|unexpected HTTP status: 5\d\d|\b50[0234] [A-Z]|timeout"
    r"|timed out|deadline exceeded|connection (?:refused|reset)|connection lost|broken pipe|unexpected EOF|: EOF"
    r"|no such host|server misbehaving|network is unreachable|no route to host|temporary failure|try again",
    re.IGNORECASE,
)
_UNREACHABLE = re.compile(
    r"connection refused|no such host|server misbehaving|network is unreachable|no route to host|i/o timeout"
    r"|temporary failure in name resolution|connection reset by peer",
    re.IGNORECASE,
)
_RETRY_AFTER = re.compile(r"retry-after:?\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m)?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """``permanent``: another try at once can't help. ``wants_login``: it is about who asks. ``not_there``: there is no
    such image. ``unreachable`` says why the registry can't be reached. ``advice``: what to do, for the end of a
    message."""

    permanent: bool
    wants_login: bool = False
    advice: str = ""
    not_there: bool = False
    unreachable: str = ""


def of_pull(said: str) -> Refusal:
    """What a pull that failed with these words means. What nobody has seen before is tried again."""
    if _PASSES.search(said) and not _NOT_THERE.search(said):
        unreachable = _UNREACHABLE.search(said)
        if unreachable is None:
            return Refusal(permanent=False)
        advice = (
            "see that it runs and that the engine's machine reaches it, or correct the name of the image; it is asked"
            " again by itself"
        )
        return Refusal(permanent=False, advice=advice, unreachable=unreachable[0])
    return _known(said) or Refusal(permanent=False)


def of_build(said: str) -> Refusal:
    """What a build that failed with these words means: most often that the Dockerfile is wrong."""
    if _PASSES.search(said) and "returned a non-zero code" not in said:
        return Refusal(permanent=False)
    return _known(said) or Refusal(permanent=True)


def _known(said: str) -> Refusal | None:
    if _LOGIN.search(said):
        return Refusal(permanent=True, wants_login=True)
    if _PLATFORM.search(said):
        return Refusal(True, advice="correct `platform`, or take a tag that has the image for it")
    if _NOT_THERE.search(said):
        return Refusal(True, advice="correct the name or the tag of the image", not_there=True)
    if _TLS.search(said):
        return Refusal(
            True,
            advice="let the engine trust the registry: give it the certificate (/etc/docker/certs.d/HOST/ca.crt),"
            " or list the registry in its insecure-registries",
        )
    if _NAME.search(said):
        return Refusal(True, advice="correct the name of the image")
    if _DISK.search(said):
        return Refusal(
            True, advice="the engine's disk is full: make room, `pnr prune` removes images that nothing uses"
        )
    return None


def wait_wanted(said: str) -> float | None:
    """How many seconds a registry asks to be left alone, where the engine passes that on; at most half a minute."""
    match = _RETRY_AFTER.search(said)
    if match is None:
        return None
    wait = durations.read(f"{match[1]}{(match[2] or 's').lower()}") / durations.SECOND
    return min(wait, LONGEST_WAIT_SECONDS)
