"""The table of container settings: what may be written, what it comes to mean, what is sent."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model

from reconciler.intent.model import ContainerSpec
from reconciler.intent.settings import SETTINGS, Interpolated, map_volume_sources, payload, port_key, read_back
from reconciler.intent.settings.faults import MAX_FAULTS
from reconciler.quantities import durations, sizes


def normal(name: str, written: Any) -> Any:
    return TypeAdapter(SETTINGS[name].type).validate_python(written)


def faults(name: str, written: Any) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        normal(name, written)
    return [(line["loc"], line["msg"]) for line in caught.value.errors()]


def spec(settings: dict[str, Any], networks: dict[str, tuple[str, ...]] | None = None) -> ContainerSpec:
    return ContainerSpec(name="x", image="img:1", digest="", settings=settings, networks=networks or {})


def port(target: str, published: int | None, ip: str = "127.0.0.1") -> dict[str, Any]:
    return {"target": target, "host_ip": ip, "published": published}


def volume(kind: str, source: str | None, target: str, read_only: bool = False, **more: Any) -> dict[str, Any]:
    return {"type": kind, "source": source, "target": target, "read_only": read_only, **more}


@pytest.mark.parametrize(
    ("name", "written", "meant"),
    [
        ("command", "redis-server --save ''", ["redis-server", "--save", ""]),
        ("command", ["a", "b c"], ["a", "b c"]),
        ("command", None, None),
        ("command", "", []),
        ("entrypoint", [""], []),
        ("entrypoint", [], []),
        (
            "environment",
            {"B": 1, "A": True, "F": 0.5, "N": None, "E": ""},
            {"A": "true", "B": "1", "E": "", "F": "0.5", "N": None},
        ),
        (
            "environment",
            {"A": 1e3, "B": 2.50, "C": 1e6, "D": 1e-7},
            {"A": "1000", "B": "2.5", "C": "1e+06", "D": "1e-07"},
        ),
        ("environment", ["B=x=y", "A=", "B=last"], {"A": "", "B": "last"}),
        ("labels", ["bare", "k=v"], {"bare": "", "k": "v"}),
        ("labels", {"n": 1, "nothing": None}, {"n": "1", "nothing": ""}),
        ("user", "1000:1000", "1000:1000"),
        ("user", "", ""),
        ("working_dir", "/app/../srv//x/", "/srv/x"),
        ("working_dir", "C:\\app", "C:\\app"),
        ("restart", "no", "no"),
        ("restart", "on-failure:0", "on-failure"),
        ("restart", "on-failure:03", "on-failure:3"),
        ("hostname", "db-1.example", "db-1.example"),
        ("healthcheck", {"test": "curl -f x"}, {"test": ["CMD-SHELL", "curl -f x"]}),
        ("healthcheck", {"test": ["CMD-SHELL", "true", "-d", "x"]}, {"test": ["CMD-SHELL", "true", "-d", "x"]}),
        ("healthcheck", {"test": ["NONE", "x"]}, {"test": ["NONE"]}),
        ("healthcheck", {"disable": True, "interval": "3s"}, {"test": ["NONE"]}),
        ("healthcheck", {"disable": False, "retries": 0, "interval": "0s"}, {}),
        ("healthcheck", {"interval": "1m30s", "retries": 3}, {"interval": 90.0, "retries": 3}),
        ("stop_signal", "term", "SIGTERM"),
        ("stop_signal", "9", "SIGKILL"),
        ("stop_signal", "SIGRTMIN+3", "SIGRTMIN+3"),
        ("stop_grace_period", "1m30s", 90.0),
        ("stop_grace_period", "1500ms", 2.0),
        ("init", True, True),
        ("tmpfs", "/run", {"/run": ""}),
        ("tmpfs", ["/tmp:size=64m,mode=1777", "/run/"], {"/run": "", "/tmp": "size=64m,mode=1777"}),
        ("read_only", False, False),
        ("cap_add", ["sys_time", "CAP_NET_ADMIN", "NET_ADMIN"], ["NET_ADMIN", "SYS_TIME"]),
        ("cap_drop", ["all"], ["ALL"]),
        ("mem_limit", "64m", 64 * 1024**2),
        ("mem_limit", "1.5GiB", 3 * 512 * 1024**2),
        ("mem_limit", 8 * 1024**2, 8 * 1024**2),
        ("cpus", "0.5", 0.5),
        ("cpus", 2, 2.0),
        ("cpus", ".25", 0.25),
    ],
)
def test_what_is_written_comes_to_its_normal_form(name: str, written: Any, meant: Any) -> None:
    found = normal(name, written)
    assert found == meant
    assert json.dumps(found) == json.dumps(meant)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"27017": "27017"}, [port("27017/tcp", 27017)]),
        ({"27017": 27017}, [port("27017/tcp", 27017)]),
        ({"53/UDP": "127.0.0.2:5353"}, [port("53/udp", 5353, "127.0.0.2")]),
        ({"80": ""}, [port("80/tcp", None)]),
        ({"80": None}, [port("80/tcp", None)]),
        ({"80": "0"}, [port("80/tcp", None)]),
        ({"80": "[::1]:8080"}, [port("80/tcp", 8080, "::1")]),
        ({"80": "0.0.0.0:"}, [port("80/tcp", None, "0.0.0.0")]),
        ({"80": "*:8080"}, [port("80/tcp", 8080, "*")]),
        (["*:8080:80"], [port("80/tcp", 8080, "*")]),
        (["*::80/udp"], [port("80/udp", None, "*")]),
        ([{"target": 80, "published": 8080, "host_ip": "*"}], [port("80/tcp", 8080, "*")]),
        (["80"], [port("80/tcp", None)]),
        ([80], [port("80/tcp", None)]),
        (["8080:80"], [port("80/tcp", 8080)]),
        (["8080:80/udp"], [port("80/udp", 8080)]),
        (["127.0.0.1:8080:80"], [port("80/tcp", 8080)]),
        (["127.0.0.1::80"], [port("80/tcp", None)]),
        (["[::1]:8080:80"], [port("80/tcp", 8080, "::1")]),
        (["[0:0:0:0:0:0:0:1]:8080:80"], [port("80/tcp", 8080, "::1")]),
        (["0.0.0.0:8080:80"], [port("80/tcp", 8080, "0.0.0.0")]),
        (["8000-8001:80-81"], [port("80/tcp", 8000), port("81/tcp", 8001)]),
        (["80-81"], [port("80/tcp", None), port("81/tcp", None)]),
        (["9000:90", "443", "8080:80", "443"], [port("80/tcp", 8080), port("90/tcp", 9000), port("443/tcp", None)]),
        ([{"target": 80}], [port("80/tcp", None)]),
        (
            [{"target": "53", "published": "5353", "host_ip": "0.0.0.0", "protocol": "udp", "mode": "host"}],
            [port("53/udp", 5353, "0.0.0.0")],
        ),
        ({}, []),
    ],
)
def test_ports_in_all_their_forms(written: Any, meant: Any) -> None:
    assert normal("ports", written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("./data:/data", volume("bind", "./data", "/data")),
        ("/srv/x:/data:ro", volume("bind", "/srv/x", "/data", True)),
        ("~/x:/data:rw", volume("bind", "~/x", "/data")),
        ("cache:/var/cache/", volume("volume", "cache", "/var/cache")),
        ("/anonymous", volume("volume", None, "/anonymous")),
        ("./x:/x:ro,Z", volume("bind", "./x", "/x", True, selinux="Z")),
        ("cache:/x:nocopy", volume("volume", "cache", "/x", nocopy=True)),
        ("C:\\x:/y", volume("bind", "C:\\x", "/y")),
        ("c:/x:/y:ro", volume("bind", "c:/x", "/y", True)),
        ("C:\\x:D:\\y:ro", volume("bind", "C:\\x", "D:\\y", True)),
        ("C:\\y", volume("volume", None, "C:\\y")),
        ("\\\\server\\share:/y", volume("bind", "\\\\server\\share", "/y")),
        ({"type": "volume", "target": "/x", "read_only": True}, volume("volume", None, "/x", True)),
        (
            {"type": "bind", "source": "./a", "target": "/x", "bind": {"selinux": "z"}},
            volume("bind", "./a", "/x", selinux="z"),
        ),
        ({"type": "tmpfs", "target": "/x", "tmpfs": {"size": "1m"}}, volume("tmpfs", None, "/x", size=1024**2)),
    ],
)
def test_volumes_in_all_their_forms(written: Any, meant: Any) -> None:
    assert normal("volumes", [written]) == [meant]


@pytest.mark.parametrize(
    ("name", "written", "words"),
    [
        ("command", "sh -c 'unfinished", "a quotation that is not closed"),
        ("command", "npm install && npm start", "&& means something only to a shell"),
        ("command", 5, "expected a command, as a string or a list of strings, found 5"),
        ("environment", ["BARE"], "'BARE' has no value; write BARE=value"),
        ("environment", {"A=B": "c"}, "expected the name of a variable"),
        ("environment", {"A": ["x"]}, "expected a string or a number, found a list"),
        ("environment", {"A": "x\0y"}, "NUL"),
        ("environment", "A=B", "expected an object, or a list of variables"),
        ("ports", {"0": "80"}, "a port from 1 to 65535"),
        ("ports", {"80": "65536"}, "a port from 0 to 65535, found '65536'"),
        ("ports", {"80": True}, "expected a port (a whole number), found true"),
        ("ports", {"http": "80"}, "expected a port of the container"),
        ("ports", {"80/icmp": "80"}, "expected tcp, udp or sctp"),
        ("ports", {"80": "localhost:80"}, "expected an IP address of the host"),
        ("ports", ["1.2.3:80:80"], "expected an IP address of the host"),
        ("ports", ["80:80:80:80"], "expected a port such as"),
        ("ports", ["8000-8002:80-81"], "the same length"),
        ("ports", ["8002-8000:80"], "begins with its smaller port"),
        ("ports", ["82-80"], "begins with its smaller port"),
        ("ports", ["-80:80"], "expected a port"),
        ("ports", [-80], "a port from 1 to 65535, found -80"),
        ("ports", [{"published": 80}], "target, the container's port, is missing"),
        ("ports", [{"target": 80, "publised": 80}], "unknown key 'publised'; did you mean 'published'?"),
        ("ports", "8080:80", "expected an object"),
        ("ports", ["1-60000"], "at most 4096 ports"),
        ("ports", {str(n): "" for n in range(1, 5000)}, "at most 4096 ports"),
        ("ports", ["1-4000", "4001-5000"], "at most 4096 ports"),
        ("volumes", ["data/x:/y"], "write './data/x'"),
        ("volumes", ["x:/y"], "a volume's name has two or more characters"),
        ("volumes", ["./x:y"], "expected an absolute path in the container"),
        ("volumes", ["./x:/"], "nothing can be mounted on /"),
        ("volumes", ["./x:/y:rO"], "'rO' is not a known mode (ro, rw, z, Z, nocopy, private"),
        ("volumes", ["./x:/y:ro,rw"], "contradict"),
        ("volumes", ["./x:/y:nocopy"], "nocopy is for named volumes"),
        ("volumes", ["/y:ro"], "an anonymous volume takes no mode"),
        ("volumes", ["./a:/y", "./b:/y/"], "something else is mounted on /y already"),
        ("volumes", [{"type": "bind", "target": "/x"}], "source, the directory or file of the host, is missing"),
        ("volumes", [{"type": "tmpfs", "source": "x", "target": "/x"}], "a tmpfs has no source"),
        ("volumes", [{"type": "bind", "source": "/a:b", "target": "/x"}], "a colon"),
        ("volumes", [{"type": "bind", "source": "./a", "target": "/x", "tmpfs": {}}], "options for tmpfs"),
        ("labels", {"io.pnr.domain": "x"}, "are pnr's own"),
        ("user", 1000, 'expected a user such as "1000:1000" or "node", found 1000'),
        ("user", "a b", "expected a user"),
        ("working_dir", "app", "expected an absolute path"),
        ("restart", False, 'expected "no", always'),
        ("restart", "on-failure:x", "expected"),
        ("hostname", "-x", "expected a host name"),
        ("hostname", "a" * 64, "expected a host name"),
        ("hostname", "x\n", "expected a host name"),
        ("healthcheck", {"test": ["curl"]}, 'a test given as a list is ["CMD"'),
        ("healthcheck", {"interval": 10}, "expected a duration such as 30s or 1m30s, found 10"),
        ("healthcheck", {"interval": "1us"}, "at least 1ms"),
        ("healthcheck", {"test": "x", "disable": True}, "disable is true, and there is a test as well"),
        ("healthcheck", {"retrys": 1}, "unknown key 'retrys'; did you mean 'retries'?"),
        ("healthcheck", {"retries": "three"}, "a whole number"),
        ("stop_signal", "SIGTEM", "'SIGTEM' is not a signal; did you mean 'TERM'?"),
        ("stop_signal", "99", "is not a signal"),
        ("stop_signal", 15, "expected a signal"),
        ("stop_grace_period", "-1s", "expected a duration"),
        ("stop_grace_period", "9" * 15 + "w", "below 290 years"),
        ("init", "true", "expected true or false, found 'true'"),
        ("init", 1, "expected true or false, found 1"),
        ("tmpfs", ["run"], "expected an absolute path"),
        ("tmpfs", "/run:sise=1m", "'sise' is not an option of a tmpfs; did you mean 'size'?"),
        ("cap_add", ["NET_ADMN"], "'NET_ADMN' is not a capability; did you mean 'NET_ADMIN'?"),
        ("cap_add", "NET_ADMIN", "expected a list of capabilities"),
        ("mem_limit", "abc", "expected a size such as 64m or 1g, found 'abc'"),
        ("mem_limit", "5m", "at least 6m, found '5m'"),
        ("mem_limit", -1, "at least 6m"),
        ("mem_limit", True, "expected a size"),
        ("cpus", 0, "a number of processors from 0.01 to 10000, found 0"),
        ("cpus", "half", "expected a number of processors such as 0.5"),
        ("cpus", float("nan"), "expected a number of processors"),
        ("cpus", 10**400, "expected a number of processors"),
    ],
)
def test_what_is_wrong_is_said_in_words_for_people(name: str, written: Any, words: str) -> None:
    found = faults(name, written)
    assert len(found) == 1
    assert words in found[0][1]


@pytest.mark.parametrize(
    ("name", "written", "places"),
    [
        ("ports", ["80", "x", "y:z"], [(1,), (2,)]),
        ("ports", {"80": "x", "81": "82"}, [("80",)]),
        ("ports", [{"target": 0, "protocol": "icmp"}], [(0, "target"), (0, "protocol")]),
        ("healthcheck", {"interval": "x", "timeout": "y", "test": [1]}, [("interval",), ("timeout",), ("test", 0)]),
        ("environment", ["A", "B=1", 5], [(0,), (2,)]),
        (
            "volumes",
            [{"type": "bind", "source": "./a", "target": "/x", "bind": {"selinux": "q"}}],
            [(0, "bind", "selinux")],
        ),
    ],
)
def test_every_fault_comes_at_once_and_with_its_place(name: str, written: Any, places: Any) -> None:
    assert [place for place, _ in faults(name, written)] == places


def test_a_number_of_thousands_of_digits_is_refused_without_being_written_out() -> None:
    for name in ("mem_limit", "cpus"):
        assert "a number that is far too large" in faults(name, 10**5000)[0][1]
    assert "found a number that is far too large" in faults("environment", {"A": 10**5000})[0][1]


def test_rubbish_without_end_is_not_looked_at_to_its_end() -> None:
    assert len(faults("cap_add", ["x"] * 50_000)) == MAX_FAULTS


def test_a_value_in_a_message_shows_no_control_characters_and_is_short() -> None:
    message = faults("mem_limit", "\x1b[31m" + "x" * 500)[0][1]
    assert "\x1b" not in message
    assert len(message) < 120


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("init", "true", True),
        ("init", "No", False),
        ("read_only", "1", True),
        ("mem_limit", "64m", 64 * 1024**2),
        ("cpus", "0.5", 0.5),
        ("stop_signal", "TERM", "SIGTERM"),
    ],
)
def test_interpolated_text_may_stand_for_any_type(name: str, text: str, meant: Any) -> None:
    assert normal(name, Interpolated(text)) == meant


def test_interpolated_text_stands_for_numbers_inside_objects_and_lists() -> None:
    assert normal("healthcheck", {"retries": Interpolated("3")}) == {"retries": 3}
    assert normal("ports", [{"target": Interpolated("80")}]) == [port("80/tcp", None)]


def test_a_normal_form_holds_nothing_but_plain_json_types() -> None:
    environment = normal("environment", {Interpolated("A"): Interpolated("1")})
    assert [type(part) for pair in environment.items() for part in pair] == [str, str]
    assert type(normal("user", Interpolated("me"))) is str
    assert type(normal("ports", {"80": Interpolated("127.0.0.1:80")})[0]["host_ip"]) is str


def test_a_name_and_an_example_for_every_row_and_the_example_is_valid() -> None:
    assert set(SETTINGS) >= {
        "command", "entrypoint", "environment", "ports", "volumes", "labels", "user", "working_dir", "restart",
        "hostname", "healthcheck", "stop_signal", "stop_grace_period", "init", "tmpfs", "read_only", "cap_add",
        "cap_drop", "mem_limit", "cpus",
    }  # fmt: skip
    for name, setting in SETTINGS.items():
        assert setting.name == name
        assert setting.doc
        assert normal(name, setting.example) is not None


def test_a_model_made_of_the_rows_has_a_json_schema_and_tells_all_faults_by_path() -> None:
    fields: dict[str, Any] = {name: (setting.type, None) for name, setting in SETTINGS.items()}
    model: type[BaseModel] = create_model("Container", __config__=ConfigDict(extra="forbid"), **fields)
    properties = model.model_json_schema()["properties"]
    assert properties["ports"]["examples"] == [{"80": "8080"}]
    assert {"anyOf", "description"} <= set(properties["ports"])
    with pytest.raises(ValidationError) as caught:
        model.model_validate({"mem_limit": "x", "ports": ["80", "y"]})
    assert {line["loc"] for line in caught.value.errors()} == {("mem_limit",), ("ports", 1)}


def inspected_from(body: dict[str, Any]) -> dict[str, Any]:
    """What an engine would show that fills in nothing."""
    config = {key: value for key, value in body.items() if key not in ("HostConfig", "NetworkingConfig")}
    return {"Config": config, "HostConfig": body["HostConfig"]}


@pytest.mark.parametrize("name", list(SETTINGS))
def test_what_is_sent_is_read_back(name: str) -> None:
    declared = normal(name, SETTINGS[name].example)
    body = payload(spec({name: declared}))
    json.dumps(body)
    found = read_back(inspected_from(body))
    assert SETTINGS[name].same(declared, found[name])


@pytest.mark.parametrize("name", list(SETTINGS))
def test_reading_a_container_that_shows_nothing_fails_nowhere(name: str) -> None:
    assert name in read_back({})
    assert name in read_back({"Config": {}, "HostConfig": {}})


def test_what_the_image_adds_is_no_difference() -> None:
    for name, declared, found in [
        ("environment", {"A": "1", "GONE": None}, {"A": "1", "PATH": "/bin"}),
        ("labels", {"a": "1"}, {"a": "1", "maintainer": "x", "io.pnr.domain": "shop"}),
        ("volumes", [volume("bind", "/a", "/a")], [volume("bind", "/a", "/a"), volume("bind", "/run", "/runtime")]),
        ("healthcheck", {"retries": 3}, {"retries": 3, "test": ["CMD", "x"]}),
        ("user", "", "postgres"),
        ("command", [], ["nginx"]),
    ]:
        assert SETTINGS[name].same(declared, found), name


def test_a_bare_container_gets_no_restart_policy_of_its_own() -> None:
    body = payload(spec({}))
    assert body == {"Image": "img:1", "HostConfig": {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}}}


def test_the_first_network_is_in_the_body_with_its_aliases() -> None:
    body = payload(spec({}, {"pnr_shop": ("db", "shop_db"), "other": ("x",)}))
    assert body["HostConfig"]["NetworkMode"] == "pnr_shop"
    assert body["NetworkingConfig"] == {"EndpointsConfig": {"pnr_shop": {"Aliases": ["db", "shop_db"]}}}


def test_published_ports_are_exposed_too() -> None:
    body = payload(spec({"ports": normal("ports", {"80": "8080", "53/udp": ""})}))
    assert body["ExposedPorts"] == {"53/udp": {}, "80/tcp": {}}
    assert body["HostConfig"]["PortBindings"]["80/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": "8080"}]
    assert body["HostConfig"]["PortBindings"]["53/udp"] == [{"HostIp": "127.0.0.1", "HostPort": ""}]


def test_a_port_on_all_addresses_is_left_to_the_engine_and_read_back_as_such() -> None:
    body = payload(spec({"ports": normal("ports", ["*:8080:80"])}))
    assert body["HostConfig"]["PortBindings"]["80/tcp"] == [{"HostIp": "", "HostPort": "8080"}]
    found = SETTINGS["ports"].read({"HostConfig": body["HostConfig"]})
    assert found == normal("ports", ["*:8080:80"]) != normal("ports", ["0.0.0.0:8080:80"])


def test_whoever_gets_a_body_may_change_it() -> None:
    settings = {name: normal(name, setting.example) for name, setting in SETTINGS.items()}
    before = copy.deepcopy(settings)
    body = payload(spec(settings))
    body["Labels"]["io.pnr.domain"] = "shop"
    body["Env"].append("FLOWIN=1")
    body["Cmd"].append("x")
    body["Healthcheck"]["Test"].append("x")
    body["HostConfig"]["Binds"].append("/run:/runtime")
    body["HostConfig"]["Tmpfs"]["/x"] = ""
    body["HostConfig"]["CapAdd"].append("X")
    assert settings == before


def test_only_volumes_with_a_source_are_mapped() -> None:
    declared = normal("volumes", ["./a:/a", "cache:/b", "/c"])
    found = map_volume_sources(declared, lambda kind, source: f"{kind}!{source}")
    assert [entry["source"] for entry in found] == ["bind!./a", "volume!cache", None]
    assert [entry["source"] for entry in declared] == ["./a", "cache", None]


@pytest.mark.parametrize(("written", "meant"), [("27017", "27017/tcp"), ("53/udp", "53/udp"), (80, "80/tcp")])
def test_a_port_key_is_a_port_of_the_container(written: Any, meant: str) -> None:
    assert port_key(written) == meant


@given(st.integers(min_value=10**6, max_value=10**15))
def test_a_duration_for_people_can_be_read_again(nanoseconds: int) -> None:
    seconds = nanoseconds / 10**9
    assert normal("healthcheck", {"interval": durations.exact(seconds)}) == {"interval": seconds}


@given(st.integers(min_value=6 * 1024**2, max_value=2**50))
def test_a_size_for_people_can_be_read_again(count: int) -> None:
    assert normal("mem_limit", sizes.exact(count)) == count


_PIECES = st.sampled_from(
    [
        "80",
        ":",
        "/",
        "-",
        "tcp",
        "127.0.0.1",
        "[::1]",
        "./a",
        "C:\\",
        "ro",
        ",",
        "=",
        "1m",
        "s",
        "'",
        "\\",
        " ",
        "٣",
        "\0",
        "²",
    ]
)
_TEXTS = st.text(max_size=8) | st.lists(_PIECES, max_size=6).map("".join)
_KEYS = _TEXTS | st.sampled_from(["target", "published", "host_ip", "type", "source", "test", "interval", "disable"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS | _TEXTS.map(Interpolated),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(sorted(SETTINGS)), _JSON)
def test_anything_that_json_can_hold_is_either_understood_or_refused_in_words(name: str, written: Any) -> None:
    found: Any = None
    refused: list[Any] = []
    try:
        found = normal(name, written)
    except ValidationError as error:
        refused = list(error.errors())
    assert all(line["type"] == "invalid_setting" and line["msg"] for line in refused)
    if found is not None:
        back = read_back(inspected_from(json.loads(json.dumps(payload(spec({name: found}))))))[name]
        assert SETTINGS[name].same(found, back)
