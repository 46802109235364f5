"""Images through the whole daemon: rebuilt when their content changes, pulled, shown, pruned, told of."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docker.errors import NotFound

from tests.integration.daemon.conftest import Daemon, stack
from tests.integration.images.conftest import Bench, log_in
from tests.integration.images.servers import PASSWORD, USER, Front

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


def chunk(image: str, **container: Any) -> dict[str, Any]:
    return {"name": "app", "container": {"image": image, "stop_grace_period": "0s", **container}}


def told(daemon: Daemon) -> list[str]:
    return [str(entry["message"]) for entry in daemon.journal() if entry["kind"] == "image"]


def label(daemon: Daemon, name: str) -> str:
    """The text that the image of the domain's container was made with."""
    try:
        (container,) = daemon.names(name)
        return str(daemon.container(container)["Config"]["Labels"].get("text", ""))
    except (NotFound, ValueError):
        return ""


def test_a_changed_context_is_built_anew_and_exactly_its_container_replaced(
    daemon: Daemon, bench: Bench, name: str
) -> None:
    source = daemon.domains / "app"
    source.mkdir()
    (source / "Dockerfile").write_text(f"FROM {bench.base}\nLABEL test={name} text=one\n")
    (source / "notes").write_text("left out\n")
    (source / ".dockerignore").write_text("notes\n")
    beside = {"name": "beside", "container": {"image": bench.base, "name": f"{name}_beside", "stop_grace_period": "0s"}}
    image = f"{name}-built:1"
    daemon.settle(name, stack(name, chunk(image, name=f"{name}_app", build="./app"), beside))
    before, untouched = daemon.run_of(f"{name}_app"), daemon.run_of(f"{name}_beside")
    first, last = told(daemon)
    assert first == f"building {image} from {source}"
    assert last.startswith(f"built {image}: ")

    (source / "notes").write_text("still left out\n")
    (source / "Dockerfile").write_text(f"FROM {bench.base}\nLABEL test={name} text=two\n")
    daemon.until(lambda: daemon.run_of(f"{name}_app") not in (before, ("", "")), "the container to be replaced")
    daemon.until(lambda: daemon.settled(name), "the domain to settle")
    assert daemon.container(f"{name}_app")["Config"]["Labels"]["text"] == "two"
    assert daemon.run_of(f"{name}_beside") == untouched
    assert len(told(daemon)) == 4

    # What was built before has lost its name and its use.
    listed = daemon.pnr("prune", "--dry-run", "--json")
    assert listed.returncode == 0, listed.stderr
    (old,) = json.loads(listed.stdout)
    assert old["names"] == []
    asked = daemon.pnr("prune")
    assert asked.returncode == 64
    assert "--yes" in asked.stderr
    assert daemon.pnr("prune", "--yes").returncode == 0
    with pytest.raises(NotFound):
        bench.api.inspect_image(old["id"])  # type: ignore[no-untyped-call]
    assert json.loads(daemon.pnr("prune", "--dry-run", "--json").stdout) == []


def test_a_context_that_goes_away_leaves_everything_as_it_is(daemon: Daemon, bench: Bench, name: str) -> None:
    source = daemon.domains / "app"
    source.mkdir()
    (source / "Dockerfile").write_text(f"FROM {bench.base}\nLABEL test={name}\n")
    daemon.settle(name, stack(name, chunk(f"{name}-built:1", name=f"{name}_app", build="./app")))
    before = daemon.run_of(f"{name}_app")
    source.rename(daemon.root / "away")
    daemon.until(lambda: bool(daemon.domain(name)["errors"]), "the error to show", limit=120)
    assert "no directory" in daemon.domain(name)["errors"][0]["message"]
    assert daemon.run_of(f"{name}_app") == before
    (daemon.root / "away").rename(source)
    daemon.until(lambda: daemon.settled(name), "the error to go", limit=120)
    assert daemon.run_of(f"{name}_app") == before


