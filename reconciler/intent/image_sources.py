"""What images are made from or fetched with, as a domain file declares it: build contexts, logins to registries. Pure.

:func:`crosscheck` judges what takes several values to see, in the file's tree as it was written; :func:`gather` turns
declared builds into what they mean, and asks :class:`~reconciler.intent.contents.Contents` for the content of contexts.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.diagnostics import Diagnostics, Path
from reconciler.intent import document, fingerprint, image_names
from reconciler.intent.builds import DeclaredBuild
from reconciler.intent.chunks import chunks_of_file, chunks_of_tree
from reconciler.intent.contents import Contents, ContentsError, ContentsUnread, Source, SourceMissing, folder
from reconciler.intent.interpolation import Variables, found
from reconciler.intent.model import AutoUpdatePolicy, Build, Kind
from reconciler.intent.positions import KEY
from reconciler.intent.settings.values import is_windows_path

ChunkKey = tuple[str, str]
"""The names of a CPUX and of a chunk in it."""


def crosscheck(tree: Mapping[str, Any], report: Diagnostics) -> None:
    """What is wrong with images, builds and logins that no value alone shows."""
    _registries(tree, report)
    builds: dict[str, Any] = {}
    for chunk, path in _chunks(tree):
        _auto_update(chunk, report.at(*path))
        container, here = chunk["container"], report.at(*path, "container")
        build, build_path = container.get("build"), container.get("build_path")
        if build is not None and build_path is not None:
            message = "build says how the image is built already: leave build_path out"
            here.error(("build_path",), "Conflict", message)
        if container.get("image") is None and build is None and build_path is None:
            here.error((), "MissingKey", "the key 'image' is missing: its name, or build to have it built")
        image, how = container.get("image"), (build, build_path)
        if isinstance(image, str) and how != (None, None) and builds.setdefault(image, how) != how:
            message = f"another chunk builds {found(image)} in another way: give one of the images another name"
            here.error(("image",), "Conflict", message)
        if (build is not None or build_path is not None) and image_names.is_fixed(container.get("image")):
            message = "an image that is built has no digest yet: leave it out of its name"
            here.error(("image",), "Conflict", message)
        platforms = build.get("platforms") if isinstance(build, dict) else None
        if isinstance(platforms, list) and container.get("platform") not in (None, *platforms):
            message = f"the container's platform is {found(container['platform'])}: leave platforms out"
            here.error(("build", "platforms"), "Conflict", message)


def _auto_update(chunk: Mapping[str, Any], report: Diagnostics) -> None:
    """What keeps a chunk of a file's tree from following its image's tag."""
    declared = chunk.get("auto_update")
    container = chunk.get("container")
    if declared is None or declared is False or not isinstance(container, Mapping):
        return
    policy = declared.get("policy") if isinstance(declared, Mapping) else declared
    place = ("auto_update",)
    if chunk.get("kind") == Kind.JOB:
        report.error(place, "Conflict", "a job runs once a generation, and follows no tag: leave auto_update out")
    if image_names.is_fixed(container.get("image")):
        message = "the image is fixed by its digest, which never changes: leave the digest out, or auto_update"
        report.error(place, "Conflict", message)
    if policy != AutoUpdatePolicy.REGISTRY:
        return
    if container.get("build") is not None or container.get("build_path") is not None:
        message = "the image is built here, and no registry has it: local follows what is built by hand"
        report.error(place, "Conflict", message)
    if container.get("pull_policy") in ("never", "build"):
        message = f"the container's pull_policy is {container['pull_policy']}: no registry is asked for its image"
        report.error(place, "Conflict", message)


def _registries(tree: Mapping[str, Any], report: Diagnostics) -> None:
    declared = tree.get("registries")
    secrets = tree.get("secrets")
    known = tuple(secrets) if isinstance(secrets, dict) else ()
    hosts: dict[str, str] = {}
    for name, entry in (declared if isinstance(declared, dict) else {}).items():
        wanted = entry.get("password_secret") if isinstance(entry, dict) else None
        if isinstance(wanted, str) and wanted not in known:
            message = f"no secret {found(wanted)} in the domain's secrets{report.nearest(wanted, known)}"
            report.error(("registries", name, "password_secret"), "UnknownSecret", message)
        try:
            host = image_names.registry_host(name)
        except image_names.BadImageName:
            continue  # it is reported where the name is read
        if host in hosts:
            message = f"{found(hosts[host])} is the same registry: leave one of them out"
            report.error(("registries", name, KEY), "Conflict", message)
        hosts[host] = name


def _chunks(tree: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Path]]:
    """Those that have a container."""
    return ((chunk, path) for chunk, path in chunks_of_tree(tree) if isinstance(chunk.get("container"), dict))


class BuildGatherer:
    """Finds out what declared builds mean; ``sources`` collects what was asked for."""

    def __init__(
        self, base_dir: str | None, contents: Contents, variables: Variables, report: Diagnostics, reader: str = ""
    ) -> None:
        self._base_dir = base_dir
        self._reader = reader
        self._contents = contents
        self._variables = variables
        self._report = report
        self.sources: list[Source] = []

    def gather(self, file: document.DomainFile) -> dict[ChunkKey, Build]:
        """The builds by CPUX and chunk."""
        builds: dict[ChunkKey, Build] = {}
        for chunk, path in chunks_of_file(file):
            key, at = (str(path[1]), chunk.name), (*path, "container")
            container: Any = chunk.container
            if container.build is not None:
                builds[key] = self._build(container.build, container, (*at, "build"))
            elif container.build_path is not None:
                builds[key] = self._build(DeclaredBuild(container.build_path), container, (*at, "build_path"))
        return builds

    def _build(self, declared: DeclaredBuild, container: Any, path: Path) -> Build:
        context, content = self._context(declared, path)
        build = Build(
            context=context,
            dockerfile=declared.dockerfile,
            dockerfile_inline=declared.dockerfile_inline,
            args=self._arguments(declared.args, path),
            labels=declared.labels,
            target=declared.target or None,
            network=declared.network or None,
            platform=declared.platform or container.platform or None,
            isolation=declared.isolation or None,
            no_cache=declared.no_cache,
            pull=declared.pull,
            shm_size=declared.shm_size,
            cache_from=declared.cache_from,
            extra_hosts=declared.extra_hosts,
            tags=declared.tags,
            ulimits=declared.ulimits,
            reader=self._reader,
        )
        return build if content is None else fingerprint.with_build(build, content)

    def _context(self, declared: DeclaredBuild, path: Path) -> tuple[str, str | None]:
        """Where the context is, and the hash of its content (None where nobody looks)."""
        places = list(self._places(declared.context))
        missing: SourceMissing | None = None
        for place in places:
            dockerfile = "" if declared.dockerfile_inline is not None else declared.dockerfile
            source = folder(place, dockerfile, self._reader)
            self.sources.append(source)
            try:
                return place, self._contents.fingerprint(source)
            except ContentsUnread:
                return place, None
            except SourceMissing as error:
                missing = missing or error
            except ContentsError as error:
                self._report.error(path, error.code, str(error))
                return place, None
        if missing is not None:
            self._report.error(path, missing.code, str(missing))
        return places[0], None

    def _places(self, path: str) -> Iterator[str]:
        """The context, relative to the folder of the domain files first; in the layout of the original program, whose
        domain files lie in a folder of their own beside what is built, to the folder above it next."""
        if is_windows_path(path):
            yield path
        elif self._base_dir is None or os.path.isabs(path):
            yield os.path.normpath(path)
        else:
            yield os.path.normpath(os.path.join(self._base_dir, path))
            if not path.startswith(os.pardir):
                yield os.path.normpath(os.path.join(os.path.dirname(self._base_dir), path))

    def _arguments(self, declared: Mapping[str, str | None], path: Path) -> dict[str, str]:
        """Their values; an argument whose variable is not set is left to the Dockerfile, as in Compose."""
        values: dict[str, str] = {}
        for name, value in declared.items():
            if value is not None:
                values[name] = value
            elif name not in self._variables.allowed:
                message = (
                    f"the argument {name} takes its value from the daemon's environment, which may not be used here:"
                    f" allow it with --allow-env {name} or in PNR_ALLOWED_ENV, or give it a value"
                )
                self._report.error((*path, "args"), "VariableNotAllowed", message)
            elif name in self._variables.environment:
                values[name] = self._variables.environment[name]
        return values
