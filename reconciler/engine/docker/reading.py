"""From the engine's JSON to observed values. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from reconciler.engine.docker.mounted_files import without_own
from reconciler.engine.docker.output import unix
from reconciler.intent.model import ChunkId, Ipam, Pool, counted
from reconciler.intent.settings import endpoints, read_back, volumes
from reconciler.intent.settings.words import OWN_LABELS
from reconciler.planner.gist import gist
from reconciler.planner.observed import (
    LABEL_CHUNK,
    LABEL_CPUX,
    LABEL_DOMAIN,
    LABEL_FILES,
    LABEL_FIXED,
    LABEL_GENERATION,
    LABEL_KEEP,
    LABEL_MARK,
    LABEL_REPLICA,
    LABEL_SPEC,
    Condition,
    Container,
    HostPort,
    Network,
    Volume,
)

_IDENTITY = (LABEL_DOMAIN, LABEL_CPUX, LABEL_CHUNK, LABEL_REPLICA, LABEL_SPEC, LABEL_GENERATION, LABEL_FIXED)
_HEALTH = re.compile(r"\((health: starting|healthy|unhealthy)\)")
_EXIT = re.compile(r"^Exited \((\d+)\)")
_LONGEST_HEALTH_OUTPUT = 300
_NEVER = "0001-01-01T00:00:00Z"


def owner(labels: Mapping[str, str] | None) -> ChunkId | None:
    """Whose a container is; None where it is not ours."""
    labels = labels or {}
    if not (labels.get(LABEL_DOMAIN) and labels.get(LABEL_CPUX) and labels.get(LABEL_CHUNK)):
        return None
    replica = number(labels.get(LABEL_REPLICA), 1)
    return ChunkId(labels[LABEL_DOMAIN], labels[LABEL_CPUX], labels[LABEL_CHUNK], replica)


def is_inherited(labels: Mapping[str, str], of_image: Mapping[str, str]) -> bool:
    """Whether a container that carries our labels has them from its image (``docker commit`` puts them there)."""
    if of_image.get(LABEL_MARK):
        return labels.get(LABEL_MARK) == of_image[LABEL_MARK]
    return not labels.get(LABEL_MARK) and all(labels.get(name) == of_image.get(name) for name in _IDENTITY)


def number(text: str | None, default: int) -> int:
    """A number from a label that somebody may have changed."""
    return counted(text, default)


def condition(text: str) -> Condition:
    """Docker's word for the state; one that is not known counts as dead."""
    try:
        return Condition(text)
    except ValueError:
        return Condition.DEAD


def overlaid(body: Mapping[str, Any], labels: Mapping[str, str]) -> Mapping[str, Any]:
    """An inspection as it would be if the container had these labels as well."""
    if not labels:
        return body
    config = body.get("Config") or {}
    return {**body, "Config": {**config, "Labels": {**(config.get("Labels") or {}), **labels}}}


_WARNINGS = "Warnings"