def test_an_image_is_pulled_with_a_secret_of_the_domain_and_its_newest_digest_shown(
    daemon: Daemon, bench: Bench, front: Front, name: str
) -> None:
    digest = bench.push("one")
    image = bench.name(at=front)
    (daemon.root / "password").write_text(f"{PASSWORD}\n")
    login = {
        "secrets": {"registry": {"file": str(daemon.root / "password")}},
        "registries": {front.address: {"username": USER, "password_secret": "registry"}},
    }
    daemon.settle(name, stack(name, chunk(image), **login))
    assert label(daemon, name) == "one"
    first, last = told(daemon)
    assert first == f"pulling {image}"
    assert last.startswith(f"pulled {image}: ")
    assert last.endswith(digest)

    (row,) = json.loads(daemon.pnr("images", "--json").stdout)
    assert (row["image"], row["running"], row["newest"], row["state"]) == (image, [digest], digest, "newest")
    newer = bench.push("two")
    (row,) = json.loads(daemon.pnr("images", "--json").stdout)
    assert (row["running"], row["newest"], row["state"]) == ([digest], newer, "newer")
    assert "there is a newer one" in daemon.pnr("images").stdout
    (row,) = json.loads(daemon.pnr("images", "--json", "--offline").stdout)
    assert (row["newest"], row["state"]) == (None, "unknown")
    assert PASSWORD not in (daemon.state / "events.jsonl").read_text()
    assert PASSWORD not in daemon.tail()


def test_the_old_container_serves_while_the_registry_is_down_and_is_replaced_after(
    daemon: Daemon, bench: Bench, front: Front, name: str, docker_config: Path
) -> None:
    log_in(docker_config, front.address)
    bench.push("one")
    bench.push("two", "2")
    daemon.settle(name, stack(name, chunk(bench.name(at=front))))
    (container,) = daemon.names(name)
    before = daemon.run_of(container)
    front.answers = [503] * 1000
    daemon.write(name, stack(name, chunk(bench.name("2", at=front))))
    daemon.until(lambda: "503" in daemon.chunk(name, "app")["message"], "the registry's words to show")
    assert daemon.run_of(container) == before
    assert daemon.container(container)["State"]["Running"]
    front.answers = []
    daemon.until(lambda: label(daemon, name) == "two" and daemon.settled(name), "the update", limit=90)


def test_a_tag_that_is_not_there_is_told_and_put_right_by_a_login_or_another_tag(
    daemon: Daemon, bench: Bench, name: str, docker_config: Path
) -> None:
    bench.push("one")
    daemon.write(name, stack(name, chunk(bench.name())))
    daemon.until(lambda: daemon.chunk(name, "app")["reason"] == "ImagePullFailed", "the failure to show")
    assert "docker login" in daemon.chunk(name, "app")["message"]
    log_in(docker_config, bench.registry.address)
    assert daemon.pnr("apply", "--wait").returncode == 0
    daemon.write(name, stack(name, chunk(bench.name("9"))))
    daemon.until(lambda: "manifest unknown" in json.dumps(daemon.chunk(name, "app")), "the registry's words to show")
    assert label(daemon, name) == "one"


def test_images_and_prune_work_without_a_daemon(
    daemon: Daemon, bench: Bench, name: str, docker_config: Path, unique: Callable[[str], str]
) -> None:
    log_in(docker_config, bench.registry.address)
    bench.push("one")
    bench.push("two", "2")
    daemon.settle(name, stack(name, chunk(bench.name())))
    daemon.settle(name, stack(name, chunk(bench.name("2"))))
    daemon.kill(signal.SIGTERM)
    (row,) = json.loads(daemon.pnr("images", "--json").stdout)
    assert row["state"] == "newest"
    done = daemon.pnr("prune", "--yes")
    assert done.returncode == 0, done.stderr
    assert "removed 1 image" in done.stdout
    assert bench.text_of(bench.name()) is None
    assert bench.text_of(bench.name("2")) == "two"
    (daemon.domains / "broken.json").write_text("{")
    refused = daemon.pnr("prune", "--yes")
    assert refused.returncode == 4
    assert "broken.json" in refused.stderr
    (daemon.domains / "broken.json").unlink()
