"""The body that creates a container, and those that change one, part by part. Pure.

Every field that the Engine API has (1.41 to 1.51) is in one of the sets here: those that a rule looks at, and those
that reach no further than the container. A field that is in none is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.intent.settings.words import OWN_LABELS as OWN
from reconciler.planner.observed import (
    LABEL_CHUNK,
    LABEL_CPUX,
    LABEL_DOMAIN,
    LABEL_FILES,
    LABEL_FIXED,
    LABEL_GENERATION,
    LABEL_MARK,
    LABEL_REPLICA,
    LABEL_SPEC,
)
from reconciler.policy.checks import images, logs, network
from reconciler.policy.checks.case import Case, Object, table, texts
from reconciler.policy.checks.devices import devices
from reconciler.policy.checks.limits import limits, stopping
from reconciler.policy.checks.mounts import handed_on, mounts, restarts
from reconciler.policy.checks.security import security
from reconciler.policy.refusal import OWN_LABELS

_CONFIG = frozenset(
    {"ArgsEscaped", "AttachStderr", "AttachStdin", "AttachStdout", "Cmd", "Domainname", "Entrypoint", "Env"}
    | {"ExposedPorts", "Healthcheck", "HostConfig", "Hostname", "Image", "Labels", "MacAddress", "NetworkDisabled"}
    | {"NetworkingConfig", "OnBuild", "OpenStdin", "Shell", "StdinOnce", "StopSignal", "StopTimeout", "Tty", "User"}
    | {"Volumes", "WorkingDir"}
)
_JUDGED = frozenset(
    {"Annotations", "Binds", "CapAdd", "CapDrop", "CgroupParent", "CgroupnsMode", "DeviceCgroupRules"}
    | {"DeviceRequests", "Devices", "IpcMode", "Links", "LogConfig", "MaskedPaths", "Mounts", "NetworkMode"}
    | {"OomKillDisable", "OomScoreAdj", "PidMode", "PortBindings", "Privileged", "PublishAllPorts", "ReadonlyPaths"}
    | {"ReadonlyRootfs", "Runtime", "SecurityOpt", "Sysctls", "Tmpfs", "UTSMode", "UsernsMode", "VolumeDriver"}
    | {"VolumesFrom"}
)
_LIMITS = frozenset(
    {"BlkioDeviceReadBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteBps", "BlkioDeviceWriteIOps", "BlkioWeight"}
    | {"BlkioWeightDevice", "CpuCount", "CpuPercent", "CpuPeriod", "CpuQuota", "CpuRealtimePeriod"}
    | {"CpuRealtimeRuntime", "CpuShares", "CpusetCpus", "CpusetMems", "KernelMemory", "KernelMemoryTCP", "Memory"}
    | {"MemoryReservation", "MemorySwap", "MemorySwappiness", "NanoCpus", "PidsLimit", "ShmSize", "StorageOpt"}
    | {"Ulimits", "IOMaximumBandwidth", "IOMaximumIOps"}
)
_OF_THE_CONTAINER = frozenset(
    {"AutoRemove", "ConsoleSize", "Dns", "DnsOptions", "DnsSearch", "ExtraHosts", "GroupAdd", "Init", "Isolation"}
    | {"RestartPolicy"}
)
_HOST_CONFIG = _JUDGED | _LIMITS | _OF_THE_CONTAINER
# Of these an engine shows its own choice where nothing was asked, and what was asked was judged then.
_SHOWN_ONLY = frozenset({"ContainerIDFile", "Runtime", "CgroupnsMode"})
_UPDATE = _LIMITS | {"RestartPolicy"}
_EXEC = frozenset(
    {"AttachStderr", "AttachStdin", "AttachStdout", "Cmd", "Container", "DetachKeys", "Env", "Privileged", "Tty"}
    | {"User", "WorkingDir", "ConsoleSize", "Detach"}
)
_LABELS = frozenset(
    {
        LABEL_CHUNK,
        LABEL_CPUX,
        LABEL_DOMAIN,
        LABEL_FILES,
        LABEL_FIXED,
        LABEL_GENERATION,
        LABEL_MARK,
        LABEL_REPLICA,
        LABEL_SPEC,
    }
)


def created(case: Case, body: Object) -> None:
    """``POST /containers/create``."""
    case.unknown(body, _CONFIG, "")
    host = table(body.get("HostConfig"))
    case.unknown(host, _HOST_CONFIG, "HostConfig.")
    _labels(case, table(body.get("Labels")))
    images.used(case, str(body.get("Image") or ""), "Image")
    _of_a_container(case, body, host)
    network.networking(case, body)
    _replica(case)


def existing(case: Case, inspected: Object) -> None:
    """A container that is there and is to be started, or taken over: as if it were made now. Its image is what it is,
    and of its networks the engine tells by itself."""
    case.is_there = True
    host = table(inspected.get("HostConfig"))
    shown = {key: value for key, value in host.items() if key not in _SHOWN_ONLY}
    log = table(shown.get("LogConfig"))
    shown["LogConfig"] = {"Config": log.get("Config")}
    for key in ("MaskedPaths", "ReadonlyPaths"):
        if shown.get(key) and not _is_emptier(key, shown[key]):
            shown.pop(key)
    if shown.get("Privileged") or "host" in (shown.get("PidMode"), shown.get("IpcMode")):
        # The engine adds that by itself, and these have been judged.
        shown["SecurityOpt"] = [option for option in texts(shown.get("SecurityOpt")) if option != "label=disable"]
    case.unknown(shown, _HOST_CONFIG | {"Cgroup"}, "HostConfig.")
    _of_a_container(case, table(inspected.get("Config")), shown, is_there=True)
    handed_on(case, host, inspected.get("Mounts"))
    for name, settings in table(table(inspected.get("NetworkSettings")).get("Networks")).items():
        network.endpoint(case, str(name), table(settings), f"NetworkSettings.Networks[{name}]")


_USUAL = {
    "MaskedPaths": frozenset({"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/sys/firmware"}),
    "ReadonlyPaths": frozenset({"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}),
}


def _is_emptier(key: str, value: Any) -> bool:
    """Whether a list holds less than every engine hides."""
    return not isinstance(value, list) or not _USUAL[key] <= set(map(str, value))


def _of_a_container(case: Case, body: Object, host: Object, *, is_there: bool = False) -> None:
    security(case, body, host)
    devices(case, host)
    mounts(case, host)
    restarts(case, host, table(host.get("RestartPolicy")), "HostConfig.RestartPolicy")
    limits(case, host)
    stopping(case, body)
    network.ports(case, host)
    logs.logging(case, host, is_there=is_there)
    network.links(case, host)


def updated(case: Case, body: Object, target: Object | None = None) -> None:
    """``POST /containers/{id}/update``."""
    case.unknown(body, _UPDATE, "")
    limits(case, body, update=True)
    if body.get("RestartPolicy") and target is not None:
        restarts(case, table(target.get("HostConfig")), table(body["RestartPolicy"]), "RestartPolicy")


def executed(case: Case, body: Object) -> None:
    """``POST /containers/{id}/exec``: a command in a container."""
    case.unknown(body, _EXEC, "")
    if body.get("Privileged") not in (None, False) and not case.policy.flag("security.privileged"):
        case.refuse("security.privileged", "Privileged", "a privileged command: it is root on the host")


def _labels(case: Case, labels: Mapping[str, Any]) -> None:
    for name in labels:
        if str(name).startswith(OWN) and name not in _LABELS:
            case.refuse(OWN_LABELS, f"Labels[{name}]", f"the label {name}: those that begin with {OWN} are pnr's own")


def _replica(case: Case) -> None:
    ceiling = case.policy.ceiling("limits.replicas")
    if ceiling is not None and case.owner is not None and case.owner.replica > ceiling:
        said = f"{case.owner.replica} replicas (at most {ceiling:.0f})"
        case.refuse("limits.replicas", f"Labels[{LABEL_REPLICA}]", said)
