"""What has no counterpart is listed with its place and the reason; the rest is written and is valid."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.compose.converting.container import KNOWN
from reconciler.compose.converting.convert import NothingToConvert, convert
from reconciler.intent.elsewhere import IN_A_CONTAINER
from tests.unit.compose.converting.build import MISSING, chunks, converted, judge, project, service, told


@pytest.mark.parametrize(
    ("settings", "path", "words"),
    [
        ({"post_start": [{"command": ["a"]}]}, "services.web.post_start", "runs no command in a container"),
        ({"models": {"llm": {}}}, "services.web.models", "model runner"),
        ({"whatever": 1}, "services.web.whatever", "no setting whatever"),
        ({"labels": {"io.pnr.x": "1", "a": "b"}}, 'services.web.labels["io.pnr.x"]', "pnr's own"),
        ({"build": {"context": "/src", "ssh": ["default"]}}, "services.web.build.ssh", "BuildKit"),
        (
            {"scale": 2, "ports": [{"target": 80, "published": "8080"}, {"target": 81}]},
            "services.web.ports[0]",
            "8080-8081",
        ),
    ],
)
def test_it_is_named_and_the_rest_is_written(settings: dict[str, Any], path: str, words: str) -> None:
    conversion = converted({"web": service(**settings), "db": service()})
    ((where, place, message),) = [(r.where, r.place, r.message) for r in conversion.losses]
    assert where == path
    assert words in message
    assert (place.file, place.line) == ("/shop/compose.yaml", 1)
    assert set(chunks(conversion)) == {"web", "db"}


def test_only_the_refused_items_of_a_list_are_left_out_and_each_is_told_by_its_place() -> None:
    said = ["NET_ADMIN", "NO_SUCH", "SYS_TIME", "NEITHER", "KILL"]
    conversion = converted({"web": service(cap_add=said)}, partial=True)
    assert chunks(conversion)["web"]["container"]["cap_add"] == ["NET_ADMIN", "SYS_TIME", "KILL"]
    assert told(conversion) == [
        ("services.web.cap_add[1]", "NoCounterpart"),
        ("services.web.cap_add[3]", "NoCounterpart"),
    ]


def test_a_mount_of_a_kind_that_is_not_served_is_told_of_once_and_goes_as_a_whole() -> None:
    pipe = {"type": "npipe", "source": "\\\\.\\pipe\\d", "target": "\\\\.\\pipe\\d"}
    data = {"type": "bind", "source": "/srv", "target": "/srv"}
    conversion = converted({"web": service(volumes=[pipe, data])}, partial=True)
    assert told(conversion) == [("services.web.volumes[0]", "NoCounterpart")]
    assert "a named pipe is Windows' own" in conversion.losses[0].message
    (kept,) = chunks(conversion)["web"]["container"]["volumes"]
    assert "/srv" in str(kept)


def test_what_says_nothing_is_no_loss_even_where_pnr_refuses_it() -> None:
    conversion = converted(
        {"web": service(cpu_shares=0, mem_limit="0", whatever=[], build={"context": "/s", "ssh": []})}
    )
    assert conversion.losses == ()


def test_a_service_that_is_not_to_run_here_is_left_out_and_nobody_waits_for_it() -> None:
    after = {"web": service(depends_on={"bad": {"condition": "service_started"}})}
    for bad in ({"provider": {"type": "x"}}, service(scale=0)):
        conversion = converted({"bad": bad, **after})
        assert set(chunks(conversion)) == {"web"}
        assert "gatekeeper" not in chunks(conversion)["web"]
        assert "services.bad" in {path[:12] for path, _ in told(conversion)}


def test_a_secret_that_can_not_be_had_is_left_out_with_its_uses() -> None:
    uses = [{"source": name, "target": f"/run/secrets/{name}"} for name in ("env", "gone", "swarm", "good")]
    conversion = converted(
        {"web": service(secrets=uses)},
        secrets={
            "env": {"name": "shop_env", "environment": "TOKEN"},
            "gone": {"name": "shop_gone", "file": f"{MISSING}/s"},
            "swarm": {"name": "swarm", "external": True},
            "good": {"name": "shop_good", "file": "/s"},
        },
        partial=True,
    )
    assert conversion.document["secrets"] == {"good": {"file": "/s"}}
    assert chunks(conversion)["web"]["container"]["secrets"] == ["good"]
    assert {path for path, _ in told(conversion, loss=True)} == {
        *("secrets.env", "secrets.gone", "secrets.swarm"),
        *(f"services.web.secrets[{n}]" for n in range(3)),
    }


def test_services_without_an_active_profile_are_noted() -> None:
    conversion = converted({"web": service()}, inactive={"debug": ("dev", "test")})
    assert told(conversion) == [("services.debug", "NotActive")]
    assert "dev, test" in conversion.remarks[-1].message or "dev, test" in conversion.remarks[0].message


def test_a_project_of_which_nothing_can_be_had_is_an_error_that_says_why() -> None:
    with pytest.raises(NothingToConvert) as caught:
        convert(project({"bad": service(image="No Such Image")}), judge)
    assert [remark.where for remark in caught.value.remarks if remark.severity == "loss"] == ["services.bad"]


def test_models_of_a_project_are_a_loss() -> None:
    assert told(converted({"web": service()}, models={"llm": {"model": "x"}})) == [("models", "NoCounterpart")]


def test_remarks_as_data_have_the_shape_of_errors() -> None:
    (loss,) = [r for r in converted({"web": service(post_start=[{"command": "x"}])}).remarks if r.severity == "loss"]
    assert {**loss.as_dict(), "severity": loss.severity} == {
        "file": "/shop/compose.yaml",
        "line": 1,
        "column": 10,
        "path": "services.web.post_start",
        "code": "NoCounterpart",
        "message": IN_A_CONTAINER["post_start"],
        "severity": "loss",
    }


_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="$"), max_size=12)
_SCALARS = st.none() | st.booleans() | st.integers(-5, 2**40) | _TEXTS | st.sampled_from(["", "0", "10m", "5s", "host"])
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3), max_leaves=6
)
_STRUCTURED = {
    "ports",
    "volumes",
    "volumes_from",
    "networks",
    "depends_on",
    "deploy",
    "healthcheck",
    "build",
    "secrets",
    "configs",
    "links",
    "ulimits",
}


@given(st.dictionaries(st.sampled_from(sorted(KNOWN - _STRUCTURED - {"image"})), _VALUES, max_size=6))
def test_whatever_is_in_a_service_the_file_is_valid_and_what_is_missing_is_told(settings: dict[str, Any]) -> None:
    conversion = converted({"web": service(**settings), "db": service()})
    assert "db" in chunks(conversion)
    if "web" not in chunks(conversion):
        assert conversion.losses
