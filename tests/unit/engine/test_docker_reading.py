"""From the engine's JSON, events and errors to values: what needs no engine."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import requests
from docker.errors import APIError
from docker.tls import TLSConfig
from urllib3.exceptions import ProtocolError

from reconciler.engine.docker import client, events, output, ports, reading
from reconciler.engine.docker.failures import TakenPort, taken_port, translate
from reconciler.engine.protocol import EngineError, EngineUnavailable, Glimpse, NotFound, StartFailed
from reconciler.intent.model import ChunkId
from reconciler.planner.compare import differences_of_foreign
from reconciler.planner.observed import Condition, HostPort
from reconciler.policy.checks.case import owner_of

LABELS = {
    "io.pnr.domain": "shop",
    "io.pnr.cpux": "main",
    "io.pnr.chunk": "web",
    "io.pnr.replica": "2",
    "io.pnr.spec": "abc",
    "io.pnr.generation": "7",
}


MARKED = {**LABELS, "io.pnr.mark": "1f"}


@pytest.mark.parametrize("of_image", [{}, {"version": "1"}, LABELS, {**MARKED, "io.pnr.mark": "2e"}])
def test_a_container_that_pnr_marked_is_ours_whatever_its_image_says(of_image: dict[str, str]) -> None:
    assert not reading.is_inherited(MARKED, of_image)


def test_a_container_with_the_mark_of_its_image_was_made_by_somebody_else() -> None:
    assert reading.is_inherited(MARKED, MARKED)
    assert reading.is_inherited({**MARKED, "io.pnr.chunk": "another"}, MARKED)


@pytest.mark.parametrize("said", ["\u00b2", "9" * 5000, "\u0663", "-1", "1e3", "1_0", " 1", "", "x"])
def test_a_number_in_a_label_that_anybody_wrote_is_none_and_nothing_fails_for_it(said: str) -> None:
    """An image may bring such labels along, and everybody's containers are read together."""
    forged = {**LABELS, "io.pnr.replica": said, "io.pnr.generation": said}
    assert reading.owner(forged) == ChunkId("shop", "main", "web", 1)
    body = {"Id": "c" * 64, "Config": {"Labels": forged}}
    found = reading.from_inspection(body)
    assert (found.replica, found.generation) == (1, 0)
    assert owner_of(forged) == ChunkId("shop", "main", "web", 1)
    assert ChunkId.of_unit("shop", "main", f"web#{said}") == ChunkId("shop", "main", "web", 1)


def test_a_container_of_an_older_pnr_is_ours_unless_its_image_has_all_that_it_says() -> None:
    assert not reading.is_inherited(LABELS, {})
    assert not reading.is_inherited(LABELS, {**LABELS, "io.pnr.generation": "6"})
    assert not reading.is_inherited(LABELS, MARKED)
    assert reading.is_inherited(LABELS, LABELS)


