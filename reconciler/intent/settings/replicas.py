"""What is not the same for all equal copies of a container: host ports. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def settings_of_copy(settings: Mapping[str, Any], replica: int, replicas: int) -> dict[str, Any]:
    """The settings of copy number ``replica`` (from 1): of a range of host ports it has one of its own."""
    result = dict(settings)
    if replicas > 1 and settings.get("ports"):
        result["ports"] = [_of_copy(entry, replica) for entry in settings["ports"]]
    return result


def _of_copy(entry: Mapping[str, Any], replica: int) -> dict[str, Any]:
    own = {key: value for key, value in entry.items() if key != "until"}
    return {**own, "published": entry["published"] + replica - 1} if "until" in entry else own


def ports_too_few(ports: list[Mapping[str, Any]], replicas: int) -> Iterator[str]:
    """Why so many copies can't publish their ports, a sentence each."""
    for entry in ports:
        first = entry["published"]
        if first is None:
            continue
        last = entry.get("until", first)
        if last - first + 1 < replicas:
            target, _, protocol = str(entry["target"]).partition("/")
            kind = "" if protocol == "tcp" else f"/{protocol}"
            example = f'"{first}-{first + replicas - 1}:{target}{kind}"'
            have = f"host port {first} is one" if first == last else f"host ports {first}-{last} are {last - first + 1}"
            yield f"{have} for {replicas} replicas: give a range such as {example}, or no host port"
