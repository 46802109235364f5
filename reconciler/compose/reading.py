"""The way into this room: Compose files in, a project out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from reconciler.compose import files as disk
from reconciler.compose.consistency import check_consistency
from reconciler.compose.finding import find, name_of, profiles_of
from reconciler.compose.loading import load_model
from reconciler.compose.model_form import model_of
from reconciler.compose.node import Node, placed, plain
from reconciler.compose.normalizing import normalized
from reconciler.compose.project import ComposeError, Project
from reconciler.compose.scope import Scope, World
from reconciler.diagnostics import Diagnostics


def load(
    files: Sequence[Path],
    *,
    environment: Mapping[str, str],
    env_files: Sequence[Path] = (),
    profiles: Collection[str] = (),
    project_name: str | None = None,
    project_directory: Path | None = None,
) -> Project:
    """The project that Compose would make of the files (the folder's ``compose.yaml`` and its kin where none is named).

    ``environment`` stands before the variables of ``env_files`` (the project directory's ``.env`` where empty).
    Raises ComposeError with all problems of the files.
    """
    report = Diagnostics()
    world = World(report, disk.home())
    found = find(files, environment, env_files, project_directory, world)
    name = name_of(project_name, found, world)
    variables = {**found.environment, "COMPOSE_PROJECT_NAME": name}
    root = load_model(world, Scope(found.directory, found.directory, variables), found.files)
    if not root.entries:
        report.error((), "Empty", "there is nothing in the Compose file", root.place)
    report.raise_if_any(ComposeError)
    model = model_of(normalized(root.without("name"), name, variables), report)
    report.raise_if_any(ComposeError)
    model, inactive = _of_profiles(model, profiles_of(profiles, variables))
    check_consistency(_with_models(model, root), inactive, report)
    _check_files(model, report)
    report.raise_if_any(ComposeError)
    model = _without_unused(_with_equal_replicas(model))
    warnings = {one.message: one for one in report.of("warning")}  # each as often as Compose says it: once
    named = {"name": name, "services": {}, **plain(model)}
    return Project(name, found.directory, named, inactive, dict(placed(model)), tuple(warnings.values()), variables)


def _of_profiles(model: Node, active: Collection[str]) -> tuple[Node, dict[str, tuple[str, ...]]]:
    """The model with the services of active profiles, and the others with their profiles."""
    services = model.get("services")
    if services is None:
        return model, {}
    kept: dict[str, Node] = {}
    inactive: dict[str, tuple[str, ...]] = {}
    for name, service in services.entries.items():
        listed = service.get("profiles")
        own = tuple(str(item.value) for item in listed.items) if listed is not None else ()
        if not own or "*" in active or any(profile in active for profile in own):
            kept[name] = service
        else:
            inactive[name] = own
    return model.adding(services=services.having(kept)), inactive


def _with_models(model: Node, root: Node) -> Node:
    """AI models are declared at the top and not printed."""
    declared = root.get("models")
    return model.adding(models=declared) if declared is not None else model


def _check_files(model: Node, report: Diagnostics) -> None:
    """Files of variables and labels that must be there."""
    services = model.get("services") or model.having({})
    for name, service in services.entries.items():
        for index, item in enumerate((service.get("env_file") or service).items):
            path, required, form = item.get("path"), item.get("required"), item.get("format")
            if form is not None and form.value not in ("raw", ".env"):
                said = "the format of a file of variables can only be raw"
                report.error(("services", name, "env_file", index, "format"), "BadValue", said, form.place)
            if path is None or (required is not None and required.value is False) or disk.exists(str(path.value)):
                continue
            said = f"there is no file {path.value}; required: false allows that"
            report.error(("services", name, "env_file", index), "NotReadable", said, path.place)
        for index, item in enumerate((service.get("label_file") or service).items):
            if not disk.exists(str(item.value)):
                said = f"there is no file {item.value}"
                report.error(("services", name, "label_file", index), "NotReadable", said, item.place)


def _with_equal_replicas(model: Node) -> Node:
    """``scale`` is what ``deploy.replicas`` is, where there is a ``deploy``."""
    services = model.get("services")
    if services is None:
        return model
    made = {}
    for name, service in services.entries.items():
        scale, deploy = service.get("scale"), service.get("deploy")
        made[name] = service
        if scale is not None and deploy is not None:
            made[name] = service.adding(deploy=deploy.adding(replicas=scale))
    return model.adding(services=services.having(made))


def _without_unused(model: Node) -> Node:
    """Networks, volumes, secrets and configs that no service uses are left out."""
    used: dict[str, set[str]] = {"networks": set(), "volumes": set(), "secrets": set(), "configs": set()}
    for service in (model.get("services") or model.having({})).entries.values():
        used["networks"] |= set((service.get("networks") or model.having({})).entries)
        used["volumes"] |= {
            _text(mount, "source") for mount in _items(service, "volumes") if _text(mount, "type") == "volume"
        }
        used["secrets"] |= {_text(use, "source") for use in _items(service, "secrets")}
        used["secrets"] |= {_text(use, "source") for use in _items(service, "build", "secrets")}
        used["configs"] |= {_text(use, "source") for use in _items(service, "configs")}
    for kind, names in used.items():
        declared = model.get(kind)
        if declared is None:
            continue
        kept = {name: node for name, node in declared.entries.items() if name in names}
        model = model.adding(**{kind: declared.having(kept)}) if kept else model.without(kind)
    return model


def _items(service: Node, *keys: str) -> list[Node]:
    found = service.get(*keys)
    return found.items if found is not None else []


def _text(node: Node, key: str) -> str:
    found = node.get(key)
    return str(found.value) if found is not None else ""