def summary(**changed: Any) -> dict[str, Any]:
    """A container as the list shows it."""
    return {
        "Id": "1" * 64,
        "Names": ["/shop_web"],
        "Image": "web:1",
        "ImageID": "sha256:22",
        "State": "running",
        "Status": "Up 3 seconds (healthy)",
        "Labels": LABELS,
        "Ports": [
            {"IP": "127.0.0.1", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
            {"PrivatePort": 443, "Type": "tcp"},
        ],
        "NetworkSettings": {"Networks": {"shop": {"IPAddress": "172.18.0.2", "EndpointID": "e1"}}},
    } | changed


def inspection(**state: Any) -> dict[str, Any]:
    """The same container inspected."""
    return {
        "Id": "1" * 64,
        "Name": "/shop_web",
        "Image": "sha256:22",
        "Config": {"Image": "web:1", "Labels": LABELS},
        "HostConfig": {},
        "State": {
            "Status": "running",
            "Running": True,
            "ExitCode": 0,
            "OOMKilled": False,
            "StartedAt": "2026-01-01T00:00:00.123456789Z",
            "Health": {"Status": "healthy"},
        }
        | state,
        "NetworkSettings": {
            "Networks": {"shop": {"IPAddress": "172.18.0.2", "EndpointID": "e1"}},
            "Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "443/tcp": None},
        },
    }


def api_error(code: int, text: str) -> APIError:
    """An answer of the engine that is an error."""
    response = requests.Response()
    response.status_code = code
    return APIError("refused", response=response, explanation=text)


def test_an_inspection_gives_the_whole_container() -> None:
    seen = reading.from_inspection(inspection())
    assert seen.owner == ChunkId("shop", "main", "web", 2)
    assert (seen.name, seen.image, seen.image_id) == ("shop_web", "web:1", "sha256:22")
    assert (seen.replica, seen.spec, seen.generation) == (2, "abc", 7)
    assert (seen.condition, seen.health, seen.exit_code) == (Condition.RUNNING, "healthy", None)
    assert seen.run == "2026-01-01T00:00:00.123456789Z"
    assert seen.published == {"80/tcp": (HostPort("127.0.0.1", 8080),)}
    assert seen.networks == {"shop": "172.18.0.2"}
    assert seen.settings is not None


def test_a_list_says_the_same_as_an_inspection_but_for_run_and_settings() -> None:
    listed, inspected = reading.from_summary(summary()), reading.from_inspection(inspection())
    for field in ("id", "name", "image", "image_id", "condition", "owner", "replica", "spec", "generation"):
        assert getattr(listed, field) == getattr(inspected, field)
    for field in ("networks", "published", "exit_code", "health"):
        assert getattr(listed, field) == getattr(inspected, field)


def test_an_end_has_an_exit_code_and_a_container_that_never_ran_no_run() -> None:
    ended = reading.from_inspection(inspection(Status="exited", ExitCode=137, OOMKilled=True, Health=None))
    assert (ended.condition, ended.exit_code, ended.oom_killed, ended.health) == (Condition.EXITED, 137, True, None)
    assert reading.from_summary(summary(State="exited", Status="Exited (137) 2 hours ago")).exit_code == 137
    created = reading.from_inspection(inspection(Status="created", StartedAt="0001-01-01T00:00:00Z"))
    assert (created.run, created.exit_code) == ("", None)


def test_of_what_a_health_check_printed_it_is_the_end_that_is_kept() -> None:
    printed = f"{'asked again and ' * 40}gave up: no role app\n"
    log = [{"ExitCode": 1, "Output": "first"}, {"ExitCode": 1, "Output": printed}, {"ExitCode": 0, "Output": "well"}]
    seen = reading.from_inspection(inspection(Health={"Status": "unhealthy", "Log": log}))
    assert seen.health_output.startswith("… ")
    assert seen.health_output.endswith("asked again and gave up: no role app")
    log = [{"ExitCode": 1, "Output": "no\nrole app"}]
    assert reading.from_inspection(inspection(Health={"Log": log})).health_output == "no role app"


def test_a_check_that_explains_its_usage_is_told_by_what_stands_before_that() -> None:
    usage = "\n\nUsage: nc [-l] [-p PORT] [HOST] [PORT]\n" + "\t-l\tListen mode, for inbound connects\n" * 20
    log = [{"ExitCode": 1, "Output": f"nc: invalid option -- 'z'{usage}"}]
    assert reading.from_inspection(inspection(Health={"Log": log})).health_output == "nc: invalid option -- 'z'"


def test_a_state_that_is_not_known_counts_as_dead() -> None:
    assert reading.condition("transmogrified") is Condition.DEAD


def test_labels_that_somebody_changed_break_nothing() -> None:
    broken = {**LABELS, "io.pnr.replica": "many", "io.pnr.generation": "-1"}
    seen = reading.from_summary(summary(Labels=broken))
    assert (seen.replica, seen.generation) == (1, 0)


@pytest.mark.parametrize("missing", ["io.pnr.domain", "io.pnr.cpux", "io.pnr.chunk"])
def test_a_container_that_lacks_one_of_our_labels_is_foreign(missing: str) -> None:
    assert reading.owner({**LABELS, missing: ""}) is None
    assert reading.owner({key: value for key, value in LABELS.items() if key != missing}) is None
    assert reading.owner(None) is None


def test_foreign_containers_have_no_settings() -> None:
    assert reading.from_inspection({**inspection(), "Config": {"Image": "web:1", "Labels": None}}).settings is None


def test_only_the_age_may_change_without_a_new_look() -> None:
    before = reading.signature(summary())
    assert reading.signature(summary(Status="Up 3 weeks (healthy)")) == before
    assert reading.signature(summary(Ports=list(reversed(summary()["Ports"])))) == before
    assert reading.signature(summary(Status="Exited (1) 2 days ago")) == reading.signature(
        summary(Status="Exited (1) 1 second ago")
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"State": "paused"},
        {"Names": ["/other"]},
        {"Status": "Up 3 seconds (unhealthy)"},
        {"Status": "Up 3 seconds (health: starting)"},
        {"Status": "Exited (1) 3 seconds ago"},
        {"Ports": []},
        {"NetworkSettings": {"Networks": {}}},
        {"NetworkSettings": {"Networks": {"shop": {"IPAddress": "172.18.0.2", "EndpointID": "e2"}}}},
    ],
)
def test_any_other_change_asks_for_a_new_look(changed: dict[str, Any]) -> None:
    assert reading.signature(summary(**changed)) != reading.signature(summary())


