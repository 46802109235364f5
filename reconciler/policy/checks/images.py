"""Images: which may be used, pulled and built. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from reconciler.intent.image_names import BadImageName, ImageName, own_parts, parse, part_of_name
from reconciler.intent.settings.words import OWN_LABELS as OWN
from reconciler.planner.observed import LABEL_BUILD, LABEL_BUILT_BY
from reconciler.policy.checks.case import Case, table, texts
from reconciler.policy.checks.sharing import CONTAINER, leads_to_host, others
from reconciler.policy.model import Policy
from reconciler.policy.refusal import KNOWN_FIELDS, OWN_LABELS
from reconciler.policy.request import Request
from reconciler.policy.rule import FLAG, IMAGES, WORDS, Profile, Rule
from reconciler.policy.values import DOMAIN

ROWS = (
    Rule(
        "images.allowed",
        IMAGES,
        "Which images may be used, as registry/name[:tag]: `ghcr.io/team/*`, `redis` (docker.io/library/redis),"
        " `registry:5000/app:1.*`. `*` stands for any characters, slashes too. With anything but `*` an image can't be"
        " named by its id.",
        ["*"],
        ["*"],
        ["*"],
    ),
    Rule(
        "images.digest",
        FLAG,
        "Whether an image must be named with its digest (name@sha256:…), so that it can't be exchanged.",
        False,
        False,
        True,
    ),
    Rule(
        "images.logins",
        WORDS,
        "To which registries the daemon's own logins (Docker's configuration and its helpers) are lent: `ghcr.io`,"
        " `registry:5000`, `docker.io`. Elsewhere a domain has what its own `registries` say.",
        ["*"],
        ["*"],
        [],
    ),
    Rule(
        "images.of_domains",
        IMAGES,
        "Which images that another domain has built here may be used, as in images.allowed. Another one under the name"
        " is refused when a container is made, and no container is recreated for it.",
        ["*"],
        [],
        [],
    ),
    Rule(
        "builds.allowed",
        FLAG,
        "Whether images may be built. What a Dockerfile takes as its base (FROM) and runs is not looked at.",
        True,
        True,
        False,
    ),
    Rule(
        "builds.names",
        IMAGES,
        f"Under which names images may be built, as in images.allowed; `{DOMAIN}` stands for the domain file's own name"
        " without its ending, as Compose puts a project's before that of a service, and for the names that images have"
        " which are given none; `pnr_*` is how files of the original program call what they build. They follow"
        " images.allowed as well. Whatever the list holds, no domain builds under the name of an image that a registry"
        " delivered, or that another domain built or uses.",
        ["*"],
        [f"{DOMAIN}-*", f"{DOMAIN}_*", "pnr_*"],
        [f"{DOMAIN}-*", f"{DOMAIN}_*"],
    ),
    Rule(
        "builds.networks",
        WORDS,
        "Which networks a build may have: default, none, or a name. `host` is the host's, `container:NAME` that of a"
        " container.",
        ["*"],
        ["default", "bridge", "none"],
        ["none"],
    ),
)

_LIKE_AN_ID = re.compile(r"library/[0-9a-f]{1,64}")
_HUB = "docker.io"
_QUERY = frozenset(
    {"t", "dockerfile", "rm", "forcerm", "nocache", "pull", "buildargs", "labels", "target", "networkmode", "platform"}
    | {"isolation", "shmsize", "cachefrom", "extrahosts", "ulimits", "q"}
)
_PULL_QUERY = frozenset({"fromImage", "tag", "platform"})


def used(case: Case, name: str, field: str, *, is_pulled: bool = False) -> None:
    """Refuse an image that may not be used. ``is_pulled``: it is asked of its registry, whatever is there."""
    try:
        image = parse(name)
    except BadImageName as error:
        case.refuse("images.allowed", field, str(error))
        return
    if not _allowed(case, image, name, field):
        return
    there = case.world.image(name) if not is_pulled else None
    if there is not None and there.builder not in ("", case.domain) and not may_take_up(case.policy, image):
        said = f"the image {name}, which was built here for domain {there.builder}"
        case.refuse("images.of_domains", field, said, str(image) if image.id is None else "")
    if case.policy.flag("images.digest") and not image.is_fixed:
        case.refuse("images.digest", field, f"the image {name} without its digest: write {image.name}@sha256:…")


def _allowed(case: Case, image: ImageName, name: str, field: str) -> bool:
    """Refuse an image of a name that may not be used; whether there is more to be said of it."""
    patterns = case.policy.words("images.allowed")
    if "*" in patterns:
        return True
    # An engine finds an image by the beginning of its id too, where none has that name.
    if image.id is not None or _is_like_an_id(image):
        case.refuse("images.allowed", field, f"the image {name} is named by an id, which tells no registry")
        return False
    if not any(matches(pattern, image) for pattern in patterns):
        said = f"the image {image} (allowed: {', '.join(patterns) or 'none'})"
        case.refuse("images.allowed", field, said, str(image))
    return True


def may_take_up(policy: Policy, image: ImageName) -> bool:
    """Whether an image may be used although another domain has built it."""
    patterns = policy.words("images.of_domains")
    return "*" in patterns or (image.id is None and any(matches(pattern, image) for pattern in patterns))


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
    used(case, request.one("fromImage") + (f"{separator}{version}" if version else ""), "fromImage", is_pulled=True)


def build(case: Case, request: Request) -> None:
    """``POST /build``. What is in the context is not looked at."""
    policy = case.policy
    for name, values in request.query.items():
        if name not in _QUERY and any(values):
            case.refuse(KNOWN_FIELDS, name, f"no rule is known for {name} of a build")
    if not policy.flag("builds.allowed"):
        case.refuse("builds.allowed", "build", "an image that is built here")
        return
    for label in labels_given(request):
        if label.startswith(OWN) and label not in (LABEL_BUILD, LABEL_BUILT_BY):
            case.refuse(OWN_LABELS, "labels", f"the label {label}: those that begin with {OWN} are pnr's own")
    for index, name in enumerate(texts(request.query.get("t"))):
        _built_under(case, name, f"t[{index}]")
    for network in texts(request.query.get("networkmode")):
        _network(case, network)


def labels_given(request: Request) -> Mapping[str, Any]:
    """The labels that a build gives to its image."""
    try:
        return table(json.loads(request.one("labels") or "{}"))
    except ValueError:
        return {}


def builder(request: Request) -> str:
    """The domain that a build is for; "" where it does not say so."""
    return str(labels_given(request).get(LABEL_BUILT_BY) or "")


def _built_under(case: Case, name: str, field: str) -> None:
    """Refuse a name that the image of a build may not have."""
    patterns = case.policy.words("builds.names")
    try:
        image = parse(name)
    except BadImageName as error:
        case.refuse("builds.names", field, str(error))
        return
    if image.is_fixed:
        case.refuse("builds.names", field, f"to build an image under the id or digest {name}")
        return
    if "*" not in patterns and not any(_matches_of(case, pattern, image) for pattern in patterns):
        own = " or ".join(f"{own}-*" for own in own_parts(case.own_name) if own) or "none"
        said = f"to build an image under the name {image}, which is none of its own ({own})"
        case.refuse("builds.names", field, said, str(image))
    _allowed(case, image, name, field)
    there = case.world.image(str(image))
    if there is None or case.policy.profile is Profile.OPEN:
        return
    if there.builder not in ("", case.domain):
        said = f"to build an image under the name {image}, which domain {there.builder} has built one under"
        case.refuse("builds.names", field, f"{said}; where that is not in use any more, remove it: docker rmi {image}")
    elif there.delivered:
        said = f"to build an image under the name {image}, under which a registry has delivered one"
        case.refuse("builds.names", field, f"{said}; give what is built another name, or remove that one")


def _matches_of(case: Case, pattern: str, image: ImageName) -> bool:
    if DOMAIN not in pattern:
        return matches(pattern, image)
    named = any(matches(pattern.replace(DOMAIN, own), image) for own in own_parts(case.own_name) if own)
    # What is given no name is called as its chunk is.
    return named or (bool(case.domain) and matches(f"{part_of_name(case.domain)}-*-*", image))


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
