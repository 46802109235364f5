"""What the engine says when it can't make or start something, in words of the domain file: the cause, and what to do.

Engines answer one and the same status for a command that is not in the image and for a disk that is full, so words are
what is looked at; the patterns stand here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_network
from typing import NamedTuple

from reconciler.sentences import advised, quoted

_NOISE = re.compile(
    r"^(?:failed to create (?:shim )?task(?: for container)?: |OCI runtime create failed: |runc create failed: "
    r"|container_linux\.go:\d+: |starting container process caused: |unable to start container process: "
    r"|error during container init: |runc did not terminate successfully: exit status \d+: )+"
)


class _Meaning(NamedTuple):
    """What some words of the engine mean. ``{name}`` in cause and step is what the group of that name in ``words``
    found, ``{said}`` all that was said."""

    words: re.Pattern[str]
    cause: str
    step: str

    def of(self, said: str) -> str | None:
        """The message; None where the engine said something else."""
        found = self.words.search(said)
        if found is None:
            return None
        # Two groups can't share a name, so the same in another form has a number.
        values = {name.rstrip("2"): value for name, value in found.groupdict().items() if value is not None}
        return advised(self.cause.format(**values, said=said), self.step.format(**values, said=said))


def _means(words: str, cause: str, step: str) -> _Meaning:
    return _Meaning(re.compile(words), cause, step)


_CORRECT_VOLUME = "or correct the volume in the domain file"
_CORRECT_MOUNT = "correct the source or the target of the volume in the domain file"

_MEANINGS = (
    _means(
        r'exec: "": (?:executable file not found|stat [^:]*: no such file|is a directory)',
        "the command (empty) is not in the image",
        "correct `command` or `entrypoint` in the domain file, or take an image that has it",
    ),
    _means(
        r'exec: "(?P<command>[^"]*)": (?:executable file not found|stat [^:]*: no such file|is a directory)'
        r"|(?:exec|stat) (?P<command2>/\S+): no such file or directory",
        "the command {command} is not in the image",
        "correct `command` or `entrypoint` in the domain file, or take an image that has it (an absolute path is not"
        " looked up in PATH)",
    ),
    _means(
        r'exec: "(?P<command>[^"]*)": permission denied|exec (?P<command2>/\S+): permission denied',
        "{command} in the image can't be executed: permission denied",
        "make it executable (`chmod +x {command}` in the Dockerfile), or name what is to run it in `command`"
        ' (["sh", "{command}"])',
    ),
    _means(
        r"(?i)exec format error",
        "its command is not a program for this machine's processor: exec format error",
        "take an image for this machine's platform, or build it for it (`platform`); a script begins with the line"
        " `#!/bin/sh`",
    ),
    _means(
        r"exec user process caused:? \"?no such file or directory",
        "what is to run the command is not in the image: the program in the first line of a script (`#!`), or the C"
        " library",
        "correct that line (it must not end as on Windows, CRLF), or take an image that has the program",
    ),
    _means(
        r"Cannot mkdir: (?P<path>.+) is not a directory",
        "the working directory {path} is not a directory in the image",
        "correct `working_dir` in the domain file, or the WORKDIR of the Dockerfile",
    ),
    _means(
        r'chdir to cwd \("(?P<path>[^"]+)"\) set in config\.json failed: (?P<why>[^:]+)',
        "it can't begin in the working directory {path}: {why}",
        "correct `working_dir` or `user` in the domain file",
    ),
    _means(
        r"[Uu]nknown(?: or invalid)? runtime(?: name| specified)?:? (?P<name>\S+)",
        "the engine has no runtime {name}",
        "correct `runtime` in the domain file, or install it and name it in the engine's daemon.json",
    ),
    _means(
        r"bind source path does not exist: (?P<path>.+)$",
        "the bind source {path} does not exist on the engine's machine",
        f"make it (`mkdir -p {{path}}`), {_CORRECT_VOLUME}",
    ),
    _means(
        r"error while creating mount source path '(?P<path>[^']+)': .*(?P<why>not a directory)",
        "the bind source {path} does not exist on the engine's machine ({why}: a part of the path is a file)",
        f"make a directory where the file is, {_CORRECT_VOLUME}",
    ),
    _means(
        r"error while creating mount source path '(?P<path>[^']+)': (?P<why>.+)$",
        "the bind source {path} does not exist, and the engine can't make it: {why}",
        f"make it where it can be made, {_CORRECT_VOLUME}",
    ),
    _means(
        r'error mounting "(?P<path>[^"]+)" to rootfs at "(?P<target>[^"]+)".*stat (?P=path): (?P<why>not a directory)',
        "the bind source {path} does not exist on the engine's machine ({why}: a part of the path is a file)",
        f"make a directory where the file is, {_CORRECT_VOLUME}",
    ),
    _means(
        r'error mounting "(?P<path>[^"]+)" to rootfs at "(?P<target>[^"]+)".*'
        r"stat (?P=path): (?P<why>no such file or directory)",
        "the bind source {path} does not exist on the engine's machine ({why})",
        f"make it (`mkdir -p {{path}}`), {_CORRECT_VOLUME}",
    ),
    _means(
        r'error mounting "(?P<path>[^"]+)" to rootfs at "(?P<target>[^"]+)".*not a directory',
        "{path} can't be mounted at {target}: one is a file, the other a directory",
        _CORRECT_MOUNT,
    ),
    _means(
        r"(?i)mount.*not a directory|Are you trying to mount a directory onto a file",
        "a directory is mounted onto a file, or a file onto a directory: {said}",
        _CORRECT_MOUNT,
    ),
    _means(
        r"Minimum memory limit allowed is (?P<least>\w+)",
        "the memory limit is below the engine's least, {least}",
        "set `mem_limit` to {least} or more",
    ),
    _means(
        r'plugin "?(?P<name>[^" ]+)"? not found',
        "the engine has no driver {name}",
        "correct `driver` in the domain file, or install the plug-in (`docker plugin install {name}`)",
    ),
    _means(
        r"could not find an available, non-overlapping IPv4 address pool|all predefined address pools",
        "the engine has no addresses left for another network: all of its default address pools are in use",
        "remove unused networks (`docker network prune`), give this one a subnet (`ipam`), or widen"
        " default-address-pools in the engine's daemon.json",
    ),
    _means(
        r"unable to find (?P<what>user|group) (?P<name>[^:]+): no matching entries in (?P<file>\w+) file",
        "the {what} {name} is not in the image (/etc/{file})",
        "correct `user` in the domain file (a number needs no entry), or add it in the Dockerfile",
    ),
    _means(
        r"could not select device driver \"[^\"]*\" with capabilities: (?P<needs>.*)$",
        "the engine has no driver for the devices that are asked for: {needs}",
        "install it (for GPUs: the NVIDIA container toolkit), or take the devices out of the domain file",
    ),
    _means(
        r'gathering device information while adding custom device "(?P<path>[^"]+)"',
        "the device {path} does not exist on the engine's machine",
        "plug it in, or correct `devices` in the domain file",
    ),
    _means(
        r"error setting rlimits?[^:]*: (?:error setting rlimit type \d+: )?(?P<why>[^:]+)",
        "the engine can't set the limits that are asked for: {why}",
        "lower `ulimits` in the domain file",
    ),
    _means(
        r"Range of CPUs is from \S+ to (?P<most>\d+(?:\.\d*?[1-9])?)",
        "more CPUs are asked for than the engine's machine has: {most}",
        "set `cpus` to {most} or less",
    ),
    _means(
        r"(?i)no space left on device",
        "the engine's disk is full: {said}",
        "make room: `pnr prune` removes images that nothing uses, `docker system df` shows what takes it",
    ),
)


_NOT_RUN_INSIDE = re.compile(r"^OCI runtime exec failed: .*exec: \"(?P<command>[^\"]*)\": (?P<why>.+)$", re.MULTILINE)


def of_run_inside(output: str) -> str:
    """What a command in a container printed, or, where the engine could not even run it, what that means."""
    found = _NOT_RUN_INSIDE.search(output)
    if found is None:
        return quoted(output)
    what, why = quoted(found["command"]), found["why"].strip().removesuffix(": unknown")
    if "permission denied" in why:
        step = f"make it executable (`chmod +x {what}` in the Dockerfile)"
        return advised(f"{what} in the container can't be executed: permission denied", step)
    step = "correct `command` of the health check, or take an image that has it"
    return advised(f"{what} is not in the container", step)


def meaning(said: str) -> str:
    """What the engine said, as a message with its step where the words are known; else without the layers of the
    runtime through which it came."""
    told = next(filter(None, (one.of(said) for one in _MEANINGS)), None)
    if told is not None:
        return told
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
                        f"network {name} can't be made: its subnet {subnet} overlaps with {there} of network {other}",
                        "give it another subnet (`ipam`) in the domain file, or remove the other network if it"
                        f" is unused (`docker network rm {other}`)",
                    )
    return ""
