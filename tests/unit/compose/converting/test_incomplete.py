"""A chunk that lost a mount, a secret, a config or a privilege is not written unless somebody asks for it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.compose.converting.convert import NothingToConvert, convert
from tests.unit.compose.converting.build import MISSING, chunks, converted, judge, project, service, told

BAD_VOLUME = {"type": "volume", "source": "data", "target": "not absolute"}
LOSING: dict[str, dict[str, Any]] = {
    "volumes": {"volumes": [BAD_VOLUME]},
    "tmpfs": {"tmpfs": ["relative"]},
    "env_file": {"env_file": [{"path": f"{MISSING}/a.env"}]},
    "secrets": {"secrets": [{"source": "gone", "target": "/run/secrets/gone"}]},
    "configs": {"configs": [{"source": "gone", "target": "/gone"}]},
    "cap_add": {"cap_add": ["NET_ADMIN", "NO_SUCH"]},
    "cap_drop": {"cap_drop": ["NO_SUCH"]},
    "devices": {"devices": [{"source": "x", "target": "y", "permissions": "q"}]},
    "security_opt": {"security_opt": ["no_such=1"]},
    "use_api_socket": {"use_api_socket": True},
    "networks": {"networks": {"bad": None}},
}
TOP: dict[str, Any] = {
    "volumes": {"data": {"name": "shop_data"}},
    "secrets": {"gone": {"name": "shop_gone", "file": f"{MISSING}/s"}},
    "configs": {"gone": {"name": "shop_gone", "file": f"{MISSING}/c"}},
    "networks": {"default": {"name": "shop_default"}, "bad": {"name": "no such name"}},
}


@pytest.mark.parametrize("settings", LOSING.values(), ids=LOSING.keys())
def test_it_is_left_out_with_the_reason_and_partial_writes_it(settings: dict[str, Any]) -> None:
    services = {"db": service(**settings), "other": service()}
    conversion = converted(services, **TOP)
    assert set(chunks(conversion)) == {"other"}
    assert ("services.db", "NotWritten") in told(conversion, loss=True)
    (why,) = conversion.left_out.values()
    assert why.what.startswith("it would run without ")
    assert why.why
    partial = converted(services, partial=True, **TOP)
    assert set(chunks(partial)) == {"db", "other"}
    assert partial.left_out == {}
    assert set(partial.lacking) == {"db"}
    assert partial.losses


@pytest.mark.parametrize(
    "settings",
    [
        {"post_start": [{"command": ["a"]}]},
        {"models": {"llm": {}}},
        {"labels": {"io.pnr.x": "1"}},
        {"mem_limit": "no size"},
        {"networks": {"default": {"ipv4_address": "no address"}}},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_what_it_can_be_without_is_only_told(settings: dict[str, Any]) -> None:
    conversion = converted({"web": service(**settings)})
    assert set(chunks(conversion)) == {"web"}
    assert conversion.losses
    assert conversion.left_out == {}


def test_who_waits_for_one_that_is_left_out_is_left_out_too_and_told() -> None:
    services = {
        "db": service(**LOSING["volumes"]),
        "api": service(depends_on={"db": {"condition": "service_started", "required": True}}),
        "web": service(depends_on={"api": {"condition": "service_started"}}),
        "beside": service(depends_on={"db": {"condition": "service_started", "required": False}}),
        "sidecar": service(network_mode="service:web"),
        "free": service(),
    }
    conversion = converted(services, **TOP)
    assert set(chunks(conversion)) == {"beside", "free"}
    assert "gatekeeper" not in chunks(conversion)["beside"]
    assert set(conversion.left_out) == {"db", "api", "web", "sidecar"}
    assert "it waits for api" in str(conversion.left_out["web"])
    assert str(conversion.left_out["api"]).startswith("it waits for db, which is not there: db: it would run without")
    assert ("services.beside.depends_on.db", "NotWaitedFor") in told(conversion)
    partial = converted(services, partial=True, **TOP)
    assert set(chunks(partial)) == set(services)
    assert list(chunks(partial)["api"]["gatekeeper"]) == ["db_started"]


def test_what_waits_for_an_impossible_service_is_left_out_and_partial_drops_the_wait() -> None:
    services = {
        "bad": service(image="No Such Image"),
        "web": service(depends_on={"bad": {"condition": "service_started"}}),
        "free": service(),
    }
    conversion = converted(services)
    assert set(chunks(conversion)) == {"free"}
    assert {path for path, _ in told(conversion, loss=True)} == {"services.bad", "services.web"}
    partial = converted(services, partial=True)
    assert set(chunks(partial)) == {"web", "free"}
    assert "gatekeeper" not in chunks(partial)["web"]
    assert ("services.web.depends_on.bad", "NotWaitedFor") in told(partial)


def test_a_volume_or_network_without_a_name_is_none_that_compose_could_make() -> None:
    mount = {"type": "volume", "source": "data", "target": "/data"}
    services = {"db": service(volumes=[mount]), "web": service(networks={"back": None}), "free": service()}
    top: dict[str, Any] = {
        "volumes": {"data": {}},
        "networks": {"default": {"name": "shop_default"}, "back": {"internal": True}},
    }
    conversion = converted(services, **top)
    assert set(chunks(conversion)) == {"free"}
    assert {"volumes.data.name", "networks.back.name"} <= {path for path, _ in told(conversion, loss=True)}
    partial = converted(services, partial=True, **top)
    assert partial.document["volumes"] == {"data": {"name": "shop_data"}}
    assert partial.document["networks"]["back"] == {"name": "shop_back", "internal": True}


def test_a_volume_that_lost_what_it_mounts_would_be_an_empty_one() -> None:
    mount = {"type": "volume", "source": "data", "target": "/data"}
    volumes = {"data": {"name": "shop_data", "driver_opts": {"device": ["no text"]}}}
    conversion = converted({"db": service(volumes=[mount]), "free": service()}, volumes=volumes)
    assert set(chunks(conversion)) == {"free"}
    assert "the volume data" in conversion.left_out["db"].what


def test_where_all_are_left_out_it_is_an_error_that_says_so() -> None:
    with pytest.raises(NothingToConvert) as caught:
        convert(project({"db": service(**LOSING["volumes"])}, **TOP), judge)
    assert set(caught.value.left_out) == {"db"}


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        ("8080:80", "8080:81", True),
        ("127.0.0.1:8080:80", "8080:80", True),
        ("8080:80", "127.0.0.1:8080:80", True),
        ("127.0.0.1:8080:80", "127.0.0.2:8080:80", False),
        ("[::1]:8080:80", "127.0.0.1:8080:80", False),
        ("[::]:8080:80", "[::1]:8080:80", True),
        ("[::]:8080:80", "0.0.0.0:8080:80", False),
        ("8080:80", "8080:80/udp", False),
        (":80", ":80", False),
        ("8080-8090:80", "8080:80", False),
    ],
)
def test_of_two_services_on_one_host_port_the_first_has_it(first: str, second: str, clash: bool) -> None:
    services = {"a": service(ports=[_port(first)]), "b": service(ports=[_port(second)])}
    conversion = converted(services)
    assert "ports" in chunks(conversion)["a"]["container"]
    assert ("ports" in chunks(conversion)["b"]["container"]) is not clash
    assert told(conversion, loss=True) == ([("services.b.ports[0]", "HostPortClash")] if clash else [])


def test_copies_have_a_port_each_and_a_service_none_twice() -> None:
    services = {
        "a": service(scale=3, ports=[_port("8080-8082:80")]),
        "b": service(ports=[_port("8082:80"), _port("8083:80"), _port("8083:81")]),
    }
    conversion = converted(services)
    assert chunks(conversion)["b"]["container"]["ports"] == ["*:8083:80"]
    assert told(conversion, loss=True) == [
        ("services.b.ports[0]", "HostPortClash"),
        ("services.b.ports[2]", "HostPortClash"),
    ]


def _port(text: str) -> dict[str, Any]:
    *before, last = text.replace("[", "").replace("]", "").rsplit(":", 2)
    target, _, protocol = last.partition("/")
    address = before[0] if len(before) == 2 else ""
    published = before[-1] if before else ""
    made = {"target": int(target), "protocol": protocol or "tcp", "mode": "ingress"}
    return {**made, **({"host_ip": address} if address else {}), **({"published": published} if published else {})}


def test_a_host_port_that_is_no_number_is_told_and_no_crash() -> None:
    conversion = converted({"web": service(ports=[{"target": 80, "published": said} for said in ("abc", "80-x")])})
    assert len(conversion.losses) == 2


def test_a_config_from_a_variable_of_compose_has_its_value() -> None:
    use = {"source": "c", "target": "/c"}
    configs = {"c": {"name": "shop_c", "environment": "TEXT"}}
    conversion = converted({"web": service(configs=[use])}, configs=configs, variables={"TEXT": "a $b"})
    assert conversion.document["configs"] == {"c": {"content": "a $$b"}}
    assert chunks(conversion)["web"]["container"]["configs"] == [use]
    with pytest.raises(NothingToConvert):
        converted({"web": service(configs=[use])}, configs=configs)
