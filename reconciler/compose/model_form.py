"""The canonical model, key by key: what ``docker-compose config --format json`` prints of a merged document. Pure.

Keys that are not in a table (``x-`` keys among them) are not printed below the top of the document.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.compose.codecs import (
    Codec,
    anything,
    command,
    duration,
    file_mode,
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
    unsigned,
    variables,
    whole,
)
from reconciler.compose.node import Node, Path, wrap
from reconciler.compose.troubles import Troubles


def record(codecs: Mapping[str, Codec], *, always: Mapping[str, object] | None = None) -> Codec:
    """A mapping with known keys. What is in ``always`` is printed even if nothing says it."""

    def form(node: Node, path: Path, troubles: Troubles) -> Node | None:
        if node.value is None:
            return None
        if not isinstance(node.value, dict):
            raise ValueError("expected a mapping")
        found = {key: wrap(value, node.place) for key, value in (always or {}).items()}
        for key, codec in codecs.items():
            part = node.value.get(key)
            if part is None:
                continue
            made = apply(codec, part, (*path, key), troubles)
            if made is not None:
                found[key] = made
        return node.having(found)

    return form


def _renamed(codec: Codec, names: Mapping[str, str]) -> Codec:
    """Keys that Compose prints with another name (its own slip)."""

    def form(node: Node, path: Path, troubles: Troubles) -> Node | None:
        made = codec(node, path, troubles)
        if made is None:
            return None
        return made.having({names.get(key, key): part for key, part in made.entries.items()})

    return form


def _each(codec: Codec) -> Codec:
    """A list of what ``codec`` reads; an empty one is nothing."""

    def form(node: Node, path: Path, troubles: Troubles) -> Node | None:
        found = []
        for index, item in enumerate(node.items):
            made = apply(codec, item, (*path, index), troubles)
            if made is not None:
                found.append(made)
        return node.having(found) if found else None

    return form


def _named(codec: Codec, *, nulls: bool = False) -> Codec:
    """A mapping of names to what ``codec`` reads; an empty one is nothing."""

    def form(node: Node, path: Path, troubles: Troubles) -> Node | None:
        found = {}
        for key, part in node.entries.items():
            made = apply(codec, part, (*path, key), troubles)
            if made is not None or nulls:
                found[key] = made if made is not None else part.having(None)
        return node.having(found) if found else None

    return form


def apply(codec: Codec, node: Node, path: Path, troubles: Troubles) -> Node | None:
    """What ``codec`` makes of ``node``; None with a recorded problem where it can't read it."""
    try:
        return codec(node, path, troubles)
    except ValueError as error:
        troubles.add(node, path, "BadValue", str(error))
        return None


def _limit(node: Node, path: Path, troubles: Troubles) -> Node | None:
    """One number for both, or ``soft`` and ``hard``. Zero is printed as nothing at all, as Compose does."""
    if isinstance(node.value, dict):
        return record({"soft": whole, "hard": whole})(node, path, troubles)
    return whole(node, path, troubles) or node.having({})


def _count(node: Node, path: Path, troubles: Troubles) -> Node | None:
    if isinstance(node.value, str) and node.value.lower() == "all":
        return node.having(-1)
    return whole(node, path, troubles)


def _repeated(node: Node, path: Path, troubles: Troubles) -> Node | None:
    return _named(texts_or_numbers)(node, path, troubles)


def _ssh(node: Node, _path: Path, _troubles: Troubles) -> Node | None:
    """``config`` fails to print these as JSON; here they are ``default`` or ``name=path``."""
    found = [p.having(key if p.value is None else f"{key}={p.value}") for key, p in sorted(node.entries.items())]
    return node.having(found) if found else None


