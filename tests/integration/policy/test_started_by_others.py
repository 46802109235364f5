"""What the engine mounts by itself, on a real engine: nobody asks pnr before, so it looks after."""

from __future__ import annotations

import shutil
from typing import Any

import docker
import pytest

from reconciler.engine.docker.guarding import Guard
from reconciler.engine.protocol import PolicyRefused
from reconciler.planner.actions import ExamineMounts, StartContainer, StopContainer, UpdateContainer
from reconciler.planner.observed import Container
from reconciler.policy import Profile
from tests.integration.engine.bench import Bench
from tests.integration.policy.conftest import Ground, Guarded, policy, refused

pytestmark = pytest.mark.docker

RULE = "binds.engine_restarts"


def shown(bench: Bench, container: Container) -> dict[str, Any]:
    """A container as the engine shows it now."""
    return dict(bench.client.inspect_container(container.id))


def look(bench: Bench, container: Container) -> ExamineMounts:
    """The look at the run that is there now."""
    return ExamineMounts(container.name, shown(bench, container)["State"]["StartedAt"])


async def test_the_engine_is_never_told_to_start_again_what_has_something_of_the_host(
    guarded: Guarded, ground: Ground
) -> None:
    bench = await guarded.bench()
    volumes = [f"{ground.app}/html:/x"]
    assert RULE in await refused(bench, bench.creation(bench.chunk(volumes=volumes, restart="always")))
    made = await bench.run(volumes=volumes)
    assert RULE in await refused(bench, UpdateContainer(made.name, {"restart": "unless-stopped"}, ("restart",)))
    # One that was told before there was such a rule, and one by hand, lose it with a start of ours.
    await bench.engine.perform(StopContainer(made.name, 0))
    bench.client.update_container(made.id, restart_policy={"Name": "always"})
    await bench.engine.perform(StartContainer(made.name, restart="always"))
    assert shown(bench, made)["HostConfig"]["RestartPolicy"]["Name"] == "no"
    plain = await bench.run("plain", restart="always")
    assert shown(bench, plain)["HostConfig"]["RestartPolicy"]["Name"] == "always"


async def test_what_was_started_by_others_with_what_was_judged_goes_on(guarded: Guarded, ground: Ground) -> None:
    bench = await guarded.bench()
    (ground.app / "conf").write_text("x")
    made = await bench.run(
        volumes=[f"{ground.app}/html:/x", f"{ground.app}/conf:/etc/conf:ro", f"{ground.app}:/var/run/a"]
    )
    bench.client.restart(made.id, timeout=0)
    again = await bench.engine.perform(look(bench, made))
    assert again is not None
    assert again.condition == "running"


@pytest.mark.parametrize("is_removed", [False, True], ids=["another place", "what was removed"])
async def test_what_is_not_what_was_judged_is_ended_even_if_the_policy_would_allow_it(
    guarded: Guarded, ground: Ground, is_removed: bool
) -> None:
    bench = await guarded.bench()
    trapping = ["sh", "-c", "trap 'echo told > /x/told; exit 0' TERM; while :; do sleep 0.1; done"]
    made = await bench.run(volumes=[f"{ground.app}/html:/x", f"{ground.app}:/y"], command=trapping)
    bench.client.restart(made.id, timeout=0)
    (ground.app / "html").rename(ground.app / "old")
    (ground.app / "html").mkdir()
    if is_removed:
        shutil.rmtree(ground.app / "old")
    said = await refused(bench, look(bench, made))
    what = "what was removed from there since" if is_removed else f"{ground.app}/old"
    assert f"{what} is mounted at /x, and not {ground.app}/html, which was judged" in said
    assert not shown(bench, made)["State"]["Running"]
    # It had the time that it has for its end, since it had nothing that it may not have.
    assert shown(bench, made)["State"]["ExitCode"] == 0
    assert is_removed or (ground.app / "old" / "told").exists()
    started = await bench.engine.perform(StartContainer(made.name))
    assert started is not None
    assert (await bench.engine.perform(look(bench, made))) is not None
    assert shown(bench, made)["State"]["Running"]


