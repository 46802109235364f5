"""The way in: a project becomes a domain. Pure; the loader of domain files comes in as a function."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.compose.converting import (
    canonical,
    dependencies,
    host_ports,
    names,
    networks_and_volumes,
    services,
    variable_files,
)
from reconciler.compose.converting.container import Names
from reconciler.compose.converting.draft import CHUNKS, CPUX, Draft
from reconciler.compose.converting.layout import encoded
from reconciler.compose.converting.remarks import NO_COUNTERPART, Remarks
from reconciler.compose.converting.said import Said
from reconciler.compose.converting.services import Found
from reconciler.compose.converting.validating import Judge, LeftOut, incomplete, settle
from reconciler.compose.project import Project
from reconciler.diagnostics import Diagnostic
from reconciler.errors import PnrError
from reconciler.intent import elsewhere
from reconciler.intent.model import Kind

_SHORTEST_VOLUME = 2  # a volume with a shorter name can't be mounted
_TOP = frozenset({"name", "services", "networks", "volumes", "secrets", "configs", "version", "include"})


@dataclass(frozen=True, slots=True)
class Existing:
    """What Compose has made already, for a domain that is to take it over: the names of all networks and volumes of the
    engine, and the project's containers by service."""

    networks: Collection[str] = ()
    volumes: Collection[str] = ()
    containers: Mapping[str, Found] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conversion:
    """A domain file's text, which is valid, and what is to be told of it, in the order of the Compose files.

    ``left_out`` are the services that are not in it because something that they need could not be had; ``lacking``
    those that are in it all the same.
    """

    text: bytes
    document: Mapping[str, Any]
    remarks: tuple[Diagnostic, ...]
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)
    lacking: Mapping[str, LeftOut] = field(default_factory=dict)

    @property
    def losses(self) -> tuple[Diagnostic, ...]:
        """What is not in the domain."""
        return tuple(remark for remark in self.remarks if remark.severity == "loss")

    @property
    def questions(self) -> tuple[Diagnostic, ...]:
        """What a person has to say."""
        return tuple(remark for remark in self.remarks if remark.severity == "question")


class NothingToConvert(PnrError):
    """No service of the project can be part of a domain; ``remarks`` say why."""

    code = "NothingToImport"

    def __init__(self, message: str, remarks: tuple[Diagnostic, ...], left_out: Mapping[str, LeftOut]) -> None:
        super().__init__(message)
        self.remarks = remarks
        self.left_out = left_out


def convert(
    project: Project,
    judge: Judge,
    existing: Existing | None = None,
    *,
    read: Callable[[str], str] | None = None,
    partial: bool = False,
    said: Said | None = None,
) -> Conversion:
    """The domain that does what ``project`` does. With ``existing`` it takes over what is there already.

    ``judge`` loads a domain file; ``read`` gives the text of a file by its absolute path, or raises OSError (None:
    there are no files). With ``partial`` chunks that lost a mount or the like are in it all the same; ``said`` is what
    a person has said of services. Raises NothingToConvert, WrongAnswer.
    """
    said = said or Said()
    said.check(project)
    remarks = Remarks(project.places)
    model = canonical.without_modes_for_networks(project.model)
    if read is not None:
        model = canonical.with_profiles(model, project.directory, read)
        model = variable_files.written_out(model, project.variables, read, remarks)
    model = networks_and_volumes.with_values(model, project.variables, remarks)
    draft = _draft(project.name, model, existing, said, remarks)
    left_out = settle(draft, judge, remarks, model, partial=partial)
    _ask(draft, model, said, remarks)
    networks_and_volumes.tell_of_variables(draft, remarks)
    _without_unused(draft)
    for key in model:
        if key not in _TOP and not key.startswith("x-") and model[key]:
            remarks.loss((key,), NO_COUNTERPART, elsewhere.IN_A_DOMAIN.get(key, f"a domain of pnr has no {key}"))
    for name, profiles in project.inactive.items():
        message = f"{name} is left out: none of its profiles ({', '.join(profiles)}) is active; name one with --profile"
        remarks.note(("services", name), "NotActive", message)
    told = tuple(sorted(remarks, key=_order))
    if not draft.chunks:
        raise NothingToConvert(f"nothing of the project {project.name} can be part of a domain", told, left_out)
    lacking = {name: why for name, why in incomplete(model, remarks).items() if name not in left_out}
    return Conversion(encoded(draft.tree), draft.tree, told, left_out, lacking)


