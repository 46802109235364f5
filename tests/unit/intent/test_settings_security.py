"""What a container may do: how it is written, what comes of it, what an engine shows of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from reconciler.intent.model import ContainerSpec
from reconciler.intent.settings import SETTINGS, payload, read_back
from reconciler.planner.capabilities import unsupported
from tests.drifted import drift


def normal(name: str, written: Any) -> Any:
    return TypeAdapter(SETTINGS[name].type).validate_python(written)


def faults(name: str, written: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        normal(name, written)
    return "; ".join(line["msg"] for line in caught.value.errors())


def sent(**written: Any) -> dict[str, Any]:
    settings = {name: normal(name, value) for name, value in written.items()}
    host: dict[str, Any] = payload(ContainerSpec(name="x", image="i", digest="", settings=settings, networks={}))[
        "HostConfig"
    ]
    return host


def shown(host: dict[str, Any]) -> dict[str, Any]:
    return read_back({"Id": "0" * 64, "Config": {}, "HostConfig": host})


def device(source: str, target: str, permissions: str = "rwm") -> dict[str, str]:
    return {"source": source, "target": target, "permissions": permissions}


def request(driver: str = "", count: int = -1, ids: tuple[str, ...] = (), *capabilities: str) -> dict[str, Any]:
    able = list(capabilities or ("gpu",))
    return {"driver": driver, "count": count, "device_ids": list(ids), "capabilities": able, "options": {}}


@pytest.mark.parametrize(
    ("name", "written", "meant"),
    [
        ("devices", ["/dev/a"], [device("/dev/a", "/dev/a")]),
        (
            "devices",
            ["/dev/b:/dev/z:rw", "/dev/a:r"],
            [device("/dev/a", "/dev/a", "r"), device("/dev/b", "/dev/z", "rw")],
        ),
        ("devices", [{"source": "/dev/a", "permissions": "mr"}], [device("/dev/a", "/dev/a", "rm")]),
        ("devices", ["vendor.com/gpu=all"], [device("vendor.com/gpu=all", "vendor.com/gpu=all")]),
        (
            "devices",
            [{"source": "vendor.com/gpu=0:1", "target": "vendor.com/gpu=0:1", "permissions": "rwm"}],
            [device("vendor.com/gpu=0:1", "vendor.com/gpu=0:1")],
        ),
        ("gpus", "all", [request()]),
        ("gpus", [{"count": "all"}], [request()]),
        ("gpus", [{"count": "2", "driver": "nvidia"}], [request("nvidia", 2)]),
        ("gpus", [{"device_ids": ["1", "0"]}], [request("", 0, ("1", "0"))]),
        ("gpus", [{"capabilities": ["utility"]}], [request("", -1, (), "gpu", "utility")]),
        ("gpus", [{"options": ["a=1"]}], [{**request(), "options": {"a": "1"}}]),
        ("gpus", [{"options": {"a": 1}}], [{**request(), "options": {"a": "1"}}]),
        ("security_opt", ["no-new-privileges"], ["no-new-privileges"]),
        ("security_opt", ["no-new-privileges=true", "no-new-privileges:true"], ["no-new-privileges"]),
        ("security_opt", ["label:user:bob", "apparmor=mine"], ["apparmor=mine", "label=user:bob"]),
        ("security_opt", ["seccomp:./profile.json"], ["seccomp=./profile.json"]),
        ("security_opt", ['seccomp={"b": 1, "a": [2]}'], ['seccomp={"a":[2],"b":1}']),
        ("security_opt", ["credentialspec=file://a.json"], ["credentialspec=file://a.json"]),
        ("credential_spec", {"file": "a.json"}, "file://a.json"),
        ("credential_spec", {"file": "file://a.json"}, "file://a.json"),
        ("credential_spec", {"registry": "web"}, "registry://web"),
        ("group_add", ["audio", 7, "audio"], ["7", "audio"]),
        ("device_cgroup_rules", ["c  1:3 mr", "a *:* rwm"], ["a *:* rwm", "c 1:3 mr"]),
        ("sysctls", ["net.core.somaxconn=1024"], {"net.core.somaxconn": "1024"}),
        ("ipc", "service:db", "service:db"),
        ("pid", "container:abc", "container:abc"),
    ],
)
def test_what_is_written_comes_to_its_normal_form(name: str, written: Any, meant: Any) -> None:
    found = normal(name, written)
    assert found == meant
    assert json.dumps(found) == json.dumps(meant)


@pytest.mark.parametrize(
    ("name", "written", "words"),
    [
        ("devices", ["dev/a"], "absolute path"),
        ("devices", ["/dev/a:/dev/b:x"], "letters of rwm"),
        ("devices", ["/dev/a:/dev/b:rw:more"], "host[:container[:rwm]]"),
        ("devices", [{"target": "/dev/a"}], "needs its source"),
        ("devices", [{"source": "v.com/a=b", "target": "/dev/a"}], "no target or permissions"),
        ("devices", [{"path": "/dev/a"}], "unknown key 'path'"),
        ("gpus", "one", "all"),
        ("gpus", [{"count": 0}], "from 1 to 1024"),
        ("gpus", [{"count": 1, "device_ids": ["0"]}], "exclude each other"),
        ("gpus", [{"options": ["bare"]}], "KEY=value"),
        ("security_opt", ["no-new-privilege:true"], "did you mean 'no-new-privileges'"),
        ("security_opt", ["no-new-privileges:maybe"], "no-new-privileges=true"),
        ("security_opt", ["seccomp:~/profile.json"], "~ has no meaning for a service"),
        ("security_opt", ["seccomp=a\nb"], "the path of a file with one"),
        ("security_opt", ["seccomp={}}"], "is not a seccomp profile"),
        ("security_opt", ["apparmor"], "apparmor=value"),
        ("security_opt", ["systempaths=all"], "systempaths=unconfined"),
        ("security_opt", "no-new-privileges", "a list"),
        ("credential_spec", {"config": "a"}, "for Swarm"),
        ("credential_spec", {"file": "a", "registry": "b"}, "exactly one"),
        ("ipc", "shared", "shareable"),
        ("pid", "service:", "service:NAME"),
        ("uts", "container:a", "expected host"),
        ("cgroup", "hosts", "did you mean 'host'"),
        ("device_cgroup_rules", ["c 1:3"], "c 1:3 rwm"),
        ("group_add", [True], "group"),
        ("isolation", "vm", "default, process, hyperv"),
    ],
)
def test_what_is_wrong_is_said_with_what_was_expected(name: str, written: Any, words: str) -> None:
    assert words in faults(name, written)


def test_a_name_in_devices_and_gpus_are_requests_that_are_told_apart_again() -> None:
    written = {
        "devices": ["vendor.com/class=one", "/dev/null"],
        "gpus": [{"driver": "cdi", "device_ids": ["vendor.com/gpu=0"]}],
    }
    host = sent(**written)
    assert host["Devices"] == [
        {"PathOnHost": "/dev/null", "PathInContainer": "/dev/null", "CgroupPermissions": "rwm"},
    ]
    assert [one["DeviceIDs"] for one in host["DeviceRequests"]] == [["vendor.com/class=one"], ["vendor.com/gpu=0"]]
    # What an engine shows has all fields.
    full = [{"Count": 0, "Capabilities": None, "Options": None, **one} for one in host["DeviceRequests"]]
    declared = {name: normal(name, value) for name, value in written.items()}
    assert drift(declared, shown({**host, "DeviceRequests": full})) == ()


def test_open_system_paths_are_two_empty_lists_for_the_engine() -> None:
    host = sent(security_opt=["systempaths=unconfined", "no-new-privileges:true"])
    assert (host["SecurityOpt"], host["MaskedPaths"], host["ReadonlyPaths"]) == (["no-new-privileges"], [], [])
    assert shown(host)["security_opt"] == ["no-new-privileges", "systempaths=unconfined"]
    assert shown({"Privileged": True, "MaskedPaths": None, "ReadonlyPaths": None})["security_opt"] is None


def test_an_account_of_windows_stands_beside_security_options() -> None:
    host = sent(credential_spec={"file": "web.json"}, security_opt=["credentialspec=file://other.json"])
    assert sorted(host["SecurityOpt"]) == ["credentialspec=file://other.json", "credentialspec=file://web.json"]
    alone = sent(credential_spec={"registry": "web"})
    declared = {"credential_spec": "registry://web"}
    assert drift(declared, shown(alone)) == ()
    assert drift({**declared, "security_opt": []}, shown(alone)) == ()


@pytest.mark.parametrize(
    ("name", "written", "host"),
    [
        ("privileged", False, {"Privileged": False}),
        ("privileged", False, {}),
        ("privileged", True, {"Privileged": True, "SecurityOpt": ["label=disable"]}),
        ("security_opt", ["apparmor=a"], {"SecurityOpt": ["apparmor=a", "label=disable"]}),
        ("security_opt", ["no-new-privileges:false"], {"SecurityOpt": None}),
        ("security_opt", ["seccomp:unconfined"], {"SecurityOpt": ["seccomp:unconfined"]}),
        ("security_opt", [], {"SecurityOpt": []}),
        ("group_add", [], {"GroupAdd": None}),
        ("devices", [], {"Devices": []}),
        ("ipc", "private", {"IpcMode": "private"}),
        ("ipc", "private", {"IpcMode": "shareable"}),
        ("ipc", "container:db", {"IpcMode": "container:0123"}),
        ("pid", "private", {"PidMode": ""}),
        ("uts", "private", {"UTSMode": ""}),
        ("sysctls", {}, {"Sysctls": None}),
        ("sysctls", {"net.ipv4.conf.eth0.forwarding": 1, "kernel.msgmax": 1}, {"Sysctls": {"kernel.msgmax": "1"}}),
        ("isolation", "default", {"Isolation": ""}),
        ("cgroup_parent", "/a", {"CgroupParent": "/a"}),
    ],
)
def test_what_the_engine_fills_in_is_no_difference(name: str, written: Any, host: dict[str, Any]) -> None:
    assert drift({name: normal(name, written)}, shown(host)) == ()


@pytest.mark.parametrize(
    ("name", "written", "host"),
    [
        ("privileged", False, {"Privileged": True}),
        ("security_opt", [], {"SecurityOpt": ["seccomp=unconfined"]}),
        ("security_opt", ["no-new-privileges:true"], {"SecurityOpt": ["no-new-privileges=false"]}),
        ("security_opt", [], {"MaskedPaths": [], "ReadonlyPaths": []}),
        ("ipc", "private", {"IpcMode": "host"}),
        ("ipc", "container:db", {"IpcMode": "host"}),
        ("pid", "private", {"PidMode": "host"}),
        ("sysctls", {"kernel.msgmax": 1}, {"Sysctls": None}),
        ("sysctls", {}, {"Sysctls": {"kernel.msgmax": "1"}}),
        ("devices", [], {"Devices": [{"PathOnHost": "/dev/a", "PathInContainer": "/dev/a", "CgroupPermissions": "r"}]}),
        ("runtime", "runsc", {"Runtime": "runc"}),
    ],
)
def test_what_is_otherwise_is_a_difference(name: str, written: Any, host: dict[str, Any]) -> None:
    assert len(drift({name: normal(name, written)}, shown(host))) == 1


@pytest.mark.parametrize(
    ("name", "written", "api", "words"),
    [
        ("devices", ["vendor.com/class=one"], "1.44", "vendor.com/class=one in devices"),
        ("gpus", [{"driver": "cdi", "device_ids": ["vendor.com/gpu=0"]}], "1.44", "the driver cdi"),
        ("security_opt", ["seccomp=builtin"], "1.42", "seccomp=builtin"),
        ("security_opt", ["writable-cgroups=true"], "1.48", "writable-cgroups"),
    ],
)
def test_a_value_that_takes_a_newer_engine_is_named(name: str, written: Any, api: str, words: str) -> None:
    settings = {name: normal(name, written)}
    (reason,) = unsupported(settings, engine="docker 20.10.24", api_version="1.41", system="linux")
    assert words in reason
    assert api in reason
    assert unsupported(settings, engine="docker", api_version=api, system="linux") == ()


def test_values_that_every_engine_knows_need_nothing() -> None:
    settings = {
        "devices": normal("devices", ["/dev/null"]),
        "gpus": normal("gpus", "all"),
        "security_opt": normal("security_opt", ["seccomp=unconfined"]),
    }
    assert unsupported(settings, engine="docker 20.10.24", api_version="1.41", system="linux") == ()
