"""References of images, taken apart as registries and engines do it: ``host:port/path/name:tag@digest``. Pure.

The grammar is that of the distribution project (``reference.ParseNormalizedNamed``): what stands before the first
slash is a registry when it has a dot, a colon or capitals in it or is ``localhost``; everything else is Docker Hub's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from reconciler.errors import PnrError
from reconciler.intent.settings.faults import shown

DOCKER_HUB = "docker.io"
_HUB_ALIASES = ("index.docker.io", "registry-1.docker.io", "registry.hub.docker.com")
_EMPTY = "library/scratch"
_LONGEST_NAME = 255
_LONGEST_KEPT = 512

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?")
_PART = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_HEX_ID = re.compile(r"[0-9a-f]{64}")


class BadImageName(PnrError):
    """No reference of an image; the message says what is wrong with it and what would be right."""

    code = "BadImageName"


@dataclass(frozen=True, slots=True)
class ImageName:
    """A reference. ``registry`` is the host with its port (``docker.io`` where none is written), ``repository`` the
    path on it (``library/redis`` for ``redis``). ``id``: the engine's own id, which no registry knows; then everything
    else is empty."""

    registry: str = ""
    repository: str = ""
    tag: str | None = None
    digest: str | None = None
    id: str | None = None

    @property
    def name(self) -> str:
        """The name without tag and digest, as people write it: ``redis``, ``ghcr.io/team/api``."""
        if self.registry != DOCKER_HUB:
            return f"{self.registry}/{self.repository}"
        return self.repository.removeprefix("library/")

    @property
    def version(self) -> str:
        """What a registry is asked for: the digest where there is one, else the tag, else ``latest``."""
        return self.digest or self.tag or "latest"

    @property
    def is_fixed(self) -> bool:
        """Whether it always names the same image."""
        return self.digest is not None or self.id is not None

    def __str__(self) -> str:
        """The shortest form that engines list: ``redis:latest``, ``redis@sha256:…``; the tag beside a digest is left
        out, since the digest says it all."""
        if self.id is not None:
            return self.id
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.version}"


def parse(text: str) -> ImageName:
    """Take a reference apart. Raises BadImageName."""
    # The same few are asked for again and again, whenever something is decided.
    return _known(text) if len(text) <= _LONGEST_KEPT else _taken_apart(text)


def parse_declared(text: str) -> ImageName:
    """The same of a reference in a domain file, which names an image that there can be. Raises BadImageName."""
    image = parse(text)
    if image.registry == DOCKER_HUB and image.repository == _EMPTY:
        said = "is reserved for the empty image of FROM scratch, and no engine pulls it: give the image another name"
        raise BadImageName(f"{shown(text)} {said}")
    return image


@lru_cache(maxsize=4096)
def _known(text: str) -> ImageName:
    return _taken_apart(text)


def _taken_apart(text: str) -> ImageName:
    if _SHA256.fullmatch(text):
        return ImageName(id=text)
    whole = shown(text)
    if not text:
        raise BadImageName('it is empty; expected the name of an image such as "redis:7"')
    if "://" in text:
        raise BadImageName(f"{whole} is a URL; the name of an image begins with the host, as in ghcr.io/team/api:1")
    if any(character.isspace() or not character.isprintable() for character in text):
        raise BadImageName(f"{whole} has a blank or control character in it")
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise BadImageName(f"{whole}: after the @ a digest is expected, sha256: and 64 hexadecimal digits")
    if digest.startswith("sha256:") and not _SHA256.fullmatch(digest):
        count = len(digest) - len("sha256:")
        raise BadImageName(f"{whole}: a sha256 digest has 64 hexadecimal digits in lower case, this one has {count}")
    name, tag = _split_tag(rest)
    if tag is not None and not _TAG.fullmatch(tag):
        said = "is empty" if not tag else "has other characters than letters, digits, _ . - or is longer than 128"
        raise BadImageName(f"{whole}: the tag, after the colon, {said}")
    registry, repository = _split_registry(name)
    if not _HOST.fullmatch(registry):
        raise BadImageName(f"{whole}: {registry!r}, before the first slash, is not a host of a registry")
    parts = repository.split("/")
    bad = next((part for part in parts if not _PART.fullmatch(part)), None)
    if bad is not None:
        raise BadImageName(f"{whole}: {_what_is_wrong(bad, text)}")
    if registry == DOCKER_HUB and _HEX_ID.fullmatch(repository):
        raise BadImageName(f"{whole}: 64 hexadecimal digits are not a name; write sha256: before an image's id")
    if registry == DOCKER_HUB and len(parts) == 1:
        repository = f"library/{repository}"
    if len(registry) + 1 + len(repository) > _LONGEST_NAME:
        raise BadImageName(f"{whole}: a name has {_LONGEST_NAME} characters at most")
    return ImageName(registry, repository, tag, digest or None)


def is_fixed(text: object) -> bool:
    """Whether it always names the same image; of what is no reference at all, that is not so."""
    try:
        return isinstance(text, str) and parse(text).is_fixed
    except BadImageName:
        return False


def part_of_name(text: str) -> str:
    """A name of something else as names of images can have it: ``my-shop`` for ``My.Shop``."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def own_parts(domain: str) -> tuple[str, ...]:
    """A domain's name as names of images can have it: as it is, where that is possible, and in any case."""
    plain = domain.lower()
    return tuple(dict.fromkeys((*((plain,) if _PART.fullmatch(plain) else ()), part_of_name(domain))))