@pytest.mark.parametrize("is_back", [False, True], ids=["the link is there", "the link was there for a moment"])
async def test_a_place_that_was_exchanged_before_a_restart_by_the_engine_ends_it(
    guarded: Guarded, ground: Ground, is_back: bool
) -> None:
    bench = await guarded.bench()
    way = ground.app / "x"
    (way / "etc").mkdir(parents=True)
    made = await bench.run(volumes=[f"{way}/etc:/x"])
    bench.client.update_container(made.id, restart_policy={"Name": "always"})
    way.rename(ground.app / "aside")
    way.symlink_to("/")
    bench.client.restart(made.id, timeout=0)
    if is_back:
        way.unlink()
        (ground.app / "aside").rename(way)
    with pytest.raises(PolicyRefused) as caught:
        await bench.engine.perform(look(bench, made))
    assert ("/etc is mounted at /x" if is_back else "binds.links") in str(caught.value)
    state, host = shown(bench, made)["State"], shown(bench, made)["HostConfig"]
    assert not state["Running"]
    assert host["RestartPolicy"]["Name"] == "no"


async def test_a_volume_that_is_a_directory_is_looked_at_as_well(guarded: Guarded, ground: Ground) -> None:
    bench = await guarded.bench()
    way = ground.app / "x"
    (way / "root").mkdir(parents=True)
    name = bench.name("bound")
    bench.client.create_volume(name, driver_opts={"type": "none", "o": "bind", "device": f"{way}/root"})
    made = await bench.run(volumes=[f"{name}:/x"])
    bench.client.restart(made.id, timeout=0)
    assert (await bench.engine.perform(look(bench, made))) is not None
    assert shown(bench, made)["State"]["Running"]
    bench.client.stop(made.id, timeout=0)
    way.rename(ground.app / "aside")
    way.symlink_to("/")
    bench.client.start(made.id)
    way.unlink()
    (ground.app / "aside").rename(way)
    assert "/root is mounted at /x" in await refused(bench, look(bench, made))
    assert not shown(bench, made)["State"]["Running"]


async def test_where_the_policy_leaves_restarts_to_the_engine_nothing_is_looked_at(
    guarded: Guarded, ground: Ground
) -> None:
    for given in (policy(Profile.OPEN), policy(binds__engine_restarts=True)):
        bench = await guarded.bench(given)
        made = await bench.run(f"web{given.profile}", volumes=[f"{ground.app}/html:/x"], restart="always")
        assert shown(bench, made)["HostConfig"]["RestartPolicy"]["Name"] == "always"
        assert (await bench.engine.perform(look(bench, made))) is not None


async def test_a_place_that_is_exchanged_between_the_look_and_the_mount_ends_the_container(
    guarded: Guarded, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing closes that moment. Whoever meets it has the container for no longer than it takes to look again."""
    bench = await guarded.bench()
    made = await bench.run(volumes=[f"{ground.app}/html:/x", f"{ground.app}:/y"])
    await bench.engine.perform(StopContainer(made.name, 0))
    html, aside, lead = ground.app / "html", ground.app / "old", ground.app / "lead"
    lead.symlink_to("/etc")
    real_check, real_start = Guard.check, docker.APIClient.start

    def exchanging(self: Guard, client: Any, request: Any, domain: str = "") -> None:
        real_check(self, client, request, domain)
        if str(request.url).endswith("/start"):
            html.rename(aside)
            lead.rename(html)

    def putting_back(self: Any, container: str) -> None:
        real_start(self, container)
        html.rename(lead)
        aside.rename(html)

    monkeypatch.setattr(Guard, "check", exchanging)
    monkeypatch.setattr(docker.APIClient, "start", putting_back)
    said = await refused(bench, StartContainer(made.name))
    assert "/etc is mounted at /x" in said
    assert not shown(bench, made)["State"]["Running"]
    monkeypatch.undo()
    started = await bench.engine.perform(StartContainer(made.name))
    assert started is not None
    assert started.condition == "running"
