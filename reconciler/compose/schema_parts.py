"""Rules for the parts of a Compose file. Pure data; see :mod:`.grammar`."""

from __future__ import annotations

from reconciler.compose.codecs import (
    command,
    count_or_all,
    duration,
    file_mode,
    flag,
    hosts,
    kept_duration,
    kept_unsigned,
    kept_whole,
    keys_of_ssh,
    labels,
    number,
    options,
    size,
    text,
    texts,
    unsigned,
    variables,
    whole,
)
from reconciler.compose.grammar import Rule, any_of, either, keys, list_of, map_of, word
from reconciler.compose.node import Node
from reconciler.diagnostics import Diagnostics

NAME = r"^[a-zA-Z0-9._-]+$"

TEXT = any_of("string").printed(text)
NUMBER = any_of("number", "string").printed(number)
WHOLE_NUMBER = NUMBER.printed(whole)
INTEGER = any_of("integer", "string").printed(whole)
UNSIGNED = INTEGER.printed(unsigned)
SIZE = INTEGER.printed(size)
DURATION = TEXT.printed(duration)
KEPT_DURATION = TEXT.printed(kept_duration)
FLAG = any_of("boolean", "string").printed(flag)
BOOLEAN = any_of("boolean").printed(flag)
ANYTHING = Rule(anything=True)
TEXTS = list_of(TEXT).printed(texts)
UNIQUE_TEXTS = list_of(TEXT, unique=True).printed(texts)
TEXT_OR_LIST = list_of(TEXT, "string", unique=True).printed(texts)
PAIRS = either(map_of(any_of("string", "number", "boolean", "null")), items=TEXT, unique=True).printed(labels)
"""A mapping to scalars, or a list of ``KEY=value``."""
VARIABLES = PAIRS.printed(variables)
HOSTS = either(map_of(list_of(TEXT, "string")), items=TEXT, unique=True).printed(hosts)
COMMAND = list_of(TEXT, "string", "null").printed(command)
OPTIONS = map_of(any_of("string", "number"), strict=False).printed(options)
EXTERNAL = keys(kinds=("boolean", "string"), name=TEXT).printed(flag)
LOOSE_EXTERNAL = Rule(kinds=frozenset({"boolean", "string"}), keys={"name": TEXT}, strict=False, codec=flag)

_LIMITS = keys("soft", "hard", soft=INTEGER, hard=INTEGER)


def _limit(node: Node, report: Diagnostics) -> Node | None:
    """One number for both, or ``soft`` and ``hard``. Zero is printed as nothing at all, as Compose does."""
    if isinstance(node.value, dict) and _LIMITS.form is not None:
        return _LIMITS.form(node, report)
    return whole(node, report) or node.having({})


ULIMITS = map_of(either(_LIMITS, "integer", "string").printed(_limit), named=r"^[a-z]+$", strict=False)

_FILE_USE = keys(source=TEXT, target=TEXT, uid=TEXT, gid=TEXT, mode=NUMBER.printed(file_mode))
FILE_USES = list_of(either(_FILE_USE, "string"))
HOOK = keys(
    "command",
    command=COMMAND,
    user=TEXT,
    privileged=FLAG,
    working_dir=TEXT,
    environment=VARIABLES,
    always={"command": None},
)

_DEVICE_KEYS = {
    "capabilities": UNIQUE_TEXTS,
    "driver": TEXT,
    "count": INTEGER.printed(count_or_all),
    "device_ids": UNIQUE_TEXTS,
    "options": PAIRS,
}
DEVICE_REQUEST = Rule(keys=_DEVICE_KEYS, required=("capabilities",))
GPU = Rule(keys=_DEVICE_KEYS, strict=False)

BUILD = either(
    keys(
        context=TEXT,
        dockerfile=TEXT,
        dockerfile_inline=TEXT,
        entitlements=TEXTS,
        args=VARIABLES,
        provenance=FLAG.printed(text),
        sbom=FLAG.printed(text),
        ssh=PAIRS.printed(keys_of_ssh),
        labels=PAIRS,
        cache_from=TEXTS,
        cache_to=TEXTS,
        no_cache=FLAG,
        additional_contexts=PAIRS,
        pull=FLAG,
        extra_hosts=HOSTS,
        isolation=TEXT,
        network=TEXT,
        target=TEXT,
        secrets=FILE_USES,
        shm_size=SIZE,
        tags=TEXTS,
        ulimits=ULIMITS,
        platforms=TEXTS,
        privileged=FLAG,
    ),
    "string",
)

_UPDATE = keys(
    parallelism=INTEGER.printed(kept_unsigned),
    delay=DURATION,
    failure_action=TEXT,
    monitor=DURATION,
    max_failure_ratio=NUMBER,
    order=word("start-first", "stop-first"),
)
_GENERIC = keys(kind=TEXT, value=WHOLE_NUMBER, always={"kind": "", "value": 0})
DEPLOY = keys(
    kinds=("null",),
    mode=TEXT,
    replicas=INTEGER.printed(kept_whole),
    labels=PAIRS,
    update_config=_UPDATE,
    rollback_config=_UPDATE,
    resources=keys(
        limits=keys(cpus=NUMBER, memory=TEXT.printed(size), pids=INTEGER),
        reservations=keys(
            cpus=NUMBER,
            memory=TEXT.printed(size),
            devices=list_of(DEVICE_REQUEST),
            generic_resources=list_of(keys(discrete_resource_spec=_GENERIC)),
        ),
    ),
    restart_policy=keys(
        condition=TEXT,
        delay=KEPT_DURATION,
        max_attempts=INTEGER.printed(kept_unsigned),
        window=KEPT_DURATION,
    ),
    placement=keys(constraints=TEXTS, preferences=list_of(keys(spread=TEXT)), max_replicas_per_node=UNSIGNED),
    endpoint_mode=TEXT,
    always={"resources": {}, "placement": {}},
)

VOLUME_MOUNT = either(
    keys(
        "type",
        type=word("bind", "volume", "tmpfs", "cluster", "npipe", "image"),
        source=TEXT,
        target=TEXT,
        read_only=FLAG,
        consistency=TEXT,
        bind=keys(
            selinux=word("z", "Z"),
            propagation=TEXT,
            create_host_path=FLAG,
            recursive=word("enabled", "disabled", "writable", "readonly"),
        ),
        volume=keys(labels=PAIRS, nocopy=FLAG, subpath=TEXT),
        tmpfs=keys(size=Rule(kinds=frozenset({"integer", "string"}), low=0, codec=size), mode=NUMBER.printed(unsigned)),
        image=keys(subpath=TEXT),
    ),
    "string",
)

PORT = either(
    keys(
        name=TEXT,
        mode=TEXT,
        host_ip=TEXT,
        target=UNSIGNED,
        published=INTEGER.printed(text),
        protocol=TEXT,
        app_protocol=TEXT,
    ),
    "string",
    "number",
)

SERVICE_NETWORK = keys(
    kinds=("null",),
    aliases=UNIQUE_TEXTS,
    driver_opts=OPTIONS,
    gw_priority=any_of("number").printed(whole),
    interface_name=TEXT,
    ipv4_address=TEXT,
    ipv6_address=TEXT,
    link_local_ips=UNIQUE_TEXTS,
    mac_address=TEXT,
    priority=any_of("number").printed(whole),
)