def own_prefix(image: ImageName, name: str) -> str:
    """With what an image's name begins that is the name of a domain, or of its file: ``shop`` of ``shop-web`` and
    ``shop_web`` for ``shop``, and for ``Shop!`` too; "" where it is not its own."""
    return max((prefix for prefix in _prefixes(image) if prefix in own_parts(name)), key=len, default="")


def whose(image: ImageName, names: Collection[str]) -> str:
    """Of the names of domains and files the one to which an image's name belongs: the longest with which it begins, as
    it is written; "" where there is none."""
    return max((prefix for prefix in _prefixes(image) if prefix in names), key=len, default="")


def _prefixes(image: ImageName) -> Iterator[str]:
    name = image.repository.removeprefix("library/")
    if image.registry != DOCKER_HUB or "/" in name:
        return iter(())
    return (name[:end] for end, sign in enumerate(name) if sign in "-_" and end)


def registry_host(text: str) -> str:
    """The registry that ``text`` names, as in :attr:`ImageName.registry`; URLs and Docker Hub's other names are
    understood, as Docker's own configuration file has them. Raises BadImageName."""
    host = re.sub(r"^https?://", "", text.strip()).partition("/")[0]
    if host in (DOCKER_HUB, *_HUB_ALIASES):
        return DOCKER_HUB
    if not _HOST.fullmatch(host):
        raise BadImageName(f"{shown(text)} is not a registry; expected a host such as ghcr.io or localhost:5000")
    return host


def _split_tag(text: str) -> tuple[str, str | None]:
    """A colon after the last slash begins a tag; one before it, a port."""
    name, colon, tag = text.rpartition(":")
    if not colon or "/" in tag:
        return text, None
    return name, tag


def _split_registry(name: str) -> tuple[str, str]:
    host, slash, path = name.partition("/")
    if slash and (host == "localhost" or "." in host or ":" in host or host.lower() != host):
        return (DOCKER_HUB if host in (DOCKER_HUB, *_HUB_ALIASES) else host), path
    return DOCKER_HUB, name


def _what_is_wrong(part: str, text: str) -> str:
    if not part:
        return "a part of the name is empty"
    if part.lower() != part:
        return f"names of images are written in lower case: {text.replace(part, part.lower())!r}"
    return f"{part!r} is not made of lower-case letters and digits with single . or _, __ or - between them"
