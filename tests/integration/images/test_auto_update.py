"""A chunk follows its image's tag, through the whole daemon, with a real registry and a real engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.daemon.conftest import Daemon, stack
from tests.integration.images.conftest import Bench, log_in
from tests.integration.images.servers import PASSWORD, USER, Front

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def logged_in(bench: Bench, front: Front, docker_config: Path) -> None:
    log_in(docker_config, bench.registry.address, front.address)


@pytest.fixture
def image(bench: Bench, front: Front) -> str:
    """An image of the registry, as the domain names it. What is pushed does not touch the engine's own tag."""
    bench.push("one")
    return bench.name(at=front)


def following(image: str, auto_update: Any = "registry", **more: Any) -> dict[str, Any]:
    container = {"image": image, "stop_grace_period": "0s", **more.pop("container", {})}
    return {"name": "app", "auto_update": auto_update, "container": container, **more}


def texts(daemon: Daemon, name: str) -> list[str]:
    """What the images of the domain's containers were pushed with."""
    found = daemon.api.containers(filters={"label": f"io.pnr.domain={name}"})
    return sorted(str(container["Labels"].get("text", "")) for container in found)


def work(daemon: Daemon, reason: str) -> list[str]:
    return [str(e["message"]) for e in daemon.journal() if e["kind"] == "work" and e.get("reason") == reason]


def news(daemon: Daemon, name: str) -> dict[str, Any]:
    return dict(daemon.chunk(name, "app")["auto_update"] or {})


def asked(front: Front) -> int:
    return sum("/manifests/1" in line for line in front.asked)


def test_a_tag_that_moved_is_pulled_and_exactly_its_container_replaced(
    daemon: Daemon, bench: Bench, image: str, name: str
) -> None:
    beside = {"name": "beside", "container": {"image": bench.base, "command": "sleep 9d", "stop_grace_period": "0s"}}
    daemon.settle(name, stack(name, following(image), beside))
    untouched = daemon.run_of(f"{name}-main-beside-1")
    assert daemon.pnr("apply", "--wait").returncode == 0
    assert work(daemon, "Updating") == []

    newest = bench.push("two")
    applied = daemon.pnr("apply", "--wait")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert texts(daemon, name) == ["", "two"]
    assert daemon.run_of(f"{name}-main-beside-1") == untouched
    (cause,) = work(daemon, "Updating")[:1]
    assert cause.startswith(f"image: {image} is sha256:")

    def is_told() -> bool:
        return any(line.startswith(f"pulled {image}: ") and line.endswith(newest) for line in _told(daemon))

    daemon.until(is_told, "the journal to tell of the pull")
    rows = {row["chunk"]: row for row in json.loads(daemon.pnr("images", "--json").stdout)}
    assert (rows[f"{name}/main/app"]["running"], rows[f"{name}/main/app"]["state"]) == ([newest], "newest")
    assert news(daemon, name)["newest"] == newest

    # The old image is ours and unused by now; it goes on a person's word only.
    (old,) = json.loads(daemon.pnr("prune", "--dry-run", "--json").stdout)
    assert daemon.pnr("prune", "--yes").returncode == 0
    assert old["id"] not in [one["Id"] for one in bench.api.images(all=True)]
    assert texts(daemon, name) == ["", "two"]


def _told(daemon: Daemon) -> list[str]:
    return [str(entry["message"]) for entry in daemon.journal() if entry["kind"] == "image"]


def test_an_image_that_does_not_come_up_is_rolled_back_from_and_never_tried_again(
    daemon: Daemon, bench: Bench, image: str, name: str
) -> None:
    has_database = {"type": "exec", "command": ["sh", "-c", "! grep -q database /proc/1/cmdline"]}
    daemon.settle(name, stack(name, following(image, health_check=has_database)))
    (container,) = daemon.names(name)
    kept = daemon.container(container)["Id"]
    bench.push("broken", command=["sh", "-c", "echo no database; exit 3"])
    assert daemon.pnr("apply", "--wait").returncode == 1
    shown = daemon.chunk(name, "app")
    assert (shown["state"], shown["reason"]) == ("failed", "RolledBack")
    assert f"the update to {image} (sha256:" in shown["message"]
    assert shown["auto_update"]["rejected"].startswith("sha256:")
    assert daemon.container(container)["Id"] == kept
    assert texts(daemon, name) == ["one"]
    said = daemon.pnr("why", "app").stdout
    assert "when its tag moves on" in said
    assert "after 3 attempts" not in said
    assert "tried again now" not in said
    assert "the newer one was tried and rejected" in daemon.pnr("images").stdout
    attempts = work(daemon, "Updating")

    daemon.kill()
    daemon.start()
    daemon.until(lambda: bool(news(daemon, name).get("newest")), "the registry to be asked")
    daemon.until(lambda: daemon.chunk(name, "app")["reason"] == "RolledBack", "the roll-back to be remembered")
    assert texts(daemon, name) == ["one"]
    assert work(daemon, "Updating") == attempts

    bench.push("mended")
    assert "there is a newer one" in daemon.pnr("images").stdout
    assert daemon.pnr("apply", "--wait").returncode == 0
    assert texts(daemon, name) == ["mended"]
    assert news(daemon, name)["rejected"] is None
    causes = [cause for cause in work(daemon, "Updating")[len(attempts) :] if cause.startswith("image: ")]
    assert len(causes) == 1


