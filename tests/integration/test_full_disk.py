"""The engine's disk is full while an image is pulled: an engine of the test's own, whose disk can be made small."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.images.servers import free_port
from tests.integration.tree import ROOT

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

LIMIT_SECONDS = 240.0
ON_A_SMALL_DISK = """
set -eu
cd "$FOLDER"
pnr() { (cd "$ROOT" && "$PYTHON" -m reconciler --domains "$FOLDER/domains" --state "$FOLDER/state" "$@"); }
ask() { while ! pnr status >/dev/null 2>&1; do sleep 0.2; done; }
push() { docker tag "$1" "$IMAGE"; docker push --quiet "$IMAGE"; docker rmi "$IMAGE"; } >/dev/null
docker-registry serve registry.yml >registry.log 2>&1 &
tar -C "$(dirname "$(command -v busybox)")" -cf small.tar busybox
cp small.tar large.tar
head -c 40000000 /dev/urandom >random
tar -rf large.tar random
for name in large small; do
  docker import --change 'CMD ["/busybox","sleep","86400"]' $name.tar $name
  push $name
done
docker rmi large
pnr run >daemon.log 2>&1 &
daemon=$!
ask
pnr apply --wait
# The tag moves in the registry, to what does not fit.
tag=data/docker/registry/v2/repositories/app/_manifests/tags/1
for digest in $(ls $tag/index/sha256); do
  [ "sha256:$digest" = "$(cat $tag/current/link)" ] || large=$digest
done
printf 'sha256:%s' "$large" >$tag/current/link
used=$(df -m --output=used /run | tail -n 1)
mount -o "remount,size=$((used + 20))m" /run
pnr apply --wait || true
pnr status --json >full.json
docker ps --format '{{.Names}}' >full.names
mount -o "remount,size=$((used + 400))m" /run
pnr apply --wait
pnr status --json >room.json
docker inspect --format '{{.Image}}' "$(cat full.names)" >room.image
docker image inspect --format '{{.Id}}' "$IMAGE" >room.wanted
kill "$daemon"
wait "$daemon" || true
"""


def test_a_disk_that_is_full_is_told_and_harms_nothing_and_the_image_is_taken_once_there_is_room(
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
    done = subprocess.run(
        [str(ROOT / "scripts/newest.sh"), "sh", "-c", ON_A_SMALL_DISK],
        env={**os.environ, "FOLDER": str(tmp_path), "ROOT": str(ROOT), "PYTHON": sys.executable, "IMAGE": image},
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    full = _chunk(tmp_path / "full.json")
    assert full["state"] == "completed"
    assert "no space left on device" in full["auto_update"]["trouble"]
    assert "`pnr prune` removes images that nothing uses" in full["auto_update"]["trouble"]
    assert (tmp_path / "full.names").read_text().split() == ["full-main-app-1"]
    room = _chunk(tmp_path / "room.json")
    assert (room["state"], room["auto_update"]["trouble"]) == ("completed", "")
    assert (tmp_path / "room.image").read_text() == (tmp_path / "room.wanted").read_text()


def _chunk(file: Path) -> Any:
    return json.loads(file.read_text())["domains"][0]["cpuxs"][0]["chunks"][0]
