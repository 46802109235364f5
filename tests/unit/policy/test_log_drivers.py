"""Ways to the host's sockets, files and loopback through what the engine does with what a container prints."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.policy.refusal import KNOWN_FIELDS
from reconciler.policy.request import Request
from reconciler.policy.suggesting import allowing
from reconciler.policy.world import HostNet
from tests.unit.policy.judging import OPEN, STANDARD, STRICT, Engine, changed, container, create, judge, rules, send

ADDRESSES, OPTIONS = "logging.addresses", "logging.options"
SOCKET, PROTECTED = "binds.engine_socket", "binds.protected"


def logged(driver: str, **options: Any) -> Request:
    """A container whose output goes to a driver; ``_`` stands for ``-`` in names of options."""
    config = {name.replace("_", "-"): value for name, value in options.items()}
    return create({"LogConfig": {"Type": driver, "Config": config}})


def syslog(address: str) -> Request:
    return logged("syslog", syslog_address=address)


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        pytest.param("unix:///run/docker.sock", SOCKET, id="the engine's socket"),
        pytest.param("unix://x/run/docker.sock", SOCKET, id="with a host part"),
        pytest.param("unix://user@x:1/run/docker.sock", SOCKET, id="with a user and a port"),
        pytest.param("UNIX:///run/docker.sock", SOCKET, id="in upper case"),
        pytest.param("uNiXgRaM:///run/docker.sock", SOCKET, id="in both cases"),
        pytest.param("unix:////run//docker.sock", SOCKET, id="with many slashes"),
        pytest.param("unix:///run/./docker.sock", SOCKET, id="with dots"),
        pytest.param("unix:///srv/../run/docker.sock", SOCKET, id="upwards"),
        pytest.param("unix:///run/docker.sock?x=1", SOCKET, id="with a query"),
        pytest.param("unix:///run/docker.sock#x", SOCKET, id="with a fragment"),
        pytest.param("unix:///run/%64ocker.sock", KNOWN_FIELDS, id="with percent signs"),
        pytest.param("unix:///srv/%2e%2e/run/docker.sock", KNOWN_FIELDS, id="upwards with percent signs"),
        pytest.param("unix:/run/docker.sock", KNOWN_FIELDS, id="with one slash"),
        pytest.param("unix:run/docker.sock", KNOWN_FIELDS, id="without a slash"),
        pytest.param("unix://run/docker.sock", KNOWN_FIELDS, id="relative to some"),
        pytest.param("unix://./docker.sock", KNOWN_FIELDS, id="relative with a dot"),
        pytest.param("unix://", KNOWN_FIELDS, id="nothing"),
        pytest.param("/run/docker.sock", KNOWN_FIELDS, id="a path alone"),
        pytest.param("unixgram:///run/systemd/notify", PROTECTED, id="systemd's socket"),
        pytest.param("unixgram:///run/systemd/journal/socket", PROTECTED, id="the journal's socket"),
        pytest.param("unixpacket:///run/x", KNOWN_FIELDS, id="another kind of socket"),
        pytest.param("fd://3", KNOWN_FIELDS, id="a descriptor"),
        pytest.param("file:///etc/cron.d/x", KNOWN_FIELDS, id="a file"),
        pytest.param("npipe:////./pipe/docker_engine", KNOWN_FIELDS, id="a pipe of Windows"),
        pytest.param("unix:///srv/x\x00/y", KNOWN_FIELDS, id="with a zero"),
        pytest.param("unix:///srv/x\n/y", KNOWN_FIELDS, id="with a new line"),
        pytest.param(" unix:///run/docker.sock", KNOWN_FIELDS, id="with a blank before it"),
        pytest.param("unix:\\\\run\\docker.sock", KNOWN_FIELDS, id="with backslashes"),
    ],
)
def test_no_socket_of_the_host_is_reached(address: str, rule: str) -> None:
    for asked in (syslog(address), logged("fluentd", fluentd_address=address), logged("", syslog_address=address)):
        assert rule in rules(asked) or KNOWN_FIELDS in rules(asked)
        assert rules(asked) & {SOCKET, PROTECTED, KNOWN_FIELDS}
    assert rule in rules(syslog(address))
    assert rules(syslog(address), OPEN) == set()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::127.0.0.1]",
        "[0:0:0:0:0:0:0:1]", "[64:ff9b::7f00:1]", "localhost", "LocalHost", "localhost.", "x.localhost",
        "localhost.localdomain", "ip6-localhost", "127.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001",
        "127.0.0.1.", "169.254.169.254", "169.254.1.1", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200",
        "168.63.129.16", "metadata.google.internal", "Metadata.Google.Internal.", "metadata", "192.168.1.10",
        "172.17.0.1", "[fd12::10]", "box", "BOX", "logs", "logs.", "box.local", "Logs.local.",
        "_localdnsstub", "_outbound", "224.0.0.1", "255.255.255.255", "[ff02::1]",
    ],
)  # fmt: skip
def test_no_port_of_this_machine_is_reached_nor_what_a_cloud_tells_it(host: str) -> None:
    """Lines for a log are orders to whom reads lines: a store of keys on loopback, say."""
    for asked in (
        syslog(f"tcp://{host}:6379"),
        syslog(f"UDP://{host}:6379"),
        syslog(f"tcp+tls://{host}:6379"),
        logged("gelf", gelf_address=f"tcp://{host}:2375"),
        logged("fluentd", fluentd_address=f"{host}:2375"),
        logged("fluentd", fluentd_address=f"tls://{host}:2375"),
        logged("splunk", splunk_url=f"http://{host}:2375"),
        logged("splunk", splunk_url=f"https://{host}/"),
        logged("awslogs", awslogs_endpoint=f"http://{host}:2375/x"),
        logged("awslogs", awslogs_endpoint=host),
    ):
        assert rules(asked) == {ADDRESSES}, asked.body["HostConfig"]
        assert rules(asked, OPEN) == set()
        assert rules(asked, changed(OPEN, builds__allowed=True)) == set()


@pytest.mark.parametrize(
    "address",
    [
        "tcp://x@127.0.0.1:6379", "tcp://192.0.2.1@127.0.0.1:6379", "tcp://127.0.0.1:6379?x", "tcp://192.0.2.1:1#@x",
        "tcp://192.0.2.1\\@127.0.0.1:1", "tcp://[fe80::1%25eth0]:1", "tcp://[::1", "tcp://::1:514", "tcp://",
        "tcp://:6379", "tcp:///x", "tcp://a b:1", "tcp://192.0.2.1:http", "tcp://192.0.2.1:123456",
        "tcp://%31%32%37.0.0.1:1", "http://192.0.2.1", "ssh://192.0.2.1", "://192.0.2.1", "tcp://\u217c:1",
        "tcp://127\u30020\u30020\u30021:1", "tcp://192.0.2.1/x",
    ],
)  # fmt: skip
def test_addresses_that_readers_take_differently_are_refused(address: str) -> None:
    assert rules(syslog(address)) == {KNOWN_FIELDS}
    assert rules(logged("gelf", gelf_address=address)) == {KNOWN_FIELDS}
    assert KNOWN_FIELDS in rules(logged("fluentd", fluentd_address=address))


@pytest.mark.parametrize("option", ["syslog-tls-ca-cert", "syslog-tls-cert", "syslog-tls-key"])
@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/etc/shadow", PROTECTED),
        ("/root/.ssh/id_rsa", PROTECTED),
        ("/srv/../etc/shadow", PROTECTED),
        ("/proc/1/environ", PROTECTED),
        ("/srv/pnr/state/key", PROTECTED),
        ("etc/shadow", "binds.allowed"),
        ("./etc/shadow", "binds.allowed"),
        ("../etc/shadow", "binds.allowed"),
        ("~/key", "binds.allowed"),
    ],
)
def test_files_of_log_drivers_are_judged_as_what_is_read(option: str, path: str, rule: str) -> None:
    asked = create({"LogConfig": {"Type": "syslog", "Config": {"syslog-address": "tcp+tls://192.0.2.1", option: path}}})
    assert rules(asked) == {rule}
    assert rule in rules(logged("splunk", splunk_url="https://192.0.2.1:8088", splunk_capath=path))


def test_certificates_that_everybody_may_read_are_allowed() -> None:
    ours = {"syslog_tls_ca_cert": "/etc/ssl/certs/ca.pem", "syslog_tls_key": "/srv/logs/key.pem"}
    assert rules(logged("syslog", syslog_address="tcp+tls://logs.example.com:6514", **ours)) == set()


@pytest.mark.parametrize(
    ("driver", "options", "rule"),
    [
        pytest.param("json-file", {"path": "cron"}, OPTIONS, id="an option that nobody knows"),
        pytest.param("json-file", {"Max-Size": "1m"}, OPTIONS, id="in upper case"),
        pytest.param("json-file", {"syslog-address": "udp://192.0.2.1"}, OPTIONS, id="an option of another driver"),
        pytest.param("local", {"tag": "x"}, OPTIONS, id="an option that this driver lacks"),
        pytest.param("gcplogs", {"gcp-credentials-file": "x"}, OPTIONS, id="credentials"),
        pytest.param("awslogs", {"awslogs-credentials-endpoint": "/srv/x"}, OPTIONS, id="credentials of a task"),
        pytest.param("awslogs", {"awslogs-credentials-endpoint": "@evil/"}, OPTIONS, id="credentials to elsewhere"),
        pytest.param("", {"awslogs-credentials-endpoint": "/srv/x"}, OPTIONS, id="to the engine's usual driver"),
        pytest.param("awslogs", {"awslogs-region": "x.evil.example/"}, KNOWN_FIELDS, id="a region that is a host"),
        pytest.param("awslogs", {"awslogs-region": "127.0.0.1:2375#"}, KNOWN_FIELDS, id="a region that is an address"),
        pytest.param("gcplogs", {"gcp-project": "../x"}, KNOWN_FIELDS, id="a project that is a path"),
        pytest.param("json-file", {"tag": "a\nb"}, KNOWN_FIELDS, id="a tag of two lines"),
        pytest.param("syslog", {"tag": "a\x1b[2Jb"}, KNOWN_FIELDS, id="a tag that rules terminals"),
        pytest.param("journald", {"tag": "a\x00b"}, KNOWN_FIELDS, id="a tag with a zero"),
        pytest.param("journald", {"tag": "a\u202eb"}, KNOWN_FIELDS, id="a tag that turns text around"),
        pytest.param("journald", {"labels": "a\rb"}, KNOWN_FIELDS, id="labels of two lines"),
        pytest.param("json-file", {"env": "A" * 5000}, KNOWN_FIELDS, id="a very long option"),
        pytest.param("journald", {"tag": "{{pad .ID 2000000000 1}}"}, KNOWN_FIELDS, id="two billion blanks"),
        pytest.param("journald", {"tag": '{{printf "%900000000d" 1}}'}, KNOWN_FIELDS, id="a wide number"),
        pytest.param("journald", {"tag": '{{define "a"}}{{template "a"}}{{end}}'}, KNOWN_FIELDS, id="recursion"),
        pytest.param("journald", {"tag": "{{json (json (json .Name))}}"}, KNOWN_FIELDS, id="doubling"),
        pytest.param("journald", {"tag": "{{range .ContainerEnv}}{{.}}{{end}}"}, KNOWN_FIELDS, id="a loop"),
        pytest.param("journald", {"tag": "{{$x := .Name}}"}, KNOWN_FIELDS, id="variables"),
        pytest.param("journald", {"tag": "{{.Name"}, KNOWN_FIELDS, id="an open template"),
        pytest.param("journald", {"tag": '{{"}}" | printf "%9s"}}'}, KNOWN_FIELDS, id="behind an end in quotes"),
        pytest.param("journald", {"tag": "{{`}}` | pad 9 9}}"}, KNOWN_FIELDS, id="behind an end in other quotes"),
        pytest.param("journald", {"tag": "{{'}' }}{{range .}}"}, KNOWN_FIELDS, id="behind a sign in quotes"),
        pytest.param("journald", {"tag": '{{"\\"}}" | printf}}'}, KNOWN_FIELDS, id="behind an escaped quote"),
        pytest.param("journald", {"tag": '{{/* " */}}{{printf "%9s" .ID}}{{/* " */}}'}, KNOWN_FIELDS, id="in comments"),
        pytest.param("journald", {"tag": '{{join (split .Name "") .Command}}'}, KNOWN_FIELDS, id="a text times a text"),
        pytest.param("journald", {"tag": '{{.Name | join (split .Name "")}}'}, KNOWN_FIELDS, id="the same, piped"),
        pytest.param("journald", {"tag": '{{join . "12345678"}}'}, KNOWN_FIELDS, id="a long text between"),
        pytest.param("json-file", {"mode": "non-blocking", "max-buffer-size": "1t"}, "logging.buffer", id="a terabyte"),
        pytest.param("json-file", {"max-buffer-size": "x"}, "logging.buffer", id="no size"),
        pytest.param("fluentd", {"fluentd-buffer-limit": "999g"}, "logging.buffer", id="memory of the engine"),
        pytest.param("loki", {}, "logging.drivers", id="a driver that is a program"),
        pytest.param("Syslog", {}, "logging.drivers", id="a driver in upper case"),
    ],
)
def test_options_of_log_drivers_are_known_ones(driver: str, options: dict[str, Any], rule: str) -> None:
    asked = create({"LogConfig": {"Type": driver, "Config": options}})
    assert rules(asked) == {rule}
    assert rules(asked, OPEN) == set()


@pytest.mark.parametrize(
    ("driver", "options"),
    [
        ("json-file", {"max-size": "10m", "max-file": "3", "compress": "true", "labels": "a,b", "env-regex": "^os"}),
        ("json-file", {"tag": "{{.ImageName}}/{{.Name}}/{{.ID}}", "mode": "non-blocking", "max-buffer-size": "4m"}),
        ("local", {"max-size": "10m", "max-file": "3"}),
        ("journald", {"tag": '{{index .ContainerLabels "com.example.app2024"}}', "labels-regex": "^com"}),
        ("journald", {"tag": '{{with split .Name "-"}}{{join . "/"}}{{end}}'}),
        ("", {"max-size": "10m"}),
        ("none", {"max-size": "10m"}),
        ("syslog", {}),
        ("syslog", {"syslog-address": "udp://192.0.2.1:1111", "syslog-facility": "daemon", "tag": "x"}),
        ("syslog", {"syslog-address": "tcp+tls://logs.papertrailapp.com:12345", "syslog-format": "rfc5424micro"}),
        ("syslog", {"syslog-address": "udp://[2001:db8::1]:514"}),
        ("syslog", {"syslog-address": "tcp://127.0.0.1:514"}),
        ("syslog", {"syslog-address": "unixgram:///srv/logs/socket"}),
        ("gelf", {"gelf-address": "udp://graylog.example.com:12201", "gelf-compression-type": "gzip"}),
        ("gelf", {"gelf-address": "udp://localhost:12201"}),
        ("fluentd", {}),
        ("fluentd", {"fluentd-address": "localhost:24224", "fluentd-async": "true", "tag": "docker.{{.Name}}"}),
        ("fluentd", {"fluentd-address": "192.168.1.20", "fluentd-buffer-limit": "8MB"}),
        ("fluentd", {"fluentd-address": "unix:///srv/fluent/fluent.sock"}),
        ("awslogs", {"awslogs-region": "eu-central-1", "awslogs-group": "shop", "awslogs-create-group": "true"}),
        ("awslogs", {"awslogs-region": "eu-central-1", "awslogs-format": "json/emf"}),
        ("gcplogs", {"gcp-project": "my-project-1", "labels": "a"}),
        ("syslog", {"syslog-address": "tcp://elsewhere:1514"}),
        ("journald", {"tag": ""}),
    ],
)  # fmt: skip
def test_usual_options_are_allowed(driver: str, options: dict[str, str]) -> None:
    assert rules(create({"LogConfig": {"Type": driver, "Config": options}})) == set()


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "169.254.169.254", "192.168.1.10", "::ffff:127.0.0.1", "0.0.0.0"]
)
def test_a_name_is_what_it_stands_for_when_the_container_is_made(address: str) -> None:
    asked = logged("gelf", gelf_address="tcp://logs.example.com:6379")
    led = Engine(hosts={"logs.example.com": ("192.0.2.1", address)})
    assert rules(asked, engine=led) == {ADDRESSES}
    assert rules(asked, engine=Engine(hosts={"logs.example.com": ("192.0.2.1", "10.1.2.3", "nonsense")})) == set()
    assert rules(asked, changed(STANDARD, logging__addresses=["logs.example.com"]), engine=led) == set()


def test_goals_are_allowed_by_host_by_port_by_subnet_or_as_this_machine() -> None:
    for entry in ("127.0.0.1", "127.0.0.1:6379", "127.0.0.0/8", "*:6379", "@host", "@host:6379"):
        policy = changed(STANDARD, logging__addresses=[entry])
        assert rules(syslog("tcp://127.0.0.1:6379"), policy) == set()
        assert rules(syslog("tcp://169.254.169.254:80"), policy) == {ADDRESSES}
    assert rules(syslog("tcp://[::1]:514"), changed(STANDARD, logging__addresses=["[::1]:514"])) == set()
    assert rules(syslog("tcp://[::1]:514"), changed(STANDARD, logging__addresses=["::1/128"])) == set()
    few = changed(STANDARD, logging__addresses=["*.example.com", "192.0.2.0/24"])
    for asked, wanted in (
        ("tcp://LOGS.example.com:1", set()),
        ("tcp://192.0.2.9:1", set()),
        ("tcp://[::ffff:192.0.2.9]:1", set()),
        ("tcp://example.org:1", {ADDRESSES}),
        ("tcp://198.51.100.1:1", {ADDRESSES}),
        ("tcp://localhost:514", {ADDRESSES}),
    ):
        assert rules(syslog(asked), few) == wanted


def test_the_least_that_would_allow_a_goal_is_told() -> None:
    (refusal,) = judge().request(syslog("tcp://127.0.0.1:6379"))
    assert "which is this machine itself" in refusal.message
    rule = allowing(STANDARD, [refusal])
    assert rule == {ADDRESSES: ["...", "127.0.0.1:6379"]}
    (refusal,) = judge().request(logged("json-file", loki_url="x"))
    assert allowing(STANDARD, [refusal]) == {OPTIONS: ["loki-url"]}


@pytest.mark.parametrize(
    ("driver", "options", "named"),
    [
        ("splunk", {"splunk-url": "https://splunk.example.com:8088", "splunk-token": "x"}, "splunk.example.com:8088"),
        ("splunk", {"splunk-url": "http://192.0.2.1", "splunk-token": "x"}, "192.0.2.1"),
        ("awslogs", {"awslogs-endpoint": "https://logs.eu-central-1.amazonaws.com"}, "logs.*.amazonaws.com"),
        ("awslogs", {"awslogs-endpoint": "logs.example.com"}, "logs.example.com"),
    ],
)
def test_a_server_that_may_send_the_engine_on_to_this_machine_has_to_be_named(
    driver: str, options: dict[str, str], named: str
) -> None:
    """Whatever the engine posts for a container it posts again where the server says, on loopback too; and tells what
    that has answered."""
    asked = create({"LogConfig": {"Type": driver, "Config": options}})
    assert rules(asked) == {ADDRESSES}
    assert rules(asked, changed(STANDARD, logging__addresses=["*", named])) == set()
    assert rules(asked, OPEN) == set()
    (refusal,) = judge().request(asked)
    assert "send the engine on" in refusal.message


@pytest.mark.parametrize("option", ["max-file", "cache-max-file"])
@pytest.mark.parametrize("count", ["1001", "2000000000", "9" * 30, "-1", "x", "1e9", "0x10"])
def test_what_makes_the_engine_rename_for_hours_is_refused(option: str, count: str) -> None:
    asked = create({"LogConfig": {"Type": "json-file", "Config": {"max-size": "1k", option: count}}})
    assert rules(asked) == {"logging.files"}
    assert rules(asked, OPEN) == set()
    assert rules(asked, changed(STANDARD, logging__files="none")) == set()


def test_a_driver_that_the_policy_allows_has_its_options_named_and_addresses_checked() -> None:
    policy = changed(STANDARD, logging__drivers=["loki"], logging__options=["loki-*"])
    assert rules(logged("loki", loki_url="https://loki.example.com/loki/api/v1/push"), policy) == {ADDRESSES}
    named = changed(policy, logging__drivers=["loki"], logging__options=["loki-*"], logging__addresses=["loki.*.com"])
    assert rules(logged("loki", loki_url="https://loki.example.com/loki/api/v1/push"), named) == set()
    assert rules(logged("loki", loki_url="http://localhost:3100/x"), policy) == {ADDRESSES}
    assert rules(logged("loki", loki_tls_ca_file="/etc/shadow"), policy) == {PROTECTED}
    assert rules(logged("loki", loki_url="unix://x/run/docker.sock"), policy) == {SOCKET, KNOWN_FIELDS}
    assert rules(logged("loki", other="x"), policy) == {OPTIONS}


def test_tokens_are_not_told() -> None:
    asked = logged("splunk", splunk_token="hunter2", splunk_url="https://hunter2@127.0.0.1:1", tag="hunter2\n")
    assert judge().request(asked)
    assert all("hunter2" not in str(refusal) for refusal in judge().request(asked))


def test_the_strict_profile_sends_nothing_elsewhere() -> None:
    assert "logging.drivers" in rules(syslog("udp://192.0.2.1"), STRICT)
    assert ADDRESSES in rules(syslog("udp://192.0.2.1"), STRICT)


def test_where_nobody_can_look_loopback_is_refused_all_the_same() -> None:
    elsewhere = HostNet(hidden="the engine is on another machine")
    assert rules(syslog("tcp://localhost:6379"), net=elsewhere) == {ADDRESSES}
    assert rules(syslog("tcp://192.168.1.10:6379"), net=elsewhere) == set()


def test_what_the_engine_itself_is_set_up_with_keeps_no_container_from_starting() -> None:
    """It shows its own options with those of a container."""
    log = {"Type": "loki", "Config": {"loki-url": "http://localhost:3100/x", "max-size": "1m"}}
    there = Engine({"web": container(LogConfig=log)})
    assert rules(send("POST", "/containers/web/start"), engine=there) == set()
    bad = Engine(
        {"web": container(LogConfig={"Type": "syslog", "Config": {"syslog-address": "unix://x/run/docker.sock"}})}
    )
    assert SOCKET in rules(send("POST", "/containers/web/start"), engine=bad)
