"""The whole table at work: the body that creates a container, and the settings of one that exists. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.intent.model import ContainerSpec
from reconciler.intent.settings.table import SETTINGS


def payload(spec: ContainerSpec) -> dict[str, Any]:
    """The body of ``POST /containers/create`` (Engine API 1.41). The caller may change it freely.

    The container joins the first of its networks here; it is connected to the others by later calls, since an
    engine of this API takes one at creation. Labels of ownership are the engine's to add.
    """
    body: dict[str, Any] = {
        "Image": spec.image,
        "HostConfig": {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}},
    }
    for name, setting in SETTINGS.items():
        value = spec.settings.get(name)
        if value is not None:
            setting.send(value, body)
    primary = next(iter(spec.networks), None)
    if primary is not None:
        body["HostConfig"]["NetworkMode"] = primary
        endpoint = {"Aliases": list(spec.networks[primary])}
        body["NetworkingConfig"] = {"EndpointsConfig": {primary: endpoint}}
    return body


def read_back(inspected: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a container in their normal forms, from the body of ``GET /containers/{id}/json``."""
    return {name: setting.read(inspected) for name, setting in SETTINGS.items()}
