"""Gets the policy that is in force, and makes its judge, with what the judge must know of this installation.

A policy that can't be read, that is not valid or that others may write to is an error with which nothing starts: there
is no falling back to something laxer. It is read when a program starts; a change takes a restart, which touches no
container.
"""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

import reconciler
from reconciler.daemon.protocol import ServiceOptions
from reconciler.diagnostics import Diagnostic, Diagnostics
from reconciler.errors import PnrError
from reconciler.host import networks, paths, root_reads
from reconciler.host.engine_folders import engine_folders
from reconciler.policy import Judge, Policy, Profile, reading
from reconciler.policy.table import policy_of
from reconciler.policy.world import HostNet, Installation, Look, LookAtNetworks

UNSAFE = "UnsafePolicy"
_GROUP_OR_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class PolicyUnusable(PnrError):
    """The policy file can't be read, or can't be trusted; the message says why and what to do."""

    code = "PolicyUnusable"


@dataclass(frozen=True, slots=True)
class Found:
    """A policy as it was found. ``warnings`` say why a daemon would not start with it all the same: others could change
    it."""

    policy: Policy
    warnings: tuple[Diagnostic, ...] = ()


def load_policy(options: ServiceOptions) -> Policy:
    """The policy that the options name. Raises PnrError."""
    found = find_policy(options.policy, str(options.domains))
    if found.warnings:
        raise PolicyUnusable(found.warnings[0].message)
    return found.policy


def find_policy(name: str | None, domains: str) -> Found:
    """The policy of a name, as far as it can be read and understood, for a directory of domain files. Raises
    PnrError."""
    if name is None:
        return Found(policy_of(Profile.STANDARD))
    profile = reading.profile_named(name)
    if profile is not None:
        return Found(profile)
    path = os.path.abspath(name)
    report = Diagnostics(path)
    text = _read(path, report)
    root = os.path.realpath(domains)
    if os.path.commonpath([root, os.path.realpath(path)]) == root:
        message = (
            f"the policy {path} lies in the directory of the domain files, where domains may write: put it elsewhere"
        )
        report.warning((), UNSAFE, message)
    return Found(reading.read(text, path), tuple(report))


