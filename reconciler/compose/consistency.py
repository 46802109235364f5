"""Whether a project is one: what is used is declared, nothing is said twice or in a circle. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.compose.node import Node
from reconciler.diagnostics import Diagnostics, Path

_SERVICE = "service:"


def check_consistency(model: Node, inactive: Mapping[str, tuple[str, ...]], report: Diagnostics) -> None:
    """Records everything about the services of ``model`` that Compose would refuse."""
    services = model.get("services") or model.having({})
    for name, service in services.entries.items():
        _Service(service, model, services, inactive, report.at("services", name)).check()
    for name, secret in (model.get("secrets") or model.having({})).entries.items():
        if not any(key in secret.entries for key in ("external", "file", "environment")):
            report.error(("secrets", name), "MissingKey", "one of file, environment must be set", secret.place)
    _check_container_names(services, report)
    _check_circles(services, report)


@dataclass
class _Service:
    node: Node
    model: Node
    services: Node
    inactive: Mapping[str, tuple[str, ...]]
    report: Diagnostics

    def check(self) -> None:
        if not any(key in self.node.entries for key in ("build", "image", "provider")):
            self.report.error((), "MissingKey", "the service has neither image nor build", self.node.place)
        self.check_build()
        self.check_networks()
        self.check_health()
        self.check_dependencies()
        self.check_references()
        self.check_scale()
        self.check_limits()
        self.check_watching()
        self.check_mounts()

    def value(self, *keys: str) -> Any:
        node = self.node.get(*keys)
        return node.value if node is not None else None

    def check_build(self) -> None:
        build = self.node.get("build")
        if build is None:
            return
        if "dockerfile" in build.entries and "dockerfile_inline" in build.entries:
            self.report.error(
                ("build",), "Conflict", "dockerfile and dockerfile_inline exclude each other", build.place
            )
        for key, context in (build.get("additional_contexts") or build.having({})).entries.items():
            if str(context.value).startswith(_SERVICE):
                other = str(context.value).removeprefix(_SERVICE)
                path: Path = ("build", "additional_contexts", key)
                if other not in self.services.entries:
                    self.report.error(path, "UnknownService", f"there is no service {other}", context.place)
                elif self.services.get(other, "build") is None:
                    self.report.error(path, "BadValue", f"the service {other} is not built", context.place)
        platforms = [item.value for item in (build.get("platforms") or build).items]
        if platforms and self.value("platform") and self.value("platform") not in platforms:
            self.report.error(
                ("build", "platforms"), "Conflict", f"{self.value('platform')}, the platform, is missing", build.place
            )

    def check_networks(self) -> None:
        networks = self.node.get("networks") or self.node.having({})
        mode = self.node.get("network_mode")
        if mode is not None and networks.entries:
            self.report.error(("network_mode",), "Conflict", "network_mode and networks exclude each other", mode.place)
        for key, network in networks.entries.items():
            if self.model.get("networks", key) is None:
                self.report.error(
                    ("networks", key), "Undeclared", f"the network {key} is not declared below networks", network.place
                )
        if mode is not None and str(mode.value).startswith(_SERVICE):
            other = str(mode.value).removeprefix(_SERVICE)
            if other not in self.services.entries:
                self.report.error(("network_mode",), "UnknownService", f"there is no service {other}", mode.place)

    def check_health(self) -> None:
        test = self.node.get("healthcheck", "test")
        if test is not None and test.items and test.items[0].value not in ("CMD", "CMD-SHELL", "NONE"):
            said = "a list must begin with CMD, CMD-SHELL or NONE"
            self.report.error(("healthcheck", "test"), "BadValue", said, test.place)

    def check_dependencies(self) -> None:
        for other, dependency in (self.node.get("depends_on") or self.node.having({})).entries.items():
            if other in self.services.entries:
                continue
            required = dependency.get("required")
            if other in self.inactive:
                if required is not None and required.value:
                    profiles = ", ".join(self.inactive[other])
                    said = f"the service {other} is left out, since none of its profiles ({profiles}) is active"
                    self.report.error(("depends_on", other), "InactiveService", said, dependency.place)
                continue
            self.report.error(("depends_on", other), "UnknownService", f"there is no service {other}", dependency.place)

    def check_references(self) -> None:
        volumes = self.node.get("volumes") or self.node
        for index, volume in enumerate(volumes.items):
            source = volume.get("source")
            kind = volume.get("type")
            if source is None or kind is None or kind.value != "volume":
                continue
            if self.model.get("volumes", str(source.value)) is None:
                said = f"the volume {source.value} is not declared below volumes (a path begins with . or /)"
                self.report.error(("volumes", index), "Undeclared", said, volume.place)
        for keys, kind_of in ((("secrets",), "secrets"), (("build", "secrets"), "secrets"), (("configs",), "configs")):
            uses = self.node.get(*keys)
            for index, use in enumerate(uses.items if uses is not None else ()):
                source = use.get("source")
                name = str(source.value) if source is not None else ""
                if self.model.get(kind_of, name) is None:
                    said = f"the {kind_of.removesuffix('s')} {name} is not declared below {kind_of}"
                    self.report.error((*keys, index), "Undeclared", said, use.place)
        for name, use in (self.node.get("models") or self.node.having({})).entries.items():
            if self.model.get("models", name) is None:
                self.report.error(
                    ("models", name), "Undeclared", f"the model {name} is not declared below models", use.place
                )

    def check_scale(self) -> None:
        scale, replicas = self.value("scale"), self.value("deploy", "replicas")
        if scale is not None and replicas is not None and scale != replicas:
            said = f"scale says {scale}, deploy.replicas {replicas}"
            self.report.error(("scale",), "Conflict", said, self.node.entries["scale"].place)
        count = scale if scale is not None else replicas if replicas is not None else 1
        path: Path = ("scale",) if scale is not None else ("deploy", "replicas")
        where = self.node.get(*(str(part) for part in path)) or self.node
        if count < 0:
            self.report.error(path, "BadValue", "must be 0 or more", where.place)
        if count > 1 and self.value("container_name"):
            said = f"container_name can't be set for {count} containers, since a name is given once"
            self.report.error(("container_name",), "Conflict", said, self.node.entries["container_name"].place)

    def check_limits(self) -> None:
        pairs = (
            ("cpus", "limits", "cpus", 0),
            ("mem_limit", "limits", "memory", "0"),
            ("mem_reservation", "reservations", "memory", "0"),
            ("pids_limit", "limits", "pids", 0),
        )
        for key, kind, name, nothing in pairs:
            ours, theirs = self.node.get(key), self.node.get("deploy", "resources", kind)
            if ours is None or theirs is None:
                continue
            other = theirs.get(name)
            if (other.value if other is not None else nothing) != ours.value:
                said = f"it must be the same as deploy.resources.{kind}.{name}, since both are set"
                self.report.error((key,), "Conflict", said, ours.place)

    def check_watching(self) -> None:
        watch = self.node.get("develop", "watch")
        for index, item in enumerate(watch.items if watch is not None else ()):
            action, target = item.get("action"), item.get("target")
            if target is None and (action is None or action.value not in ("rebuild", "restart")):
                self.report.error(("develop", "watch", index), "MissingKey", "target is missing", item.place)

    def check_mounts(self) -> None:
        taken: dict[str, str] = {}
        tmpfs = self.node.get("tmpfs")
        volumes = self.node.get("volumes")
        for index, item in enumerate(tmpfs.items if tmpfs is not None else ()):
            self.take(item, ("tmpfs", index), str(item.value).partition(":")[0], taken)
        for index, item in enumerate(volumes.items if volumes is not None else ()):
            target = item.get("target")
            self.take(item, ("volumes", index), str(target.value) if target is not None else "", taken)

    def take(self, node: Node, path: Path, target: str, taken: dict[str, str]) -> None:
        if target in taken:
            self.report.error(path, "Conflict", f"{target} is mounted twice, also by {taken[target]}", node.place)
        taken[target] = f"{path[0]}[{path[1]}]"


def _check_container_names(services: Node, report: Diagnostics) -> None:
    seen: dict[str, str] = {}
    for name, service in services.entries.items():
        container = service.get("container_name")
        if container is None:
            continue
        if container.value in seen:
            said = f"the service {seen[container.value]} has the same container_name"
            report.error(("services", name, "container_name"), "Conflict", said, container.place)
        seen[container.value] = name


def _check_circles(services: Node, report: Diagnostics) -> None:
    done: set[str] = set()
    for start in sorted(services.entries):
        circle = _circle(start, services, [], done)
        if circle:
            node = services.entries[circle[0]]
            said = f"services depend on each other in a circle: {' -> '.join(circle)}"
            report.error(("services", circle[0], "depends_on"), "Cycle", said, (node.get("depends_on") or node).place)
            return


def _circle(name: str, services: Node, path: list[str], done: set[str]) -> list[str]:
    if name in path:
        return [*path[path.index(name) :], name]
    if name in done:
        return []
    done.add(name)
    dependencies = services.get(name, "depends_on")
    for other in sorted(dependencies.entries if dependencies is not None else ()):
        found = _circle(other, services, [*path, name], done)
        if found:
            return found
    return []
