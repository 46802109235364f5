"""Whose a container is: what its labels say, unless it has them from its image, and what the record says. Blocking.

``docker commit`` writes a container's labels into the image that it makes, and every container of that image then has
them: a copy that somebody tries something with, or a backup that is looked into. Such a container is not ours. The
labels that pnr itself puts on a container are never those of its image, for one of them is random (``io.pnr.mark``);
older versions of pnr had no such label: there a container counts as a copy where its image has all of its other labels.

The engine's builder makes a container for each step of a Dockerfile, and that of a ``LABEL`` has labels that no image
has yet. It is told by its command, and is nobody's.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import docker
from docker.errors import APIError

from reconciler.engine.docker import reading
from reconciler.engine.docker.failures import status, words
from reconciler.engine.protocol import Adopted
from reconciler.intent.model import ChunkId
from reconciler.intent.settings.words import OWN_LABELS

log = logging.getLogger("pnr.engine")

_MOST_IMAGES = 4096
_NO_COMMAND = "#(nop) "
"""What the engine's builder writes behind the shell as the command of a container that stands for a step."""

Body = Mapping[str, Any]
Labels = Mapping[str, str]


class Ownership:
    """``adopted`` is the record of containers that were taken over. May be used by several threads."""

    def __init__(self, adopted: Adopted | None = None) -> None:
        self._adopted = adopted
        self._of_images: dict[str, Labels] = {}  # our labels in images, by the images' ids, which say what is in them

    def inspect(self, client: docker.APIClient, name: str) -> Body:
        """The inspection of a container, with our labels where it is ours and only there. Raises what the SDK does."""
        body: Body = client.inspect_container(name)
        config = body.get("Config") or {}
        if reading.owner(config.get("Labels")) is not None:
            labels = (
                _without_ours(config["Labels"])
                if _is_step_of_build(body)
                else self._without_inherited(client, config["Labels"], str(body.get("Image") or ""))
            )
            body = {**body, "Config": {**config, "Labels": labels}}
        return reading.overlaid(body, self.recorded(str(body["Id"])))

    def of_summary(self, client: docker.APIClient, summary: Body) -> ChunkId | None:
        """Whose a container in a list is. Raises what the SDK does."""
        labels: Labels = summary.get("Labels") or {}
        if reading.owner(labels) is not None and _NO_COMMAND in str(summary.get("Command")):
            return reading.owner((self.inspect(client, str(summary["Id"])).get("Config") or {}).get("Labels"))
        if reading.owner(labels) is not None:
            labels = self._without_inherited(client, labels, str(summary.get("ImageID") or ""))
        return reading.owner({**labels, **self.recorded(str(summary["Id"]))})

    def recorded(self, container_id: str) -> Labels:
        """What our labels would say on a container that was taken over; empty for any other."""
        return self._adopted.labels(container_id) if self._adopted is not None else {}

    def _without_inherited(self, client: docker.APIClient, labels: Labels, image_id: str) -> Labels:
        if not reading.is_inherited(labels, self._of_image(client, image_id)):
            return labels
        return _without_ours(labels)

    def _of_image(self, client: docker.APIClient, image_id: str) -> Labels:
        known = self._of_images.get(image_id)
        if known is not None or not image_id:
            return known or {}
        try:
            body = client.inspect_image(image_id)  # type: ignore[no-untyped-call]
        except APIError as error:
            if status(error) != 404:
                # One image that is broken must not keep us from seeing all else.
                log.warning("image %s can't be looked at: %s", image_id, words(error))
            return {}
        found = (body.get("Config") or {}).get("Labels") or {}
        if len(self._of_images) >= _MOST_IMAGES:
            self._of_images = {}
        ours = {name: value for name, value in found.items() if name.startswith(OWN_LABELS)}
        self._of_images[image_id] = ours
        return ours


def _is_step_of_build(body: Body) -> bool:
    """Whether the engine's builder has made a container for a step of a Dockerfile that runs nothing."""
    return any(str(part).startswith(_NO_COMMAND) for part in body.get("Args") or ())


def _without_ours(labels: Labels) -> Labels:
    return {name: value for name, value in labels.items() if not name.startswith(OWN_LABELS)}
