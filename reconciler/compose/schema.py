"""The Compose specification's keys: what may stand there, and how Compose prints it. Pure data; see :mod:`.grammar`.

The keys of a table stand in the order in which Compose prints them, behind them those that it does not print.
"""

from __future__ import annotations

import re

from reconciler.compose.codecs import (
    health_test,
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
    whole,
)
from reconciler.compose.grammar import Rule, any_of, either, keys, list_of, map_of, unprinted, word
from reconciler.compose.node import Node
from reconciler.compose.schema_parts import (
    ANYTHING,
    BOOLEAN,
    BUILD,
    COMMAND,
    DEPLOY,
    EXTERNAL,
    FILE_USES,
    FLAG,
    GPU,
    HOOK,
    HOSTS,
    INTEGER,
    KEPT_DURATION,
    LOOSE_EXTERNAL,
    NAME,
    NUMBER,
    OPTIONS,
    PAIRS,
    PORT,
    SERVICE_NETWORK,
    SIZE,
    TEXT,
    TEXT_OR_LIST,
    TEXTS,
    ULIMITS,
    UNIQUE_TEXTS,
    UNSIGNED,
    VARIABLES,
    VOLUME_MOUNT,
    WHOLE_NUMBER,
)
from reconciler.diagnostics import Diagnostics

_RATES = list_of(
    keys(
        extensible=False,
        path=TEXT,
        rate=SIZE,
        always={"path": "", "rate": "0"},
        other_names={"path": "Path", "rate": "Rate"},
    )
)
_WEIGHTS = list_of(
    keys(
        extensible=False,
        path=TEXT,
        weight=UNSIGNED,
        always={"path": "", "weight": 0},
        other_names={"path": "Path", "weight": "Weight"},
    )
)
_PULL = re.compile(r"always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+")
_PULL_MEANS = "always, never, build, if_not_present, missing, refresh, daily, weekly or every_ with a duration"

SERVICE = keys(
    profiles=UNIQUE_TEXTS,
    annotations=PAIRS,
    attach=FLAG.printed(kept_flag),
    build=BUILD,
    develop=keys(
        kinds=("null",),
        watch=list_of(
            keys(
                "path",
                "action",
                path=TEXT,
                action=word("rebuild", "sync", "restart", "sync+restart", "sync+exec"),
                target=TEXT,
                exec=HOOK,
                include=TEXT_OR_LIST,
                ignore=TEXT_OR_LIST,
                initial_sync=BOOLEAN,
                always={"path": "", "action": "", "exec": {"command": None}},
            )
        ),
    ),
    blkio_config=keys(
        extensible=False,
        weight=UNSIGNED,
        weight_device=_WEIGHTS,
        device_read_bps=_RATES,
        device_read_iops=_RATES,
        device_write_bps=_RATES,
        device_write_iops=_RATES,
    ),
    cap_add=UNIQUE_TEXTS,
    cap_drop=UNIQUE_TEXTS,
    cgroup_parent=TEXT,
    cgroup=word("host", "private"),
    cpu_count=Rule(kinds=frozenset({"integer", "string"}), low=0, codec=whole),
    cpu_percent=Rule(kinds=frozenset({"integer", "string"}), low=0, high=100, codec=number),
    cpu_period=WHOLE_NUMBER,
    cpu_quota=WHOLE_NUMBER,
    cpu_rt_period=WHOLE_NUMBER,
    cpu_rt_runtime=WHOLE_NUMBER,
    cpus=NUMBER,
    cpuset=TEXT,
    cpu_shares=WHOLE_NUMBER,
    command=COMMAND,
    configs=FILE_USES,
    container_name=Rule(
        kinds=frozenset({"string"}),
        shape=re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+"),
        shape_means="a container's name (letters, digits, dots, underscores and hyphens)",
        codec=text,
    ),
    credential_spec=keys(config=TEXT, file=TEXT, registry=TEXT),
    depends_on=either(
        map_of(
            keys(
                "condition",
                condition=word("service_started", "service_healthy", "service_completed_successfully"),
                restart=FLAG,
                required=BOOLEAN.printed(kept_flag),
                always={"required": False},
            ),
            named=NAME,
        ),
        items=TEXT,
        unique=True,
    ),
    deploy=DEPLOY,
    device_cgroup_rules=UNIQUE_TEXTS,
    devices=list_of(either(keys("source", source=TEXT, target=TEXT, permissions=TEXT), "string")),
    dns=TEXT_OR_LIST,
    dns_opt=UNIQUE_TEXTS,
    dns_search=TEXT_OR_LIST,
    domainname=TEXT,
    entrypoint=COMMAND,
    provider=keys(
        "type",
        type=TEXT,
        options=map_of(
            list_of(any_of("string", "number", "boolean"), "string", "number", "boolean").printed(texts_or_numbers),
            strict=False,
        ),
    ),
    environment=VARIABLES,
    env_file=list_of(
        either(keys("path", extensible=False, path=TEXT, required=FLAG.printed(kept_flag), format=TEXT), "string"),
        "string",
    ),
    expose=list_of(NUMBER, unique=True).printed(texts_or_numbers),
    external_links=UNIQUE_TEXTS,
    extra_hosts=HOSTS,
    group_add=list_of(NUMBER, unique=True).printed(texts),
    gpus=Rule(kinds=frozenset({"string"}), one_of=("all",), items=GPU),
    hostname=TEXT,
    healthcheck=keys(
        test=list_of(TEXT, "string").printed(health_test),
        timeout=KEPT_DURATION,
        interval=KEPT_DURATION,
        retries=NUMBER.printed(kept_unsigned),
        start_period=KEPT_DURATION,
        start_interval=KEPT_DURATION,
        disable=FLAG,
    ),
    image=TEXT,
    init=FLAG.printed(kept_flag),
    ipc=TEXT,
    isolation=TEXT,
    labels=PAIRS,
    label_file=list_of(TEXT, "string").printed(texts),
    links=UNIQUE_TEXTS,
    logging=keys(driver=TEXT, options=map_of(any_of("string", "number", "null"), strict=False).printed(options)),
    mem_limit=NUMBER.printed(size),
    mem_reservation=SIZE,
    memswap_limit=NUMBER.printed(size),
    mem_swappiness=SIZE,
    mac_address=TEXT,
    models=either(
        map_of(keys(kinds=("null",), endpoint_var=TEXT, model_var=TEXT), named=NAME, strict=False, keeps_nulls=True),
        items=TEXT,
        unique=True,
    ),
    network_mode=TEXT,
    networks=either(map_of(SERVICE_NETWORK, named=NAME, keeps_nulls=True), items=TEXT, unique=True),
    oom_kill_disable=FLAG,
    oom_score_adj=Rule(kinds=frozenset({"integer", "string"}), low=-1000, high=1000, codec=whole),
    pid=any_of("string", "null").printed(text),
    pids_limit=WHOLE_NUMBER,
    platform=TEXT,
    ports=list_of(PORT, unique=True),
    privileged=FLAG,
    pull_policy=Rule(kinds=frozenset({"string"}), shape=_PULL, shape_means=_PULL_MEANS, codec=text),
    read_only=FLAG,
    restart=TEXT,
    runtime=TEXT,
    scale=INTEGER.printed(kept_whole),
    secrets=FILE_USES,
    security_opt=UNIQUE_TEXTS,
    shm_size=NUMBER.printed(size),
    stdin_open=FLAG,
    stop_grace_period=KEPT_DURATION,
    stop_signal=TEXT,
    storage_opt=Rule(values=ANYTHING, named="", strict=False, codec=labels),
    sysctls=PAIRS,
    tmpfs=TEXT_OR_LIST,
    tty=FLAG,
    ulimits=ULIMITS,
    use_api_socket=BOOLEAN,
    user=TEXT,
    userns_mode=TEXT,
    uts=TEXT,
    volumes=list_of(VOLUME_MOUNT, unique=True),
    volumes_from=UNIQUE_TEXTS,
    working_dir=TEXT,
    post_start=list_of(HOOK),
    pre_stop=list_of(HOOK),
    extends=unprinted(either(keys("service", extensible=False, service=TEXT, file=TEXT), "string")),
    pull_refresh_after=unprinted(TEXT),
    always={"command": None, "entrypoint": None},
)

