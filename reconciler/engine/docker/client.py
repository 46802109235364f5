"""Finds the Docker engine as the docker command does, and makes clients of one fixed API version.

Order, as docker's own: ``DOCKER_HOST``, then ``DOCKER_CONTEXT``, then the current context of the docker configuration,
then the platform's default (a unix socket, on Windows a named pipe, which the SDK knows).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import docker
from docker.constants import DEFAULT_NPIPE, DEFAULT_UNIX_SOCKET, IS_WINDOWS_PLATFORM
from docker.context import ContextAPI
from docker.context.config import get_current_context_name
from docker.errors import DockerException
from docker.utils import kwargs_from_env

from reconciler.engine.docker.failures import unavailable
from reconciler.engine.docker.guarded_client import GuardedClient
from reconciler.engine.docker.guarding import Guard
from reconciler.engine.protocol import EngineUnavailable

OLDEST_API = "1.41"
NEWEST_API = "1.51"
"""The newest that is tested (Docker 28.5); an engine speaks all of the last years. To the SDK it is no more than a part
of addresses, which may be newer than what the SDK knows."""

_DEFAULT_HOST = DEFAULT_NPIPE if IS_WINDOWS_PLATFORM else DEFAULT_UNIX_SOCKET.removeprefix("http+")


@dataclass(frozen=True, slots=True)
class Address:
    """Where an engine is. ``tls`` is an SDK TLSConfig, or None."""

    host: str = _DEFAULT_HOST
    tls: Any = None

    def __str__(self) -> str:
        return self.host

    @property
    def is_local(self) -> bool:
        """Whether the engine's ports are this machine's."""
        return self.host.startswith(("unix:", "http+unix:", "npipe:"))


def find(docker_host: str | None = None) -> Address:
    """The engine's address. Raises EngineUnavailable where what names it is not there or can't be read."""
    host = docker_host or os.environ.get("DOCKER_HOST")
    if host:
        try:
            return Address(host, kwargs_from_env().get("tls"))
        except DockerException as error:
            raise EngineUnavailable(f"the TLS settings for {host} (DOCKER_CERT_PATH) can't be used: {error}") from error
    name = os.environ.get("DOCKER_CONTEXT") or get_current_context_name() or "default"
    if name == "default":
        return Address()
    try:
        context = ContextAPI.get_context(name)
    except Exception as error:  # the SDK raises a plain Exception for a damaged file
        raise EngineUnavailable(f"the docker context {name} can't be read: {error}") from error
    if context is None:
        raise EngineUnavailable(
            f"there is no docker context {name}, which DOCKER_CONTEXT or docker's configuration names;"
            " `docker context ls` lists those that there are"
        )
    if not context.Host:
        raise EngineUnavailable(f"the docker context {name} names no Docker host")
    return Address(str(context.Host), context.TLSConfig)


def make(address: Address, version: str, *, timeout: float, pool: int, guard: Guard | None = None) -> docker.APIClient:
    """A client. The version is fixed, so that making one asks nothing of the engine. ``guard`` judges what it is about
    to send. Raises EngineUnavailable."""
    options: dict[str, Any] = {
        "base_url": address.host,
        "version": version,
        "timeout": timeout,
        "max_pool_size": max(pool, 10),
    }
    if address.tls is not None:
        options["tls"] = address.tls
    try:
        client = GuardedClient(**options)
    except (DockerException, OSError) as error:
        raise unavailable(error, str(address)) from error
    client.guard = guard
    return client


def agree_on_version(address: Address, *, timeout: float) -> tuple[str, str, str]:
    """The API version to speak, the engine's own version, and its operating system. Raises EngineUnavailable."""
    client = make(address, OLDEST_API, timeout=timeout, pool=1)
    try:
        told = client.version(api_version=False)
    except Exception as error:  # whatever answers there, it may be no Docker engine at all
        raise unavailable(error, str(address)) from error
    finally:
        client.close()
    return agreed(told, str(address)), str(told.get("Version", "unknown")), str(told.get("Os", ""))


def agreed(told: dict[str, Any], where: str) -> str:
    """The newest API version that both sides speak. Raises EngineUnavailable where there is none."""
    offered = str(told.get("ApiVersion") or OLDEST_API)
    least = str(told.get("MinAPIVersion") or OLDEST_API)
    if _number(offered) < _number(OLDEST_API):
        raise EngineUnavailable(
            f"the Docker engine at {where} speaks API {offered}; pnr needs {OLDEST_API} (Docker 20.10) or newer"
        )
    if _number(least) > _number(NEWEST_API):
        raise EngineUnavailable(
            f"the Docker engine at {where} speaks API {least} and newer; this release of pnr speaks {NEWEST_API} at"
            " most: upgrade it"
        )
    return min(offered, NEWEST_API, key=_number)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