def with_warnings(body: Mapping[str, Any], answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """An inspection with what the engine warned of as it made or changed the container, in ``answer``."""
    return {**body, _WARNINGS: answer.get(_WARNINGS)}


_WAS_THERE = "WasThere"


def with_was_there(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """An inspection of a container that a creation found, or that ran when it was to be started."""
    return {**body, _WAS_THERE: True}


def examined(body: Mapping[str, Any], image: Mapping[str, Any], about: Mapping[str, Any]) -> Container:
    """A container of somebody else with its settings and those of its image, from the inspections of both; ``about`` is
    what the engine tells of itself (``GET /info``)."""
    brought = read_back({"Config": image.get("Config") or {}, "HostConfig": {}})
    settings = read_back(body)
    of_image = (image.get("Config") or {}).get("Volumes") or {}
    # Compose hands the image's own volumes on, by the names that they were given.
    settings["volumes"] = [
        entry
        for entry in settings.get("volumes") or ()
        if not (volumes.is_anonymous(entry) and entry["target"] in of_image)
    ]
    brought |= _filled_in(body, settings) | _usual(settings, about)
    return replace(from_inspection(body), settings=settings, brought=brought, unsaid=tuple(_unsaid(body)))


def _usual(settings: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any]:
    """What the engine gives where nothing is asked. Its usual log driver may have options that it does not tell."""
    usual: dict[str, Any] = {}
    if about.get("DefaultRuntime"):
        usual["runtime"] = str(about["DefaultRuntime"])
    if about.get("CgroupVersion"):
        usual["cgroup"] = "host" if str(about["CgroupVersion"]) == "1" else "private"
    if about.get("LoggingDriver"):
        logs, driver = settings.get("logging") or {}, str(about["LoggingDriver"])
        usual["logging"] = logs if logs.get("driver") == driver else {"driver": driver, "options": {}}
    return usual


def _unsaid(body: Mapping[str, Any]) -> Iterator[str]:
    """What was asked of a container that pnr has no word for."""
    host = body.get("HostConfig") or {}
    if host.get("AutoRemove"):
        yield "it was made with --rm: the engine removes it when it ends"
    if host.get("PublishAllPorts"):
        yield "it was made with --publish-all: it publishes every port of its image"
    if (body.get("Config") or {}).get("NetworkDisabled"):
        yield "it was made without a network, which it can't be given"


def _filled_in(body: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the engine puts into a container's settings because of others, asked by nobody."""
    host = body.get("HostConfig") or {}
    modes = {name: str(host.get(name) or "") for name in ("NetworkMode", "UTSMode", "PidMode", "IpcMode")}
    filled: dict[str, Any] = {}
    shares_names = modes["NetworkMode"] == "host" or modes["NetworkMode"].startswith("container:")
    if shares_names or modes["UTSMode"] == "host":
        filled["hostname"] = settings.get("hostname")
    if modes["NetworkMode"] in ("host", "none"):
        filled["ports"] = settings.get("ports")  # which nobody publishes there
    if host.get("Privileged") or "host" in (modes["PidMode"], modes["IpcMode"]):
        filled["security_opt"] = ["label=disable"]
    return filled


def signature(summary: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of a summary tells that the container has changed: all but the age in ``Status``."""
    text = str(summary.get("Status", ""))
    health = _HEALTH.search(text)
    ended = _EXIT.search(text)
    networks = (summary.get("NetworkSettings") or {}).get("Networks") or {}
    return (
        summary.get("State"),
        tuple(summary.get("Names") or ()),
        summary.get("ImageID"),
        health.group(1) if health else "",
        ended.group(1) if ended else "",
        tuple((name, (end or {}).get("EndpointID"), (end or {}).get("IPAddress")) for name, end in networks.items()),
        # The engine lists them in no order.
        sorted(
            (str(p.get("IP")), int(p.get("PrivatePort") or 0), int(p.get("PublicPort") or 0), str(p.get("Type")))
            for p in summary.get("Ports") or ()
        ),
    )


def connections(body: Mapping[str, Any], now: Condition) -> dict[str, Mapping[str, Any]]:
    """The networks that a container is connected to, and how, from its inspection or summary. Of one that runs an
    engine also shows those that it refused to connect it to, until it is connected to them: without an endpoint."""
    shown = (body.get("NetworkSettings") or {}).get("Networks") or {}
    alive = now in (Condition.RUNNING, Condition.PAUSED)
    return {name: end or {} for name, end in shown.items() if not alive or (end or {}).get("EndpointID")}


def from_summary(summary: Mapping[str, Any]) -> Container:
    """A container from the list. Enough for one that is not ours; ours are inspected."""
    labels = summary.get("Labels") or {}
    now = condition(str(summary.get("State", "")))
    text = str(summary.get("Status", ""))
    health = _HEALTH.search(text)
    ended = _EXIT.search(text)
    networks = connections(summary, now)
    published: dict[str, tuple[HostPort, ...]] = {}
    for port in summary.get("Ports") or ():
        if port.get("PublicPort"):
            key = f"{port['PrivatePort']}/{port.get('Type', 'tcp')}"
            published[key] = (*published.get(key, ()), HostPort(port.get("IP", ""), int(port["PublicPort"])))
    return Container(
        id=str(summary["Id"]),
        name=str((summary.get("Names") or ["/"])[0]).lstrip("/"),
        image=str(summary.get("Image", "")),
        image_id=str(summary.get("ImageID", "")),
        condition=now,
        owner=owner(labels),
        replica=number(labels.get(LABEL_REPLICA), 1),
        spec=str(labels.get(LABEL_SPEC, "")),
        fixed=str(labels.get(LABEL_FIXED, "")),
        generation=number(labels.get(LABEL_GENERATION), 0),
        networks={name: str(end.get("IPAddress", "")) for name, end in networks.items()},
        ipv6_addresses=_ipv6_addresses(networks),
        published=published,
        exit_code=int(ended.group(1)) if ended else None,
        health="starting" if health and "starting" in health.group(1) else health.group(1) if health else None,
    )


def from_inspection(body: Mapping[str, Any]) -> Container:
    """A container from an inspection, with its settings where it is ours."""
    config = body.get("Config") or {}
    labels = config.get("Labels") or {}
    state = body.get("State") or {}
    settings = body.get("NetworkSettings") or {}
    published: dict[str, tuple[HostPort, ...]] = {}
    for key, bindings in (settings.get("Ports") or {}).items():
        if bindings:
            published[key] = tuple(
                HostPort(b.get("HostIp", ""), int(b["HostPort"])) for b in bindings if b.get("HostPort")
            )
    started = str(state.get("StartedAt") or "")
    now = condition(str(state.get("Status", "")))
    ended = now in (Condition.EXITED, Condition.DEAD, Condition.RESTARTING)
    whose = owner(labels)
    networks = connections(body, now)
    return Container(
        id=str(body["Id"]),
        name=str(body.get("Name", "")).lstrip("/"),
        image=str(config.get("Image", "")),
        image_id=str(body.get("Image", "")),
        condition=now,
        owner=whose,
        replica=number(labels.get(LABEL_REPLICA), 1),
        spec=str(labels.get(LABEL_SPEC, "")),
        fixed=str(labels.get(LABEL_FIXED, "")),
        generation=number(labels.get(LABEL_GENERATION), 0),
        run="" if not started or started == _NEVER else started,
        networks={name: str(end.get("IPAddress", "")) for name, end in networks.items()},
        ipv6_addresses=_ipv6_addresses(networks),
        published=published,
        exit_code=int(state.get("ExitCode", 0)) if ended else None,
        oom_killed=bool(state.get("OOMKilled", False)),
        health=(state.get("Health") or {}).get("Status") or None,
        settings=read_back(without_own(body, whose)) if whose is not None else None,
        endpoints={name: endpoints.from_api(end, str(body["Id"])) for name, end in networks.items()},
        pid=int(state.get("Pid") or 0),
        files=str(labels.get(LABEL_FILES) or ""),
        warnings=tuple(str(warning).strip() for warning in body.get(_WARNINGS) or ()),
        was_there=bool(body.get(_WAS_THERE)),
        began=unix(started) if started != _NEVER else None,
        finished=unix(str(state.get("FinishedAt") or "")) if state.get("FinishedAt") != _NEVER else None,
        restarts=int(body.get("RestartCount") or 0),
        health_output=_printed_last(state.get("Health") or {}),
    )


def _printed_last(health: Mapping[str, Any]) -> str:
    """What the image's check printed as it failed last; "" where it did not. Of much it is the end, which most often
    says why, and where a usage text or a stack is the end, what stands before that."""
    failed = [entry for entry in health.get("Log") or () if entry.get("ExitCode")]
    printed = str(failed[-1].get("Output") or "") if failed else ""
    text = " ".join(printed.split())
    if len(text) <= _LONGEST_HEALTH_OUTPUT:
        return text
    told = " ".join(gist(printed).split())
    if not text.endswith(told) and len(told) <= _LONGEST_HEALTH_OUTPUT and not told.endswith("…"):
        return told
    end = text[-_LONGEST_HEALTH_OUTPUT:]
    return f"… {end.partition(' ')[2] or end}"


def _ipv6_addresses(shown: Mapping[str, Any]) -> dict[str, str]:
    found = {name: str((end or {}).get("GlobalIPv6Address") or "") for name, end in shown.items()}
    return {name: address for name, address in found.items() if address}


def networks(bodies: Iterable[Mapping[str, Any]], summaries: Iterable[Mapping[str, Any]]) -> dict[str, Network]:
    """The networks by name. Where several have one, that of a domain goes before others, then the one that more
    containers are connected to, then the older one; the rest are its twins."""
    connected: Counter[str] = Counter()
    for summary in summaries:
        ends = ((summary.get("NetworkSettings") or {}).get("Networks") or {}).values()
        connected.update(str((end or {}).get("NetworkID") or "") for end in ends)

    def rank(body: Mapping[str, Any]) -> tuple[bool, int, str, str]:
        foreign = not (body.get("Labels") or {}).get(LABEL_DOMAIN)
        return foreign, -connected[str(body["Id"])], str(body.get("Created") or ""), str(body["Id"])

    named: dict[str, list[Mapping[str, Any]]] = {}
    for body in bodies:
        named.setdefault(str(body["Name"]), []).append(body)
    found = {}
    for name, alike in named.items():
        first, *others = (network(body) for body in sorted(alike, key=rank))
        found[name] = replace(first, twins=tuple(others)) if others else first
    return found


def network(body: Mapping[str, Any]) -> Network:
    """A network from the list. Engines before API 1.48 do not tell whether it has IPv4."""
    labels = body.get("Labels") or {}
    ipam = body.get("IPAM") or {}
    ipv4 = body.get("EnableIPv4")
    return Network(
        str(body["Id"]),
        str(body["Name"]),
        labels.get(LABEL_DOMAIN) or None,
        spec=str(labels.get(LABEL_SPEC) or ""),
        driver=str(body.get("Driver") or ""),
        driver_opts=dict(body.get("Options") or {}),
        internal=bool(body.get("Internal")),
        attachable=bool(body.get("Attachable")),
        enable_ipv4=None if ipv4 is None else bool(ipv4),
        enable_ipv6=bool(body.get("EnableIPv6")),
        ipam=Ipam(
            ipam.get("Driver") or None,
            tuple(_pool(pool) for pool in ipam.get("Config") or () if pool.get("Subnet")),
            dict(ipam.get("Options") or {}),
        ),
        labels=_others(labels),
    )


def _pool(body: Mapping[str, Any]) -> Pool:
    """As it stands there: an engine shows addresses as they were given."""
    return Pool(
        str(body["Subnet"]),
        body.get("IPRange") or None,
        body.get("Gateway") or None,
        dict(body.get("AuxiliaryAddresses") or body.get("AuxAddress") or {}),
    )


def _others(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if not name.startswith(OWN_LABELS)}


def volume(body: Mapping[str, Any]) -> Volume:
    """A volume from the list."""
    labels = body.get("Labels") or {}
    return Volume(
        str(body["Name"]),
        labels.get(LABEL_DOMAIN) or None,
        keep=labels.get(LABEL_KEEP) != "false",
        driver=str(body.get("Driver") or ""),
        driver_opts=dict(body.get("Options") or {}),
        labels=_others(labels),
    )