NETWORK = keys(
    kinds=("null",),
    name=TEXT,
    driver=TEXT,
    driver_opts=OPTIONS,
    ipam=keys(
        driver=TEXT,
        config=list_of(keys(subnet=TEXT, gateway=TEXT, ip_range=TEXT, aux_addresses=map_of(TEXT).printed(labels))),
        options=unprinted(map_of(TEXT)),
    ),
    external=EXTERNAL,
    internal=FLAG,
    attachable=FLAG,
    labels=PAIRS,
    enable_ipv4=FLAG.printed(kept_flag),
    enable_ipv6=FLAG.printed(kept_flag),
    always={"ipam": {}},
)
VOLUME = keys(kinds=("null",), name=TEXT, driver=TEXT, driver_opts=OPTIONS, external=EXTERNAL, labels=PAIRS)
SECRET = keys(
    name=TEXT,
    file=TEXT,
    environment=TEXT,
    external=LOOSE_EXTERNAL,
    labels=PAIRS,
    driver=TEXT,
    driver_opts=OPTIONS.printed(labels),
    template_driver=TEXT,
)
_CONFIG = keys(
    name=TEXT,
    file=TEXT,
    environment=TEXT,
    content=TEXT,
    external=LOOSE_EXTERNAL,
    labels=PAIRS,
    template_driver=TEXT,
)


def _config(node: Node, report: Diagnostics) -> Node | None:
    """Without a content where it comes from a variable."""
    made = _CONFIG.form(node, report) if _CONFIG.form is not None else None
    return made.without("content") if made is not None and made.get("environment") is not None else made


CONFIG = _CONFIG.printed(_config)

INCLUDE = Rule(
    kinds=frozenset({"string"}),
    keys={"path": TEXT_OR_LIST, "env_file": TEXT_OR_LIST, "project_directory": TEXT},
    strict=False,
)
"""Compose does not look at other keys here."""

PROJECT = keys(
    services=map_of(SERVICE, named=NAME, keeps_nulls=True),
    networks=map_of(NETWORK, named=NAME, strict=False),
    volumes=map_of(VOLUME, named=NAME),
    secrets=map_of(SECRET, named=NAME),
    configs=map_of(CONFIG, named=NAME),
    version=unprinted(TEXT),
    name=unprinted(TEXT),
    include=unprinted(list_of(INCLUDE)),
    models=unprinted(
        map_of(
            keys("model", name=TEXT, model=TEXT, context_size=any_of("integer"), runtime_flags=TEXTS),
            named=NAME,
            strict=False,
        )
    ),
)
