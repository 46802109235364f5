"""What is mounted in a container: binds in both forms, volumes, memory, what other containers have. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.intent.settings.words import OWN_LABELS as OWN
from reconciler.policy.checks import images, places, volumes
from reconciler.policy.checks.case import Case, Object, labels_of, number, objects, owner_of, table, texts
from reconciler.policy.checks.sharing import others
from reconciler.policy.refusal import KNOWN_FIELDS, OWN_LABELS
from reconciler.quantities import sizes

RULE = "binds.engine_restarts"
NEVER = ("", "no")

RUNTIME_TARGET = "/runtime"

_PART = r"(?>[A-Za-z]:[\\/][^:]*|[^:]*)"
_BIND = re.compile(rf"(?P<source>{_PART}):(?P<target>{_PART})(?::(?P<mode>[^:]*))?")
_MODES = frozenset({"", "ro", "rw", "z", "Z", "nocopy", "consistent", "cached", "delegated", "default"})
_LABELS = frozenset({"z", "Z"})
_PROPAGATIONS = frozenset({"private", "rprivate", "slave", "rslave", "shared", "rshared"})
_OWN_FILE = re.compile(r"[0-9a-f]{64}")

_MOUNT = frozenset(
    {"Type", "Source", "Target", "ReadOnly", "BindOptions", "VolumeOptions", "TmpfsOptions", "ImageOptions"}
    | {"Consistency"}
)
_BIND_OPTIONS = frozenset(
    {"Propagation", "NonRecursive", "CreateMountpoint", "ReadOnlyNonRecursive", "ReadOnlyForceRecursive"}
)
_VOLUME_OPTIONS = frozenset({"NoCopy", "Labels", "DriverConfig", "Subpath"})
_TMPFS_OPTIONS = frozenset({"SizeBytes", "Mode", "Options"})


def mounts(case: Case, host: Object) -> None:
    """Everything in ``HostConfig`` that is mounted."""
    for index, bind in enumerate(texts(host.get("Binds"))):
        _bind(case, bind, f"HostConfig.Binds[{index}]")
    for index, mount in enumerate(objects(host.get("Mounts"))):
        _mount(case, mount, f"HostConfig.Mounts[{index}]")
    for target, options in table(host.get("Tmpfs")).items():
        _tmpfs_size(case, re.findall(r"(?:^|,)size=([^,]*)", str(options)), f"HostConfig.Tmpfs[{target}]")
    for index, name in enumerate(texts(host.get("VolumesFrom"))):
        _volumes_from(case, name, f"HostConfig.VolumesFrom[{index}]")
    driver = str(host.get("VolumeDriver") or "")
    if driver and not case.policy.allows("volumes.drivers", driver):
        case.refuse("volumes.drivers", "HostConfig.VolumeDriver", f"the volume driver {driver}", driver)


def restarts(case: Case, host: Object, wanted: Object, field: str) -> None:
    """Refuse that the engine starts a container again by itself (``wanted``, its restart policy) that has something of
    the host: nobody would judge what it mounts then."""
    name = str(wanted.get("Name") or "")
    if name not in NEVER and not case.policy.flag(RULE) and has_of_host(case, host):
        said = (
            f"the restart policy {name} of a container that has something of the host: the policy would not judge what"
            " it mounts then"
        )
        case.refuse(RULE, field, said)


def has_of_host(case: Case, host: Object) -> bool:
    """Whether a container has something of the host that pnr did not put there."""
    binds = [match["source"] for bind in texts(host.get("Binds")) if (match := _BIND.fullmatch(bind)) is not None]
    if host.get("VolumesFrom") or any(_is_path(source) for source in binds):
        return True
    names = [source for source in binds if source]
    for mount in objects(host.get("Mounts")):
        driver = table(table(mount.get("VolumeOptions")).get("DriverConfig"))
        if mount.get("Type") == "bind" and not is_own(case, mount):
            return True
        if mount.get("Type") == "volume":
            names += [str(mount["Source"])] if mount.get("Source") else []
            if volumes.is_of_host(str(driver.get("Name") or ""), table(driver.get("Options"))):
                return True
    there = [body for name in names if (body := case.world.volume(name)) is not None]
    return any(volumes.is_of_host(str(body.get("Driver") or ""), table(body.get("Options"))) for body in there)


def _is_path(source: str) -> bool:
    return "/" in source or "\\" in source or source.startswith((".", "~"))


def _bind(case: Case, bind: str, field: str) -> None:
    match = _BIND.fullmatch(bind)
    if match is None:
        case.refuse(KNOWN_FIELDS, field, "a volume of a form that is not known")
        return
    source, modes = match["source"], (match["mode"] or "").split(",")
    for mode in modes:
        if mode in _PROPAGATIONS:
            _propagation(case, mode, field)
        elif mode not in _MODES:
            case.refuse(KNOWN_FIELDS, field, f"the mode {mode} of a volume")
    if _is_path(source):
        is_read_only, relabels = "ro" in modes and "rw" not in modes, not _LABELS.isdisjoint(modes)
        places.host_path(case, source, field, read_only=is_read_only, relabels=relabels, makes=True)
    else:
        volumes.used(case, source, field, is_had=case.is_there)


def _mount(case: Case, mount: Object, field: str) -> None:
    case.unknown(mount, _MOUNT, f"{field}.")
    kind, source = str(mount.get("Type") or ""), str(mount.get("Source") or "")
    match kind:
        case "bind":
            options = table(mount.get("BindOptions"))
            case.unknown(options, _BIND_OPTIONS, f"{field}.BindOptions.")
            if options.get("Propagation"):
                _propagation(case, str(options["Propagation"]), f"{field}.BindOptions.Propagation")
            if not is_own(case, mount):
                makes = options.get("CreateMountpoint") is True
                # What is mounted below it stays as it is, so that a container could write there.
                read_only = mount.get("ReadOnly") is True and not options.get("ReadOnlyNonRecursive")
                places.host_path(case, source, field, read_only=read_only, makes=makes)
        case "volume":
            options = table(mount.get("VolumeOptions"))
            case.unknown(options, _VOLUME_OPTIONS, f"{field}.VolumeOptions.")
            own = next((label for label in table(options.get("Labels")) if str(label).startswith(OWN)), None)
            if own is not None:
                case.refuse(OWN_LABELS, f"{field}.VolumeOptions.Labels", f"the label {own}: it is pnr's own")
            driver = table(options.get("DriverConfig"))
            if driver:
                case.unknown(driver, frozenset({"Name", "Options"}), f"{field}.VolumeOptions.DriverConfig.")
                volumes.made(case, str(driver.get("Name") or ""), table(driver.get("Options")), field)
            if source:
                volumes.used(case, source, field, is_had=case.is_there)
        case "tmpfs":
            options = table(mount.get("TmpfsOptions"))
            case.unknown(options, _TMPFS_OPTIONS, f"{field}.TmpfsOptions.")
            if number(options.get("SizeBytes")):
                _tmpfs_size(case, [str(int(number(options["SizeBytes"])))], field)
        case "image":
            images.used(case, source, f"{field}.Source")
        case _:
            case.refuse(KNOWN_FIELDS, f"{field}.Type", f"no rule is known for mounts of the type {kind}")


def _propagation(case: Case, mode: str, field: str) -> None:
    if not case.policy.allows("binds.propagation", mode):
        case.refuse(
            "binds.propagation", field, f"the propagation {mode}: what is mounted there goes on to the host", mode
        )


def _tmpfs_size(case: Case, given: list[str], field: str) -> None:
    ceiling = case.policy.ceiling("limits.shm")
    if ceiling is None:
        return
    try:
        is_within = bool(given) and all(sizes.read_as_kernel(size) <= ceiling for size in given)
    except ValueError:
        is_within = False
    if not is_within:
        case.refuse("limits.shm", field, "a tmpfs of no size, or of more than the highest")


def is_own(case: Case, mount: Object) -> bool:
    """Whether a mount is one that pnr adds: the container's own directory behind /runtime, or a secret or config of
    its own. What tells is where it lies: no domain can put anything there."""
    source, owner = str(mount.get("Source") or ""), case.owner
    if owner is None or mount.get("BindOptions"):
        return False
    below = (owner.domain, owner.cpux, owner.unit)
    if case.places.runtime and source == "/".join((case.places.runtime, *below)):
        return mount.get("Target") == RUNTIME_TARGET
    folder, _, name = source.rpartition("/")
    own = {"/".join((root, *below)) for root in case.places.files}
    return folder in own and _OWN_FILE.fullmatch(name) is not None and mount.get("ReadOnly") is True


def _volumes_from(case: Case, entry: str, field: str) -> None:
    name = entry.removesuffix(":ro").removesuffix(":rw")
    if not others(case, name, field, "volumes of the container"):
        return
    body = case.world.container(name)
    if body is None:
        return
    other = owner_of(labels_of(body))
    is_sibling = other is not None and case.owner is not None and other.domain == case.owner.domain
    named = _named(table(body.get("HostConfig")))
    for mount in objects(body.get("Mounts")):
        if mount.get("Type") == "bind":
            if not _is_own_of(case, mount, other):
                what = f"by the container {name}, the host's"
                places.host_path(case, str(mount.get("Source")), field, read_only=mount.get("RW") is False, what=what)
        elif mount.get("Type") == "volume" and mount.get("Name"):
            name_of_it = str(mount["Name"])
            volumes.used(case, name_of_it, field, is_had=is_sibling and name_of_it not in named)


def _named(host: Object) -> set[str]:
    """The volumes that a container was made with by their names."""
    binds = (match["source"] for bind in texts(host.get("Binds")) if (match := _BIND.fullmatch(bind)) is not None)
    return {*binds, *(str(mount.get("Source")) for mount in objects(host.get("Mounts")))}


def handed_on(case: Case, host: Object, found: Any) -> None:
    """Refuse what a container has of the host though none of its own settings says so: volumes of another container
    that is gone by now."""
    said = {match["target"] for bind in texts(host.get("Binds")) if (match := _BIND.fullmatch(bind)) is not None}
    said |= {str(mount.get("Target")) for mount in objects(host.get("Mounts"))}
    names = [entry.removesuffix(":ro").removesuffix(":rw") for entry in texts(host.get("VolumesFrom"))]
    lenders = [owner_of(labels_of(body)) for name in names if (body := case.world.container(name)) is not None]
    for index, mount in enumerate(objects(found)):
        if str(mount.get("Destination")) in said:
            continue
        is_ours = any(_is_own_of(case, mount, whose) for whose in (case.owner, *lenders))
        if mount.get("Type") == "bind" and not is_ours:
            source, read_only = str(mount.get("Source")), mount.get("RW") is False
            places.host_path(case, source, f"Mounts[{index}]", read_only=read_only)
        elif mount.get("Type") == "volume" and mount.get("Name"):
            volumes.used(case, str(mount["Name"]), f"Mounts[{index}]", is_had=True)


def _is_own_of(case: Case, mount: Object, other: Any) -> bool:
    """A mount that pnr added to another container of the same domain."""
    if other is None or case.owner is None or other.domain != case.owner.domain:
        return False
    shown: Mapping[str, Any] = {
        "Source": mount.get("Source"),
        "Target": mount.get("Destination"),
        "ReadOnly": mount.get("RW") is False,
    }
    borrowed = Case(case.policy, case.places, case.look, case.protected, case.world, other)
    return is_own(borrowed, shown)