def _draft(project: str, model: Mapping[str, Any], existing: Existing | None, said: Said, remarks: Remarks) -> Draft:
    found = existing or Existing()
    wanted = {}
    for name, service in (model.get("services") or {}).items():
        if "provider" in service:
            why = elsewhere.IN_A_CONTAINER["provider"]
            remarks.loss(("services", name, "provider"), NO_COUNTERPART, f"{why}. The service is left out")
        elif not services.copies_of(service, found.containers.get(name, Found())):
            message = f"{name} is left out: it has 0 replicas"
            remarks.note(("services", name), "NotRunning", message)
        else:
            wanted[name] = service
    own = Names(
        chunks=names.usable(wanted),
        networks=names.usable(model.get("networks") or {}),
        volumes=names.usable(model.get("volumes") or {}, shortest=_SHORTEST_VOLUME),
        secrets=names.usable(model.get("secrets") or {}),
        configs=names.usable(model.get("configs") or {}),
    )
    domain = names.usable([project])[project]
    draft = Draft({"name": domain, "cpuxs": {CPUX: {"design_chunks": []}}})
    draft.origins["name",] = ("name",)
    answered = dependencies.answers(wanted, own.chunks, said.jobs)
    chunks = draft.at(CHUNKS)
    for name in dependencies.in_order(wanted):
        chunk, origins = services.convert(
            name, model, own, answered, found.containers.get(name, Found()), existing is not None, remarks
        )
        at = (*CHUNKS, len(chunks))
        draft.origins.update({(*at, *where): origin for where, origin in origins.items()})
        chunks.append(chunk)
    host_ports.held_once(draft, list(wanted), remarks)
    networks_and_volumes.networks(draft, model.get("networks") or {}, own.networks, found.networks, remarks)
    networks_and_volumes.volumes(draft, model.get("volumes") or {}, own.volumes, found.volumes, remarks)
    networks_and_volumes.contents(draft, "secrets", model.get("secrets") or {}, own.secrets)
    networks_and_volumes.contents(draft, "configs", model.get("configs") or {}, own.configs)
    draft.tree = _without_variables(draft.tree)
    return draft


def _ask(draft: Draft, model: Mapping[str, Any], said: Said, remarks: Remarks) -> None:
    """Of the services that are in the domain, what only a person knows."""
    kept_up = [
        str(draft.origin((*CHUNKS, n))[1]) for n, chunk in enumerate(draft.chunks) if chunk.get("kind") != Kind.JOB
    ]
    services.ask_what_ends([name for name in kept_up if name not in said.services], model, remarks)


def _without_variables(node: Any) -> Any:
    """The same, where no ``$`` is taken for the beginning of a variable: these have their values already."""
    if isinstance(node, dict):
        return {key: _without_variables(part) for key, part in node.items()}
    if isinstance(node, list):
        return [_without_variables(part) for part in node]
    return node.replace("$", "$$") if isinstance(node, str) else node


def _without_unused(draft: Draft) -> None:
    """Without networks that no chunk joins any more; the domain would not make them either."""
    joined: set[str] = set()
    for chunk in draft.chunks:
        container = chunk["container"]
        if not container.get("network_mode"):
            joined |= set(container.get("networks") or {"default": None})
    for name in [name for name in draft.tree.get("networks", {}) if name not in joined]:
        draft.remove(("networks", name))
    for kind in ("networks", "volumes", "secrets", "configs"):
        if kind in draft.tree and not draft.tree[kind]:
            draft.remove((kind,))


def _order(remark: Diagnostic) -> tuple[str, int, int, str]:
    place = remark.place
    return (place.file, place.line, place.column, remark.where)
