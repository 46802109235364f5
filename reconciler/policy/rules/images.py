"""Rules: images and builds, taking over what others made. Data."""

from __future__ import annotations

from reconciler.policy.rule import FLAG, OWN_NAME, WORDS, Rule, choice

ROWS = (
    Rule(
        "images.allowed",
        WORDS,
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
        "images.of_domains",
        WORDS,
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
        WORDS,
        f"Under which names images may be built, as in images.allowed; `{OWN_NAME}` stands for the domain's own name,"
        " as Compose puts it before that of a service; `pnr_*` is how files of the original program call what they"
        " build. They follow images.allowed as well. Whatever the list holds, no domain builds under the name of an"
        " image that a registry delivered, or that another domain built or uses.",
        ["*"],
        [f"{OWN_NAME}-*", f"{OWN_NAME}_*", "pnr_*"],
        [f"{OWN_NAME}-*", f"{OWN_NAME}_*"],
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
        "matching",
        "no",
    ),
)