_FILE_USE = record({"source": text, "target": text, "uid": text, "gid": text, "mode": file_mode})
_DEVICE_REQUEST = record(
    {"capabilities": texts, "driver": text, "count": _count, "device_ids": texts, "options": labels}
)
_HOOK = record(
    {"command": command, "user": text, "privileged": flag, "working_dir": text, "environment": variables},
    always={"command": None},
)
_BUILD = record(
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
        "secrets": _each(_FILE_USE),
        "shm_size": size,
        "tags": texts,
        "ulimits": _named(_limit),
        "platforms": texts,
        "privileged": flag,
    }
)
_UPDATE = record(
    {
        "parallelism": kept_unsigned,
        "delay": duration,
        "failure_action": text,
        "monitor": duration,
        "max_failure_ratio": number,
        "order": text,
    }
)
_RESOURCE = record(
    {
        "cpus": number,
        "memory": size,
        "pids": whole,
        "devices": _each(_DEVICE_REQUEST),
        "generic_resources": _each(
            record({"discrete_resource_spec": record({"kind": text, "value": whole}, always={"kind": "", "value": 0})})
        ),
    }
)
_DEPLOY = record(
    {
        "mode": text,
        "replicas": kept_whole,
        "labels": labels,
        "update_config": _UPDATE,
        "rollback_config": _UPDATE,
        "resources": record({"limits": _RESOURCE, "reservations": _RESOURCE}),
        "restart_policy": record(
            {"condition": text, "delay": kept_duration, "max_attempts": kept_unsigned, "window": kept_duration}
        ),
        "placement": record(
            {
                "constraints": texts,
                "preferences": _each(record({"spread": text})),
                "max_replicas_per_node": unsigned,
            }
        ),
        "endpoint_mode": text,
    },
    always={"resources": {}, "placement": {}},
)
_THROTTLE = _each(
    _renamed(record({"path": text, "rate": size}, always={"path": "", "rate": "0"}), {"path": "Path", "rate": "Rate"})
)
_BLKIO = record(
    {
        "weight": unsigned,
        "weight_device": _each(
            _renamed(
                record({"path": text, "weight": unsigned}, always={"path": "", "weight": 0}),
                {"path": "Path", "weight": "Weight"},
            )
        ),
        "device_read_bps": _THROTTLE,
        "device_read_iops": _THROTTLE,
        "device_write_bps": _THROTTLE,
        "device_write_iops": _THROTTLE,
    }
)
_MOUNT = record(
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
_PORT = record(
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
_SERVICE_NETWORK = record(
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

SERVICE: Codec = record(
    {
        "profiles": texts,
        "annotations": labels,
        "attach": kept_flag,
        "build": _BUILD,
        "develop": record(
            {
                "watch": _each(
                    record(
                        {
                            "path": text,
                            "action": text,
                            "target": text,
                            "exec": _HOOK,
                            "include": texts,
                            "ignore": texts,
                            "initial_sync": flag,
                        },
                        always={"path": "", "action": "", "exec": {"command": None}},
                    )
                )
            }
        ),
        "blkio_config": _BLKIO,
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
        "configs": _each(_FILE_USE),
        "container_name": text,
        "credential_spec": record({"config": text, "file": text, "registry": text}),
        "depends_on": _named(
            record({"condition": text, "restart": flag, "required": kept_flag}, always={"required": False})
        ),
        "deploy": _DEPLOY,
        "device_cgroup_rules": texts,
        "devices": _each(record({"source": text, "target": text, "permissions": text})),
        "dns": texts,
        "dns_opt": texts,
        "dns_search": texts,
        "domainname": text,
        "entrypoint": command,
        "provider": record({"type": text, "options": _repeated}),
        "environment": variables,
        "env_file": _each(record({"path": text, "required": kept_flag, "format": text})),
        "expose": texts_or_numbers,
        "external_links": texts,
        "extra_hosts": hosts,
        "group_add": texts,
        "gpus": _each(_DEVICE_REQUEST),
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
        "models": _named(record({"endpoint_var": text, "model_var": text}), nulls=True),
        "network_mode": text,
        "networks": _named(_SERVICE_NETWORK, nulls=True),
        "oom_kill_disable": flag,
        "oom_score_adj": whole,
        "pid": text,
        "pids_limit": whole,
        "platform": text,
        "ports": _each(_PORT),
        "privileged": flag,
        "pull_policy": text,
        "read_only": flag,
        "restart": text,
        "runtime": text,
        "scale": kept_whole,
        "secrets": _each(_FILE_USE),
        "security_opt": texts,
        "shm_size": size,
        "stdin_open": flag,
        "stop_grace_period": kept_duration,
        "stop_signal": text,
        "storage_opt": labels,
        "sysctls": labels,
        "tmpfs": texts,
        "tty": flag,
        "ulimits": _named(_limit),
        "use_api_socket": flag,
        "user": text,
        "userns_mode": text,
        "uts": text,
        "volumes": _each(_MOUNT),
        "volumes_from": texts,
        "working_dir": text,
        "post_start": _each(_HOOK),
        "pre_stop": _each(_HOOK),
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
                "config": _each(record({"subnet": text, "gateway": text, "ip_range": text, "aux_addresses": labels})),
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


def _config(node: Node, path: Path, troubles: Troubles) -> Node | None:
    made = record(_FILE_OBJECT)(node, path, troubles)
    return made.without("content") if made is not None and made.get("environment") is not None else made


_TOP: dict[str, Codec] = {
    "services": _named(SERVICE, nulls=True),
    "networks": _named(_NETWORK),
    "volumes": _named(_VOLUME),
    "secrets": _named(record({key: codec for key, codec in _FILE_OBJECT.items() if key != "content"})),
    "configs": _named(_config),
}


def model_of(root: Node, troubles: Troubles) -> Node:
    """The model of a merged and normalized document; what can't be read is recorded."""
    found: dict[str, Node] = {}
    for key, node in root.entries.items():
        if key in _TOP:
            made = apply(_TOP[key], node, (key,), troubles)
            if made is not None:
                found[key] = made
        elif key.startswith("x-"):
            found[key] = anything(node, (key,), troubles)
    return root.having(found)
