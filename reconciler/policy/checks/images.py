"""Images: which may be used, pulled and built. Pure."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from reconciler.intent.image_names import BadImageName, ImageName, parse
from reconciler.policy.checks.case import Case, texts
from reconciler.policy.checks.sharing import CONTAINER, leads_to_host, others
from reconciler.policy.refusal import KNOWN_FIELDS
from reconciler.policy.request import Request

_LIKE_AN_ID = re.compile(r"library/[0-9a-f]{1,64}")
_HUB = "docker.io"
_QUERY = frozenset(
    {"t", "dockerfile", "rm", "forcerm", "nocache", "pull", "buildargs", "labels", "target", "networkmode", "platform"}
    | {"isolation", "shmsize", "cachefrom", "extrahosts", "ulimits", "q"}
)
_PULL_QUERY = frozenset({"fromImage", "tag", "platform"})


def used(case: Case, name: str, field: str) -> None:
    """Refuse an image that may not be used."""
    patterns = case.policy.words("images.allowed")
    try:
        image = parse(name)
    except BadImageName as error:
        case.refuse("images.allowed", field, str(error))
        return
    if "*" not in patterns:
        # An engine finds an image by the beginning of its id too, where none has that name.
        if image.id is not None or _is_like_an_id(image):
            case.refuse("images.allowed", field, f"the image {name} is named by an id, which tells no registry")
            return
        if not any(matches(pattern, image) for pattern in patterns):
            case.refuse(
                "images.allowed", field, f"the image {image} (allowed: {', '.join(patterns) or 'none'})", str(image)
            )
    if case.policy.flag("images.digest") and not image.is_fixed:
        case.refuse("images.digest", field, f"the image {name} without its digest: write {image.name}@sha256:…")


def _is_like_an_id(image: ImageName) -> bool:
    return image.registry == _HUB and _LIKE_AN_ID.fullmatch(image.repository) is not None and image.digest is None


def matches(pattern: str, image: ImageName) -> bool:
    """Whether a pattern such as ``ghcr.io/team/*`` or ``redis:7*`` is of this image. A pattern with a tag is of no
    image without one."""
    name, tag = _without_tag(pattern)
    host, slash, rest = name.partition("/")
    if not slash or not (host == "localhost" or set(host) & set(".:*")):
        host, rest = _HUB, name if slash else f"library/{name}"
    elif host == "*" and not rest:
        rest = "*"
    if not fnmatchcase(image.registry, host) or not fnmatchcase(image.repository, rest):
        return False
    given = image.tag if image.digest is not None else (image.tag or "latest")
    return tag is None or (given is not None and fnmatchcase(given, tag))


def _without_tag(pattern: str) -> tuple[str, str | None]:
    name, colon, tag = pattern.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (pattern, None)


def pull(case: Case, request: Request) -> None:
    """``POST /images/create``: a pull; an import brings in what no registry has."""
    for name in request.query:
        if name not in _PULL_QUERY:
            said = "an import" if name in ("fromSrc", "repo") else f"no rule is known for {name}"
            case.refuse(KNOWN_FIELDS, name, said)
    version = request.one("tag")
    separator = "@" if ":" in version else ":"
    used(case, request.one("fromImage") + (f"{separator}{version}" if version else ""), "fromImage")


def build(case: Case, request: Request) -> None:
    """``POST /build``. What is in the context is not looked at."""
    policy = case.policy
    for name, values in request.query.items():
        if name not in _QUERY and any(values):
            case.refuse(KNOWN_FIELDS, name, f"no rule is known for {name} of a build")
    if not policy.flag("builds.allowed"):
        case.refuse("builds.allowed", "build", "an image that is built here")
        return
    for name in texts(request.query.get("t")):
        names = policy.words("builds.names")
        try:
            image = parse(name)
        except BadImageName as error:
            case.refuse("builds.names", "t", str(error))
            continue
        if "*" not in names and not any(matches(pattern, image) for pattern in names):
            case.refuse("builds.names", "t", f"to build an image under the name {image}", str(image))
        if image.is_fixed:
            case.refuse("builds.names", "t", f"to build an image under the id or digest {name}")
    for network in texts(request.query.get("networkmode")):
        _network(case, network)


def _network(case: Case, network: str) -> None:
    if network and not case.policy.allows("builds.networks", network):
        case.refuse("builds.networks", "networkmode", f"a build in the network {network}", network)
    elif network.startswith(CONTAINER):
        name = network.removeprefix(CONTAINER)
        if others(case, name, "networkmode", "network of the container") and leads_to_host(case, "network", name):
            case.refuse("builds.networks", "networkmode", f"the host's network, which the container {name} has")
    else:
        body = case.world.network(network) if network else None
        if body is not None and body.get("Driver") == "host" and not case.policy.allows("builds.networks", "host"):
            case.refuse("builds.networks", "networkmode", f"the host's network under the name {network}")
