"""Pulls from a real registry: what is fetched, how it is told, and what people read when it fails."""

from __future__ import annotations

import asyncio
import re
import time

import pytest

from reconciler.engine.docker import DockerEngine
from reconciler.engine.protocol import ImagePullFailed, Milestone
from reconciler.planner.actions import EnsureImage
from reconciler.state.image_records import ImageStore
from tests.integration.images.conftest import Bench, log_in
from tests.integration.images.servers import Front

pytestmark = pytest.mark.docker

NOWHERE = "127.0.0.1:1/nothing/here:1"


@pytest.fixture(autouse=True)
def logged_in(bench: Bench, front: Front, docker_config: object) -> None:
    log_in(bench.tmp_path / "docker-config", bench.registry.address, front.address)


async def failure(bench: Bench, image: str, policy: str = "missing") -> ImagePullFailed:
    with pytest.raises(ImagePullFailed) as caught:
        await bench.ensure(image, policy)
    return caught.value


# --- what is fetched ----------------------------------------------------------------------------------------------


async def test_a_tag_is_pulled_with_a_line_at_the_start_and_one_at_the_end_for_the_journal(bench: Bench) -> None:
    digest = bench.push("one")
    lines = await bench.ensure(bench.name())
    kept = [line for line in lines if isinstance(line, Milestone)]
    assert kept[0] == f"pulling {bench.name()}"
    assert re.fullmatch(rf"pulled {bench.name()}: .* in [0-9.]+ s, {digest}", kept[1])
    assert len(kept) == 2
    assert bench.text_of(bench.name()) == "one"


async def test_a_digest_is_pulled_whatever_its_tag_has_become(bench: Bench) -> None:
    first = bench.push("one")
    bench.push("two")
    by_digest = f"{bench.name().rpartition(':')[0]}@{first}"
    await bench.ensure(by_digest)
    assert bench.text_of(by_digest) == "one"


async def test_with_a_tag_and_a_digest_the_digest_counts(bench: Bench) -> None:
    first = bench.push("one")
    bench.push("two")
    both = f"{bench.name()}@{first}"
    await bench.ensure(both)
    assert bench.text_of(both) == "one"
    assert bench.text_of(bench.name()) is None


@pytest.mark.parametrize("policy", ["missing", "never"])
async def test_an_image_that_is_there_is_enough(bench: Bench, policy: str) -> None:
    assert await bench.ensure(bench.base, policy) == []


async def test_a_tag_that_moved_is_followed_when_the_policy_asks(bench: Bench, front: Front) -> None:
    bench.push("one")
    image = bench.name(at=front)
    await bench.ensure(image)
    bench.push("two")
    assert bench.text_of(image) == "one"
    await bench.ensure(image, "missing")
    assert bench.text_of(image) == "one"
    await bench.ensure(image, "always")
    assert bench.text_of(image) == "two"
    lines = await bench.ensure(image, "always")
    assert "up to date" in lines[-1]


@pytest.mark.parametrize(("policy", "seconds"), [("daily", 86_400), ("weekly", 7 * 86_400), ("every_90m", 5_400)])
async def test_an_age_is_asked_for_once_in_its_time_though_nothing_new_was_found(
    bench: Bench, front: Front, record: ImageStore, policy: str, seconds: int
) -> None:
    bench.push("one")
    image = bench.name(at=front)
    await bench.ensure(image, policy)
    bench.push("two")
    asked = len(front.asked)
    await bench.ensure(image, policy)
    assert len(front.asked) == asked
    record.asked(image, time.time() - seconds + 60)
    await bench.ensure(image, policy)
    assert len(front.asked) == asked
    record.asked(image, time.time() - seconds - 1)
    await bench.ensure(image, policy)
    assert bench.text_of(image) == "two"
    await bench.ensure(image, policy)
    assert bench.text_of(image) == "two"


async def test_a_clock_that_was_set_back_does_not_keep_an_image_from_being_asked_for(
    bench: Bench, front: Front, record: ImageStore
) -> None:
    bench.push("one")
    image = bench.name(at=front)
    await bench.ensure(image, "every_12h")
    record.asked(image, time.time() + 1_000_000)
    asked = len(front.asked)
    await bench.ensure(image, "every_12h")
    assert len(front.asked) > asked


async def test_an_image_that_may_not_be_pulled_is_not_asked_for(bench: Bench) -> None:
    error = await failure(bench, NOWHERE, "never")
    assert "pull_policy is never" in str(error)
    assert error.permanent


async def test_an_id_that_is_not_there_is_not_asked_for(bench: Bench) -> None:
    assert "no registry knows it by its id" in str(await failure(bench, f"sha256:{'0' * 64}"))


async def test_what_is_pulled_is_recorded_as_ours_and_what_was_there_is_not(bench: Bench, record: ImageStore) -> None:
    bench.push("one")
    bench.api.tag(bench.base, f"{bench.registry.address}/{bench.prefix}/there", "1")
    await bench.ensure(bench.name())
    await bench.ensure(bench.name(name="there"), "missing")
    found = bench.api.inspect_image(bench.name())["Id"]  # type: ignore[no-untyped-call]
    assert record.own() == {found: (bench.name(),)}


async def test_many_who_want_an_image_share_one_pull_and_all_are_told(
    engine: DockerEngine, bench: Bench, front: Front
) -> None:
    bench.push("one")
    wanted = EnsureImage(bench.name(at=front), None, "missing")
    told: list[list[str]] = [[] for _ in range(5)]
    await asyncio.gather(*(engine.perform(wanted, lines.append) for lines in told))
    kept = [line for lines in told for line in lines if isinstance(line, Milestone)]
    assert len(kept) == 2
    assert sum("/manifests/1" in path for path in front.asked) == 1


