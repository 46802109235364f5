"""The domain file as people write it: one pydantic model per object in it, with what may stand where.

The JSON Schema (:mod:`reconciler.intent.schema`) and the reference page come from these models. What one value
alone can tell is checked here; what takes two of them is in :mod:`reconciler.intent.crosschecks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Tag,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from reconciler.facts import TV
from reconciler.intent import builds, files, networks, pull_policy, readers
from reconciler.intent.model import Adopt, AutoUpdate, Ipam, Kind, OnFailure, OnGateClose, Strategy
from reconciler.intent.settings import SETTINGS
from reconciler.intent.settings.deploy import ACCEPTS as DEPLOY
from reconciler.intent.settings.deploy import MAX_REPLICAS, Deploy
from reconciler.intent.settings.deploy import parse as read_deploy
from reconciler.intent.settings.values import flag, text
from reconciler.intent.settings.words import environment, labels, options

NO_API_SOCKET = (
    "pnr hands no container the engine's socket and its credentials by itself: leave it out, or declare the socket"
    " under volumes, knowing that whoever has it is root on the host"
)

FACT_CHECK = "fact"
"""The health-check type that is built in: the container answers itself."""

AUTO = "auto"


@dataclass(frozen=True, slots=True, eq=False)  # in a union it must be hashable
class Read:
    """An annotation: the value is what ``reader`` makes of it, and ``accepts`` is its JSON Schema."""

    reader: Callable[[Any], Any]
    accepts: Mapping[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.reader)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return dict(self.accepts)


_VARIABLE = {"type": "string", "pattern": r"\$"}


def _words(*known: str) -> Read:
    return Read(readers.one_of(*known), {"anyOf": [{"enum": list(known)}, _VARIABLE]})


def _seconds(low: float, high: float) -> Read:
    number = {"type": "number", "minimum": low, "maximum": high}
    return Read(readers.seconds(low, high), {"anyOf": [number, _VARIABLE]})


def _count(low: int, high: int) -> Read:
    number = {"type": "integer", "minimum": low, "maximum": high}
    return Read(readers.count(low, high), {"anyOf": [number, _VARIABLE]})


def _name(reader: Callable[[Any], str], pattern: str) -> Read:
    return Read(reader, {"type": "string", "pattern": rf"^({pattern})$|\$"})


def _key(reader: Callable[[Any], str], pattern: str) -> Read:
    return Read(reader, {"type": "string", "pattern": f"^({pattern})$"})


_TEXTS = {"type": "array", "items": {"type": "string"}}
_PAIRS = SETTINGS["labels"].accepts

Text = Annotated[str, Read(text, {"type": "string"})]
Flag = Annotated[bool, Read(flag, {"anyOf": [{"type": "boolean"}, _VARIABLE]})]
Labels = Annotated[dict[str, str], Read(labels, _PAIRS)]
Driver = Annotated[str, Read(networks.driver, {"type": "string"})]
DriverOpts = Annotated[dict[str, str], Read(options, networks.DRIVER_OPTS)]
External = Annotated[bool | str, Read(networks.external, networks.EXTERNAL)]
Truth = Annotated[TV, Read(readers.truth, {"type": "string", "pattern": r"^([yY]|[nN]|[uU][nN]?)$|\$"})]
Responses = Annotated[tuple[str, ...], Read(readers.responses, {"anyOf": [{"type": "string"}, _TEXTS]})]
DomainName = Annotated[str, _name(readers.named("name of a domain"), readers.NAME_PATTERN)]
ChunkName = Annotated[str, _name(readers.named("name of a chunk"), readers.NAME_PATTERN)]
EngineName = Annotated[str, _name(readers.engine_name, readers.ENGINE_NAME_PATTERN)]
CpuxName = Annotated[str, _key(readers.named("name of a CPUX"), readers.NAME_PATTERN)]
NetworkName = Annotated[str, _key(readers.named("name of a network"), readers.NAME_PATTERN)]
VolumeName = Annotated[str, _key(readers.named("name of a volume"), readers.NAME_PATTERN)]
RegistryHost = Annotated[str, Read(readers.registry_host, {"type": "string"})]
FactKey = Annotated[str, _key(readers.fact_key, readers.NAME_PATTERN)]
FactName = Annotated[str, _key(readers.fact_name, readers.FACT_NAME_PATTERN)]
SecretName = Annotated[str, _key(readers.named("name of a secret"), readers.NAME_PATTERN)]
ConfigName = Annotated[str, _key(readers.named("name of a config"), readers.NAME_PATTERN)]
CredentialName = Annotated[str, _name(readers.named("name of a credential"), readers.NAME_PATTERN)]
VariableName = Annotated[str, _name(readers.variable_name, readers.VARIABLE_PATTERN)]
FilePath = Annotated[str, Read(files.file_path, {"type": "string"})]


class Part(BaseModel):
    """An object in a domain file. Unknown keys are errors; those that begin with ``x-`` are ignored."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"patternProperties": {"^x-": {}}})

    @model_validator(mode="before")
    @classmethod
    def _without_extensions(cls, value: Any) -> Any:
        if isinstance(value, dict) and any(key.startswith("x-") for key in value):
            return {key: part for key, part in value.items() if not key.startswith("x-")}
        return value