def test_copies_are_replaced_one_after_the_other(daemon: Daemon, bench: Bench, image: str, name: str) -> None:
    daemon.settle(name, stack(name, following(image, replicas=3)))
    bench.push("two")
    assert daemon.pnr("apply", "--wait").returncode == 0
    assert texts(daemon, name) == ["two"] * 3
    order = [e["message"] for e in daemon.journal() if e["kind"] == "action" and "started container" in e["message"]]
    assert [text.split("-")[-1] for text in order[-3:]] == ["1", "2", "3"]


@pytest.mark.parametrize("fault", [429, 503, "stall"])
def test_a_registry_in_trouble_leaves_what_runs_as_it_is(
    daemon: Daemon, bench: Bench, front: Front, image: str, name: str, fault: int | str
) -> None:
    daemon.settle(name, stack(name, following(image)))
    (container,) = daemon.names(name)
    before = daemon.run_of(container)
    daemon.until(lambda: bool(news(daemon, name)["newest"]), "the first answer")
    bench.push("two")
    if fault == "stall":
        # To say what a tag has, the engine reads the image's configuration; the pull then asks for it again.
        front.matches = lambda path: "/blobs/" in path and front.asked.count(f"GET {path}") > 1
    front.answers = [fault] * 1000
    daemon.pnr("apply")
    if fault == "stall":
        daemon.until(lambda: daemon.chunk(name, "app")["reason"] == "PullingImage", "the fetch to begin")
    else:
        daemon.until(lambda: bool(news(daemon, name)["trouble"]), "the trouble to show")
        assert ("toomanyrequests" if fault == 429 else "503") in news(daemon, name)["trouble"]
        assert daemon.chunk(name, "app")["state"] == "completed"
        assert news(daemon, name)["trouble"] in daemon.pnr("why", "app").stdout
    assert daemon.run_of(container) == before
    assert daemon.fact(name, "app_ready") in ("U", "Y")
    front.answers = []
    front.over.set()
    assert daemon.pnr("apply", "--wait").returncode == 0
    daemon.until(lambda: texts(daemon, name) == ["two"], "the update", limit=90)


def test_a_wrong_password_is_told_and_harms_nothing(
    daemon: Daemon, bench: Bench, front: Front, image: str, name: str, docker_config: Path
) -> None:
    daemon.settle(name, stack(name, following(image)))
    (container,) = daemon.names(name)
    before = daemon.run_of(container)
    log_in(docker_config, front.address, password="wrong")
    bench.push("two")
    assert daemon.pnr("apply", "--wait").returncode == 0
    assert "docker login" in news(daemon, name)["trouble"]
    assert daemon.run_of(container) == before
    log_in(docker_config, front.address)
    assert daemon.pnr("apply", "--wait").returncode == 0
    assert texts(daemon, name) == ["two"]
    assert news(daemon, name)["trouble"] == ""


def test_a_manifest_that_was_deleted_harms_nothing(daemon: Daemon, bench: Bench, image: str, name: str) -> None:
    daemon.settle(name, stack(name, following(image)))
    (container,) = daemon.names(name)
    before = daemon.run_of(container)
    bench.registry.delete_manifest(f"{bench.prefix}/app", bench.push("one more"))
    assert daemon.pnr("apply", "--wait").returncode == 0
    assert "manifest unknown" in news(daemon, name)["trouble"]
    assert daemon.run_of(container) == before
    assert daemon.chunk(name, "app")["state"] == "completed"


def test_what_is_put_under_the_tag_by_hand_is_taken_where_the_local_tag_is_followed(
    daemon: Daemon, bench: Bench, front: Front, image: str, name: str
) -> None:
    daemon.settle(name, stack(name, following(image, "local")))
    front.asked.clear()
    newer = bench.name("2", at=front)
    bench.push("two", "2")
    login = {"username": USER, "password": PASSWORD}
    for line in bench.api.pull(newer, stream=True, decode=True, auth_config=login):
        assert "error" not in line, line
    bench.retag(newer, image)
    daemon.until(lambda: texts(daemon, name) == ["two"] and daemon.settled(name), "the update")
    assert asked(front) == 0


