"""What all integration tests share: the engine, a tiny image, names of their own, and an end that leaves nothing.

A test that needs the engine fails where none answers; it is never skipped. Everything is named and labelled with
a prefix of this run, so that runs beside one another, and what else is on the engine, stay apart.
"""

from __future__ import annotations

import io
import secrets
import shutil
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from docker import APIClient
from docker.errors import APIError, DockerException, NotFound
from docker.utils import kwargs_from_env

from reconciler.engine.docker.guarded_client import GuardedClient

DOMAIN_LABEL = "io.pnr.domain"

# Links to busybox that the image holds; the rest of its applets is there as `busybox NAME`.
_APPLETS = (
    "sh ash sleep echo cat ls mkdir rm mv cp ln touch chmod chown date env id kill ps true false test tr head tail"
    " grep sed awk cut wc sort printf seq nc httpd nslookup hostname ip stat sync trap usleep dd find uname whoami"
)


@pytest.fixture(scope="session")
def run_prefix() -> str:
    """What every name of this run of the tests begins with."""
    return f"pnrt{secrets.token_hex(3)}"


@pytest.fixture(scope="session")
def engine_socket() -> Path:
    """The engine's unix socket on this machine."""
    url: str = kwargs_from_env().get("base_url", "") or "unix:///var/run/docker.sock"
    _, scheme, path = url.rpartition("unix://" if url.startswith("unix://") else "http+unix://")
    if not scheme:
        pytest.fail(f"these tests need an engine on a unix socket, not at {url}; unset DOCKER_HOST")
    return Path(path)


@pytest.fixture(scope="session")
def docker_api(engine_socket: Path, run_prefix: str) -> Iterator[APIClient]:
    """A client of the real engine. At the end, what this run of the tests has left there is removed."""
    client = GuardedClient(
        base_url=f"unix://{engine_socket}", timeout=60
    )  # it loses nothing of a short command's output
    try:
        client.ping()
    except (DockerException, OSError) as error:
        pytest.fail(f"no Docker engine answers at {engine_socket} ({error}); start one, or run: make test")
    yield client
    _remove_ours(client, run_prefix)
    client.close()


@pytest.fixture
def unique(run_prefix: str) -> Callable[[str], str]:
    """``unique("shop")`` is a name that only this test has: for domains, containers, networks, volumes."""
    mine = f"{run_prefix}_{secrets.token_hex(2)}"
    return lambda name: f"{mine}_{name}"


@pytest.fixture(scope="session")
def busybox_image(docker_api: APIClient, run_prefix: str) -> Iterator[str]:
    """A 2 MB image made of Debian's static busybox: sh, sleep, nc, httpd and their like; runs ``sleep 1d``."""
    tag = f"{run_prefix}-busybox"
    docker_api.import_image_from_data(
        _busybox_tree(),
        repository=tag,
        tag="latest",
        changes=["ENV PATH=/bin", "WORKDIR /", 'CMD ["sleep", "86400"]'],
    )
    yield f"{tag}:latest"
    _remove_ours(docker_api, run_prefix)
    docker_api.remove_image(f"{tag}:latest", force=True)


def _remove_ours(api: APIClient, prefix: str) -> None:
    """Remove what a failed test may have left on the engine."""
    for container in api.containers(all=True):
        if _is_ours(container.get("Names") or [], container.get("Labels"), prefix):
            _gone(partial(api.remove_container, container["Id"], v=True, force=True))
    for network in api.networks():
        if _is_ours([network["Name"]], network.get("Labels"), prefix):
            _gone(partial(api.remove_network, network["Id"]))
    for volume in api.volumes().get("Volumes") or []:
        if _is_ours([volume["Name"]], volume.get("Labels"), prefix):
            _gone(partial(api.remove_volume, volume["Name"], force=True))


def _is_ours(names: list[str], labels: dict[str, str] | None, prefix: str) -> bool:
    named = any(name.lstrip("/").startswith(prefix) for name in names)
    return named or (labels or {}).get(DOMAIN_LABEL, "").startswith(prefix)


def _gone(remove: Callable[[], object]) -> None:
    """Remove; something that another has removed, or removes just now, is gone as well. A network that Docker itself
    can't remove (moby/moby#42119) stays until it is started again."""
    try:
        remove()
    except NotFound:
        return
    except APIError as error:
        if error.status_code != 409 and "has active endpoints" not in str(error):
            raise


def _busybox_tree() -> bytes:
    binary = Path(shutil.which("busybox") or "/bin/busybox")
    if not binary.is_file():
        pytest.fail("busybox is missing; install it (Debian: busybox-static), or run: make test")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tree:
        for folder, mode in (("bin", 0o755), ("etc", 0o755), ("www", 0o755), ("tmp", 0o1777)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tree.addfile(entry)
        program = tarfile.TarInfo("bin/busybox")
        program.mode, program.size = 0o755, binary.stat().st_size
        with binary.open("rb") as stream:
            tree.addfile(program, stream)
        for applet in _APPLETS.split():
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tree.addfile(link)
        for name, text in (
            ("etc/passwd", "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"),
            ("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
            ("www/index.html", "ok\n"),
        ):
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = 0o644, len(text)
            tree.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()
