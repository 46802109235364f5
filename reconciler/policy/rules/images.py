"""Rules: images and builds, taking over what others made. Data."""

from __future__ import annotations

from reconciler.policy.rule import DOMAIN, FLAG, IMAGES, WORDS, Rule, choice

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
        " is refused when a container is made, and no container is made anew for it.",
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