@pytest.mark.parametrize(
    ("event", "hint"),
    [
        ({"Type": "container", "Action": "die", "Actor": {"ID": "c1"}}, Glimpse("c1")),
        ({"Type": "container", "Action": "health_status: healthy", "Actor": {"ID": "c1"}}, Glimpse("c1")),
        ({"Type": "container", "Action": "exec_start: true", "Actor": {"ID": "c1"}}, None),
        ({"Type": "container", "Action": "exec_die", "Actor": {"ID": "c1"}}, None),
        ({"Type": "container", "Action": "attach", "Actor": {"ID": "c1"}}, None),
        (
            {"Type": "container", "Action": "kill", "Actor": {"ID": "c1", "Attributes": {"signal": "15"}}},
            Glimpse("c1", is_told_to_end=True),
        ),
        ({"Type": "container", "Action": "kill", "Actor": {"ID": "c1", "Attributes": {"signal": "1"}}}, None),
        ({"Type": "network", "Action": "disconnect", "Actor": {"Attributes": {"container": "c1"}}}, Glimpse("c1")),
        ({"Type": "network", "Action": "connect", "Actor": {"Attributes": {}}}, None),
        ({"Type": "network", "Action": "destroy", "Actor": {"ID": "n1"}}, Glimpse(None)),
        ({"Type": "volume", "Action": "destroy", "Actor": {"ID": "shop_data"}}, Glimpse(None)),
        ({"Type": "volume", "Action": "create", "Actor": {"ID": "shop_data"}}, Glimpse(None)),
        ({"Type": "volume", "Action": "create", "Actor": {"ID": "a1" * 32}}, None),
        ({"Type": "volume", "Action": "destroy", "Actor": {"ID": "a1" * 32}}, None),
        ({"Type": "volume", "Action": "mount", "Actor": {"ID": "shop_data"}}, None),
        ({"Type": "image", "Action": "tag", "Actor": {"ID": "sha256:1"}}, Glimpse(None, images=True)),
        ({"Type": "image", "Action": "delete", "Actor": {"ID": "sha256:1"}}, Glimpse(None, images=True)),
        ({"Type": "image", "Action": "push", "Actor": {"ID": "redis:7"}}, None),
        ({"message": "not an event"}, None),
    ],
)
def test_events_hint_at_what_changed(event: dict[str, Any], hint: Glimpse | None) -> None:
    assert events.hint(event) == hint


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        (
            "driver failed programming external connectivity on endpoint x: Bind for 127.0.0.1:8080 failed:"
            " port is already allocated",
            TakenPort(8080, "127.0.0.1"),
        ),
        ("Bind for :::8080 failed: port is already allocated", None),
        ("Bind for [::]:8080 failed: port is already allocated", TakenPort(8080, "::")),
        (
            "Error starting userland proxy: listen tcp4 0.0.0.0:53: bind: address already in use",
            TakenPort(53, "0.0.0.0", "tcp"),
        ),
        ("listen udp 127.0.0.1:53: bind: address already in use", TakenPort(53, "127.0.0.1", "udp")),
        (
            "failed to bind host port for 0.0.0.0:8080:172.18.0.2:80/tcp: address already in use",
            TakenPort(8080, "0.0.0.0", "tcp"),
        ),
        ("failed to bind host port 127.0.0.1:8080/tcp: address already in use", TakenPort(8080, "127.0.0.1", "tcp")),
        ("Error starting userland proxy: listen tcp4 127.0.0.1:80: bind: permission denied", None),
        ("cannot expose privileged port 80", None),
    ],
)
def test_only_a_port_that_is_held_counts_as_taken(said: str, taken: TakenPort | None) -> None:
    assert taken_port(api_error(500, said)) == taken


def test_the_holder_of_a_port_has_it_on_the_same_address_and_protocol() -> None:
    lists = [summary()]
    held = "container shop_web (111111111111, web:1)"
    assert ports.holding_container(TakenPort(8080, "127.0.0.1", "tcp"), lists, "other") == held
    assert ports.holding_container(TakenPort(8080, "0.0.0.0"), lists, "other") == held
    assert ports.holding_container(TakenPort(8080, "127.0.0.2"), lists, "other") is None
    assert ports.holding_container(TakenPort(8080, "127.0.0.1", "udp"), lists, "other") is None
    assert ports.holding_container(TakenPort(80, "127.0.0.1"), lists, "other") is None
    assert ports.holding_container(TakenPort(8080, "127.0.0.1"), lists, "1" * 64) is None