class Fact(Part):
    """A fact as wanted or answered: a question (`prompt`), its answer (`response`) and its truth (`tv`)."""

    prompt: Text = Field("", description="The question, for people.")
    response: Responses = Field(
        (),
        description="The answer: a string or a list of strings. In a gatekeeper the fact's response must share at"
        " least one of them; an empty list accepts any.",
    )
    tv: Truth = Field(TV.Y, description="Y holds, N does not hold, U (or UN) unknown; in any case.")


class Answer(Part):
    """An answer that a health check gives."""

    key: FactKey = Field(description="The key of the flowout fact that is answered.")
    prompt: Text | None = Field(None, description="The question; that of the flowout fact where left out.")
    response: Responses | None = Field(
        None, description='The answer; where left out the flowout fact\'s on success, and ["no"] on failure.'
    )
    tv: Truth | None = Field(None, description="Y on success and N on failure where left out.")


Answers = Annotated[
    Annotated[Answer, Tag("one")] | Annotated[list[Answer], Tag("many")],
    Discriminator(lambda value: "many" if isinstance(value, list) else "one"),
]


class StatusMapping(Part):
    """What the facts become when a health check succeeds or fails."""

    success: Answers | None = Field(
        None, description="One answer or a list; where left out all flowout facts are answered as declared."
    )
    failure: Answers | None = Field(
        None, description='One answer or a list; where left out all flowout facts are answered N and ["no"].'
    )


class HealthCheck(Part):
    """How to find out whether a chunk is up. Each type knows further settings of its own."""

    model_config = ConfigDict(extra="allow")

    type: Text = Field(description="tcp, http, https, exec, docker, log, fact, or the type of a plug-in.")
    port_key: Annotated[str, Read(readers.port_key, {"type": ["string", "integer"]})] | None = Field(
        None, description='The port in the container, such as "27017" or "53/udp"; it need not be published.'
    )
    interval_seconds: Annotated[float, _seconds(0.1, 86400)] = Field(
        5.0, description="The time between two probes. While starting it is 1 where it is left out."
    )
    timeout_seconds: Annotated[float, _seconds(0.01, 3600)] = Field(
        2.0, description="After this time a probe counts as failed."
    )
    failure_threshold: Annotated[int, _count(1, 1000)] = Field(
        3, description="So many failures in a row make the facts N."
    )
    success_threshold: Annotated[int, _count(1, 1000)] = Field(
        1, description="So many successes in a row make the facts Y."
    )
    start_period_seconds: Annotated[float, _seconds(0, 86400)] = Field(
        0.0, description="For so long after the start failures do not count."
    )
    deadline_seconds: Annotated[float, _seconds(0.1, 604800)] = Field(
        300.0, description="The first success must come within this time after the start."
    )
    status_mapping: StatusMapping | None = Field(None, description="What the facts become; rarely needed.")


class Update(Part):
    """How a changed chunk is replaced."""

    strategy: Annotated[str, _words(AUTO, *Strategy)] | None = Field(
        None,
        description="stop-first: the old container stops before the new one starts; start-first: after the new one"
        " is healthy; auto (default): start-first unless a host port or a container name forces the other.",
    )
    on_failure: Annotated[str, _words(*OnFailure)] | None = Field(
        None, description="When the new container does not come up: rollback (default) or pause."
    )


_WITHOUT_ROW: dict[str, Any] = {
    "image": (
        Annotated[str, Read(readers.image, {"type": "string", "examples": ["redis:7"]})] | None,
        Field(
            None,
            description="The image: name:tag, name@digest or both, which is pulled by its digest. With build the name"
            " under which the built one is tagged; DOMAIN-CPUX-CHUNK where left out.",
        ),
    ),
    "name": (
        Annotated[str, _name(readers.container_name, readers.CONTAINER_NAME_PATTERN)] | None,
        Field(None, description="The container's name; where left out DOMAIN-CPUX-CHUNK-1."),
    ),
    "build_path": (
        Annotated[str, Read(readers.path, {"type": "string"})] | None,
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
            description="When the image is pulled: missing (default; also if_not_present), always, never, daily, weekly"
            " or every_12h; build builds it anew. It is looked at whenever a container is made.",
            examples=["always", "every_12h"],
        ),
    ),
    "env": (
        Annotated[dict[str, Any], Read(environment, _PAIRS)] | None,
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
    "label_file": (
        Annotated[list[files.EnvFile], Read(files.label_files, files.LABEL_FILES)] | None,
        Field(None, description="Files of labels; labels goes before what is in them.", examples=["./app.labels"]),
    ),
}

