"""Devices of the host: by path, by rules of the control group, by requests to drivers. Pure."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from glob import escape

from reconciler.policy import paths
from reconciler.policy.checks.case import Case, Object, objects, texts
from reconciler.policy.rule import DEVICE_RULES, DEVICES, FLAG, WORDS, Rule

HARMLESS_DEVICES = [
    "/dev/dri", "/dev/full", "/dev/fuse", "/dev/gpiochip*", "/dev/gpiomem*",
    "/dev/hwrng", "/dev/i2c-*", "/dev/kfd", "/dev/kvm", "/dev/net/tun", "/dev/null", "/dev/nvidia*", "/dev/random",
    "/dev/rtc*", "/dev/serial", "/dev/snd", "/dev/spidev*", "/dev/ttyACM*", "/dev/ttyAMA*", "/dev/ttyS*",
    "/dev/ttyUSB*", "/dev/urandom", "/dev/video*", "/dev/zero",
]  # fmt: skip

HARMLESS_DEVICE_RULES = [
    "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm", "c 10:200 rwm", "c 10:229 rwm", "c 81:* rwm",
    "c 89:* rwm", "c 116:* rwm", "c 166:* rwm", "c 188:* rwm", "c 226:* rwm",
]  # fmt: skip
"""null, zero, full, random, urandom, net/tun, fuse, video, i2c, sound, modems, serial adapters, graphics. Not USB
as a whole: disks and keyboards are there too."""

ROWS = (
    Rule(
        "devices.paths",
        DEVICES,
        "Which devices of the host a container may have, by path; a directory stands for all in it. Links are followed,"
        " and both ends must be in the list. A watchdog is in no list: who opens it and ends resets the machine.",
        ["*"],
        HARMLESS_DEVICES,
        [],
    ),
    Rule(
        "devices.block",
        FLAG,
        "Whether block devices may be among them: a disk is everything that is on it.",
        True,
        False,
        False,
    ),
    Rule(
        "devices.rules",
        DEVICE_RULES,
        "Which device_cgroup_rules a container may have, as `c 188:* rw`; one that asks for less than a rule in the"
        " list is allowed too.",
        ["a *:* rwm"],
        HARMLESS_DEVICE_RULES,
        [],
    ),
    Rule(
        "devices.requests",
        WORDS,
        "Which drivers may hand out devices (gpus): their names, and names of the Container Device Interface"
        " (vendor.com/class=name). `default` is a request that names no driver.",
        ["*"],
        ["default", "nvidia", "amd.com/gpu=*", "intel.com/gpu=*", "nvidia.com/gpu=*"],
        [],
    ),
)

_RULE = re.compile(r"([abc]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})")
DEFAULT = "default"
_CDI = "cdi"


def devices(case: Case, host: Object) -> None:
    """Everything in ``HostConfig`` that lets a container use a device."""
    for index, device in enumerate(objects(host.get("Devices"))):
        field = f"HostConfig.Devices[{index}]"
        case.unknown(device, frozenset({"PathOnHost", "PathInContainer", "CgroupPermissions"}), f"{field}.")
        _device(case, str(device.get("PathOnHost") or ""), field)
    for index, rule in enumerate(texts(host.get("DeviceCgroupRules"))):
        _rule(case, rule, f"HostConfig.DeviceCgroupRules[{index}]")
    for index, request in enumerate(objects(host.get("DeviceRequests"))):
        _request(case, request, f"HostConfig.DeviceRequests[{index}]")


def _device(case: Case, path: str, field: str) -> None:
    policy = case.policy
    if _is_device_name(path):
        # A name of the Container Device Interface in the field for paths: engines take it there as well.
        _allowed_request(case, path, field)
        return
    patterns = policy.words("devices.paths")
    seen = case.look(path)
    for way in dict.fromkeys((paths.normal(path), seen.real)):
        if "*" not in patterns and paths.covering(patterns, way) is None:
            case.refuse("devices.paths", field, f"the device {way}", escape(way))
            return
    if seen.kind == "block" and not policy.flag("devices.block"):
        case.refuse(
            "devices.block", field, f"the block device {path}: everything that is on it can be read and written"
        )
    if seen.kind == "folder" and not policy.flag("devices.block") and "*" in patterns:
        case.refuse("devices.block", field, f"all devices in {path}, block devices among them")


def _is_device_name(path: str) -> bool:
    return not path.startswith("/") and "=" in path


def _rule(case: Case, rule: str, field: str) -> None:
    allowed = case.policy.words("devices.rules")
    if not any(_is_within(rule, pattern) for pattern in allowed):
        case.refuse("devices.rules", field, f"the rule {rule!r} for devices", rule)


def _is_within(rule: str, pattern: str) -> bool:
    """Whether a rule asks for no more than another."""
    asked, given = _RULE.fullmatch(rule), _RULE.fullmatch(pattern)
    if asked is None or given is None:
        return pattern == "*"
    same_kind = given[1] in ("a", asked[1])
    same_numbers = all(there in ("*", wanted) for wanted, there in ((asked[2], given[2]), (asked[3], given[3])))
    return same_kind and same_numbers and set(asked[4]) <= set(given[4])


def _request(case: Case, request: Object, field: str) -> None:
    case.unknown(request, frozenset({"Driver", "Count", "DeviceIDs", "Capabilities", "Options"}), f"{field}.")
    driver = str(request.get("Driver") or "")
    ids = texts(request.get("DeviceIDs"))
    if driver == _CDI or any(_is_device_name(id) for id in ids):
        for name in ids or [_CDI]:
            _allowed_request(case, name, field)
        return
    _allowed_request(case, driver or DEFAULT, field)


def _allowed_request(case: Case, name: str, field: str) -> None:
    patterns = case.policy.words("devices.requests")
    if not any(pattern == "*" or fnmatchcase(name, pattern) for pattern in patterns):
        told = "devices of a driver that is not named" if name == DEFAULT else f"devices of {name}"
        case.refuse("devices.requests", field, told, name)
