"""Which image came from a registry."""

from __future__ import annotations

import pytest

from reconciler.planner.image_use import delivered
from reconciler.planner.observed import ImageSeen

A, B = ("sha256:" + letter * 64 for letter in "ab")


@pytest.mark.parametrize(
    ("image", "name", "pulled", "is_delivered"),
    [
        (ImageSeen(A, digests=(f"redis@{B}",)), "redis:7", (), True),
        (ImageSeen(A, digests=(f"docker.io/library/redis@{B}",)), "redis", (), True),
        (ImageSeen(A, digests=(f"evil/redis@{B}",)), "redis:7", (), False),
        (ImageSeen(A, digests=("<none>@<none>",)), "redis:7", (), False),
        (ImageSeen(A), "redis:7", (), False),
        (ImageSeen(A), "redis:7", ("redis:7",), True),
        (ImageSeen(A), "docker.io/library/redis:7", ("redis:7",), True),
        (ImageSeen(A), "redis:8", ("redis:7",), False),
        # An engine that keeps images as registries have them shows this of what was built there too.
        (ImageSeen(A, digests=(f"shop-web@{A}",)), "shop-web", (), False),
        (ImageSeen(A, digests=(f"redis@{A}",)), "redis:7", ("redis:7",), True),
    ],
)
def test_whether_a_registry_delivered_an_image(
    image: ImageSeen, name: str, pulled: tuple[str, ...], is_delivered: bool
) -> None:
    assert delivered(image, name, pulled) is is_delivered
