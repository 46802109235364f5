"""Ways around the rules for networks, ports and limits."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.policy.refusal import KNOWN_FIELDS, KNOWN_ROUTES
from reconciler.policy.request import Request
from tests.unit.policy.judging import OPEN, STANDARD, STRICT, Engine, changed, container, create, rules, send

DIGEST = "sha256:" + "a" * 64


def published(ip: str, port: str) -> Request:
    """A container with a published port."""
    return create({"PortBindings": {"80/tcp": [{"HostIp": ip, "HostPort": port}]}})


# --- ports ------------------------------------------------------------------------------------------------------------

LOCAL = changed(STANDARD, ports__addresses=["127.0.0.0/8", "::1", "192.0.2.0/24"], ports__allowed=["8000-8010", 9000])


@pytest.mark.parametrize(
    ("ip", "port", "rule"),
    [
        pytest.param("0.0.0.0", "8000", "ports.addresses", id="every address"),
        pytest.param("::", "8000", "ports.addresses", id="every address of IPv6"),
        pytest.param("[::]", "8000", "ports.addresses", id="every address in brackets"),
        pytest.param("", "8000", "ports.addresses", id="no address, which is every one"),
        pytest.param("0", "8000", "ports.addresses", id="an address as some programs read it"),
        pytest.param("0x7f000001", "8000", "ports.addresses", id="an address in hexadecimal"),
        pytest.param("::ffff:0.0.0.0", "8000", "ports.addresses", id="every address behind IPv6"),
        pytest.param("::ffff:198.51.100.1", "8000", "ports.addresses", id="another address behind IPv6"),
        pytest.param("198.51.100.1", "8000", "ports.addresses", id="another address"),
        pytest.param("localhost", "8000", "ports.addresses", id="a name"),
        pytest.param("127.0.0.1", "7999", "ports.allowed", id="a port below"),
        pytest.param("127.0.0.1", "8011", "ports.allowed", id="a port above"),
        pytest.param("127.0.0.1", "8005-8011", "ports.allowed", id="a range that leads out"),
        pytest.param("127.0.0.1", "8010-9000", "ports.allowed", id="a range from one allowed port to another"),
        pytest.param("127.0.0.1", "0", "ports.allowed", id="any free port"),
        pytest.param("127.0.0.1", "", "ports.allowed", id="any free port by nothing"),
        pytest.param("127.0.0.1", "8000 ", "ports.allowed", id="a port with a blank"),
        pytest.param("127.0.0.1", "+8000", "ports.allowed", id="a port with a sign"),
    ],
)
def test_ports_stay_where_the_policy_has_them(ip: str, port: str, rule: str) -> None:
    assert rules(published(ip, port), LOCAL) == {rule}
    assert rules(published(ip, port), OPEN) == set()


@pytest.mark.parametrize("ip", ["127.0.0.1", "127.1.2.3", "::1", "192.0.2.7", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("port", ["8000", "8000-8010", "9000"])
def test_ports_in_the_lists_are_allowed(ip: str, port: str) -> None:
    assert rules(published(ip, port), LOCAL) == set()


def test_ports_are_not_published_by_other_fields() -> None:
    assert rules(create({"PublishAllPorts": True}), LOCAL) == {"ports.addresses", "ports.allowed"}
    assert rules(create({"PortBindings": {"80/tcp": []}}), LOCAL) == {"ports.addresses", "ports.allowed"}
    assert rules(create({"PortBindings": {"80/tcp": [{"HostIP": "0.0.0.0"}]}}), LOCAL) >= {KNOWN_FIELDS}
    assert rules(create({"portBindings": {"80/tcp": [{}]}}), LOCAL) == {KNOWN_FIELDS}


def test_every_address_takes_an_entry_of_its_own() -> None:
    policy = changed(STANDARD, ports__addresses=["0.0.0.0", "::"])
    assert rules(published("", "80"), policy) == set()
    assert rules(published("192.0.2.1", "80"), policy) == {"ports.addresses"}
    assert rules(published("0.0.0.0", "80"), changed(STANDARD, ports__addresses=["0.0.0.0/0"])) == set()


# --- networks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        pytest.param({"Driver": "host"}, "networks.drivers", id="the driver host"),
        pytest.param({"Driver": "weave"}, "networks.drivers", id="a program that runs as root"),
        pytest.param({"Driver": "Bridge"}, "networks.drivers", id="a driver in upper case"),
        pytest.param({"IPAM": {"Driver": "evil"}}, "networks.ipam_drivers", id="a driver of addresses"),
        pytest.param({"Options": {"com.example": "1"}}, "networks.options", id="an option that nobody knows"),
        pytest.param({"ConfigFrom": {"Network": "x"}}, KNOWN_FIELDS, id="settings of another network"),
        pytest.param({"ConfigOnly": True}, KNOWN_FIELDS, id="only settings"),
        pytest.param({"Ingress": True}, KNOWN_FIELDS, id="the network of a swarm"),
        pytest.param({"driver": "weave"}, KNOWN_FIELDS, id="a field in lower case"),
    ],
)
def test_networks_that_are_refused(body: dict[str, Any], rule: str) -> None:
    assert rules(send("POST", "/networks/create", {"Name": "n", **body})) == {rule}


def test_the_strict_policy_refuses_networks_that_lead_past_the_rules_for_ports() -> None:
    for driver in ("macvlan", "ipvlan"):
        assert rules(send("POST", "/networks/create", {"Name": "n", "Driver": driver})) == set()
        assert rules(send("POST", "/networks/create", {"Name": "n", "Driver": driver}), STRICT) == {"networks.drivers"}
    opened = {"com.docker.network.bridge.gateway_mode_ipv4": "nat-unprotected"}
    assert rules(send("POST", "/networks/create", {"Name": "n", "Options": opened}), STRICT) == {
        "networks.options",
        "ports.addresses",
        "ports.allowed",
    }


def test_kernel_settings_come_in_by_no_other_way() -> None:
    option = "com.docker.network.endpoint.sysctls"
    for value in ("vm.swappiness=1", "net.ipv4.conf.IFNAME.log_martians=1,kernel.core_pattern=x"):
        endpoint = {"DriverOpts": {option: value}}
        assert rules(create(NetworkingConfig={"EndpointsConfig": {"n": endpoint}})) == {"security.sysctls"}
        connect = send("POST", "/networks/n/connect", {"Container": "web", "EndpointConfig": endpoint})
        assert rules(connect, engine=Engine({"web": container()})) == {"security.sysctls"}
    strict = {"DriverOpts": {option: "net.ipv4.conf.IFNAME.log_martians=1"}}
    assert rules(send("POST", "/networks/n/connect", {"Container": "w", "EndpointConfig": strict}), STRICT) == {
        "networks.options",
        "security.sysctls",
    }


@pytest.mark.parametrize(
    ("log", "rule"),
    [
        ({"Type": "evil"}, "logging.drivers"),
        ({"Type": "syslog", "Config": {"syslog-address": "unix:///run/docker.sock"}}, "binds.engine_socket"),
        ({"Type": "syslog", "Config": {"syslog-address": "unixgram:///run/systemd/notify"}}, "binds.protected"),
        ({"Type": "fluentd", "Config": {"fluentd-address": "unix:///var/run/docker.sock"}}, "binds.engine_socket"),
        ({"Type": "syslog", "Config": {"syslog-tls-key": "/etc/shadow"}}, "binds.protected"),
        ({"Type": "json-file", "Plugin": "x"}, KNOWN_FIELDS),
    ],
)
def test_log_drivers_reach_nothing_of_the_host(log: dict[str, Any], rule: str) -> None:
    assert rule in rules(create({"LogConfig": log}))


def test_ordinary_log_drivers_are_allowed_and_their_tokens_not_told() -> None:
    assert rules(create({"LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}}})) == set()
    assert rules(create({"LogConfig": {"Type": "gelf", "Config": {"gelf-address": "udp://192.0.2.1:1"}}})) == set()


# --- limits -----------------------------------------------------------------------------------------------------------

CEILINGS = changed(
    STANDARD,
    limits__memory="1g",
    limits__cpus=2,
    limits__pids=100,
    limits__shm="128m",
    limits__replicas=3,
    limits__ulimits={"nofile": 1024},
)
FINE: dict[str, Any] = {"Memory": 1 << 30, "NanoCpus": 2 * 10**9, "PidsLimit": 100}


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        pytest.param({"Memory": 0}, "limits.memory", id="no limit of memory"),
        pytest.param({"Memory": (1 << 30) + 1}, "limits.memory", id="a byte too much"),
        pytest.param({"MemorySwap": -1}, "limits.memory", id="swap without end"),
        pytest.param({"MemorySwap": 3 << 30}, "limits.memory", id="more swap than memory"),
        pytest.param({"NanoCpus": 0}, "limits.cpus", id="no limit of processors"),
        pytest.param({"NanoCpus": 0, "CpuQuota": 300_000, "CpuPeriod": 100_000}, "limits.cpus", id="three by a quota"),
        pytest.param({"NanoCpus": 0, "CpuQuota": 200_000, "CpuPeriod": 50_000}, "limits.cpus", id="a short period"),
        pytest.param({"NanoCpus": 0, "CpuQuota": -1}, "limits.cpus", id="a quota without end"),
        pytest.param({"NanoCpus": 0, "CpuPeriod": 1000}, "limits.cpus", id="a period without a quota"),
        pytest.param({"PidsLimit": -1}, "limits.pids", id="processes without end"),
        pytest.param({"PidsLimit": 0}, "limits.pids", id="no limit of processes"),
        pytest.param({"PidsLimit": None}, "limits.pids", id="nothing said of processes"),
        pytest.param({"ShmSize": 1 << 30}, "limits.shm", id="memory by /dev/shm"),
        pytest.param({"Tmpfs": {"/x": "size=1g"}}, "limits.shm", id="memory by a tmpfs"),
        pytest.param({"Tmpfs": {"/x": ""}}, "limits.shm", id="half of the memory by a tmpfs of no size"),
        pytest.param({"Tmpfs": {"/x": "size=1m,size=1g"}}, "limits.shm", id="two sizes, of which the last counts"),
        pytest.param({"Tmpfs": {"/x": "size=50%"}}, "limits.shm", id="a share of the host's memory"),
        pytest.param({"Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 4096}]}, "limits.ulimits", id="a hard limit"),
        pytest.param({"Ulimits": [{"Name": "nofile", "Soft": -1, "Hard": -1}]}, "limits.ulimits", id="no ulimit"),
        pytest.param({"memory": 1 << 40}, KNOWN_FIELDS, id="memory in lower case"),
    ],
)
def test_limits_have_ceilings(more: dict[str, Any], rule: str) -> None:
    assert rules(create(FINE), CEILINGS) == set()
    assert rules(create({**FINE, **more}), CEILINGS) == {rule}


def test_a_quota_is_as_good_as_processors() -> None:
    quota = {"Memory": 1 << 20, "PidsLimit": 1, "CpuQuota": 100_000}
    assert rules(create(quota), CEILINGS) == set()


def test_more_copies_than_allowed_are_refused_one_by_one() -> None:
    for replica, wanted in (("3", set()), ("4", {"limits.replicas"})):
        body = {**create(FINE).body}
        body["Labels"] = {**body["Labels"], "io.pnr.replica": replica}
        assert rules(send("POST", "/containers/create", body), CEILINGS) == wanted


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"Memory": 1 << 30, "MemorySwap": 2 << 30}, set()),
        ({"NanoCpus": 10**9, "PidsLimit": 5, "RestartPolicy": {"Name": "no"}}, set()),
        ({"Memory": 2 << 30}, {"limits.memory"}),
        ({"MemorySwap": -1}, {"limits.memory"}),
        ({"NanoCpus": 3 * 10**9}, {"limits.cpus"}),
        ({"CpuQuota": -1}, {"limits.cpus"}),
        ({"CpuPeriod": 1000}, {"limits.cpus"}),
        ({"PidsLimit": -1}, {"limits.pids"}),
        ({"Binds": ["/etc:/etc"]}, {KNOWN_FIELDS}),
        ({"Mounts": [{"Type": "bind"}]}, {KNOWN_FIELDS}),
        ({"Devices": [{"PathOnHost": "/dev/sda"}]}, {KNOWN_FIELDS}),
        ({"DeviceCgroupRules": ["a *:* rwm"]}, {KNOWN_FIELDS}),
        ({"CgroupParent": "/"}, {KNOWN_FIELDS, "limits.cgroup_parents"}),
        ({"Privileged": True}, {KNOWN_FIELDS}),
    ],
)
def test_an_update_brings_nothing_that_a_creation_may_not(body: dict[str, Any], wanted: set[str]) -> None:
    policy = changed(CEILINGS, limits__cgroup_parents=[])
    values = {**policy.values, **{k: CEILINGS.values[k] for k in CEILINGS.lines}}
    assert rules(send("POST", "/containers/web/update", body), type(policy)(policy.profile, values)) == wanted


def test_a_required_limit_is_not_taken_away_again() -> None:
    assert rules(send("POST", "/containers/web/update", {"PidsLimit": -1}), STRICT) == {"limits.required"}
    assert rules(send("POST", "/containers/web/update", {"PidsLimit": 10}), STRICT) == set()


# --- routes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/plugins/pull"),
        ("POST", "/plugins/x/enable"),
        ("POST", "/swarm/init"),
        ("POST", "/services/create"),
        ("POST", "/secrets/create"),
        ("POST", "/commit"),
        ("POST", "/session"),
        ("POST", "/images/load"),
        ("POST", "/images/x/tag"),
        ("POST", "/images/x/push"),
        ("PUT", "/containers/x/archive"),
        ("POST", "/containers/x/attach"),
        ("POST", "/containers/prune"),
        ("POST", "/volumes/prune"),
        ("PUT", "/volumes/x"),
        ("POST", "/build/prune"),
        ("POST", "/containers//create"),
        ("POST", "/containers/../containers/create"),
        ("POST", "/Containers/create"),
        ("POST", "/containers/create/"),
        ("PATCH", "/containers/create"),
    ],
)
def test_routes_that_nobody_has_thought_about_are_refused(method: str, path: str) -> None:
    assert rules(send(method, path, {})) == {KNOWN_ROUTES}
    assert rules(send(method, path, {}), OPEN) == set()
    assert rules(send(method, path, {}), changed(OPEN, builds__allowed=False)) == {KNOWN_ROUTES}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/containers/json"),
        ("HEAD", "/_ping"),
        ("DELETE", "/containers/x"),
        ("DELETE", "/images/registry:5000/team/app:1"),
        ("DELETE", "/networks/x"),
        ("DELETE", "/volumes/x"),
        ("POST", "/containers/x/stop"),
        ("POST", "/containers/x/unpause"),
        ("POST", "/containers/x/rename"),
        ("POST", "/networks/x/disconnect"),
        ("POST", "/exec/x/start"),
    ],
)
def test_what_looks_ends_or_removes_is_always_allowed(method: str, path: str) -> None:
    assert rules(send(method, path), STRICT) == set()


def test_a_container_that_is_there_is_started_only_where_it_might_be_made() -> None:
    privileged = Engine({"web": container(Privileged=True)})
    for route in ("start", "restart"):
        assert rules(send("POST", f"/containers/web/{route}"), engine=privileged) == {"security.privileged"}
    shown = container(
        Binds=["/srv/app:/x"],
        MaskedPaths=[
            "/proc/acpi",
            "/proc/kcore",
            "/proc/keys",
            "/proc/timer_list",
            "/proc/sched_debug",
            "/sys/firmware",
        ],
        ReadonlyPaths=["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        LogConfig={"Type": "loki", "Config": {}},
        Runtime="site-default",
        ShmSize=64 << 20,
        IpcMode="private",
        ContainerIDFile="",
        Isolation="",
    )
    assert rules(send("POST", "/containers/web/start"), engine=Engine({"web": shown})) == set()
    unmasked = Engine({"web": container(MaskedPaths=[], ReadonlyPaths=[])})
    assert rules(send("POST", "/containers/web/start"), engine=unmasked) == {"security.unmasked_paths"}


def test_what_the_engine_adds_by_itself_is_not_held_against_a_running_container() -> None:
    may = changed(STANDARD, security__privileged=True, namespaces__host=["pid", "ipc"])
    for has in ({"PidMode": "host"}, {"IpcMode": "host"}, {"Privileged": True}):
        shown = Engine({"web": container(**has, SecurityOpt=["label=disable"])})
        assert rules(send("POST", "/containers/web/start"), may, engine=shown) == set()
        assert "security.selinux" not in rules(send("POST", "/containers/web/start"), engine=shown)
    for asked in (["label=disable"], ["label=type:spc_t"]):
        shown = Engine({"web": container(SecurityOpt=asked)})
        assert rules(send("POST", "/containers/web/start"), may, engine=shown) == {"security.selinux"}


# --- labels -----------------------------------------------------------------------------------------------------------


def test_labels_of_pnr_that_pnr_does_not_send_are_refused() -> None:
    assert rules(create(Labels={"io.pnr.keep": "false"})) == {"own labels"}
    assert rules(create(Labels={"com.example": "x"})) == set()


def test_a_body_that_is_no_object_is_refused() -> None:
    assert rules(send("POST", "/containers/create", ["x"])) == {KNOWN_FIELDS}
