"""Compose projects in the manner of public sample stacks, and the ways in which each is read.

A folder is a project; without an entry in ``VARIANTS`` it is read as ``docker compose`` in it would read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Sample:
    """A project of the corpus with what stands on the command line and in the environment when it is read."""

    folder: str
    files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    env_files: tuple[str, ...] = ()
    project_name: str | None = None

    @property
    def directory(self) -> Path:
        return HERE / self.folder

    @property
    def label(self) -> str:
        said = (*self.files, *(f"@{p}" for p in self.profiles), *self.environment, *self.env_files)
        return "-".join((self.folder, *said))


VARIANTS: dict[str, list[Sample]] = {
    "airflow": [Sample("airflow"), Sample("airflow", profiles=("debug", "flower"))],
    "dev-prod": [
        Sample("dev-prod"),
        Sample("dev-prod", files=("docker-compose.yml", "docker-compose.prod.yml"), environment={"TAG": "1.2"}),
        Sample("dev-prod", environment={"COMPOSE_FILE": "docker-compose.yml:docker-compose.prod.yml"}),
    ],
    "django": [
        Sample("django"),
        Sample("django", files=("compose.yaml",), environment={"GIT_SHA": "abc", "SECRET_KEY": "a$b"}),
        Sample("django", profiles=("*",), project_name="shop-2"),
    ],
    "gitea": [Sample("gitea"), Sample("gitea", profiles=("search",), environment={"SSH_AUTH_SOCK": "/run/agent"})],
    "interpolated": [
        Sample("interpolated"),
        Sample("interpolated", environment={"TAG": "", "CPUS": "2", "DATA": "./here", "COMMAND": "a 'b c'"}),
    ],
    "monorepo": [Sample("monorepo"), Sample("monorepo", profiles=("docs",), environment={"HTTP_PROXY": "x:1"})],
    "postgres-secrets": [
        Sample("postgres-secrets"),
        Sample("postgres-secrets", environment={"STACK": "Big Ledger", "VAULT_TOKEN": "t", "INIT_SQL": "select 1"}),
    ],
    "profiles": [
        Sample("profiles"),
        Sample("profiles", profiles=("frontend", "debug")),
        Sample("profiles", profiles=("*",)),
        Sample("profiles", environment={"COMPOSE_PROFILES": "cache, tools"}),
    ],
    "substacks": [Sample("substacks"), Sample("substacks", env_files=("wiki.env",))],
    "voting": [Sample("voting"), Sample("voting", profiles=("seed",))],
    "wordpress": [Sample("wordpress"), Sample("wordpress", environment={"COMPOSE_PROFILES": "tools,other"})],
}


def folders() -> list[str]:
    """The projects of the corpus."""
    return sorted(path.name for path in HERE.iterdir() if path.is_dir() and not path.name.startswith("_"))


def samples() -> list[Sample]:
    """Every project in every way in which it is read."""
    return [sample for folder in folders() for sample in VARIANTS.get(folder, [Sample(folder)])]