async def test_policies_that_ask_at_the_same_time_share_one_pull(
    engine: DockerEngine, bench: Bench, front: Front, record: ImageStore
) -> None:
    bench.push("one")
    image = bench.name(at=front)
    policies = ("always", "missing", "daily", "every_12h")
    await asyncio.gather(*(engine.perform(EnsureImage(image, None, policy)) for policy in policies))
    assert sum("/manifests/1" in path for path in front.asked) == 1
    assert record.asked_at(image) is not None
    assert bench.text_of(image) == "one"


async def test_who_has_the_image_does_not_wait_for_those_who_ask_a_registry_that_stalls(
    engine: DockerEngine, bench: Bench, front: Front
) -> None:
    bench.push("one")
    image = bench.name(at=front)
    await bench.ensure(image)
    front.answers = ["stall"]
    asking = asyncio.create_task(engine.perform(EnsureImage(image, None, "always")))
    for policy in ("missing", "never"):
        await engine.perform(EnsureImage(image, None, policy))
    assert not asking.done()
    front.over.set()
    await asking


async def test_many_who_want_an_image_share_its_failure(engine: DockerEngine, bench: Bench) -> None:
    wanted = EnsureImage(NOWHERE, None, "missing")
    errors = await asyncio.gather(*(engine.perform(wanted) for _ in range(5)), return_exceptions=True)
    assert isinstance(errors[0], ImagePullFailed)
    assert all(error is errors[0] for error in errors)
    with pytest.raises(ImagePullFailed) as again:
        await engine.perform(wanted)
    assert again.value is not errors[0]


async def test_a_platform_that_the_image_is_not_made_for_is_named(bench: Bench) -> None:
    bench.push("one")
    with pytest.raises(ImagePullFailed, match=r"does not exist for linux/s390x.*linux/amd64") as caught:
        await bench.ensure(bench.name(), platform="linux/s390x")
    assert caught.value.permanent
    await bench.ensure(bench.name(), platform="linux/amd64")


async def test_an_image_for_another_platform_only_is_named_where_none_can_be_pulled(bench: Bench) -> None:
    bench.push("one")
    image = bench.name("here-only")
    bench.api.tag(bench.base, image.removesuffix(":here-only"), "here-only")
    told = r"the one that is here is for linux/amd64, and `platform` is linux/s390x; what to do: correct `platform`"
    with pytest.raises(ImagePullFailed, match=told):
        await bench.ensure(image, platform="linux/s390x")


# --- what people read ---------------------------------------------------------------------------------------------


async def test_a_tag_that_is_not_there_is_told_and_not_asked_for_again(bench: Bench, front: Front) -> None:
    bench.push("one")
    error = await failure(bench, bench.name("9", at=front))
    assert "manifest unknown" in str(error)
    assert "what to do: correct the name or the tag" in str(error)
    assert error.permanent
    assert sum("/manifests/9" in path for path in front.asked) <= 2


async def test_a_manifest_that_was_deleted_is_told(bench: Bench) -> None:
    digest = bench.push("one")
    bench.registry.delete_manifest(f"{bench.prefix}/app", digest)
    error = await failure(bench, bench.name())
    assert "manifest unknown" in str(error)
    assert error.permanent


async def test_a_registry_that_is_not_there_is_tried_again_and_told_in_its_words(bench: Bench) -> None:
    error = await failure(bench, NOWHERE)
    assert NOWHERE in str(error)
    assert "connection refused" in str(error)
    assert not error.permanent
    assert [line for line in bench.lines if "try 4 of 4" in line]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_registry_that_is_busy_is_asked_again_within_the_attempt(
    bench: Bench, front: Front, status: int
) -> None:
    bench.push("one")
    # The engine itself asks for a manifest twice, by HEAD and by GET.
    front.answers = [status, status]
    lines = await bench.ensure(bench.name(at=front))
    assert bench.text_of(bench.name(at=front)) == "one"
    assert any("try 2 of 4" in line and ("toomanyrequests" if status == 429 else str(status)) in line for line in lines)


async def test_a_registry_that_stays_busy_ends_the_attempt_with_its_words(bench: Bench, front: Front) -> None:
    bench.push("one")
    front.answers = [429] * 100
    error = await failure(bench, bench.name(at=front))
    assert "toomanyrequests: slow down" in str(error)
    assert not error.permanent


async def test_an_error_in_the_middle_of_the_stream_is_the_error(bench: Bench, front: Front) -> None:
    bench.push("one")
    front.matches = lambda path: "/blobs/" in path
    front.answers = [429] * 100
    error = await failure(bench, bench.name(at=front))
    assert "toomanyrequests: slow down" in str(error)


async def test_a_registry_that_stalls_over_a_layer_is_given_up_and_asked_again(bench: Bench, front: Front) -> None:
    bench.push("one")
    front.matches = lambda path: "/blobs/" in path
    front.answers = ["stall"]
    lines = await bench.ensure(bench.name(at=front))
    assert any("nothing has come from" in line and "try 2 of 4" in line for line in lines)
    assert bench.text_of(bench.name(at=front)) == "one"


async def test_a_registry_that_stalls_for_good_is_told_clearly(bench: Bench, front: Front) -> None:
    bench.push("one")
    front.answers = ["stall"] * 100
    error = await failure(bench, bench.name(at=front))
    assert f"nothing has come from {front.address} for 2 s" in str(error)
    assert not error.permanent
