"""Ways around the rules for privileges, each tried on the body that would be sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.planner import observed
from reconciler.policy import Judge
from reconciler.policy.refusal import KNOWN_FIELDS, Against
from tests.unit.policy.judging import (
    OPEN,
    STANDARD,
    STRICT,
    Disk,
    Engine,
    changed,
    container,
    create,
    judge,
    rules,
    send,
)

PERMISSIVE = 'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'


@pytest.mark.parametrize(
    ("host", "rule"),
    [
        pytest.param({"Privileged": True}, "security.privileged", id="privileged"),
        pytest.param({"Privileged": "true"}, "security.privileged", id="privileged as a text"),
        pytest.param({"privileged": True}, KNOWN_FIELDS, id="privileged in lower case, which Go takes too"),
        pytest.param({"PRIVILEGED": True}, KNOWN_FIELDS, id="privileged in upper case"),
        pytest.param({"CapAdd": ["ALL"]}, "security.capabilities", id="all capabilities"),
        pytest.param({"CapAdd": ["CAP_ALL"]}, "security.capabilities", id="all capabilities with the prefix"),
        pytest.param({"CapAdd": ["all"]}, "security.capabilities", id="all capabilities in lower case"),
        pytest.param({"CapAdd": ["sys_admin"]}, "security.capabilities", id="SYS_ADMIN in lower case"),
        pytest.param({"CapAdd": ["cap_Sys_Admin"]}, "security.capabilities", id="SYS_ADMIN in mixed case"),
        pytest.param({"CapAdd": ["NET_ADMIN", "SYS_MODULE"]}, "security.capabilities", id="behind a harmless one"),
        pytest.param({"CapAdd": ["DAC_READ_SEARCH"]}, "security.capabilities", id="open_by_handle_at"),
        pytest.param({"CapAdd": ["SYS_PTRACE"]}, "security.capabilities", id="SYS_PTRACE"),
        pytest.param({"CapAdd": ["BPF"]}, "security.capabilities", id="a capability of newer kernels"),
        pytest.param({"CapAdd": ["WHATEVER"]}, "security.capabilities", id="one that nobody knows yet"),
        pytest.param({"CapAdd": "SYS_ADMIN"}, "security.capabilities", id="a text where a list belongs"),
        pytest.param(
            {"CapAdd": ["NET_ADMIN"], "NetworkMode": "host"},
            "security.capabilities_on_host_network",
            id="NET_ADMIN on the host's network",
        ),
        pytest.param({"SecurityOpt": ["seccomp=unconfined"]}, "security.seccomp", id="no seccomp"),
        pytest.param({"SecurityOpt": ["seccomp:unconfined"]}, "security.seccomp", id="no seccomp with a colon"),
        pytest.param({"SecurityOpt": [PERMISSIVE]}, "security.seccomp", id="a profile that allows everything"),
        pytest.param({"SecurityOpt": ["seccomp=/etc/profile.json"]}, "security.seccomp", id="a profile by its path"),
        pytest.param({"SecurityOpt": ["apparmor=unconfined"]}, "security.apparmor", id="no AppArmor"),
        pytest.param({"SecurityOpt": ["apparmor:unconfined"]}, "security.apparmor", id="no AppArmor with a colon"),
        pytest.param({"SecurityOpt": ["apparmor=lax"]}, "security.apparmor", id="a profile that is lax"),
        pytest.param({"SecurityOpt": ["label=disable"]}, "security.selinux", id="no SELinux"),
        pytest.param({"SecurityOpt": ["label:disable"]}, "security.selinux", id="no SELinux with a colon"),
        pytest.param({"SecurityOpt": ["label=type:spc_t"]}, "security.selinux", id="a type that may everything"),
        pytest.param({"SecurityOpt": ["label:type=spc_t"]}, "security.selinux", id="the same with signs exchanged"),
        pytest.param({"SecurityOpt": ["systempaths=unconfined"]}, "security.unmasked_paths", id="open /proc"),
        pytest.param({"MaskedPaths": []}, "security.unmasked_paths", id="open /proc by an empty list"),
        pytest.param({"ReadonlyPaths": []}, "security.unmasked_paths", id="writable /proc/sys"),
        pytest.param(
            {"MaskedPaths": ["/proc/acpi"]}, "security.unmasked_paths", id="a list that hides next to nothing"
        ),
        pytest.param({"SecurityOpt": ["writable-cgroups=true"]}, "security.writable_cgroups", id="writable cgroups"),
        pytest.param({"SecurityOpt": ["writable-cgroups"]}, "security.writable_cgroups", id="the same without a value"),
        pytest.param({"SecurityOpt": ["something=new"]}, KNOWN_FIELDS, id="an option of a newer engine"),
        pytest.param({"PidMode": "host"}, "namespaces.host", id="the host's processes"),
        pytest.param({"IpcMode": "host"}, "namespaces.host", id="the host's shared memory"),
        pytest.param({"UsernsMode": "host"}, "namespaces.host", id="no mapping of users"),
        pytest.param({"NetworkMode": "ns:/proc/1/ns/net"}, KNOWN_FIELDS, id="a network by the path of its namespace"),
        pytest.param({"PidMode": "ns:/proc/1/ns/pid"}, KNOWN_FIELDS, id="processes by the path of their namespace"),
        pytest.param({"PidMode": "HOST"}, KNOWN_FIELDS, id="a namespace in upper case"),
        pytest.param({"Sysctls": {"kernel.core_pattern": "|/x"}}, "security.sysctls", id="kernel.core_pattern"),
        pytest.param({"Sysctls": {"kernel/core_pattern": "|/x"}}, "security.sysctls", id="the same with slashes"),
        pytest.param({"Sysctls": {"vm.overcommit_memory": "1"}}, "security.sysctls", id="a setting of the whole host"),
        pytest.param({"Runtime": "evil"}, "security.runtimes", id="a runtime of another name"),
        pytest.param({"Runtime": "/usr/bin/evil"}, "security.runtimes", id="a runtime by its path"),
        pytest.param({"Runtime": "io.containerd.evil.v1"}, "security.runtimes", id="a runtime by containerd's name"),
        pytest.param({"Annotations": {"run.oci.x": "1"}}, "security.annotations", id="an order to the runtime"),
        pytest.param({"CgroupParent": "/../../x"}, "limits.cgroup_parents", id="a cgroup above the root"),
        pytest.param({"OomScoreAdj": -1000}, "limits.oom_score", id="the host's programs end first"),
        pytest.param({"NewerField": {"a": 1}}, KNOWN_FIELDS, id="a field of a newer engine"),
    ],
)
def test_the_standard_policy_refuses(host: dict[str, Any], rule: str) -> None:
    assert rule in rules(create(host))
    assert rules(create(host), OPEN) == set()


@pytest.mark.parametrize(
    "host",
    [
        {},
        {"CapAdd": ["NET_ADMIN", "cap_net_bind_service"], "CapDrop": ["ALL"]},
        {"SecurityOpt": ["no-new-privileges:true", "seccomp=builtin", "apparmor=docker-default", "label=level:s0:c1"]},
        {"NetworkMode": "host", "UTSMode": "host", "CgroupnsMode": "host"},
        {"Sysctls": {"net.core.somaxconn": "1024", "kernel.shmmax": "1"}, "Runtime": "runsc"},
        {"RestartPolicy": {"Name": "always"}, "Init": True, "Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}]},
    ],
)
def test_the_standard_policy_allows_what_reaches_no_further_than_the_container(host: dict[str, Any]) -> None:
    assert rules(create(host)) == set()


@pytest.mark.parametrize("mode", ["PidMode", "IpcMode", "NetworkMode"])
@pytest.mark.parametrize("whose", ["", "other"])
def test_nobody_shares_a_namespace_with_a_container_of_somebody_else(mode: str, whose: str) -> None:
    there = Engine({"db": container(whose)})
    assert rules(create({mode: "container:db"}), engine=there) == {"namespaces.containers"}
    assert rules(create({mode: "container:db"}), engine=Engine({"db": container()})) == set()
    assert rules(create({mode: "container:db"})) == {"namespaces.containers"}


@pytest.mark.parametrize(
    "host", [{"PidMode": "container:db"}, {"VolumesFrom": ["db"]}, {"NetworkMode": "container:db"}]
)
def test_whose_a_container_is_that_is_not_there_is_no_verdict_on_who_asks(host: dict[str, Any]) -> None:
    def against(of: Judge, engine: Engine) -> set[Against]:
        return {refusal.against for refusal in of.request(create(host), engine)}

    nobody, alien = Engine(), Engine({"db": container("other")})
    assert against(judge(), nobody) == {Against.GONE}
    assert against(judge(), replace(nobody, is_complete=False)) == {Against.ASKED}
    assert against(judge(), alien) == {Against.ASKED}
    assert against(judge(changed(STANDARD, namespaces__containers="none")), nobody) == {Against.ASKED}


def test_the_hosts_namespace_is_not_to_be_had_through_a_container_that_has_it() -> None:
    there = Engine({"a": container(PidMode="container:b"), "b": container(PidMode="host")})
    assert rules(create({"PidMode": "container:a"}), engine=there) == {"namespaces.host"}
    strict = changed(STANDARD, namespaces__host=[])
    through = Engine({"a": container(NetworkMode="host")})
    assert rules(create({"NetworkMode": "container:a"}), strict, engine=through) == {"namespaces.host"}


def test_containers_that_point_at_one_another_end_the_search() -> None:
    there = Engine({"a": container(PidMode="container:b"), "b": container(PidMode="container:a")})
    assert rules(create({"PidMode": "container:a"}), engine=there) == set()


def test_the_hosts_network_is_known_by_its_id_too() -> None:
    strict = changed(STANDARD, namespaces__host=[])
    there = Engine(networks={"f" * 64: {"Driver": "host", "Labels": {}}})
    assert "namespaces.host" in rules(create({"NetworkMode": "f" * 64}), strict, engine=there)
    joined: dict[str, Any] = {"EndpointsConfig": {"f" * 64: {}}}
    assert "namespaces.host" in rules(create(NetworkingConfig=joined), strict, engine=there)
    with_net_admin = create({"NetworkMode": "f" * 64, "CapAdd": ["NET_ADMIN"]})
    assert "security.capabilities_on_host_network" in rules(with_net_admin, engine=there)


@pytest.mark.parametrize(
    ("host", "body", "rule"),
    [
        pytest.param({}, {}, "security.no_new_privileges", id="no-new-privileges left out"),
        pytest.param(
            {"SecurityOpt": ["no-new-privileges:true", "no-new-privileges:false"]},
            {},
            "security.no_new_privileges",
            id="no-new-privileges taken back",
        ),
        pytest.param({"CapDrop": ["NET_RAW"]}, {}, "security.drop_all_capabilities", id="one capability dropped"),
        pytest.param({"CapAdd": ["CHOWN"]}, {}, "security.capabilities", id="a usual capability added"),
        pytest.param({}, {}, "security.root_user", id="the image's user, who may be root"),
        pytest.param({}, {"User": "0"}, "security.root_user", id="root by number"),
        pytest.param({}, {"User": "00:1000"}, "security.root_user", id="root by a number with zeros"),
        pytest.param({}, {"User": "app"}, "security.root_user", id="a name, which may stand for 0"),
        pytest.param({}, {}, "security.writable_root", id="a writable root"),
        pytest.param({"NetworkMode": "host"}, {}, "namespaces.host", id="the host's network"),
        pytest.param({"UTSMode": "host"}, {}, "namespaces.host", id="the host's name"),
        pytest.param({"CgroupParent": "/x"}, {}, "limits.cgroup_parents", id="another cgroup"),
        pytest.param({"OomKillDisable": True}, {}, "limits.oom_kill_disable", id="never ended for lack of memory"),
        pytest.param({}, {}, "limits.required", id="no limits"),
        pytest.param({"Binds": ["/srv/app:/a"]}, {}, "binds.allowed", id="a directory of the host"),
        pytest.param({}, {"Image": "redis:7"}, "images.digest", id="an image that may be exchanged"),
        pytest.param({"Devices": [{"PathOnHost": "/dev/null"}]}, {}, "devices.paths", id="any device"),
    ],
)
def test_the_strict_policy_refuses(host: dict[str, Any], body: dict[str, Any], rule: str) -> None:
    assert rule in rules(create(host, **body), STRICT)


def test_the_strict_policy_allows_a_container_as_the_hardening_guides_want_it() -> None:
    host = {
        "CapDrop": ["ALL"],
        "CapAdd": ["NET_BIND_SERVICE"],
        "SecurityOpt": ["no-new-privileges:true"],
        "ReadonlyRootfs": True,
        "Memory": 64 << 20,
        "NanoCpus": 10**9,
        "PidsLimit": 100,
        "PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]},
    }
    request = create(host, User="1000:1000", Image="redis@sha256:" + "a" * 64)
    assert rules(request, STRICT) == set()


@pytest.mark.parametrize(
    ("devices", "rule"),
    [
        pytest.param([{"PathOnHost": "/dev/sda"}], "devices.paths", id="a disk"),
        pytest.param([{"PathOnHost": "/dev/bus/usb"}], "devices.paths", id="disks and keyboards by USB"),
        pytest.param([{"PathOnHost": "/dev/input/event0"}], "devices.paths", id="a keyboard"),
        pytest.param([{"PathOnHost": "/dev/mem"}], "devices.paths", id="memory"),
        pytest.param([{"PathOnHost": "/dev"}], "devices.paths", id="all devices"),
        pytest.param([{"PathOnHost": "/dev/"}], "devices.paths", id="all devices with a slash"),
        pytest.param([{"PathOnHost": "/dev/dri/../sda"}], "devices.paths", id="a disk behind two dots"),
        pytest.param([{"PathOnHost": "/dev/disk/by-id/x"}], "devices.paths", id="a disk by another name"),
        pytest.param([{"PathOnHost": "/dev/serial/x"}], "devices.paths", id="a link to a disk"),
        pytest.param([{"PathOnHost": "/srv/sda"}], "devices.paths", id="a node that somebody made"),
        pytest.param([{"PathOnHost": "/dev/snd/disk"}], "devices.block", id="a block device in an allowed directory"),
        pytest.param([{"PathOnHost": "evil.com/all=root"}], "devices.requests", id="a CDI name in the place of a path"),
        pytest.param([{"PathOnHost": "/dev/null", "Extra": 1}], KNOWN_FIELDS, id="more than a device has"),
    ],
)
def test_devices_of_the_host_are_refused(devices: list[dict[str, Any]], rule: str) -> None:
    disk = Disk(links={"/dev/disk/by-id/x": "/dev/sda", "/dev/serial/x": "/dev/sda"}, kinds={"/dev/snd/disk": "block"})
    assert rule in rules(create({"Devices": devices}), disk=disk)


def test_harmless_devices_are_allowed_also_by_a_link_to_one() -> None:
    disk = Disk(links={"/dev/serial/by-id/x": "/dev/ttyUSB0"}, kinds={"/dev/ttyUSB0": "char"})
    devices = [{"PathOnHost": path} for path in ("/dev/ttyUSB0", "/dev/dri", "/dev/dri/card0", "/dev/serial/by-id/x")]
    assert rules(create({"Devices": devices}), disk=disk) == set()


@pytest.mark.parametrize(
    "rule",
    ["b *:* rwm", "a *:* rwm", "a *:* r", "c *:* r", "c 1:* r", "c 1:1 rw", "b 8:0 r", "c 188:*  rwm", "b 188:0 r"],
)
def test_rules_for_devices_that_hold_more_than_harmless_ones_are_refused(rule: str) -> None:
    assert rules(create({"DeviceCgroupRules": [rule]})) == {"devices.rules"}


@pytest.mark.parametrize("rule", ["c 188:* rw", "c 188:0 r", "c 1:3 mr"])
def test_rules_for_devices_may_ask_for_less_than_is_allowed(rule: str) -> None:
    assert rules(create({"DeviceCgroupRules": [rule]})) == set()


@pytest.mark.parametrize(
    ("request_", "is_allowed"),
    [
        ({"Driver": "nvidia", "Count": -1, "Capabilities": [["gpu"]]}, True),
        ({"Driver": "", "Count": -1, "Capabilities": [["gpu"]]}, True),
        ({"Driver": "evil", "Count": 1, "Capabilities": [["gpu"]]}, False),
        ({"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=all"]}, True),
        ({"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=0", "evil.com/root=all"]}, False),
        ({"Driver": "", "DeviceIDs": ["evil.com/root=all"]}, False),
        ({"Driver": "cdi", "DeviceIDs": []}, False),
        ({"Driver": "nvidia", "Hooks": ["x"]}, False),
    ],
)
def test_devices_of_drivers_are_allowed_by_name(request_: dict[str, Any], is_allowed: bool) -> None:
    assert (rules(create({"DeviceRequests": [request_]})) == set()) is is_allowed


def test_a_command_in_a_container_is_not_privileged_either() -> None:
    assert rules(send("POST", "/containers/x/exec", {"Cmd": ["id"], "Privileged": True})) == {"security.privileged"}
    assert rules(send("POST", "/containers/x/exec", {"Cmd": ["id"], "privileged": True})) == {KNOWN_FIELDS}
    assert rules(send("POST", "/containers/x/exec", {"Cmd": ["id"], "AttachStdout": True})) == set()


@pytest.mark.parametrize("label", [name for key, name in vars(observed).items() if key.startswith("LABEL_")])
def test_the_labels_that_pnr_itself_puts_on_things_are_its_own_to_put_there(label: str) -> None:
    refused = rules(create(Labels={label: "1"})) - {"limits.replicas"}
    on_others = {observed.LABEL_KEEP, observed.LABEL_BUILD, observed.LABEL_BUILT_BY}  # on volumes and images
    assert refused == ({"own labels"} if label in on_others else set())