@pytest.mark.parametrize(
    ("raised", "kind", "words"),
    [
        (requests.ReadTimeout("slow"), EngineUnavailable, "does not answer: slow"),
        (requests.exceptions.ChunkedEncodingError("cut"), EngineUnavailable, "does not answer: cut"),
        (
            requests.ConnectionError(ProtocolError("Connection aborted.", PermissionError(13, "Permission denied"))),
            EngineUnavailable,
            "permission denied on unix:///sock; what to do: run pnr as a user in the group `docker`",
        ),
        (
            requests.ConnectionError(ConnectionRefusedError(111, "refused")),
            EngineUnavailable,
            "no Docker engine answers at unix:///sock",
        ),
        (api_error(404, "no such container"), NotFound, "no such container"),
        (api_error(500, "exec format\nerror"), StartFailed, "exec format error"),
        (PermissionError(13, "Permission denied", "/runtime"), StartFailed, "/runtime"),
    ],
)
def test_what_the_sdk_raises_becomes_an_error_of_the_protocol(
    raised: Exception, kind: type[EngineError], words: str
) -> None:
    error = translate(raised, "unix:///sock", StartFailed)
    assert type(error) is kind
    assert words in str(error)


def test_both_sides_speak_the_newest_version_that_they_share() -> None:
    assert client.agreed({"ApiVersion": "1.41", "MinAPIVersion": "1.12"}, "here") == "1.41"
    assert client.agreed({"ApiVersion": "1.99", "MinAPIVersion": "1.24"}, "here") == client.NEWEST_API
    assert client.agreed({"ApiVersion": "1.43"}, "here") == "1.43"
    with pytest.raises(EngineUnavailable, match=r"needs 1\.41"):
        client.agreed({"ApiVersion": "1.40"}, "here")
    with pytest.raises(EngineUnavailable, match="upgrade it"):
        client.agreed({"ApiVersion": "1.99", "MinAPIVersion": "1.98"}, "here")


def test_the_engine_is_found_as_the_docker_command_finds_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert client.find() == client.Address()
    assert client.find("tcp://10.0.0.1:2375").is_local is False
    (tmp_path / "config.json").write_text('{"currentContext": "far"}')
    with pytest.raises(EngineUnavailable, match="no docker context far"):
        client.find()
    meta = tmp_path / "contexts" / "meta" / hashlib.sha256(b"far").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text("{")
    with pytest.raises(EngineUnavailable, match="context far can't be read"):
        client.find()
    meta.write_text('{"Name": "far", "Metadata": {}, "Endpoints": {"docker": {"Host": "tcp://10.0.0.2:2375"}}}')
    assert client.find().host == "tcp://10.0.0.2:2375"
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    assert client.find() == client.Address()
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/other.sock")
    assert str(client.find()) == "unix:///run/other.sock"
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path / "nothing"))
    with pytest.raises(EngineUnavailable, match="DOCKER_CERT_PATH"):
        client.find()


def test_a_host_with_tls_is_spoken_to_with_tls() -> None:
    made = client.make(client.Address("tcp://10.0.0.1:2376", TLSConfig(verify=True)), "1.41", timeout=1, pool=1)
    assert made.base_url == "https://10.0.0.1:2376"
    made.close()


def test_the_tail_keeps_the_newest_bytes() -> None:
    tail = output.Tail(5)
    for part in (b"one", b"two", b"three-four"):
        tail.add(part)
    assert (tail.text(), tail.full, tail.count) == ("-four", True, 3)
    short = output.Tail(100)
    short.add(b"\xff!")
    assert (short.text(), short.full) == ("\ufffd!", False)


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        ("1970-01-01T00:00:01.5Z", 1.5),
        ("1970-01-01T00:00:01.123456789Z", 1.123456),
        ("1970-01-01T00:00:01Z", 1.0),
        ("1970-01-01T02:00:01.5+02:00", 1.5),
        ("nonsense", None),
        ("", None),
    ],
)
def test_times_of_the_engine_are_read(stamp: str, seconds: float | None) -> None:
    assert output.unix(stamp) == seconds


@pytest.mark.parametrize(
    ("started", "finished", "border"),
    [
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", None),
        ("1970-01-01T00:01:00Z", "0001-01-01T00:00:00Z", 0.0),
        ("1970-01-01T00:01:00Z", "1970-01-01T00:00:30Z", 30.0),
        ("1970-01-01T00:01:00Z", "1970-01-01T00:02:00Z", 59.0),
    ],
)
def test_a_run_begins_after_the_end_of_the_one_before(started: str, finished: str, border: float | None) -> None:
    assert output.beginning_of_run({"StartedAt": started, "FinishedAt": finished}) == border


