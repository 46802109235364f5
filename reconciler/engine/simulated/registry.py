"""The images of a pretended host, and the registry that they come from. Every name has releases, counted from 0.

:meth:`SimulatedImages.release` is what happens when somebody pushes a new image under an old name.
"""

from __future__ import annotations

import hashlib

from reconciler.engine.protocol import Glimpse, ImagePullFailed, RegistryFailed
from reconciler.engine.simulated.fates import Fate
from reconciler.intent.image_names import parse
from reconciler.planner.observed import ImageSeen

SIZE = 10_000_000


class SimulatedImages:
    """``images`` are the names that the host has. ``fates`` are by image, or by the id of one of its releases.
    ``questions`` are what the registry was asked; while ``registry_trouble`` says something, that is its answer."""

    def __init__(self) -> None:
        self.fates: dict[str, Fate] = {}
        self.images: set[str] = set()
        self.questions: list[str] = []
        self.registry_trouble = ""
        self._newest: dict[str, int] = {}
        self._local: dict[str, int] = {}
        self._own: dict[str, set[str]] = {}
        self._built: dict[str, str] = {}

    def release(self, image: str) -> None:
        """The registry has a new image under this name."""
        self._newest[image] = self._newest.get(image, 0) + 1

    def load_by_hand(self, image: str) -> None:
        """Somebody puts a new image on the host under this name."""
        self.release(image)
        self._local[image] = self._newest[image]
        self.images.add(image)
        self._hint(Glimpse(None, images=True))

    def build_for(self, domain: str, image: str) -> None:
        """pnr builds a new image under this name for a domain."""
        self._built[_id(image, self._newest.get(image, 0) + 1)] = domain
        self.load_by_hand(image)

    def tag_by_hand(self, image: str, release: int) -> None:
        """Somebody gives the name to an earlier, or a later, image."""
        self._local[image] = release
        self.images.add(image)
        self._hint(Glimpse(None, images=True))

    def _hint(self, glimpse: Glimpse) -> None:
        """Something has changed. The engine tells it on."""

    def image_id(self, image: str) -> str:
        """The id of what the host has under this name, or would have."""
        return _id(image, self._local.get(image, self._newest.get(image, 0)))

    def newest_id(self, image: str) -> str:
        """The id of what the registry has under this name."""
        return _id(image, self._newest.get(image, 0))

    def pull(self, image: str) -> None:
        """Have the registry's newest. Raises ImagePullFailed."""
        if self.registry_trouble:
            raise ImagePullFailed(f"image {image} can't be pulled: {self.registry_trouble}")
        if image in self.fates and self.fates[image].missing:
            error = ImagePullFailed(f"image {image} can't be pulled: the simulated registry does not have it")
            error.permanent = True
            raise error
        before = self.image_id(image) if image in self.images else ""
        self.images.add(image)
        self._local[image] = self._newest.get(image, 0)
        if self.image_id(image) != before:
            self._own.setdefault(self.image_id(image), set()).add(image)

    def _image(self, name: str) -> ImageSeen | None:
        """What the host has under a name or an id."""
        found = next((i for i in sorted(self.images) if name in (i, str(parse(i)), self.image_id(i))), None)
        if found is not None:
            return self._seen(found, self.image_id(found), (str(parse(found)),))
        if name in self._own:
            return self._seen(sorted(self._own[name])[0], name, ())
        return None

    def _seen(self, image: str, id: str, names: tuple[str, ...]) -> ImageSeen:
        parsed = parse(image)
        digest = _digest(id)
        digests = (f"{parsed.name}@{digest}",)
        return ImageSeen(id, names, digests, size=SIZE, platform="linux/amd64", built_by=self._built.get(id, ""))

    def _registry_digest(self, image: str) -> str:
        self.questions.append(image)
        if self.registry_trouble:
            raise RegistryFailed(f"the registry can't be asked for {image}: {self.registry_trouble}")
        if image in self.fates and self.fates[image].missing:
            raise RegistryFailed(f"the simulated registry does not have {image}")
        return _digest(_id(image, self._newest.get(image, 0)))

    def _own_images(self) -> tuple[tuple[ImageSeen, tuple[str, ...]], ...]:
        found = ((self._image(id), names) for id, names in sorted(self._own.items()))
        return tuple((image, tuple(sorted(names))) for image, names in found if image is not None)

    def _forget_image(self, image_id: str) -> None:
        self._own.pop(image_id, None)
        for image in [image for image in self.images if self.image_id(image) == image_id]:
            self.images.discard(image)
            self._local.pop(image, None)


def _id(image: str, release: int) -> str:
    return f"sha256:{image}" if release == 0 else f"sha256:{image}#{release}"


def _digest(id: str) -> str:
    return f"sha256:{hashlib.sha256(id.encode()).hexdigest()}"
