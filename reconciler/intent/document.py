"""The domain file as people write it: one pydantic model per object in it, with what may stand where.

The JSON Schema (:mod:`reconciler.intent.schema`) and the reference page come from these models. What one value
alone can tell is checked here; what takes two of them is in :mod:`reconciler.intent.container_checks`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    Tag,
)

from reconciler.facts import TV
from reconciler.intent import field_readers, files, networks
from reconciler.intent.auto_update import ACCEPTS as AUTO_UPDATE
from reconciler.intent.auto_update import read as read_auto_update
from reconciler.intent.container_document import Container
from reconciler.intent.elsewhere import refusal
from reconciler.intent.field_types import (
    TEXTS,
    ChunkName,
    ConfigName,
    CpuxName,
    CredentialName,
    DomainName,
    Driver,
    DriverOpts,
    EngineName,
    External,
    FactKey,
    FactName,
    FilePath,
    Flag,
    Labels,
    NetworkName,
    Part,
    Read,
    RegistryHost,
    Responses,
    SecretName,
    SharedWith,
    Text,
    Truth,
    VariableName,
    VolumeName,
    count,
    one_of,
    seconds,
)
from reconciler.intent.model import (
    STABLE_SECONDS,
    Adopt,
    AutoUpdate,
    Ipam,
    Kind,
    OnFailure,
    OnFileChange,
    OnGateClose,
    Strategy,
)
from reconciler.intent.settings.deploy import MAX_REPLICAS

AUTO = "auto"


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
    port_key: Annotated[str, Read(field_readers.port_key, {"type": ["string", "integer"]})] | None = Field(
        None, description='The port in the container, such as "27017" or "53/udp"; it need not be published.'
    )
    interval_seconds: Annotated[float, seconds(0.1, 86400)] = Field(
        5.0, description="The time between two probes. While starting it is 1 where it is left out."
    )
    timeout_seconds: Annotated[float, seconds(0.01, 3600)] = Field(
        2.0, description="After this time a probe counts as failed."
    )
    failure_threshold: Annotated[int, count(1, 1000)] = Field(
        3, description="So many failures in a row make the facts N."
    )
    success_threshold: Annotated[int, count(1, 1000)] = Field(
        1, description="So many successes in a row make the facts Y."
    )
    start_period_seconds: Annotated[float, seconds(0, 86400)] = Field(
        0.0, description="For so long after the start failures do not count."
    )
    deadline_seconds: Annotated[float, seconds(0.1, 604800)] = Field(
        300.0, description="The first success must come within this time after the start."
    )
    status_mapping: StatusMapping | None = Field(None, description="What the facts become; rarely needed.")


class Update(Part):
    """How a changed chunk is replaced."""

    strategy: Annotated[str, one_of(AUTO, *Strategy)] | None = Field(
        None,
        description="stop-first: the old container stops before the new one starts; start-first: after the new one"
        " is healthy; auto (default): stop-first where the container writes to a volume or a"
        " directory of the host, or has a host port or a name of its own; else start-first.",
    )
    on_failure: Annotated[str, one_of(*OnFailure)] | None = Field(
        None, description="When the new container does not come up: rollback (default) or pause."
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
        None,
        description="How to find out whether it is up; without one it is up once its container has run for"
        " stable_seconds, and while it runs.",
    )
    stable_seconds: Annotated[float, seconds(0, 86400)] = Field(
        STABLE_SECONDS,
        description="So long the container must have run without an end to count as up, where no health check tells;"
        " 0: at once. An update, with a health check or without, is done once its new container has run so long as"
        " well.",
    )
    kind: Annotated[str, one_of(*Kind)] | None = Field(
        None, description="service (default) is kept up; job runs to exit 0 once a generation."
    )
    facts: Flag | None = Field(
        None, description="true: the container answers its flowout itself, by JSON files in /runtime."
    )
    update: Update | None = Field(None, description="How a changed chunk is replaced.")
    strategy: Annotated[str, one_of(AUTO, *Strategy)] | None = Field(None, description="Short for update.strategy.")
    on_failure: Annotated[str, one_of(*OnFailure)] | None = Field(None, description="Short for update.on_failure.")
    on_gate_close: Annotated[str, one_of(*OnGateClose)] | None = Field(
        None, description="When the gatekeeper stops holding: keep (default), stop or restart."
    )
    replicas: Annotated[int, count(1, MAX_REPLICAS)] | None = Field(
        None, description="So many equal containers, NAME-1 to NAME-n, each with its health check. 1 where left out."
    )
    min_ready: Annotated[int, count(1, MAX_REPLICAS)] | None = Field(
        None, description="So many replicas must be healthy for the flowout facts to hold; all where left out."
    )
    ignore_drift: Annotated[list[str], Read(field_readers.ignored, TEXTS)] = Field(
        [],
        description="Settings of the container that may differ from what is declared, by name; `image`: a tag that was"
        " swapped on the engine.",
        examples=[["cpus"]],
    )
    adopt: Annotated[Adopt, Read(field_readers.adopt, {"enum": [True, False, "replace"]})] | None = Field(
        None,
        description="true: a container of that name that was not made by pnr is taken over where its settings match;"
        ' "replace": one that does not match is replaced.',
    )
    auto_update: Annotated[AutoUpdate | None, Read(read_auto_update, AUTO_UPDATE)] = Field(
        None,
        description="registry: when the registry has another image under the tag, the container is updated to it;"
        " local: when the engine has one. As an object {policy, interval_seconds}: how often the registry is asked,"
        " 3600 where left out, 60 at least.",
        examples=["registry", {"policy": "registry", "interval_seconds": 900}],
    )
    on_file_change: Annotated[str, one_of(*OnFileChange)] | None = Field(
        None,
        description="When a file of the host that the container has mounted by itself is replaced by another (a new"
        " file renamed into its place, as git and editors do): recreate (default) recreates the container; ignore"
        " leaves it.",
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
    shared_with: SharedWith = Field(
        (),
        description="Domains that may join it, by name; * stands for any characters. They declare it as external, by"
        " its name in the engine.",
        examples=[["shop", "team-*"]],
    )


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
    shared_with: SharedWith = Field(
        (),
        description="Domains that may have it, by name; * stands for any characters. They declare it as external, by"
        " its name in the engine.",
        examples=[["shop", "team-*"]],
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

    username: Annotated[str, Read(field_readers.user_name, {"type": "string", "minLength": 1})] = Field(
        description="The user."
    )
    password_secret: SecretName = Field(description="The name of the secret, in the domain's secrets, that holds it.")
    password: Annotated[None, Read(files.refused(field_readers.NO_PASSWORD), {"type": "null"})] = Field(
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
    services: refusal("services") = Field(None, description="Not supported: it is Compose's.")  # type: ignore[valid-type]
    include: refusal("include") = Field(None, description="Not supported.")  # type: ignore[valid-type]
    models: refusal("models") = Field(None, description="Not supported.")  # type: ignore[valid-type]
