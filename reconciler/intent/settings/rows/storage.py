"""Rows of the table of container settings: volumes, files and memory file systems. Data."""

from __future__ import annotations

from reconciler.intent.settings import logs, mounts, volumes, volumes_from, words
from reconciler.intent.settings.accepts import TEXT_OR_TEXTS
from reconciler.intent.settings.found import list_found
from reconciler.intent.settings.places import in_host_config
from reconciler.intent.settings.row import Setting, declared_and_found

ROWS: tuple[Setting, ...] = (
    Setting(
        "volumes",
        "storage",
        "Directories of the host, named volumes, memory and images in the container: source:target[:mode], or type"
        " (bind, volume, tmpfs, image), source, target, read_only and bind (propagation, create_host_path, recursive,"
        " selinux), volume (nocopy, subpath, labels of one without a name), tmpfs (size, mode) or image (subpath)."
        " Modes: ro, rw, z, Z, nocopy, rshared and the like. Relative sources start at the folder of the domain file.",
        ["data:/data", "./nginx.conf:/etc/nginx/nginx.conf:ro"],
        volumes.parse,
        volumes.ACCEPTS,
        mounts.send,
        mounts.read,
        same=volumes.same,
        needs=volumes.needs,
        tell=declared_and_found(volumes.tell),
    ),
    Setting(
        "tmpfs",
        "storage",
        "Directories that live in memory: path[:options], one or a list.",
        ["/tmp:size=64m"],  # noqa: S108 - in a container
        words.tmpfs,
        TEXT_OR_TEXTS,
        *in_host_config("Tmpfs", from_api=lambda found: dict(sorted((found or {}).items()))),
    ),
    Setting(
        "volumes_from",
        "storage",
        "The volumes of other containers: CHUNK[:ro] or container:NAME[:ro].",
        ["container:data:ro"],
        volumes_from.parse,
        {"type": "array", "items": {"type": "string"}},
        *in_host_config("VolumesFrom", volumes_from.to_api, list_found),
        same=volumes_from.same,
    ),
    Setting(
        "logging",
        "storage",
        "Where the engine puts what the container prints: driver and options.",
        {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
        logs.parse,
        logs.ACCEPTS,
        logs.send,
        logs.read,
        same=logs.same,
        chosen_by_engine=True,
    ),
)
