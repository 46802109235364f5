"""Rules for the parts of a Compose file, and the words with which rules are made. Pure data; see :mod:`.grammar`."""

from __future__ import annotations

from reconciler.compose.grammar import Rule

NAME = r"^[a-zA-Z0-9._-]+$"


def any_of(*kinds: str) -> Rule:
    """A scalar of one of the kinds of JSON Schema."""
    return Rule(kinds=frozenset(kinds))


def word(*words: str) -> Rule:
    """One of a few words."""
    return Rule(kinds=frozenset({"string"}), one_of=words)


def list_of(items: Rule, *kinds: str, unique: bool = False) -> Rule:
    """A list, or a scalar of one of the kinds."""
    return Rule(kinds=frozenset(kinds), items=items, unique=unique)


def keys(*required: str, extensible: bool = True, kinds: tuple[str, ...] = (), **keys: Rule) -> Rule:
    """A mapping with these keys, of which the ``required`` ones must be there, or a scalar of one of the kinds."""
    return Rule(kinds=frozenset(kinds), keys=keys, required=required, extensible=extensible)


def either(rule: Rule, *kinds: str, items: Rule | None = None, unique: bool = False) -> Rule:
    """``rule``, or a scalar of other kinds, or a list."""
    return Rule(
        kinds=rule.kinds | frozenset(kinds),
        items=items if items is not None else rule.items,
        unique=unique,
        keys=rule.keys,
        required=rule.required,
        extensible=rule.extensible,
        named=rule.named,
        values=rule.values,
        strict=rule.strict,
    )


def map_of(values: Rule, *kinds: str, named: str = r".", strict: bool = True, extensible: bool = False) -> Rule:
    """A mapping of names to what all follows one rule, or a scalar of one of the kinds."""
    return Rule(kinds=frozenset(kinds), values=values, named=named, strict=strict, extensible=extensible)


TEXT = any_of("string")
NUMBER = any_of("number", "string")
INTEGER = any_of("integer", "string")
FLAG = any_of("boolean", "string")
BOOLEAN = any_of("boolean")
ANYTHING = Rule(anything=True)
TEXTS = list_of(TEXT)
UNIQUE_TEXTS = list_of(TEXT, unique=True)
TEXT_OR_LIST = list_of(TEXT, "string", unique=True)
PAIRS = either(map_of(any_of("string", "number", "boolean", "null")), items=TEXT, unique=True)
"""A mapping to scalars, or a list of ``KEY=value``."""
HOSTS = either(map_of(list_of(TEXT, "string")), items=TEXT, unique=True)
COMMAND = list_of(TEXT, "string", "null")
OPTIONS = map_of(any_of("string", "number"), strict=False)
ULIMITS = map_of(
    either(keys("soft", "hard", hard=INTEGER, soft=INTEGER), "integer", "string"), named=r"^[a-z]+$", strict=False
)
FILE_USE = list_of(either(keys(source=TEXT, target=TEXT, uid=TEXT, gid=TEXT, mode=NUMBER), "string"))
EXTERNAL = keys(kinds=("boolean", "string"), name=TEXT)
LOOSE_EXTERNAL = Rule(kinds=frozenset({"boolean", "string"}), keys={"name": TEXT}, strict=False)
HOOK = keys("command", command=COMMAND, user=TEXT, privileged=FLAG, working_dir=TEXT, environment=PAIRS)

_DEVICE_KEYS = {"capabilities": UNIQUE_TEXTS, "count": INTEGER, "device_ids": UNIQUE_TEXTS, "driver": TEXT}
DEVICE_REQUEST = Rule(keys={**_DEVICE_KEYS, "options": PAIRS}, required=("capabilities",))
GPU = Rule(keys={**_DEVICE_KEYS, "options": PAIRS}, strict=False)

BUILD = either(
    keys(
        context=TEXT,
        dockerfile=TEXT,
        dockerfile_inline=TEXT,
        entitlements=TEXTS,
        args=PAIRS,
        ssh=PAIRS,
        labels=PAIRS,
        cache_from=TEXTS,
        cache_to=TEXTS,
        no_cache=FLAG,
        additional_contexts=PAIRS,
        network=TEXT,
        provenance=FLAG,
        sbom=FLAG,
        pull=FLAG,
        target=TEXT,
        shm_size=INTEGER,
        extra_hosts=HOSTS,
        isolation=TEXT,
        privileged=FLAG,
        secrets=FILE_USE,
        tags=TEXTS,
        ulimits=ULIMITS,
        platforms=TEXTS,
    ),
    "string",
)

_UPDATE = keys(
    parallelism=INTEGER,
    delay=TEXT,
    failure_action=TEXT,
    monitor=TEXT,
    max_failure_ratio=NUMBER,
    order=word("start-first", "stop-first"),
)
DEPLOY = keys(
    kinds=("null",),
    mode=TEXT,
    endpoint_mode=TEXT,
    replicas=INTEGER,
    labels=PAIRS,
    rollback_config=_UPDATE,
    update_config=_UPDATE,
    resources=keys(
        limits=keys(cpus=NUMBER, memory=TEXT, pids=INTEGER),
        reservations=keys(
            cpus=NUMBER,
            memory=TEXT,
            generic_resources=list_of(keys(discrete_resource_spec=keys(kind=TEXT, value=NUMBER))),
            devices=list_of(DEVICE_REQUEST),
        ),
    ),
    restart_policy=keys(condition=TEXT, delay=TEXT, max_attempts=INTEGER, window=TEXT),
    placement=keys(constraints=TEXTS, preferences=list_of(keys(spread=TEXT)), max_replicas_per_node=INTEGER),
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
            propagation=TEXT,
            create_host_path=FLAG,
            recursive=word("enabled", "disabled", "writable", "readonly"),
            selinux=word("z", "Z"),
        ),
        volume=keys(labels=PAIRS, nocopy=FLAG, subpath=TEXT),
        tmpfs=keys(size=Rule(kinds=frozenset({"integer", "string"}), low=0), mode=NUMBER),
        image=keys(subpath=TEXT),
    ),
    "string",
)

PORT = either(
    keys(name=TEXT, mode=TEXT, host_ip=TEXT, target=INTEGER, published=INTEGER, protocol=TEXT, app_protocol=TEXT),
    "string",
    "number",
)

SERVICE_NETWORK = keys(
    kinds=("null",),
    aliases=UNIQUE_TEXTS,
    interface_name=TEXT,
    ipv4_address=TEXT,
    ipv6_address=TEXT,
    link_local_ips=UNIQUE_TEXTS,
    mac_address=TEXT,
    driver_opts=OPTIONS,
    priority=any_of("number"),
    gw_priority=any_of("number"),
)
