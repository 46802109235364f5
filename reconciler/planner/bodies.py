"""The bodies of the requests that make a domain's networks and volumes (Engine API 1.41). Pure."""

from __future__ import annotations

from typing import Any

from reconciler.intent.model import Ipam, NetworkSpec, Pool, VolumeSpec
from reconciler.planner.observed import LABEL_DOMAIN, LABEL_KEEP, LABEL_SPEC


def network_body(spec: NetworkSpec, domain: str) -> dict[str, Any]:
    """The body of ``POST /networks/create``. What was not declared is left to the engine."""
    labels = {**spec.labels, LABEL_DOMAIN: domain, **({LABEL_SPEC: spec.digest} if spec.digest else {})}
    body: dict[str, Any] = {
        "Name": spec.name,
        "CheckDuplicate": True,
        "Internal": spec.internal,
        "Attachable": spec.attachable,
        "Options": dict(spec.driver_opts),
        "Labels": labels,
    }
    for key, value in (
        ("Driver", spec.driver),
        ("EnableIPv4", spec.enable_ipv4),
        ("EnableIPv6", spec.enable_ipv6),
    ):
        if value is not None:
            body[key] = value
    if spec.ipam != Ipam():
        body["IPAM"] = {
            "Driver": spec.ipam.driver or "default",
            "Config": [_pool(pool) for pool in spec.ipam.pools],
            "Options": dict(spec.ipam.options),
        }
    return body


def _pool(pool: Pool) -> dict[str, Any]:
    said = {"Subnet": pool.subnet, "IPRange": pool.ip_range, "Gateway": pool.gateway}
    addresses = {"AuxiliaryAddresses": dict(pool.aux_addresses)} if pool.aux_addresses else {}
    return {**{key: value for key, value in said.items() if value}, **addresses}


def volume_body(spec: VolumeSpec, domain: str) -> dict[str, Any]:
    """The body of ``POST /volumes/create``."""
    labels = {**spec.labels, LABEL_DOMAIN: domain, **({} if spec.keep else {LABEL_KEEP: "false"})}
    options = {"DriverOpts": dict(spec.driver_opts)} if spec.driver_opts else {}
    return {"Name": spec.name, "Driver": spec.driver or "local", **options, "Labels": labels}
