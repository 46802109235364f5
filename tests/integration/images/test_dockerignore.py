"""What belongs to a build context, held against what Docker's own client sends for the same `.dockerignore`."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from reconciler.intent.model import Build
from tests.integration.images.conftest import Bench

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

FILES = (
    "a/one.log", "a/one.txt", "a/b/two.log", "a/b/two.txt", "a/b/c/three.log", "build/out.o", "build/keep/me.o",
    "docs/README.md", "docs/guide.md", "node_modules/x/index.js", "pkg/node_modules/y/index.js", "pkg/main.js",
    "README.md", "main.log", "main.txt", "#hash", "with space", "!bang", "temp1", "tempa", "x+y", "dir.d/file",
    ".env", ".env.local", "deep/er/est/file.tmp", "deep/file.tmp",
)  # fmt: skip

CASES = {
    "comments and blanks": "# a comment\n\n   \n#hash\n  main.txt  \n",
    "a folder": "a\n",
    "slashes around": "/a/\n./build/\n",
    "a star stops at slashes": "*.log\n*/*.log\n",
    "two stars do not": "**/*.log\n",
    "two stars in the middle": "a/**/*.log\n**/node_modules\n",
    "two stars at the end": "build/**\n",
    "a file taken back": "*.md\ndocs/*\n!README.md\n!docs/guide.md\n",
    "the last one counts": "!main.log\nmain.*\n!main.txt\nmain.txt\n",
    "all but some": "*\n!a\na/b\n!a/b/c\n!README.md\n",
    "inside of what is left out": "build\n!build/keep\n",
    "all of it": "**\n!pkg/main.js\n!docs/**\n",
    "classes and marks": "temp[0-9]\ntemp?\n!tempa\n",
    "escaped": "\\!bang\n\\#hash\n",
    "spaces": "with space\n",
    "dots": ".env*\n!.env.local\n",
    "up and down": "a/../build\na/./b\n",
    "itself and the Dockerfile": ".dockerignore\nDockerfile\n",
    "plus": "x+y\n",
    "windows' line ends": "a\r\n*.md\r\n",
}


@pytest.fixture
def context(tmp_path: Path, bench: Bench) -> Path:
    folder = tmp_path / "context"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "empty").mkdir()
    (folder / "link").symlink_to("README.md")
    (folder / "Dockerfile").write_text(f"FROM {bench.base}\nLABEL test={bench.prefix}\nCOPY . /context\n")
    return folder


def copied(bench: Bench, image: str) -> dict[str, str]:
    """What the image has in /context, with kind and permissions."""
    made = bench.api.create_container_from_config(  # type: ignore[no-untyped-call]
        {"Image": image, "Cmd": ["true"]}, f"{bench.prefix}-copied"
    )
    try:
        stream, _ = bench.api.get_archive(made["Id"], "/context")
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
            return {entry.name: f"{entry.type!r} {entry.mode:o} {entry.linkname}" for entry in archive}
    finally:
        bench.api.remove_container(made["Id"], force=True)


def built_by_docker(image: str, context: Path, engine_socket: Path) -> None:
    docker = shutil.which("docker")
    assert docker is not None, "docker's client is missing; install it (Debian: docker.io), or run: make test"
    ended = subprocess.run(
        [docker, "build", "--quiet", "--tag", image, str(context)],
        env={**os.environ, "DOCKER_BUILDKIT": "0", "DOCKER_HOST": f"unix://{engine_socket}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("case", CASES)
async def test_the_image_has_the_files_that_dockers_own_client_would_give_it(
    bench: Bench, context: Path, engine_socket: Path, case: str
) -> None:
    (context / ".dockerignore").write_text(CASES[case])
    theirs, ours = f"{bench.prefix}/theirs:1", f"{bench.prefix}/ours:1"
    built_by_docker(theirs, context, engine_socket)
    await bench.ensure(ours, build=Build(str(context), fingerprint=case))
    assert copied(bench, ours) == copied(bench, theirs)
