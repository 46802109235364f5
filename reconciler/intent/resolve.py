"""From the document to its meaning: names completed, defaults that depend on one another decided. Pure.

Only valid documents come here; nothing is judged any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler import facts
from reconciler.diagnostics import Diagnostics
from reconciler.facts import TV, GateEntry, Pnr
from reconciler.intent import document, fingerprint, image_names, options, pull_policy
from reconciler.intent.check_types import CheckType
from reconciler.intent.document import AUTO
from reconciler.intent.model import (
    FACT_CHECK,
    Adopt,
    Answer,
    Chunk,
    ChunkId,
    ContainerSpec,
    Cpux,
    Domain,
    FactsMode,
    HealthCheck,
    Ipam,
    Kind,
    NetworkSpec,
    OnFailure,
    OnFileChange,
    OnGateClose,
    Strategy,
    VolumeSpec,
)
from reconciler.intent.networks import BUILT_IN, NAMELESS, OWN_NETWORK
from reconciler.intent.referenced_contents import Gathered, absolute
from reconciler.intent.settings import SETTINGS, Interpolated, links, map_volume_sources, references, security_options
from reconciler.intent.settings.deploy import Deploy
from reconciler.intent.settings.endpoints import has_fixed_address
from reconciler.intent.settings.replicas import settings_of_copy
from reconciler.intent.writers import best_strategy

DEFAULT_GRACE_SECONDS = 10.0
_PLAIN_TIMES = ("timeout_seconds", "failure_threshold", "success_threshold", "start_period_seconds", "deadline_seconds")


def resolve(
    file: document.DomainFile,
    *,
    name: str,
    digest: str,
    base_dir: str | None,
    check_types: Mapping[str, CheckType],
    gathered: Gathered,
    defaults: Mapping[str, Any] | None = None,
) -> Domain:
    """The domain that ``file`` (read from the file ``name``, whose bytes have the SHA-256 ``digest``) describes.
    ``defaults`` has the normal forms of settings of containers that declare none."""
    report = Diagnostics(name)
    resolver = _Resolver(file, base_dir, check_types, gathered, defaults or {}, report)
    cpuxs = tuple(resolver.cpux(cpux_name, cpux) for cpux_name, cpux in file.cpuxs.items())
    resolver.take_shared()
    declared = [resolver.volume(volume) for volume in file.volumes]
    domain = Domain(
        name=file.name,
        file=name,
        digest=digest,
        intent="",
        cpuxs=cpuxs,
        networks=tuple(resolver.networks.values()),
        volumes=tuple(resolver.volumes.values()),
        notes=tuple(report),
        sources=gathered.sources,
        unused_volumes=tuple(spec for spec in declared if spec.name not in resolver.volumes),
    )
    own_first = sorted(domain.networks, key=lambda network: network.name != resolver.own_network)
    domain = replace(domain, networks=tuple(own_first))
    return replace(domain, intent=fingerprint.intent(domain, resolver.declared_options))


_SAYS_AS_MUCH = {
    "cpus": ("cpu_quota", "cpu_period", "cpu_count", "cpu_percent"),
    "mem_limit": ("memswap_limit", "mem_reservation"),
}
"""Settings beside which a default would contradict what was declared."""


def _lacks(given: Mapping[str, Any], setting: str) -> bool:
    return all(given.get(name) is None for name in (setting, *_SAYS_AS_MUCH.get(setting, ())))


@dataclass
class _Resolver:
    file: document.DomainFile
    base_dir: str | None
    check_types: Mapping[str, CheckType]
    gathered: Gathered
    defaults: Mapping[str, Any]
    report: Diagnostics
    networks: dict[str, NetworkSpec] = field(default_factory=dict)  # those used, by engine-side name
    volumes: dict[str, VolumeSpec] = field(default_factory=dict)
    containers: dict[str, list[str]] = field(default_factory=dict)  # of the CPUX at hand: their names, by chunk
    declared_options: dict[ChunkId, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def own_network(self) -> str:
        return self._network(OWN_NETWORK).name

    def cpux(self, name: str, cpux: document.Cpux) -> Cpux:
        rt_state = {key: _pnr(fact) for key, fact in cpux.rt_state.items()}
        self.containers = {
            chunk.name: [
                _container_name(id, chunk)
                for id in ChunkId(self.file.name, name, chunk.name).copies(replicas_of(chunk))
            ]
            for chunk in cpux.design_chunks
        }
        chunks: list[Chunk] = []
        for index, chunk in enumerate(cpux.design_chunks):
            report = self.report.at("cpuxs", name, "design_chunks", index)
            id = ChunkId(self.file.name, name, chunk.name)
            chunks += [self._chunk(copy, chunk, report) for copy in id.copies(replicas_of(chunk))]
        return Cpux(name, rt_state, tuple(chunks))

    def take_shared(self) -> None:
        """What is shared with others is made for them, also where no chunk of the domain itself uses it."""
        for network, said in self.file.networks.items():
            if said is not None and said.shared_with:
                self._join(network)
        for volume, kept in self.file.volumes.items():
            if kept is not None and kept.shared_with:
                spec = self.volume(volume)
                self.volumes[spec.name] = spec

    def _chunk(self, id: ChunkId, chunk: document.Chunk, report: Diagnostics) -> Chunk:
        if "status" in chunk.model_fields_set and id.replica == 1:
            report.note(("status",), "Ignored", f"{id}: status is ignored; pnr finds out itself how the chunk stands")
        mode = _facts_mode(chunk)
        replicas = replicas_of(chunk)
        kind = Kind(chunk.kind or Kind.SERVICE)
        container = self._container(id, chunk, mode)
        container = self._work_of(id, container, report) if kind is Kind.JOB else container
        flowout = {key: _pnr(fact) for key, fact in chunk.flowout.items()}
        update = chunk.update or document.Update()
        deploy = _deploy(chunk.container)
        strategy = update.strategy or chunk.strategy or deploy.strategy or AUTO
        if strategy == Strategy.START_FIRST and has_fixed_address(container):
            text = "two containers can't have its fixed address at once, so that an update stops the old one first"
            report.note((), "StopFirst", f"{id}: {text}")
        on_failure = update.on_failure or chunk.on_failure or deploy.on_failure
        return Chunk(
            id=id,
            container=container,
            gate=tuple(
                GateEntry(facts.resolve(name, domain=id.domain, cpux=id.cpux), _pnr(fact))
                for name, fact in chunk.gatekeeper.items()
            ),
            flowin={
                name.rpartition("/")[2]: facts.resolve(name, domain=id.domain, cpux=id.cpux) for name in chunk.flowin
            },
            flowout=flowout,
            health=self._health(id, chunk.health_check, flowout) if chunk.health_check is not None else None,
            kind=kind,
            facts=mode,
            strategy=best_strategy(container) if strategy == AUTO else Strategy(strategy),
            auto_strategy=strategy == AUTO,
            on_failure=OnFailure(on_failure or OnFailure.ROLLBACK),
            on_gate_close=OnGateClose(chunk.on_gate_close or OnGateClose.KEEP),
            replicas=replicas,
            min_ready=chunk.min_ready or replicas,
            ignore_drift=tuple(chunk.ignore_drift),
            adopt=chunk.adopt or Adopt.NO,
            auto_update=chunk.auto_update,
            stable_seconds=chunk.stable_seconds,
            on_file_change=OnFileChange(chunk.on_file_change or OnFileChange.RECREATE),
        )

    def _work_of(self, id: ChunkId, container: ContainerSpec, report: Diagnostics) -> ContainerSpec:
        """A job's container, which the engine never starts again by itself: it would run again what is done, and hide
        from pnr how each run of it ended. A job that fails is started again by pnr."""
        policy = str(container.settings.get("restart") or "no")
        if policy == "no":
            return container
        if policy != "on-failure" and id.replica == 1:
            done = "a job that succeeds is done" if ":" not in policy else "as often as it takes"
            given = f"restart: {policy} is not given to the engine"
            message = f"{id}: {given}: pnr starts a job again that fails; {done}"
            report.note(("container", "restart"), "StartedByPnr", message)
        settings = {name: value for name, value in container.settings.items() if name != "restart"}
        return replace(container, settings=settings, restart_of_ours=policy)

    def _container(self, id: ChunkId, chunk: document.Chunk, mode: FactsMode) -> ContainerSpec:
        declared: Any = chunk.container
        replicas = replicas_of(chunk)
        name = _container_name(id, chunk)
        settings = settings_of_copy(self._settings(id, declared), id.replica, replicas)
        own_links = links.to_containers(settings.pop("links", None) or (), self.containers.__getitem__)
        linked = sorted({*own_links, *(declared.external_links or ())})
        networks: dict[str, tuple[str, ...]] = {}
        endpoints: dict[str, Mapping[str, Any]] = {}
        wanted = declared.networks or {OWN_NETWORK: {}}
        built_in = [spec.name for spec in map(self._network, wanted) if spec.name in BUILT_IN]
        if built_in and "network_mode" not in settings:
            settings = {**settings, "network_mode": built_in[0]}
        if "network_mode" not in settings:
            # The first is the one that the container is created in.
            for network, said in sorted(wanted.items(), key=lambda item: -int(item[1].get("priority", 0))):
                joined = self._join(network)
                networks[joined] = tuple(said.get("aliases", ()))
                endpoint = {key: value for key, value in said.items() if key != "aliases" and value}
                if linked and joined not in NAMELESS:
                    endpoint["links"] = linked
                endpoints |= {joined: endpoint} if endpoint else {}
        if linked and (settings.get("network_mode") == "bridge" or any(name in NAMELESS for name in networks)):
            settings = {**settings, "links": linked}
        guest_in = tuple(n for n in networks if self.networks[n].external and n not in (*NAMELESS, *BUILT_IN))
        full = f"{id.domain}-{id.cpux}-{id.chunk}"
        files = self.gathered.files(declared)
        build = self.gathered.builds.get((id.cpux, id.chunk))
        image = declared.image or _built_name(id)
        made_from: dict[str, Any] = {
            "image": image,
            "settings": settings,
            # Not with the container's own name: that is put right without a new container.
            "networks": {network: _once(id.chunk, *aliases) for network, aliases in networks.items()},
            "build_path": declared.build_path,
            "build": build.fingerprint if build is not None else "",
            "facts": mode is not FactsMode.NONE,
            "files": files,
            "endpoints": endpoints,
        }
        return ContainerSpec(
            name=name,
            image=image,
            digest=fingerprint.container_digest(**made_from),
            fixed=fingerprint.fixed_digest(**made_from),
            settings=settings,
            networks={
                network: () if network in NAMELESS else _once(full if network in guest_in else id.chunk, name, *aliases)
                for network, aliases in networks.items()
            },
            build=build,
            pull_policy=declared.pull_refresh_after or declared.pull_policy or pull_policy.DEFAULT,
            stop_grace_seconds=settings.get("stop_grace_period", DEFAULT_GRACE_SECONDS),
            named=declared.name is not None,
            files=files,
            endpoints=endpoints,
            logins=self.gathered.logins,
            guest_in=guest_in,
            short_alias=id.chunk,
            full_alias=full,
            after=tuple(sorted({links.name_of(link) for link in own_links})),
        )

    def _settings(self, id: ChunkId, declared: Any) -> dict[str, Any]:
        """The normal forms of what was declared; null says the same as nothing."""
        given = {key: getattr(declared, key) for key in SETTINGS if key in declared.model_fields_set}
        given = {**{k: v for k, v in _deploy(declared).settings.items() if given.get(k) is None}, **given}
        if declared.env is not None:
            given["environment"] = dict(sorted({**declared.env, **(given.get("environment") or {})}.items()))
        for setting, from_files in (("environment", self.gathered.environment), ("labels", self.gathered.labels)):
            if (id.cpux, id.chunk) in from_files:
                merged = {**from_files[id.cpux, id.chunk], **(given.get(setting) or {})}
                given[setting] = dict(sorted(merged.items()))
        if given.get("security_opt"):
            given["security_opt"] = security_options.with_profiles(given["security_opt"], self.gathered.profiles)
        if given.get("volumes"):
            given["volumes"] = map_volume_sources(given["volumes"], self._volume_source)
        if given.get("mem_limit") and given.get("memswap_limit") == 2 * given["mem_limit"]:
            # What the engine fills in for a limit of memory; it could not be told from nothing.
            given["memswap_limit"] = None
        given = {**given, **{name: value for name, value in self.defaults.items() if _lacks(given, name)}}
        given = references.with_containers(given, lambda chunk: self.containers[chunk][0])
        return {key: given[key] for key in SETTINGS if given.get(key) is not None}

    def _volume_source(self, kind: str, source: str) -> str:
        if kind == "image":
            return source
        if kind != "volume":
            return self._absolute(source)
        spec = self.volume(source)
        self.volumes[spec.name] = spec
        return spec.name

    def volume(self, source: str) -> VolumeSpec:
        """A named volume, by its name in the file."""
        declared = self.file.volumes.get(source) or document.Volume()
        name = _external_name(source, declared) or declared.name or f"{self.file.name}_{source}"
        return VolumeSpec(
            name,
            external=bool(declared.external),
            driver=declared.driver,
            labels=declared.labels or {},
            driver_opts=declared.driver_opts or {},
            keep=declared.keep,
            shared_with=tuple(declared.shared_with),
        )

    def _absolute(self, path: str) -> str:
        return absolute(self.base_dir, path)

    def _network(self, name: str) -> NetworkSpec:
        declared = self.file.networks.get(name) or document.Network()
        if declared.driver in BUILT_IN:
            return NetworkSpec(declared.driver, external=True)
        own = f"pnr_{self.file.name}" if name == OWN_NETWORK else f"pnr_{self.file.name}_{name}"
        spec = NetworkSpec(
            _external_name(name, declared) or declared.name or own,
            external=bool(declared.external),
            internal=declared.internal,
            driver=declared.driver,
            labels=declared.labels or {},
            driver_opts=declared.driver_opts or {},
            attachable=declared.attachable,
            enable_ipv4=declared.enable_ipv4,
            enable_ipv6=declared.enable_ipv6,
            ipam=declared.ipam or Ipam(),
            shared_with=tuple(declared.shared_with),
        )
        return spec if spec.external else replace(spec, digest=fingerprint.network_digest(spec))

    def _join(self, name: str) -> str:
        spec = self._network(name)
        self.networks[spec.name] = spec
        return spec.name

    def _health(self, id: ChunkId, check: document.HealthCheck, flowout: Mapping[str, Pnr]) -> HealthCheck:
        own = {key: value for key, value in (check.model_extra or {}).items() if not key.startswith("x-")}
        kind = self.check_types.get(check.type, CheckType())
        read = options.read(kind.options, own, Diagnostics())
        assert read is not None  # it was judged before
        self.declared_options[id] = read.document(declared_only=True)
        mapping = check.status_mapping or document.StatusMapping()
        return HealthCheck(
            type=check.type,
            port_key=check.port_key,
            interval_seconds=check.interval_seconds,
            interval_declared="interval_seconds" in check.model_fields_set,
            options=read.document(),
            asks_from_outside=kind.asks_from_outside,
            url_scheme=kind.url_scheme,
            has_variables=_has_variables([check.port_key, own]),
            on_success=tuple(_answers(mapping.success, flowout, TV.Y)),
            on_failure=tuple(_answers(mapping.failure, flowout, TV.N)),
            **{key: getattr(check, key) for key in _PLAIN_TIMES},
        )


def _has_variables(value: Any) -> bool:
    """Whether some text in it came out of interpolation."""
    if isinstance(value, dict):
        return any(map(_has_variables, value.values()))
    return any(map(_has_variables, value)) if isinstance(value, list) else isinstance(value, Interpolated)


def _external_name(name: str, declared: document.Network | document.Volume) -> str | None:
    """What the engine calls something that is there already; None for what is pnr's own."""
    if isinstance(declared.external, str):
        return declared.external
    return (declared.name or name) if declared.external else None


