"""Settings whose containers this machine can't start, or its engine can't make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from docker import APIClient
from pydantic import TypeAdapter

from reconciler.intent.model import ContainerSpec
from reconciler.intent.settings import SETTINGS, payload, read_back
from reconciler.planner.compare import drift
from tests.integration.settings.case import Here
from tests.integration.settings.cases_security import NOT_MADE_HERE, NOT_STARTED_HERE

pytestmark = [pytest.mark.docker]


@pytest.fixture
def made(docker_api: APIClient) -> Iterator[list[str]]:
    ids: list[str] = []
    yield ids
    for id in ids:
        docker_api.remove_container(id, v=True, force=True)


def _normal(name: str, written: Any) -> Any:
    return TypeAdapter(SETTINGS[name].type).validate_python(written)


@pytest.mark.parametrize("name", NOT_STARTED_HERE)
def test_made_and_inspected_it_is_as_declared_and_no_other(
    docker_api: APIClient, here: Here, made: list[str], name: str
) -> None:
    *both, _ = NOT_STARTED_HERE[name]
    for written, other in (both, both[::-1]):
        declared = {name: _normal(name, written)}
        spec = ContainerSpec(name="x", image=here.images["plain"], digest="", settings=declared, networks={})
        body: Any = payload(spec)
        id = docker_api.create_container_from_config(body, here.name(f"made-{len(made)}"))["Id"]  # type: ignore[no-untyped-call]
        made.append(id)
        found = read_back(docker_api.inspect_container(id))
        assert drift(declared, found) == ()
        assert drift({name: _normal(name, other)}, found) != ()


@pytest.mark.parametrize("name", NOT_MADE_HERE)
def test_what_no_engine_here_can_make_is_known_to_be_so(name: str) -> None:
    assert SETTINGS[name].systems == ("windows",)