def test_a_tag_that_was_swapped_is_named_and_put_right(daemon: Daemon, bench: Bench, image: str, name: str) -> None:
    daemon.settle(name, stack(name, following(image, False, container={"command": "sleep 9d"})))
    (container,) = daemon.names(name)
    assert texts(daemon, name) == ["one"]
    bench.retag(bench.base, image)
    daemon.until(lambda: texts(daemon, name) == [""] and daemon.settled(name), "the image of the tag to run")
    assert daemon.names(name) == [container]
    assert daemon.chunk(name, "app")["image_moved"] == ""
    cause = work(daemon, "Updating")[0]
    assert cause.startswith(f"image: {image} is sha256:")


def test_a_swapped_tag_that_does_not_come_up_leaves_the_old_container(
    daemon: Daemon, bench: Bench, image: str, name: str
) -> None:
    has_label = {"type": "exec", "command": ["sh", "-c", "! grep -q 2d /proc/1/cmdline"], "deadline_seconds": 3}
    daemon.settle(name, stack(name, following(image, False, health_check=has_label)))
    before = daemon.container(daemon.names(name)[0])["Id"]
    broken = bench.name("2", at=None)
    bench.push("two", "2", command=["sleep", "2d"])
    for line in bench.api.pull(broken, stream=True, decode=True, auth_config={"username": USER, "password": PASSWORD}):
        assert "error" not in line, line
    bench.retag(broken, image)
    daemon.until(lambda: daemon.chunk(name, "app")["reason"] == "RolledBack", "the roll-back")
    daemon.until(lambda: texts(daemon, name) == ["one"], "the old container alone")
    assert daemon.container(daemon.names(name)[0])["Id"] == before


def test_a_swapped_tag_that_is_to_be_left_alone_is_left_alone(
    daemon: Daemon, bench: Bench, image: str, name: str
) -> None:
    beside = {"name": "beside", "container": {"image": image, "command": "sleep 9d", "stop_grace_period": "0s"}}
    daemon.settle(name, stack(name, following(image, False, ignore_drift=["image"]), beside))
    before = daemon.run_of(f"{name}-main-app-1")
    bench.retag(bench.base, image)
    daemon.until(lambda: texts(daemon, name) == ["", "one"] and daemon.settled(name), "the other to be put right")
    assert daemon.pnr("apply", "--wait").returncode == 0
    assert daemon.run_of(f"{name}-main-app-1") == before


def test_where_containers_are_taken_over_a_moved_tag_is_named_and_waits_for_a_person(
    daemon: Daemon, bench: Bench, image: str, name: str
) -> None:
    daemon.settle(name, stack(name, following(image, False, adopt=True, container={"command": "sleep 9d"})))
    (container,) = daemon.names(name)
    before = daemon.run_of(container)
    bench.retag(bench.base, image)
    daemon.until(lambda: bool(daemon.chunk(name, "app")["image_moved"]), "the difference to be named")
    assert daemon.chunk(name, "app")["image_moved"].startswith(f"image: {image} is sha256:")
    assert "pnr apply" in daemon.pnr("why", "app").stdout
    assert "image: " in daemon.pnr("plan").stdout
    daemon.kill()
    daemon.start()
    daemon.until(lambda: bool(daemon.chunk(name, "app").get("image_moved")), "the difference to be named again")
    assert daemon.settled(name)
    assert daemon.run_of(container) == before
    assert daemon.pnr("apply", "--wait").returncode == 0
    daemon.until(lambda: texts(daemon, name) == [""] and daemon.settled(name), "the swapped image to be taken")


def test_images_behind_a_closed_gate_are_fetched_ahead(
    daemon: Daemon, bench: Bench, front: Front, image: str, name: str
) -> None:
    never = {"health_check": {"type": "exec", "command": ["false"]}}
    first = {
        "name": "first",
        "flowout": {"first_ready": {"prompt": "?"}},
        "container": {"image": bench.base, "command": "sleep 9d", "stop_grace_period": "0s"},
        **never,
    }
    gate = {"first_ready": {"prompt": "?", "response": [], "tv": "Y"}}
    waiting = [{**following(image, False), "name": f"app{n}", "gatekeeper": gate} for n in range(4)]
    missing = {**following(bench.name("9", at=front), False), "name": "lost", "gatekeeper": gate}
    daemon.write(name, stack(name, first, missing, *waiting))
    daemon.until(lambda: bench.text_of(image) == "one", "the image to be fetched")
    assert sum("GET" in line and "/manifests/1" in line for line in front.asked) <= 1
    daemon.until(lambda: bool((daemon.chunk(name, "lost").get("auto_update") or {}).get("trouble")), "the trouble")
    assert daemon.chunk(name, "lost")["reason"] == "WaitingForGatekeeper"
    assert "manifest unknown" in daemon.pnr("why", "lost").stdout
    del first["health_check"]
    daemon.write(name, stack(name, first, missing, *waiting))
    daemon.until(lambda: daemon.chunk(name, "lost")["reason"] == "ImagePullFailed", "the failure, now that it matters")
    daemon.until(lambda: texts(daemon, name).count("one") == 4, "the others")
