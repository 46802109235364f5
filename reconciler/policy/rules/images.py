"""Rules: images and builds, taking over what others made. Data."""

from __future__ import annotations

from reconciler.policy.rule import FLAG, IMAGES, WORDS, Rule, choice

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
        "Under which names images may be built, as in images.allowed.",
        ["*"],
        ["*"],
        ["*"],
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
    Rule(
        "domains.adopt",
        choice("no", "matching", "replace"),
        "What a chunk may do with a container that pnr did not make: nothing, take it over where it is as declared, or"
        " replace it too. One that is taken over must be as this policy allows.",
        "replace",
        "replace",
        "no",
    ),
)
