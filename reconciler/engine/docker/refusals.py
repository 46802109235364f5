"""What the engine says when it can't make or start something, in words of the domain file: the cause, and what to do.

Engines answer one and the same status for a command that is not in the image and for a disk that is full, so words are
what is looked at; the patterns stand here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from ipaddress import ip_network

from reconciler.sentences import advised

Words = re.Match[str]
_NOISE = re.compile(
    r"^(?:failed to create (?:shim )?task(?: for container)?: |OCI runtime create failed: |runc create failed: "
    r"|container_linux\.go:\d+: |starting container process caused: |unable to start container process: "
    r"|error during container init: |runc did not terminate successfully: exit status \d+: )+"
)


def _command(found: Words) -> tuple[str, str]:
    what = found["command"] or "(empty)"
    return (
        f"the command {what} is not in the image",
        "correct `command` or `entrypoint` in the domain file, or take an image that has it"
        " (an absolute path is not looked up in PATH)",
    )


def _not_executable(found: Words) -> tuple[str, str]:
    what = found["command"]
    return (
        f"{what} in the image can't be executed: permission denied",
        f"make it executable (`chmod +x {what}` in the Dockerfile), or name what is to run it in `command`"
        f' (["sh", "{what}"])',
    )


_MEANINGS: tuple[tuple[re.Pattern[str], Callable[[Words], tuple[str, str]]], ...] = (
    (
        re.compile(
            r'exec: "(?P<command>[^"]*)": (?:executable file not found|stat [^:]*: no such file|is a directory)'
        ),
        _command,
    ),
    (re.compile(r"(?:exec|stat) (?P<command>/\S+): no such file or directory"), _command),
    (re.compile(r'exec: "(?P<command>[^"]*)": permission denied'), _not_executable),
    (re.compile(r"exec (?P<command>/\S+): permission denied"), _not_executable),
    (
        re.compile(r"exec format error", re.IGNORECASE),
        lambda _: (
            "its command is no program for this machine's processor: exec format error",
            "take an image for this machine's platform, or build it for it (`platform`); a script begins with the line"
            " `#!/bin/sh`",
        ),
    ),
    (
        re.compile(r"exec user process caused:? \"?no such file or directory"),
        lambda _: (
            "what is to run the command is not in the image: the program in the first line of a script (`#!`), or the"
            " C library",
            "correct that line (it must not end as on Windows, CRLF), or take an image that has the program",
        ),
    ),
    (
        re.compile(r"Cannot mkdir: (?P<path>.+) is not a directory"),
        lambda m: (
            f"the working directory {m['path']} is no directory in the image",
            "correct `working_dir` in the domain file, or the WORKDIR of the Dockerfile",
        ),
    ),
    (
        re.compile(r'chdir to cwd \("(?P<path>[^"]+)"\) set in config\.json failed: (?P<why>[^:]+)'),
        lambda m: (
            f"it can't begin in the working directory {m['path']}: {m['why']}",
            "correct `working_dir` or `user` in the domain file",
        ),
    ),
    (
        re.compile(r"[Uu]nknown(?: or invalid)? runtime(?: name| specified)?:? (?P<name>\S+)"),
        lambda m: (
            f"the engine has no runtime {m['name']}",
            "correct `runtime` in the domain file, or install it and name it in the engine's daemon.json",
        ),
    ),
    (
        re.compile(r"bind source path does not exist: (?P<path>.+)$"),
        lambda m: (
            f"the bind source {m['path']} does not exist on the engine's machine",
            f"make it (`mkdir -p {m['path']}`), or correct the volume in the domain file",
        ),
    ),
    (
        re.compile(r"error while creating mount source path '(?P<path>[^']+)': (?P<why>.+)$"),
        lambda m: (
            f"the bind source {m['path']} does not exist, and the engine can't make it: {m['why']}",
            "make it where it can be made, or correct the volume in the domain file",
        ),
    ),
    (
        re.compile(
            r'error mounting "(?P<path>[^"]+)" to rootfs at "(?P<target>[^"]+)".*'
            r"stat (?P=path): (?P<why>no such file or directory|not a directory)"
        ),
        lambda m: (
            f"the bind source {m['path']} does not exist on the engine's machine ({m['why']})",
            f"make it (`mkdir -p {m['path']}`), or correct the volume in the domain file",
        ),
    ),
    (
        re.compile(r'error mounting "(?P<path>[^"]+)" to rootfs at "(?P<target>[^"]+)".*not a directory'),
        lambda m: (
            f"{m['path']} can't be mounted at {m['target']}: one is a file, the other a directory",
            "correct the source or the target of the volume in the domain file",
        ),
    ),
    (
        re.compile(r"mount.*not a directory|Are you trying to mount a directory onto a file", re.IGNORECASE),
        lambda m: (
            f"a directory is mounted onto a file, or a file onto a directory: {m.string}",
            "correct the source or the target of the volume in the domain file",
        ),
    ),
    (
        re.compile(r"Minimum memory limit allowed is (?P<least>\w+)"),
        lambda m: (
            f"the memory limit is below the engine's least, {m['least']}",
            f"set `mem_limit` to {m['least']} or more",
        ),
    ),
    (
        re.compile(r'plugin "?(?P<name>[^" ]+)"? not found'),
        lambda m: (
            f"the engine has no driver {m['name']}",
            f"correct `driver` in the domain file, or install the plug-in (`docker plugin install {m['name']}`)",
        ),
    ),
    (
        re.compile(r"could not find an available, non-overlapping IPv4 address pool|all predefined address pools"),
        lambda _: (
            "the engine has no addresses left for another network: all of its default address pools are in use",
            "remove networks that nobody uses (`docker network prune`), give this one a subnet (`ipam`), or widen"
            " default-address-pools in the engine's daemon.json",
        ),
    ),
    (
        re.compile(r"unable to find (?P<what>user|group) (?P<name>[^:]+): no matching entries in (?P<file>\w+) file"),
        lambda m: (
            f"the {m['what']} {m['name']} is not in the image (/etc/{m['file']})",
            "correct `user` in the domain file (a number needs no entry), or add it in the Dockerfile",
        ),
    ),
    (
        re.compile(r"could not select device driver \"(?P<driver>[^\"]*)\" with capabilities: (?P<needs>.*)$"),
        lambda m: (
            f"the engine has no driver for the devices that are asked for: {m['needs']}",
            "install it (for GPUs: the NVIDIA container toolkit), or take the devices out of the domain file",
        ),
    ),
    (
        re.compile(r'gathering device information while adding custom device "(?P<path>[^"]+)"'),
        lambda m: (
            f"the device {m['path']} does not exist on the engine's machine",
            "plug it in, or correct `devices` in the domain file",
        ),
    ),
    (
        re.compile(r"error setting rlimits?[^:]*: (?:error setting rlimit type \d+: )?(?P<why>[^:]+)"),
        lambda m: (
            f"the engine can't set the limits that are asked for: {m['why']}",
            "lower `ulimits` in the domain file",
        ),
    ),
    (
        re.compile(r"Range of CPUs is from \S+ to (?P<most>[\d.]+)"),
        lambda m: (
            f"more CPUs are asked for than the engine's machine has: {float(m['most']):g}",
            f"set `cpus` to {float(m['most']):g} or less",
        ),
    ),
    (
        re.compile(r"no space left on device", re.IGNORECASE),
        lambda m: (
            f"the engine's disk is full: {m.string}",
            "make room: `pnr prune` removes images that nothing uses, `docker system df` shows what takes it",
        ),
    ),
)


_NOT_RUN_INSIDE = re.compile(r"^OCI runtime exec failed: .*exec: \"(?P<command>[^\"]*)\": (?P<why>.+)$", re.MULTILINE)


def of_run_inside(output: str) -> str:
    """What a command in a container printed, or, where the engine could not even run it, what that means."""
    found = _NOT_RUN_INSIDE.search(output)
    if found is None:
        return output
    what, why = found["command"], found["why"].strip().removesuffix(": unknown")
    if "permission denied" in why:
        step = f"make it executable (`chmod +x {what}` in the Dockerfile)"
        return advised(f"{what} in the container can't be executed: permission denied", step)
    step = "correct `command` of the health check, or take an image that has it"
    return advised(f"{what} is not in the container", step)


def meaning(said: str) -> str:
    """What the engine said, as a message with its step where the words are known; else without the layers of the
    runtime through which it came."""
    for pattern, tell in _MEANINGS:
        found = pattern.search(said)
        if found is not None:
            return advised(*tell(found))
    short = _NOISE.sub("", said).removesuffix(": unknown")
    return short or said


def overlap(name: str, subnets: Iterable[str], others: Iterable[tuple[str, Iterable[str]]]) -> str:
    """The message for a network whose subnet overlaps with another one's."""
    own = [ip_network(subnet, strict=False) for subnet in subnets]
    for other, pools in others:
        for pool in pools:
            there = ip_network(pool, strict=False)
            for subnet in own:
                if subnet.version == there.version and subnet.overlaps(there):
                    return advised(
                        f"the subnet {subnet} of network {name} overlaps with {there} of network {other}",
                        "give it another subnet (`ipam`) in the domain file, or remove the other network if nobody"
                        f" uses it (`docker network rm {other}`)",
                    )
    return ""
