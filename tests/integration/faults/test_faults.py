"""Every fault of the catalogue, injected for real: the first line of `pnr why` is its cause, the second what to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from docker import APIClient
from docker.errors import APIError

from tests.integration.faults.playing import SITUATIONS, Played, Theatre, how_long, theatre
from tests.integration.faults.stage import Stage, staged
from tests.integration.faults.texts.fault import says

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

Plays = dict[tuple[str, str], Played]


@pytest.fixture(scope="module")
def stage(
    docker_api: APIClient, busybox_image: str, run_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    before = _tags(docker_api, run_prefix)  # other tests of this session have images of their own
    with staged(docker_api, busybox_image, run_prefix, tmp_path_factory.mktemp("stage") / "it") as found:
        yield found
    for tag in _tags(docker_api, run_prefix) - before:
        docker_api.remove_image(tag, force=True)


def _tags(api: APIClient, prefix: str) -> set[str]:
    """The names of the images that this run of tests has made."""
    tags = (tag for image in api.images() for tag in image.get("RepoTags") or ())
    return {tag for tag in tags if tag.startswith(prefix)}


@pytest.fixture(scope="module")
def house(
    docker_api: APIClient, stage: Stage, run_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Theatre]:
    with theatre(tmp_path_factory.mktemp("house") / "it", docker_api, stage, run_prefix) as found:
        yield found
        _log_is_clean(found)
    for container in docker_api.containers(all=True):
        if any(name.lstrip("/").startswith(run_prefix) for name in container["Names"]):
            try:
                docker_api.remove_container(container["Id"], force=True, v=True)
            except APIError:
                continue


@pytest.fixture(scope="module")
def plays(house: Theatre, request: pytest.FixtureRequest) -> Plays:
    """All that tests ask for, played a situation after the other."""
    here = (item for item in request.session.items if item.path == request.path)
    asked = {item.callspec.id for item in here if isinstance(item, pytest.Function) and hasattr(item, "callspec")}
    wanted = {situation: [n for n in names if f"{n} ({situation})" in asked] for situation, names in SITUATIONS.items()}
    found = {(one.situation, one.fault.name): one for to, names in wanted.items() for one in house.play(to, names)}
    plugins = request.config.pluginmanager
    reporter, captured = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")
    if reporter is not None and captured is not None:
        with captured.global_and_fixture_disabled():
            reporter.write_line(f"\n{how_long(found.values())}")
    return found


CASES = [(situation, name) for situation, names in SITUATIONS.items() for name in names]


@pytest.mark.parametrize(("situation", "name"), CASES, ids=[f"{name} ({situation})" for situation, name in CASES])
def test_the_first_line_is_the_cause_and_the_second_what_to_do(plays: Plays, situation: str, name: str) -> None:
    one = plays[situation, name]
    assert one.right, f"wanted: {one.fault.cause}\n  and: {one.fault.step}\n\n{one.last}"
    assert one.strange() == []
    assert one.belied == [], f"said after its cause was known:\n{one.belied[0]}"


@pytest.mark.parametrize(("situation", "name"), CASES, ids=[f"{name} ({situation})" for situation, name in CASES])
def test_status_and_journal_agree(plays: Plays, house: Theatre, situation: str, name: str) -> None:
    one = plays[situation, name]
    if one.fault.reasons:
        assert one.chunk["reason"] in one.fault.reasons, one.chunk["message"]
    said = [entry for entry in house.journal if _is_about(entry, one)]
    assert said, f"the journal says nothing of {one.injected.domain}"
    told = [str(entry.get("message")) for entry in said]
    for what in one.fault.journal_says():
        assert any(says(text, what, one.injected.values) for text in told), "\n".join([what, *told])


def _is_about(entry: dict[str, object], one: Played) -> bool:
    of_file = entry["kind"] == "invalid" and str(entry["message"]).startswith(one.injected.values["file"])
    return of_file or entry.get("domain") == one.injected.domain


def _log_is_clean(house: Theatre) -> None:
    log = (house.daemon.root / "log").read_text()
    assert "Traceback" not in log
