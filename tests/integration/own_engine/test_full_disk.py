"""The engine's disk is full while images are pulled and built: an engine of the test's own, whose disk can be made
small."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.images.servers import free_port
from tests.integration.own_engine.running import run_beside_an_engine

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

BUILT = ("copied", "stepped")
ON_A_SMALL_DISK = """
push() { docker tag "$1" "$IMAGE"; docker push --quiet "$IMAGE"; docker rmi "$IMAGE"; } >/dev/null
docker-registry serve registry.yml >registry.log 2>&1 &
cp small.tar large.tar
head -c 40000000 /dev/urandom >random
tar -rf large.tar random
for name in large small; do
  import $name
  push $name
done
docker rmi large
start_daemon
pnr apply --wait
# The tag moves in the registry, to what does not fit.
tag=data/docker/registry/v2/repositories/app/_manifests/tags/1
for digest in $(ls $tag/index/sha256); do
  [ "sha256:$digest" = "$(cat $tag/current/link)" ] || large=$digest
done
printf 'sha256:%s' "$large" >$tag/current/link
room() { mount -o "remount,size=$(($(df -m --output=used /run | tail -n 1) + $1))m" /run; }
running() { docker ps --no-trunc --filter "label=io.pnr.domain=$1" --format '{{.Names}} {{.ID}}' | sort; }
room 20
pnr apply --wait || true
pnr status --json >full.json
docker ps --format '{{.Names}}' >full.names
room 400
pnr apply --wait
pnr status --json >room.json
docker inspect --format '{{.Image}}' "$(cat full.names)" >room.image
docker image inspect --format '{{.Id}}' "$IMAGE" >room.wanted
# What is rebuilt does not fit: one image as its files are taken in, another as a step of it writes.
mv builds.json domains/
pnr apply --wait
running builds >builds.before
mv random copied/noise
echo 'RUN ["/busybox", "dd", "if=/dev/zero", "of=/noise", "bs=1M", "count=40"]' >>stepped/Dockerfile
room 20
pnr apply builds --wait --json >builds.full.json || true
running builds >builds.full
room 400
pnr apply --wait
pnr status --json >builds.room.json
running builds >builds.room
end_daemon
"""


def test_a_full_disk_is_told_and_harms_nothing_and_images_come_once_there_is_room(
    tmp_path: Path,
) -> None:
    address = f"127.0.0.1:{free_port()}"
    image = f"{address}/app:1"
    (tmp_path / "registry.yml").write_text(
        f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
        f"storage: {{filesystem: {{rootdirectory: {tmp_path / 'data'}}}}}\nhttp: {{addr: {address}}}\n"
    )
    domains = tmp_path / "domains"
    domains.mkdir()
    app = {"name": "app", "auto_update": "registry", "container": {"image": image, "stop_grace_period": "0s"}}
    (domains / "full.json").write_text(json.dumps({"name": "full", "cpuxs": {"main": {"design_chunks": [app]}}}))
    builds = [_built(tmp_path, name, image) for name in BUILT]
    (tmp_path / "builds.json").write_text(json.dumps({"name": "builds", "cpuxs": {"main": {"design_chunks": builds}}}))
    run_beside_an_engine(tmp_path, ON_A_SMALL_DISK, IMAGE=image)
    (full,) = _chunks(tmp_path / "full.json")
    assert full["state"] == "completed"
    assert "no space left on device" in full["auto_update"]["trouble"]
    assert "`pnr prune` removes images that nothing uses" in full["auto_update"]["trouble"]
    assert (tmp_path / "full.names").read_text().split() == ["full-main-app-1"]
    (room,) = _chunks(tmp_path / "room.json")
    assert (room["state"], room["auto_update"]["trouble"]) == ("completed", "")
    assert (tmp_path / "room.image").read_text() == (tmp_path / "room.wanted").read_text()
    for chunk in _chunks(tmp_path / "builds.full.json", "builds"):
        assert (chunk["state"], chunk["reason"]) == ("failed", "ImageBuildFailed")
        assert "no space left on device" in chunk["message"].lower()
    assert "the engine's disk is full" in _chunks(tmp_path / "builds.full.json", "builds")[0]["message"]
    names = [f"builds-main-{name}-1" for name in BUILT]
    before, while_full, afterwards = (_running(tmp_path / f"builds.{when}") for when in ("before", "full", "room"))
    assert [sorted(before), sorted(afterwards)] == [names, names]
    assert before == while_full
    assert [name for name in names if before[name] == afterwards[name]] == []
    assert [chunk["state"] for chunk in _chunks(tmp_path / "builds.room.json", "builds")] == ["completed", "completed"]


def _built(folder: Path, name: str, base: str) -> dict[str, Any]:
    """A chunk with an image that is built from a directory of its own."""
    (folder / name).mkdir()
    (folder / name / "Dockerfile").write_text(f"FROM {base}\nCOPY . /{name}\n")
    container = {"image": f"builds-{name}:1", "build": f"../{name}", "stop_grace_period": "0s"}
    return {"name": name, "container": container}


def _chunks(file: Path, domain: str = "full") -> Any:
    (found,) = (one for one in json.loads(file.read_text())["domains"] if one["name"] == domain)
    return found["cpuxs"][0]["chunks"]


def _running(file: Path) -> dict[str, str]:
    """The id of each container, by its name."""
    return dict(line.split() for line in file.read_text().splitlines())
