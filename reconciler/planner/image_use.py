"""Which image is which, and which of ours nobody needs any more. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from reconciler.intent.image_names import BadImageName, ImageName, parse
from reconciler.planner.observed import ImageSeen


def registry_digests(seen: ImageSeen, image: str) -> frozenset[str]:
    """What the registry that ``image`` names calls ``seen`` (``sha256:…``); empty for what came from no registry, or
    from another one. An image has several where it is part of several indexes, or was pulled by its own digest too."""
    wanted = parse(image)
    names = (_parsed(reference) for reference in seen.digests)
    return frozenset(
        name.digest
        for name in names
        if name is not None
        and name.digest is not None
        and (name.registry, name.repository) == (wanted.registry, wanted.repository)
    )


def delivered(seen: ImageSeen, image: str, pulled: Collection[str]) -> bool:
    """Whether a registry delivered an image under a name. ``pulled`` are the names under which pnr itself pulled it.

    Engines that keep images as registries have them (their ids are digests) show digests of what was built here too, so
    that of those only the record tells.
    """
    return str(parse(image)) in pulled or any(digest != seen.id for digest in registry_digests(seen, image))


def unused(
    own: Iterable[tuple[ImageSeen, tuple[str, ...]]], used: Collection[str], declared: Iterable[str]
) -> list[ImageSeen]:
    """The images of ours that can go: no container has one (``used`` are the ids of those that some have), no domain
    declares it, and nobody has given it a further name."""
    names = {str(name) for image in declared if (name := _parsed(image)) is not None}
    found = []
    for image, own_names in own:
        tags = set(image.names)
        wanted = image.id in used or image.id in names or names & {*tags, *image.digests}
        if not wanted and tags <= set(own_names):
            found.append(image)
    return found


def _parsed(text: str) -> ImageName | None:
    try:
        return parse(text)
    except BadImageName:
        return None  # `<none>@<none>`, as engines list what has lost its name
