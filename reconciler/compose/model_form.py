"""The canonical model, key by key: what ``docker-compose config --format json`` prints of a merged document. Pure.

Keys that are not in a table (``x-`` keys among them) are not printed below the top of the document.
"""

from __future__ import annotations

from reconciler.compose.codecs import (
    Codec,
    anything,
    command,
    flag,
    health_test,
    hosts,
    kept_duration,
    kept_flag,
    kept_unsigned,
    kept_whole,
    labels,
    number,
    options,
    size,
    text,
    texts,
    texts_or_numbers,
    variables,
    whole,
)
from reconciler.compose.node import Node
from reconciler.compose.part_forms import (
    BLKIO,
    BUILD,
    DEPLOY,
    DEVICE_REQUEST,
    FILE_USE,
    HOOK,
    MOUNT,
    PORT,
    SERVICE_NETWORK,
    limit,
    repeated,
)
from reconciler.compose.shapes import apply, each, named, record
from reconciler.diagnostics import Diagnostics, Path

SERVICE: Codec = record(
    {
        "profiles": texts,
        "annotations": labels,
        "attach": kept_flag,
        "build": BUILD,
        "develop": record(
            {
                "watch": each(
                    record(
                        {
                            "path": text,
                            "action": text,
                            "target": text,
                            "exec": HOOK,
                            "include": texts,
                            "ignore": texts,
                            "initial_sync": flag,
                        },
                        always={"path": "", "action": "", "exec": {"command": None}},
                    )
                )
            }
        ),
        "blkio_config": BLKIO,
        "cap_add": texts,
        "cap_drop": texts,
        "cgroup_parent": text,
        "cgroup": text,
        "cpu_count": whole,
        "cpu_percent": number,
        "cpu_period": whole,
        "cpu_quota": whole,
        "cpu_rt_period": whole,
        "cpu_rt_runtime": whole,
        "cpus": number,
        "cpuset": text,
        "cpu_shares": whole,
        "command": command,
        "configs": each(FILE_USE),
        "container_name": text,
        "credential_spec": record({"config": text, "file": text, "registry": text}),
        "depends_on": named(
            record({"condition": text, "restart": flag, "required": kept_flag}, always={"required": False})
        ),
        "deploy": DEPLOY,
        "device_cgroup_rules": texts,
        "devices": each(record({"source": text, "target": text, "permissions": text})),
        "dns": texts,
        "dns_opt": texts,
        "dns_search": texts,
        "domainname": text,
        "entrypoint": command,
        "provider": record({"type": text, "options": repeated}),
        "environment": variables,
        "env_file": each(record({"path": text, "required": kept_flag, "format": text})),
        "expose": texts_or_numbers,
        "external_links": texts,
        "extra_hosts": hosts,
        "group_add": texts,
        "gpus": each(DEVICE_REQUEST),
        "hostname": text,
        "healthcheck": record(
            {
                "test": health_test,
                "timeout": kept_duration,
                "interval": kept_duration,
                "retries": kept_unsigned,
                "start_period": kept_duration,
                "start_interval": kept_duration,
                "disable": flag,
            }
        ),
        "image": text,
        "init": kept_flag,
        "ipc": text,
        "isolation": text,
        "labels": labels,
        "label_file": texts,
        "links": texts,
        "logging": record({"driver": text, "options": options}),
        "mem_limit": size,
        "mem_reservation": size,
        "memswap_limit": size,
        "mem_swappiness": size,
        "mac_address": text,
        "models": named(record({"endpoint_var": text, "model_var": text}), nulls=True),
        "network_mode": text,
        "networks": named(SERVICE_NETWORK, nulls=True),
        "oom_kill_disable": flag,
        "oom_score_adj": whole,
        "pid": text,
        "pids_limit": whole,
        "platform": text,
        "ports": each(PORT),
        "privileged": flag,
        "pull_policy": text,
        "read_only": flag,
        "restart": text,
        "runtime": text,
        "scale": kept_whole,
        "secrets": each(FILE_USE),
        "security_opt": texts,
        "shm_size": size,
        "stdin_open": flag,
        "stop_grace_period": kept_duration,
        "stop_signal": text,
        "storage_opt": labels,
        "sysctls": labels,
        "tmpfs": texts,
        "tty": flag,
        "ulimits": named(limit),
        "use_api_socket": flag,
        "user": text,
        "userns_mode": text,
        "uts": text,
        "volumes": each(MOUNT),
        "volumes_from": texts,
        "working_dir": text,
        "post_start": each(HOOK),
        "pre_stop": each(HOOK),
    },
    always={"command": None, "entrypoint": None},
)

_NETWORK = record(
    {
        "name": text,
        "driver": text,
        "driver_opts": options,
        "ipam": record(
            {
                "driver": text,
                "config": each(record({"subnet": text, "gateway": text, "ip_range": text, "aux_addresses": labels})),
            }
        ),
        "external": flag,
        "internal": flag,
        "attachable": flag,
        "labels": labels,
        "enable_ipv4": kept_flag,
        "enable_ipv6": kept_flag,
    },
    always={"ipam": {}},
)
_VOLUME = record({"name": text, "driver": text, "driver_opts": options, "external": flag, "labels": labels})
_FILE_OBJECT = {
    "name": text,
    "file": text,
    "environment": text,
    "content": text,
    "external": flag,
    "labels": labels,
    "driver": text,
    "driver_opts": labels,
    "template_driver": text,
}


def _config(node: Node, path: Path, report: Diagnostics) -> Node | None:
    made = record(_FILE_OBJECT)(node, path, report)
    return made.without("content") if made is not None and made.get("environment") is not None else made


_TOP: dict[str, Codec] = {
    "services": named(SERVICE, nulls=True),
    "networks": named(_NETWORK),
    "volumes": named(_VOLUME),
    "secrets": named(record({key: codec for key, codec in _FILE_OBJECT.items() if key != "content"})),
    "configs": named(_config),
}


def model_of(root: Node, report: Diagnostics) -> Node:
    """The model of a merged and normalized document; what can't be read is recorded."""
    found: dict[str, Node] = {}
    for key, node in root.entries.items():
        if key in _TOP:
            made = apply(_TOP[key], node, (key,), report)
            if made is not None:
                found[key] = made
        elif key.startswith("x-"):
            found[key] = anything(node, (key,), report)
    return root.having(found)
