"""The Compose specification's keys, as rules. Pure data; see :mod:`.grammar` for what the words mean."""

from __future__ import annotations

import re

from reconciler.compose.grammar import Rule

_NAME = r"^[a-zA-Z0-9._-]+$"


def _any_of(*kinds: str) -> Rule:
    return Rule(kinds=frozenset(kinds))


def _word(*words: str) -> Rule:
    return Rule(kinds=frozenset({"string"}), one_of=words)


def _list(items: Rule, *kinds: str, unique: bool = False) -> Rule:
    return Rule(kinds=frozenset(kinds), items=items, unique=unique)


def _keys(*required: str, extensible: bool = True, kinds: tuple[str, ...] = (), **keys: Rule) -> Rule:
    return Rule(kinds=frozenset(kinds), keys=keys, required=required, extensible=extensible)


def _or(rule: Rule, *kinds: str, items: Rule | None = None, unique: bool = False) -> Rule:
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


def _map(values: Rule, *kinds: str, named: str = r".", strict: bool = True, extensible: bool = False) -> Rule:
    return Rule(kinds=frozenset(kinds), values=values, named=named, strict=strict, extensible=extensible)


TEXT = _any_of("string")
NUMBER = _any_of("number", "string")
INTEGER = _any_of("integer", "string")
FLAG = _any_of("boolean", "string")
BOOLEAN = _any_of("boolean")
ANYTHING = Rule(anything=True)
TEXTS = _list(TEXT)
UNIQUE_TEXTS = _list(TEXT, unique=True)
TEXT_OR_LIST = _list(TEXT, "string", unique=True)
PAIRS = _or(_map(_any_of("string", "number", "boolean", "null")), items=TEXT, unique=True)
"""A mapping to scalars, or a list of ``KEY=value``."""
HOSTS = _or(_map(_list(TEXT, "string")), items=TEXT, unique=True)
COMMAND = _list(TEXT, "string", "null")
OPTIONS = _map(_any_of("string", "number"), strict=False)
ULIMITS = _map(
    _or(_keys("soft", "hard", hard=INTEGER, soft=INTEGER), "integer", "string"), named=r"^[a-z]+$", strict=False
)
FILE_USE = _list(_or(_keys(source=TEXT, target=TEXT, uid=TEXT, gid=TEXT, mode=NUMBER), "string"))
EXTERNAL = _keys(kinds=("boolean", "string"), name=TEXT)
LOOSE_EXTERNAL = Rule(kinds=frozenset({"boolean", "string"}), keys={"name": TEXT}, strict=False)
HOOK = _keys("command", command=COMMAND, user=TEXT, privileged=FLAG, working_dir=TEXT, environment=PAIRS)

_DEVICE_KEYS = {"capabilities": UNIQUE_TEXTS, "count": INTEGER, "device_ids": UNIQUE_TEXTS, "driver": TEXT}
DEVICE_REQUEST = Rule(keys={**_DEVICE_KEYS, "options": PAIRS}, required=("capabilities",))
GPU = Rule(keys={**_DEVICE_KEYS, "options": PAIRS}, strict=False)