def _read(path: str, report: Diagnostics) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        known = ", ".join(Profile)
        raise PolicyUnusable(
            f"the policy {path} can't be read: {error.strerror or error}; nothing starts without it. Name an existing"
            f" file or a profile ({known}), with --policy or PNR_POLICY"
        ) from error
    try:
        at = os.fstat(descriptor)
        if not stat.S_ISREG(at.st_mode):
            raise PolicyUnusable(f"the policy {path} is not a file; nothing starts without it")
        _check_safety(path, at, report)
        with os.fdopen(os.dup(descriptor), "rb") as file:
            data = file.read(reading.LARGEST + 1)
    finally:
        os.close(descriptor)
    if len(data) > reading.LARGEST:
        raise PolicyUnusable(f"the policy {path} has more than {reading.LARGEST} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PolicyUnusable(f"{path}:{line}: it is not UTF-8") from error


def _check_safety(path: str, at: os.stat_result, report: Diagnostics) -> None:
    """Why a policy is none to go by: others than root and the daemon's user may write it, or put another file in the
    place of it."""
    if not hasattr(os, "geteuid"):
        return  # Windows: no owners and modes to go by
    if at.st_uid not in (0, os.geteuid()):
        message = (
            f"the policy {path} belongs to uid {at.st_uid}, who could change it: chown it to root, or to the daemon's"
            " user"
        )
        report.warning((), UNSAFE, message)
    if at.st_mode & _GROUP_OR_OTHERS:
        report.warning((), UNSAFE, f"the policy {path} may be written by others than its owner: chmod go-w {path}")
    for way in dict.fromkeys((path, os.path.realpath(path))):
        seen = paths.look(way)
        if seen.others is not None:
            message = (
                f"the policy {path} is not safe: others than root and the daemon's user may write to {seen.others}, and"
                " put another file in its place; chmod go-w it, or put the policy elsewhere"
            )
            report.warning((), UNSAFE, message)


def make_policy(options: ServiceOptions, *, on_other_host: bool = False) -> Judge:
    """The judge of what domains ask for. Raises PnrError. ``on_other_host``: the files are judged for another machine,
    by the policy as it is written, and paths of the host by their names alone, but for what lies beside the files."""
    if on_other_host:
        policy = find_policy(options.policy, str(options.domains)).policy
        there = _installation(options, policy, paths.by_name)
        return Judge(policy, there, paths.by_name_but_in(there.domains))
    policy = load_policy(options)
    look = look_for(options)
    return Judge(policy, _installation(options, policy, look), look)


def look_for(options: ServiceOptions) -> Look:
    """How paths of the engine's machine are looked at: not at all where that is another one."""
    host = _engine_host(options)
    return paths.look if not host or host.startswith(("unix:", "http+unix:", "npipe:")) else paths.unseen


def _net_for(look: Look) -> LookAtNetworks:
    """How networks of the engine's machine are looked at: as its paths are. By its name alone a subnet is none that a
    host has."""
    return networks.look if look is paths.look else HostNet if look is paths.by_name else networks.unseen


def _engine_host(options: ServiceOptions) -> str:
    """The engine's address; "" where it is the usual one, or where it is another kind of engine. What stands in the way
    of finding it is told when the engine is asked for."""
    if options.engine != "docker":
        return ""
    config = os.path.join(os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker"), "config.json")
    if not os.environ.get("DOCKER_CONTEXT") and not os.path.lexists(config):
        return os.environ.get("DOCKER_HOST", "")  # without the SDK, which takes a while to be imported
    from reconciler.engine.docker import client
    from reconciler.engine.protocol import EngineUnavailable

    try:
        return client.find().host
    except EngineUnavailable:
        return ""


def files_roots(state: Path) -> tuple[str, str]:
    """Where files for containers are put, and where those that may be executed.

    The first is best in memory: systemd's RuntimeDirectory, where there is one. File systems in memory seldom allow
    programs, so the second is in the state directory.
    """
    lasting = str(state.absolute() / "files")
    runtime = os.environ.get("RUNTIME_DIRECTORY", "").split(os.pathsep)[0]
    return (os.path.join(runtime, "files") if runtime else lasting), lasting


def runtime_root(state: Path) -> str:
    """The directory under which those of ``/runtime`` are made."""
    return str(state.absolute() / "runtime")


def _installation(options: ServiceOptions, policy: Policy, look: Look) -> Installation:
    own = [paths.resolved(str(options.state))]
    if policy.file is not None:
        own += [policy.file, os.path.realpath(policy.file)]
    runtime = os.environ.get("RUNTIME_DIRECTORY", "").split(os.pathsep)[0]
    own += [paths.resolved(runtime)] if runtime else []
    is_here = look is paths.look
    own += engine_folders() if is_here else []
    program = [os.path.dirname(os.path.realpath(reconciler.__file__))]
    program += [os.path.realpath(sys.prefix)] if sys.prefix != sys.base_prefix else []
    return Installation(
        domains=paths.resolved(str(options.domains)),
        own=tuple(dict.fromkeys(own)),
        program=tuple(dict.fromkeys(program)),
        runtime=runtime_root(options.state),
        files=tuple(dict.fromkeys(files_roots(options.state))),
        sockets=_sockets(options),
        read_by_root=root_reads.read_by_root()
        if is_here and policy.says_somewhere("binds.read_by_root", False)
        else (),
        uid_min=root_reads.uid_min(),
        net=_net_for(look),
    )


def _sockets(options: ServiceOptions) -> tuple[str, ...]:
    usual = ["/var/run/docker.sock", "/run/docker.sock"]
    scheme, sign, path = _engine_host(options).partition("://")
    if sign and scheme.endswith("unix"):
        usual += [path, paths.resolved(path)]
    return tuple(dict.fromkeys(usual))