def _usual_name(id: ChunkId) -> str:
    return f"{id.domain}-{id.cpux}-{id.chunk}-{id.replica}"


def _container_name(id: ChunkId, chunk: document.Chunk) -> str:
    """The name of a chunk's container; where it has several, of the copy ``id``."""
    declared = chunk.container.name  # type: ignore[attr-defined]
    return f"{declared}-{id.replica}" if declared and replicas_of(chunk) > 1 else declared or _usual_name(id)


def _built_name(id: ChunkId) -> str:
    """The name of an image that is built and given no name."""
    return "-".join(map(image_names.part_of_name, (id.domain, id.cpux, id.chunk)))


def _deploy(container: Any) -> Deploy:
    return container.deploy or Deploy()


def replicas_of(chunk: document.Chunk) -> int:
    """How many equal copies of a chunk are declared."""
    container: Any = chunk.container
    return chunk.replicas or container.scale or _deploy(container).replicas or 1


def _pnr(fact: document.Fact) -> Pnr:
    return Pnr(fact.prompt, fact.response, fact.tv)


def _answers(
    declared: document.Answer | list[document.Answer] | None, flowout: Mapping[str, Pnr], tv: TV
) -> Iterator[Answer]:
    if declared is None:
        for key, fact in flowout.items():
            yield Answer(key, fact if tv is TV.Y else Pnr(fact.prompt, ("no",), TV.N))
        return
    for answer in declared if isinstance(declared, list) else [declared]:
        fact = flowout[answer.key]
        usual = fact.response if tv is TV.Y else ("no",)
        response = usual if answer.response is None else answer.response
        yield Answer(answer.key, Pnr(answer.prompt or fact.prompt, response, answer.tv or tv))


def _facts_mode(chunk: document.Chunk) -> FactsMode:
    if chunk.facts or (chunk.health_check is not None and chunk.health_check.type == FACT_CHECK):
        return FactsMode.OWN
    said = chunk.model_fields_set
    if "status" in said and chunk.health_check is None and not {"facts", "kind"} & said:
        return FactsMode.OFFERED
    return FactsMode.NONE


def _once(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
