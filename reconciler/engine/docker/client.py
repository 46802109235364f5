"""Finds the Docker engine as the docker command does, and makes clients of one fixed API version.

Order, as docker's own: ``DOCKER_HOST``, then ``DOCKER_CONTEXT``, then the current context of the docker configuration,
then the platform's default (a unix socket, on Windows a named pipe, which the SDK knows).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import docker
from docker.context import ContextAPI
from docker.errors import DockerException
from docker.tls import TLSConfig
from docker.utils import parse_host

from reconciler.engine.docker.failures import unavailable
from reconciler.engine.protocol import EngineUnavailable

OLDEST_API = "1.41"
NEWEST_API = "1.51"


@dataclass(frozen=True, slots=True)
class Address:
    """Where an engine is. ``tls`` is an SDK TLSConfig, or None."""

    host: str | None
    tls: Any = None

    def __str__(self) -> str:
        return self.host or "the default socket"


def find(docker_host: str | None = None) -> Address:
    """The engine's address. Raises EngineUnavailable where a context is named that does not exist."""
    host = docker_host or os.environ.get("DOCKER_HOST")
    if host:
        return Address(str(parse_host(host, is_win32=os.name == "nt")), _tls_from_environment())
    name = os.environ.get("DOCKER_CONTEXT") or None
    try:
        context = ContextAPI.get_context(name) if name else ContextAPI.get_current_context()
    except (DockerException, OSError, ValueError) as error:
        raise EngineUnavailable(f"the docker context {name or 'in use'} can't be read: {error}") from error
    if context is None:
        if name:
            raise EngineUnavailable(f"there is no docker context {name}; `docker context ls` lists them")
        return Address(None)
    return Address(context.Host or None, context.TLSConfig or None)


def _tls_from_environment() -> Any:
    if not os.environ.get("DOCKER_TLS_VERIFY"):
        return None
    folder = os.environ.get("DOCKER_CERT_PATH") or os.path.join(os.path.expanduser("~"), ".docker")
    return TLSConfig(
        client_cert=(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")),
        ca_cert=os.path.join(folder, "ca.pem"),
        verify=True,
    )


def make(address: Address, version: str, *, timeout: float | None, pool: int) -> docker.APIClient:
    """A client. The version is fixed, so that making one asks nothing of the engine."""
    options: dict[str, Any] = {"version": version, "max_pool_size": max(pool, 10), "num_pools": 2}
    if address.host is not None:
        options["base_url"] = address.host
    if address.tls is not None:
        options["tls"] = address.tls
    if timeout is not None:
        options["timeout"] = timeout
    try:
        return docker.APIClient(**options)
    except DockerException as error:
        raise unavailable(error, str(address)) from error


def agree_on_version(address: Address, *, timeout: float) -> tuple[str, str]:
    """The API version to speak, and the engine's own version. Raises EngineUnavailable."""
    client = make(address, OLDEST_API, timeout=timeout, pool=1)
    try:
        told = client.version(api_version=False)
    except Exception as error:  # the SDK lets requests' and urllib3's errors through as they are
        raise unavailable(error, str(address)) from error
    finally:
        client.close()
    offered = str(told.get("ApiVersion", OLDEST_API))
    if _number(offered) < _number(OLDEST_API):
        raise EngineUnavailable(
            f"the Docker engine at {address} speaks API {offered}; pnr needs {OLDEST_API} (Docker 20.10) or newer"
        )
    agreed = offered if _number(offered) <= _number(NEWEST_API) else NEWEST_API
    return agreed, str(told.get("Version", "unknown"))


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