_WITHOUT_ROW |= {
    "use_api_socket": (
        Annotated[None, Read(files.refused(NO_API_SOCKET), {"enum": [None, False]})],
        Field(None, description="Not supported: who has the engine's socket is root on its host."),
    ),
    "scale": (
        Annotated[int, _count(1, MAX_REPLICAS)] | None,
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

Container = create_model(
    "Container",
    __base__=Part,
    __doc__="The container of a chunk: Docker Compose's names, in their short and long forms.",
    **_WITHOUT_ROW,
    **_ROWS,
)


class Chunk(Part):
    """One design chunk: conditions, a container, a health check."""

    name: ChunkName = Field(description="The chunk's name, unique in its CPUX.")
    container: Container = Field(description="The container.")
    gatekeeper: dict[FactName, Fact] = Field(
        {}, description="Facts that must hold for the chunk to start: key, cpux/key or domain/cpux/key."
    )
    flowin: dict[FactName, Fact | None] = Field(
        {},
        description="Facts whose responses are handed to the container when it starts, as variables of their key.",
    )
    flowout: dict[FactKey, Fact] = Field({}, description="Facts that the chunk answers once it is up.")
    health_check: HealthCheck | None = Field(
        None, description="How to find out whether it is up; without one it is up while its container runs."
    )
    kind: Annotated[str, _words(*Kind)] | None = Field(
        None, description="service (default) is kept up; job runs to exit 0 once a generation."
    )
    facts: Flag | None = Field(
        None, description="true: the container answers its flowout itself, by JSON files in /runtime."
    )
    update: Update | None = Field(None, description="How a changed chunk is replaced.")
    strategy: Annotated[str, _words(AUTO, *Strategy)] | None = Field(None, description="Short for update.strategy.")
    on_failure: Annotated[str, _words(*OnFailure)] | None = Field(None, description="Short for update.on_failure.")
    on_gate_close: Annotated[str, _words(*OnGateClose)] | None = Field(
        None, description="When the gatekeeper stops holding: keep (default), stop or restart."
    )
    replicas: Annotated[int, _count(1, MAX_REPLICAS)] | None = Field(
        None, description="So many equal containers, NAME-1 to NAME-n, each with its health check. 1 where left out."
    )
    min_ready: Annotated[int, _count(1, MAX_REPLICAS)] | None = Field(
        None, description="So many replicas must be healthy for the flowout facts to hold; all where left out."
    )
    ignore_drift: Annotated[list[str], Read(readers.ignored, _TEXTS)] = Field(
        [], description="Settings of the container that may differ from what is declared, by name.", examples=[["cpus"]]
    )
    auto_update: Annotated[str, _words(*AutoUpdate)] | None = Field(
        None,
        description="Follow the tag: registry asks the registry for its newest digest, local looks at the image that"
        " the engine has. A new image is an update like any other.",
    )
    adopt: Annotated[Adopt, Read(readers.adopt, {"enum": [True, False, "replace"]})] | None = Field(
        None,
        description="true: a container of that name that was not made by pnr is taken over where its settings match;"
        ' "replace": one that does not match is replaced.',
    )
    status: Any = Field(None, description="Ignored: what a chunk's state is, pnr finds out.")
    description: Text | None = Field(None, description="For people.")


class Cpux(Part):
    """A named path of work: the scope in which facts live."""

    id: Any = Field(None, description="Accepted and not used.")
    description: Text | None = Field(None, description="For people.")
    rt_state: dict[FactKey, Fact] = Field({}, description="Facts that hold from the start.")
    design_chunks: list[Chunk] = Field([], description="The chunks. Gatekeepers order them, not their places here.")


class Network(Part):
    """A network of the domain."""

    name: EngineName | None = Field(None, description="Its name in the engine; where left out pnr_DOMAIN_NAME.")
    external: External = Field(
        False, description="It is there already and is never made or removed; {name} says how the engine calls it."
    )
    driver: Driver | None = Field(
        None, description="The engine's driver, such as bridge; host and none stand for the engine's own networks."
    )
    driver_opts: DriverOpts | None = Field(
        None, description="Options of the driver.", examples=[{"com.docker.network.driver.mtu": "1400"}]
    )
    internal: Flag = Field(False, description="Without a way to the outside.")
    attachable: Flag = Field(False, description="For overlays: containers may join, not only services of a swarm.")
    enable_ipv4: Flag | None = Field(None, description="Whether it has IPv4 addresses; false takes Docker 28 or newer.")
    enable_ipv6: Flag | None = Field(None, description="Whether it has IPv6 addresses.")
    ipam: Annotated[Ipam, Read(networks.ipam, networks.IPAM)] | None = Field(
        None,
        description="Where its addresses come from: driver, options, config (a list of subnet, ip_range, gateway,"
        " aux_addresses).",
        examples=[{"config": [{"subnet": "10.5.0.0/24", "gateway": "10.5.0.1"}]}],
    )
    labels: Labels | None = Field(None, description="Labels of the network.")


class Volume(Part):
    """A named volume of the domain."""

    name: EngineName | None = Field(None, description="Its name in the engine; where left out DOMAIN_NAME.")
    external: External = Field(
        False, description="It is there already and is never made or removed; {name} says how the engine calls it."
    )
    driver: Driver | None = Field(None, description="The engine's driver, such as local.")
    driver_opts: DriverOpts | None = Field(
        None,
        description="Options of the driver.",
        examples=[{"type": "nfs", "o": "addr=10.0.0.5,rw", "device": ":/export"}],
    )
    labels: Labels | None = Field(None, description="Labels of the volume.")
    keep: Flag = Field(
        True,
        description="false: it is removed, with what is in it, when it is no longer declared or its domain goes."
        " Where left out it stays, but for pnr down --volumes.",
    )


def _for_swarm(what: str) -> Any:
    return Annotated[None, Read(files.refused(f"{what} is for Swarm: leave it out"), {"enum": [None, False]})]


class Content(Part):
    """Where the content of a secret or config comes from: exactly one of these, and what is only accepted."""

    file: FilePath | None = Field(None, description="A file, relative to the domain file.")
    environment: VariableName | None = Field(
        None, description="A variable of the daemon's environment; its name must be allowed (--allow-env)."
    )
    credential: CredentialName | None = Field(
        None, description="A systemd credential of the daemon's unit (LoadCredential=)."
    )
    sops: FilePath | None = Field(None, description="A file that `sops --decrypt` opens.")
    age: FilePath | None = Field(None, description="A file that `age --decrypt` opens; see PNR_AGE_IDENTITY.")
    name: Text | None = Field(None, description="Accepted and not used.")
    external: _for_swarm("external") = Field(None, description="Not supported.")  # type: ignore[valid-type]
    labels: _for_swarm("labels") = Field(None, description="Not supported.")  # type: ignore[valid-type]
    driver: _for_swarm("driver") = Field(None, description="Not supported.")  # type: ignore[valid-type]
    driver_opts: _for_swarm("driver_opts") = Field(None, description="Not supported.")  # type: ignore[valid-type]
    template_driver: _for_swarm("template_driver") = Field(  # type: ignore[valid-type]
        None, description="Not supported."
    )


class Secret(Content):
    """A secret: a content that containers have as a file and that shows nowhere else. One source, exactly."""

    content: Annotated[None, Read(files.refused(files.NO_CONTENT), {"type": "null"})] = Field(
        None, description="Not supported."
    )


class Config(Content):
    """A config: a file in containers that need not be secret. One source, exactly."""

    content: Text | None = Field(None, description="The content itself.")


class Registry(Part):
    """A login to a registry. It goes before the one that Docker's own configuration has."""

    username: Annotated[str, Read(readers.user_name, {"type": "string", "minLength": 1})] = Field(
        description="The user."
    )
    password_secret: SecretName = Field(description="The name of the secret, in the domain's secrets, that holds it.")
    password: Annotated[None, Read(files.refused(readers.NO_PASSWORD), {"type": "null"})] = Field(
        None, description="Not supported."
    )


class DomainFile(Part):
    """A domain: one stack that is deployed as a whole."""

    schema_: Text | None = Field(None, alias="$schema", description="The JSON Schema, for editors; see pnr schema.")
    name: DomainName = Field(description="The domain's name, unique among the files.")
    description: Text | None = Field(None, description="For people.")
    env: dict[str, Any] = Field(
        {},
        description="Values for ${NAME} in the strings of this file; nested ones as ${a.b}.",
        examples=[{"mongodb": {"url": "mongodb://localhost:27017"}}],
    )
    cpuxs: dict[CpuxName, Cpux] = Field(description="The CPUXs by name.")
    networks: dict[NetworkName, Network | None] = Field(
        {}, description="Networks besides the domain's own; default names that one."
    )
    volumes: dict[VolumeName, Volume | None] = Field(
        {}, description="Named volumes that need more than a name. Others need no entry."
    )
    secrets: dict[SecretName, Secret] = Field({}, description="Secrets that containers may have as files, by name.")
    configs: dict[ConfigName, Config] = Field({}, description="Configs that containers may have as files, by name.")
    registries: dict[RegistryHost, Registry] = Field(
        {},
        description="Logins to registries, by host, besides those in Docker's own configuration.",
        examples=[{"registry.example.com": {"username": "puller", "password_secret": "registry_password"}}],
    )
