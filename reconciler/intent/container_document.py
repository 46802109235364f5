"""The container of a chunk as people write it: Compose's names, the table of settings among them.

Part of :mod:`reconciler.intent.document`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, create_model

from reconciler.intent import builds, elsewhere, field_readers, files, networks, pull_policy
from reconciler.intent.field_types import PAIRS, Part, Read, name_of
from reconciler.intent.settings import SETTINGS, links
from reconciler.intent.settings.accepts import FLAG
from reconciler.intent.settings.deploy import ACCEPTS as DEPLOY
from reconciler.intent.settings.deploy import REPLICAS, Deploy
from reconciler.intent.settings.deploy import parse as read_deploy
from reconciler.intent.settings.words import environment

_WITHOUT_ROW: dict[str, Any] = {
    "image": (
        Annotated[str, Read(field_readers.image, {"type": "string", "examples": ["redis:7"]})] | None,
        Field(
            None,
            description="The image: name:tag, name@digest or both, which is pulled by its digest. With build the name"
            " under which the built one is tagged; DOMAIN-CPUX-CHUNK where left out.",
        ),
    ),
    "name": (
        Annotated[str, name_of(field_readers.container_name, field_readers.CONTAINER_NAME_PATTERN)] | None,
        Field(None, description="The container's name; where left out DOMAIN-CPUX-CHUNK-1."),
    ),
    "build_path": (
        Annotated[str, Read(field_readers.path, {"type": "string"})] | None,
        Field(
            None,
            description="A directory with a Dockerfile from which the image is built, relative to the domain file;"
            " short for build.",
        ),
    ),
    "build": (
        Annotated[builds.DeclaredBuild, Read(builds.read, builds.ACCEPTS)] | None,
        Field(
            None,
            description="How the image is built: the directory with the Dockerfile, or context, dockerfile,"
            " dockerfile_inline, args, labels, target, network, platforms (one), no_cache, pull, cache_from,"
            " extra_hosts, shm_size, tags, ulimits, isolation. It is built again when the content of the context"
            " changes.",
            examples=["./app", {"context": "./app", "target": "production", "args": {"VERSION": "1.2"}}],
        ),
    ),
    "pull_policy": (
        Annotated[str, Read(pull_policy.read, pull_policy.ACCEPTS)] | None,
        Field(
            None,
            description="When the image is pulled: missing (default; also if_not_present), always, never, daily,"
            " weekly, every_12h or refresh (with pull_refresh_after); build rebuilds it. It is looked at whenever a"
            " container is made.",
            examples=["always", "every_12h"],
        ),
    ),
    "env": (
        Annotated[dict[str, Any], Read(environment, PAIRS)] | None,
        Field(None, description="Another word for environment. Both together are merged.", examples=[["A=1"]]),
    ),
    "networks": (
        Annotated[dict[str, dict[str, Any]], Read(networks.attachments, networks.ATTACHMENTS)] | None,
        Field(
            None,
            description="The networks that the container joins, by their names in the domain's networks; default is"
            " the domain's own. In each further aliases, ipv4_address, ipv6_address, link_local_ips, mac_address,"
            " driver_opts, priority (the highest is joined first), gw_priority, interface_name. Where left out: only"
            " the domain's own, where the container is reached by the chunk's name and by its own.",
            examples=[["default", "backend"], {"backend": {"aliases": ["db"], "ipv4_address": "10.5.0.9"}}],
        ),
    ),
}

_ROWS: dict[str, Any] = {
    name: (setting.type, Field(None, description=setting.doc, examples=[setting.example]))
    for name, setting in SETTINGS.items()
}

_WITHOUT_ROW |= {
    "secrets": (
        Annotated[list[files.Use], Read(files.secret_uses, files.USES)] | None,
        Field(
            None,
            description="The domain's secrets that the container has as files, below /run/secrets where no absolute"
            " target says otherwise.",
            examples=[["db_password"], [{"source": "db_password", "target": "/app/password", "mode": "0440"}]],
        ),
    ),
    "configs": (
        Annotated[list[files.Use], Read(files.config_uses, files.USES)] | None,
        Field(
            None,
            description="The domain's configs that the container has as files, as /NAME where no target is given.",
            examples=[[{"source": "nginx", "target": "/etc/nginx/nginx.conf"}]],
        ),
    ),
    "env_file": (
        Annotated[list[files.EnvFile], Read(files.env_files, files.ENV_FILES)] | None,
        Field(
            None,
            description="Files of variables, relative to the domain file; environment goes before what is in them.",
            examples=["./app.env", [{"path": "./local.env", "required": False}]],
        ),
    ),
    "external_links": (
        Annotated[list[str], Read(links.parse_external, links.ACCEPTS)] | None,
        Field(
            None,
            description="Containers that are not of this CPUX under further names: NAME or NAME:ALIAS. They are reached"
            " where they are in a network of this container.",
            examples=[["legacy-db:db"]],
        ),
    ),
    "label_file": (
        Annotated[list[files.EnvFile], Read(files.label_files, files.LABEL_FILES)] | None,
        Field(None, description="Files of labels; labels goes before what is in them.", examples=["./app.labels"]),
    ),
}

_WITHOUT_ROW |= {
    "pull_refresh_after": (
        Annotated[str, Read(pull_policy.refresh_after, {"type": "string"})] | None,
        Field(
            None,
            description="With the pull_policy refresh: how old what the registry said may be.",
            examples=["12h"],
        ),
    ),
    "attach": (
        Annotated[bool, Read(elsewhere.attach, FLAG)] | None,
        Field(None, description="Accepted where it is false: pnr attaches no terminal to containers."),
    ),
    "scale": (
        Annotated[int, Read(REPLICAS, {"type": ["integer", "string"]})] | None,
        Field(None, description="Compose's older word for the chunk's replicas."),
    ),
    "deploy": (
        Annotated[Deploy, Read(read_deploy, DEPLOY)] | None,
        Field(
            None,
            description="Compose's replicas, limits and updates: replicas, resources.limits (cpus, memory, pids),"
            " resources.reservations (memory, devices), restart_policy (condition, max_attempts), update_config (order,"
            " failure_action).",
            examples=[{"replicas": 2, "resources": {"limits": {"memory": "256m"}}}],
        ),
    ),
}

_WITHOUT_ROW |= elsewhere.fields()

Container = create_model(
    "Container",
    __base__=Part,
    __doc__="The container of a chunk: Docker Compose's names, in their short and long forms.",
    **_WITHOUT_ROW,
    **_ROWS,
)