@pytest.mark.parametrize(
    ("host", "brought"),
    [
        ({"NetworkMode": "host"}, {"hostname": "machine"}),
        (
            {"NetworkMode": "none", "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "80"}]}},
            {"ports": [{"target": "80/tcp", "host_ip": "*", "published": 80}]},
        ),
        ({"NetworkMode": "container:22"}, {"hostname": "machine"}),
        ({"UTSMode": "host"}, {"hostname": "machine"}),
        ({"PidMode": "host"}, {"security_opt": ["label=disable"]}),
        ({"IpcMode": "host"}, {"security_opt": ["label=disable"]}),
        ({"Privileged": True}, {"security_opt": ["label=disable"]}),
    ],
)
def test_what_the_engine_fills_in_because_of_another_setting_was_asked_by_nobody(
    host: dict[str, Any], brought: dict[str, Any]
) -> None:
    body = inspection() | {"Config": {"Hostname": "machine", "Labels": {}}, "HostConfig": host}
    found = reading.examined(body, {"Config": {"Cmd": ["a"]}}, {}).brought
    plain = reading.examined(body | {"HostConfig": {}}, {"Config": {"Cmd": ["a"]}}, {}).brought
    assert {key: value for key, value in found.items() if plain.get(key) != value} == brought
    assert found["command"] == ["a"]


ABOUT = {"LoggingDriver": "json-file", "DefaultRuntime": "runc", "CgroupVersion": "2"}


@pytest.mark.parametrize(
    ("host", "beyond"),
    [
        ({}, []),
        ({"Runtime": "runc", "CgroupnsMode": "private", "LogConfig": {"Type": "json-file", "Config": {}}}, []),
        # The engine may be set up with these: it does not tell.
        ({"LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}}}, []),
        ({"LogConfig": {"Type": "syslog", "Config": {"syslog-address": "udp://1.2.3.4"}}}, ["logging"]),
        ({"Runtime": "runsc", "CgroupnsMode": "host"}, ["cgroup", "runtime"]),
    ],
)
def test_what_the_engine_gives_by_itself_is_told_from_what_was_asked(host: dict[str, Any], beyond: list[str]) -> None:
    body = inspection() | {"Config": {"Labels": {}}, "HostConfig": host}
    found = reading.examined(body, {"Config": {}}, ABOUT)
    differing = differences_of_foreign({}, found.settings or {}, found.brought)
    assert sorted(one.setting for one in differing) == beyond


@pytest.mark.parametrize(
    ("host", "config", "word"),
    [
        ({"AutoRemove": True}, {}, "--rm"),
        ({"PublishAllPorts": True}, {}, "--publish-all"),
        ({}, {"NetworkDisabled": True}, "without a network"),
    ],
)
def test_what_no_setting_can_say_of_a_container_is_said(
    host: dict[str, Any], config: dict[str, Any], word: str
) -> None:
    body = inspection() | {"Config": {"Labels": {}, **config}, "HostConfig": host}
    (said,) = reading.examined(body, {"Config": {}}, ABOUT).unsaid
    assert word in said


@pytest.mark.parametrize(("state", "networks"), [("running", {}), ("paused", {}), ("exited", {"lan": ""})])
def test_a_network_listed_without_an_endpoint_is_no_connection_of_one_that_runs(
    state: str, networks: dict[str, str]
) -> None:
    shown = {"Networks": {"lan": {"IPAMConfig": {"IPv4Address": "10.9.0.9"}, "EndpointID": ""}}}
    inspected = reading.from_inspection({**inspection(Status=state), "NetworkSettings": shown})
    listed = reading.from_summary(summary(State=state, NetworkSettings=shown))
    assert dict(inspected.networks) == dict(listed.networks) == networks
    assert inspected.endpoints.keys() == networks.keys()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (400, "user specified IP address is supported only when connecting to networks with user configured subnets"),
        (500, "Invalid address 172.29.42.11: It does not belong to any of this network's subnets"),
        (500, "invalid link local IP address: 10.0.0.9"),
        (500, 'failed to add interface veth1 to sandbox: error renaming interface "veth1" to "lo": file exists'),
    ],
)
def test_a_connection_that_can_never_be_had_is_known_by_what_the_engine_says(code: int, text: str) -> None:
    assert translate(api_error(code, text), "here", EngineError).permanent
