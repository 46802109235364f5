"""What the acceptance shares: an image that sets all that an image can set, and what values need of the machine."""

from __future__ import annotations

import io
import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker import APIClient

from tests.integration.groups import control_groups
from tests.integration.settings.case import PLAIN, RICH, Here

_RICH = """
FROM {plain}
ENTRYPOINT ["env", "BY_ENTRYPOINT=1"]
CMD ["sleep", "86400"]
ENV OF_IMAGE=yes
EXPOSE 8080
VOLUME /of/image
USER 1000
WORKDIR /tmp
STOPSIGNAL SIGUSR1
HEALTHCHECK --interval=1h CMD true
LABEL of.image=yes
"""


@pytest.fixture(scope="session")
def images(docker_api: APIClient, busybox_image: str, run_prefix: str) -> Iterator[dict[str, str]]:
    """Images by what a case calls them."""
    rich = f"{run_prefix}-rich:latest"
    others = {
        name: f"{run_prefix}-{name.replace(' ', '-')}:latest" for name in ("other name", "left", "followed", "alone")
    }
    recipe = io.BytesIO(_RICH.format(plain=busybox_image).encode())
    said = list(docker_api.build(fileobj=recipe, tag=rich, rm=True, forcerm=True, decode=True))
    assert not any("error" in line for line in said), said
    for image in others.values():
        docker_api.tag(busybox_image, image)
    yield {PLAIN: busybox_image, RICH: rich, **others}
    for image in (*others.values(), rich):
        docker_api.remove_image(image, force=True)


@pytest.fixture(scope="session")
def volume(docker_api: APIClient, busybox_image: str, run_prefix: str) -> Iterator[str]:
    """A volume of somebody else, with the directories ``one`` and ``two``."""
    name = f"{run_prefix}-filled"
    docker_api.create_volume(name)
    host = docker_api.create_host_config(binds=[f"{name}:/filled"])
    id = docker_api.create_container(busybox_image, ["mkdir", "/filled/one", "/filled/two"], host_config=host)["Id"]
    docker_api.start(id)
    assert docker_api.wait(id)["StatusCode"] == 0
    docker_api.remove_container(id)
    yield name
    docker_api.remove_volume(name)


@pytest.fixture(scope="module")
def here(
    images: dict[str, str], volume: str, run_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Here]:
    """What the values of this module's cases need, under names of its own."""
    prefix = f"{run_prefix}-{secrets.token_hex(2)}"
    folder = tmp_path_factory.mktemp("bound")
    for name in ("one", "two"):
        (folder / name).mkdir()
    yield Here(
        name=lambda what: f"{prefix}-{what}",
        port=_free_ports(),
        pool=1 + secrets.randbelow(254),
        folder=str(folder),
        volume=volume,
        block_device=_block_device(),
        images=images,
    )
    # An engine makes the groups that are asked for and leaves them.
    for group in control_groups(f"{prefix}-*"):
        group.rmdir()


def _free_ports() -> Callable[[str], int]:
    """The first of three free ports in a row, the same whenever it is asked for under the same name."""
    known: dict[str, int] = {}
    following = 20000 + secrets.randbelow(9000)

    def port(label: str) -> int:
        nonlocal following
        if label not in known:
            while not all(_is_free(following + n) for n in range(3)):
                following += 1
            known[label], following = following, following + 3
        return known[label]

    return port


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("", port))
            except OSError:
                return False
    return True


def _block_device() -> str:
    for device in sorted(Path("/sys/block").iterdir()):
        node = Path("/dev", device.name)
        if node.is_block_device():
            return str(node)
    pytest.fail("this machine has no block device in /dev, whose rate could be limited")
