"""The canonical form of the parts of a service: builds, deployment, mounts, ports, networks. Pure."""

from __future__ import annotations

from reconciler.compose.codecs import (
    command,
    duration,
    file_mode,
    flag,
    hosts,
    kept_duration,
    kept_unsigned,
    kept_whole,
    labels,
    number,
    options,
    size,
    text,
    texts,
    texts_or_numbers,
    unsigned,
    variables,
    whole,
)
from reconciler.compose.node import Node
from reconciler.compose.shapes import each, named, record, renamed
from reconciler.diagnostics import Diagnostics, Path


def limit(node: Node, path: Path, report: Diagnostics) -> Node | None:
    """One number for both, or ``soft`` and ``hard``. Zero is printed as nothing at all, as Compose does."""
    if isinstance(node.value, dict):
        return record({"soft": whole, "hard": whole})(node, path, report)
    return whole(node, path, report) or node.having({})


def _count(node: Node, path: Path, report: Diagnostics) -> Node | None:
    if isinstance(node.value, str) and node.value.lower() == "all":
        return node.having(-1)
    return whole(node, path, report)


def repeated(node: Node, path: Path, report: Diagnostics) -> Node | None:
    return named(texts_or_numbers)(node, path, report)


def _ssh(node: Node, _path: Path, _report: Diagnostics) -> Node | None:
    """``config`` fails to print these as JSON; here they are ``default`` or ``name=path``."""
    found = [p.having(key if p.value is None else f"{key}={p.value}") for key, p in sorted(node.entries.items())]
    return node.having(found) if found else None


FILE_USE = record({"source": text, "target": text, "uid": text, "gid": text, "mode": file_mode})
DEVICE_REQUEST = record(
    {"capabilities": texts, "driver": text, "count": _count, "device_ids": texts, "options": labels}
)
HOOK = record(
    {"command": command, "user": text, "privileged": flag, "working_dir": text, "environment": variables},
    always={"command": None},
)
BUILD = record(
    {
        "context": text,
        "dockerfile": text,
        "dockerfile_inline": text,
        "entitlements": texts,
        "args": variables,
        "provenance": text,
        "sbom": text,
        "ssh": _ssh,
        "labels": labels,
        "cache_from": texts,
        "cache_to": texts,
        "no_cache": flag,
        "additional_contexts": labels,
        "pull": flag,
        "extra_hosts": hosts,
        "isolation": text,
        "network": text,
        "target": text,
        "secrets": each(FILE_USE),
        "shm_size": size,
        "tags": texts,
        "ulimits": named(limit),
        "platforms": texts,
        "privileged": flag,
    }
)
UPDATE = record(
    {
        "parallelism": kept_unsigned,
        "delay": duration,
        "failure_action": text,
        "monitor": duration,
        "max_failure_ratio": number,
        "order": text,
    }
)
RESOURCE = record(
    {
        "cpus": number,
        "memory": size,
        "pids": whole,
        "devices": each(DEVICE_REQUEST),
        "generic_resources": each(
            record({"discrete_resource_spec": record({"kind": text, "value": whole}, always={"kind": "", "value": 0})})
        ),
    }
)
DEPLOY = record(
    {
        "mode": text,
        "replicas": kept_whole,
        "labels": labels,
        "update_config": UPDATE,
        "rollback_config": UPDATE,
        "resources": record({"limits": RESOURCE, "reservations": RESOURCE}),
        "restart_policy": record(
            {"condition": text, "delay": kept_duration, "max_attempts": kept_unsigned, "window": kept_duration}
        ),
        "placement": record(
            {
                "constraints": texts,
                "preferences": each(record({"spread": text})),
                "max_replicas_per_node": unsigned,
            }
        ),
        "endpoint_mode": text,
    },
    always={"resources": {}, "placement": {}},
)
THROTTLE = each(
    renamed(record({"path": text, "rate": size}, always={"path": "", "rate": "0"}), {"path": "Path", "rate": "Rate"})
)
BLKIO = record(
    {
        "weight": unsigned,
        "weight_device": each(
            renamed(
                record({"path": text, "weight": unsigned}, always={"path": "", "weight": 0}),
                {"path": "Path", "weight": "Weight"},
            )
        ),
        "device_read_bps": THROTTLE,
        "device_read_iops": THROTTLE,
        "device_write_bps": THROTTLE,
        "device_write_iops": THROTTLE,
    }
)
MOUNT = record(
    {
        "type": text,
        "source": text,
        "target": text,
        "read_only": flag,
        "consistency": text,
        "bind": record({"selinux": text, "propagation": text, "create_host_path": flag, "recursive": text}),
        "volume": record({"labels": labels, "nocopy": flag, "subpath": text}),
        "tmpfs": record({"size": size, "mode": unsigned}),
        "image": record({"subpath": text}),
    }
)
PORT = record(
    {
        "name": text,
        "mode": text,
        "host_ip": text,
        "target": unsigned,
        "published": text,
        "protocol": text,
        "app_protocol": text,
    }
)
SERVICE_NETWORK = record(
    {
        "aliases": texts,
        "driver_opts": options,
        "gw_priority": whole,
        "interface_name": text,
        "ipv4_address": text,
        "ipv6_address": text,
        "link_local_ips": texts,
        "mac_address": text,
        "priority": whole,
    }
)