BUILD = _or(
    _keys(
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

_UPDATE = _keys(
    parallelism=INTEGER,
    delay=TEXT,
    failure_action=TEXT,
    monitor=TEXT,
    max_failure_ratio=NUMBER,
    order=_word("start-first", "stop-first"),
)
DEPLOY = _keys(
    kinds=("null",),
    mode=TEXT,
    endpoint_mode=TEXT,
    replicas=INTEGER,
    labels=PAIRS,
    rollback_config=_UPDATE,
    update_config=_UPDATE,
    resources=_keys(
        limits=_keys(cpus=NUMBER, memory=TEXT, pids=INTEGER),
        reservations=_keys(
            cpus=NUMBER,
            memory=TEXT,
            generic_resources=_list(_keys(discrete_resource_spec=_keys(kind=TEXT, value=NUMBER))),
            devices=_list(DEVICE_REQUEST),
        ),
    ),
    restart_policy=_keys(condition=TEXT, delay=TEXT, max_attempts=INTEGER, window=TEXT),
    placement=_keys(constraints=TEXTS, preferences=_list(_keys(spread=TEXT)), max_replicas_per_node=INTEGER),
)

VOLUME_MOUNT = _or(
    _keys(
        "type",
        type=_word("bind", "volume", "tmpfs", "cluster", "npipe", "image"),
        source=TEXT,
        target=TEXT,
        read_only=FLAG,
        consistency=TEXT,
        bind=_keys(
            propagation=TEXT,
            create_host_path=FLAG,
            recursive=_word("enabled", "disabled", "writable", "readonly"),
            selinux=_word("z", "Z"),
        ),
        volume=_keys(labels=PAIRS, nocopy=FLAG, subpath=TEXT),
        tmpfs=_keys(size=Rule(kinds=frozenset({"integer", "string"}), low=0), mode=NUMBER),
        image=_keys(subpath=TEXT),
    ),
    "string",
)

PORT = _or(
    _keys(name=TEXT, mode=TEXT, host_ip=TEXT, target=INTEGER, published=INTEGER, protocol=TEXT, app_protocol=TEXT),
    "string",
    "number",
)

SERVICE_NETWORK = _keys(
    kinds=("null",),
    aliases=UNIQUE_TEXTS,
    interface_name=TEXT,
    ipv4_address=TEXT,
    ipv6_address=TEXT,
    link_local_ips=UNIQUE_TEXTS,
    mac_address=TEXT,
    driver_opts=OPTIONS,
    priority=_any_of("number"),
    gw_priority=_any_of("number"),
)

_LIMIT = _list(_keys(extensible=False, path=TEXT, rate=INTEGER))
_PULL = re.compile(r"always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+")
_PULL_MEANS = "always, never, build, if_not_present, missing, refresh, daily, weekly or every_ with a duration"

SERVICE = _keys(
    annotations=PAIRS,
    attach=FLAG,
    blkio_config=_keys(
        extensible=False,
        device_read_bps=_LIMIT,
        device_read_iops=_LIMIT,
        device_write_bps=_LIMIT,
        device_write_iops=_LIMIT,
        weight=INTEGER,
        weight_device=_list(_keys(extensible=False, path=TEXT, weight=INTEGER)),
    ),
    build=BUILD,
    cap_add=UNIQUE_TEXTS,
    cap_drop=UNIQUE_TEXTS,
    cgroup=_word("host", "private"),
    cgroup_parent=TEXT,
    command=COMMAND,
    configs=FILE_USE,
    container_name=Rule(
        kinds=frozenset({"string"}),
        shape=re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+"),
        shape_means="a container's name (letters, digits, dots, underscores and hyphens)",
    ),
    cpu_count=Rule(kinds=frozenset({"integer", "string"}), low=0),
    cpu_percent=Rule(kinds=frozenset({"integer", "string"}), low=0, high=100),
    cpu_period=NUMBER,
    cpu_quota=NUMBER,
    cpu_rt_period=NUMBER,
    cpu_rt_runtime=NUMBER,
    cpu_shares=NUMBER,
    cpus=NUMBER,
    cpuset=TEXT,
    credential_spec=_keys(config=TEXT, file=TEXT, registry=TEXT),
    depends_on=_or(
        _map(
            _keys(
                "condition",
                restart=FLAG,
                required=BOOLEAN,
                condition=_word("service_started", "service_healthy", "service_completed_successfully"),
            ),
            named=_NAME,
        ),
        items=TEXT,
        unique=True,
    ),
    deploy=DEPLOY,
    develop=_keys(
        kinds=("null",),
        watch=_list(
            _keys(
                "path",
                "action",
                ignore=TEXT_OR_LIST,
                include=TEXT_OR_LIST,
                path=TEXT,
                action=_word("rebuild", "sync", "restart", "sync+restart", "sync+exec"),
                target=TEXT,
                exec=HOOK,
                initial_sync=BOOLEAN,
            )
        ),
    ),
    device_cgroup_rules=UNIQUE_TEXTS,
    devices=_list(_or(_keys("source", source=TEXT, target=TEXT, permissions=TEXT), "string")),
    dns=TEXT_OR_LIST,
    dns_opt=UNIQUE_TEXTS,
    dns_search=TEXT_OR_LIST,
    domainname=TEXT,
    entrypoint=COMMAND,
    env_file=_list(_or(_keys("path", extensible=False, path=TEXT, format=TEXT, required=FLAG), "string"), "string"),
    environment=PAIRS,
    expose=_list(NUMBER, unique=True),
    extends=_or(_keys("service", extensible=False, service=TEXT, file=TEXT), "string"),
    external_links=UNIQUE_TEXTS,
    extra_hosts=HOSTS,
    gpus=Rule(kinds=frozenset({"string"}), one_of=("all",), items=GPU),
    group_add=_list(NUMBER, unique=True),
    healthcheck=_keys(
        disable=FLAG,
        interval=TEXT,
        retries=NUMBER,
        test=_list(TEXT, "string"),
        timeout=TEXT,
        start_period=TEXT,
        start_interval=TEXT,
    ),
    hostname=TEXT,
    image=TEXT,
    init=FLAG,
    ipc=TEXT,
    isolation=TEXT,
    label_file=_list(TEXT, "string"),
    labels=PAIRS,
    links=UNIQUE_TEXTS,
    logging=_keys(driver=TEXT, options=_map(_any_of("string", "number", "null"), strict=False)),
    mac_address=TEXT,
    mem_limit=NUMBER,
    mem_reservation=INTEGER,
    mem_swappiness=INTEGER,
    memswap_limit=NUMBER,
    models=_or(
        _map(_keys(kinds=("null",), endpoint_var=TEXT, model_var=TEXT), named=_NAME, strict=False),
        items=TEXT,
        unique=True,
    ),
    network_mode=TEXT,
    networks=_or(_map(SERVICE_NETWORK, named=_NAME), items=TEXT, unique=True),
    oom_kill_disable=FLAG,
    oom_score_adj=Rule(kinds=frozenset({"integer", "string"}), low=-1000, high=1000),
    pid=_any_of("string", "null"),
    pids_limit=NUMBER,
    platform=TEXT,
    ports=_list(PORT, unique=True),
    post_start=_list(HOOK),
    pre_stop=_list(HOOK),
    privileged=FLAG,
    profiles=UNIQUE_TEXTS,
    provider=_keys(
        "type",
        type=TEXT,
        options=_map(_list(_any_of("string", "number", "boolean"), "string", "number", "boolean"), strict=False),
    ),
    pull_policy=Rule(kinds=frozenset({"string"}), shape=_PULL, shape_means=_PULL_MEANS),
    pull_refresh_after=TEXT,
    read_only=FLAG,
    restart=TEXT,
    runtime=TEXT,
    scale=INTEGER,
    secrets=FILE_USE,
    security_opt=UNIQUE_TEXTS,
    shm_size=NUMBER,
    stdin_open=FLAG,
    stop_grace_period=TEXT,
    stop_signal=TEXT,
    storage_opt=Rule(values=ANYTHING, named="", strict=False),
    sysctls=PAIRS,
    tmpfs=TEXT_OR_LIST,
    tty=FLAG,
    ulimits=ULIMITS,
    use_api_socket=BOOLEAN,
    user=TEXT,
    userns_mode=TEXT,
    uts=TEXT,
    volumes=_list(VOLUME_MOUNT, unique=True),
    volumes_from=UNIQUE_TEXTS,
    working_dir=TEXT,
)

NETWORK = _keys(
    kinds=("null",),
    name=TEXT,
    driver=TEXT,
    driver_opts=OPTIONS,
    ipam=_keys(
        driver=TEXT,
        config=_list(_keys(subnet=TEXT, ip_range=TEXT, gateway=TEXT, aux_addresses=_map(TEXT))),
        options=_map(TEXT),
    ),
    external=EXTERNAL,
    internal=FLAG,
    enable_ipv4=FLAG,
    enable_ipv6=FLAG,
    attachable=FLAG,
    labels=PAIRS,
)
VOLUME = _keys(kinds=("null",), name=TEXT, driver=TEXT, driver_opts=OPTIONS, external=EXTERNAL, labels=PAIRS)
SECRET = _keys(
    name=TEXT,
    environment=TEXT,
    file=TEXT,
    external=LOOSE_EXTERNAL,
    labels=PAIRS,
    driver=TEXT,
    driver_opts=OPTIONS,
    template_driver=TEXT,
)
CONFIG = _keys(
    name=TEXT,
    content=TEXT,
    environment=TEXT,
    file=TEXT,
    external=LOOSE_EXTERNAL,
    labels=PAIRS,
    template_driver=TEXT,
)

INCLUDE = Rule(
    kinds=frozenset({"string"}),
    keys={"path": TEXT_OR_LIST, "env_file": TEXT_OR_LIST, "project_directory": TEXT},
    strict=False,
)
"""Compose does not look at other keys here."""

PROJECT = _keys(
    version=TEXT,
    name=TEXT,
    include=_list(INCLUDE),
    services=_map(SERVICE, named=_NAME),
    models=_map(
        _keys("model", name=TEXT, model=TEXT, context_size=_any_of("integer"), runtime_flags=TEXTS),
        named=_NAME,
        strict=False,
    ),
    networks=_map(NETWORK, named=_NAME, strict=False),
    volumes=_map(VOLUME, named=_NAME),
    secrets=_map(SECRET, named=_NAME),
    configs=_map(CONFIG, named=_NAME),
)
