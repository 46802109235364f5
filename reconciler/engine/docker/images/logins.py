"""Who asks a registry: logins from the domain's secrets, else from Docker's own configuration and its helpers.

The configuration (``config.json`` in ``DOCKER_CONFIG`` or ``~/.docker``) is read again for each question, since a
daemon runs for years and people log in meanwhile. What can't be read is no reason not to ask: many images are public;
it is told when the registry refuses.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.errors import PnrError
from reconciler.helper_environment import environment
from reconciler.intent.contents import Contents
from reconciler.intent.image_names import DOCKER_HUB, BadImageName, registry_host
from reconciler.intent.model import Login

HELPER_SECONDS = 20.0
HUB_KEY = "https://index.docker.io/v1/"
_TOKEN_USER = "<token>"  # noqa: S105 - a name

Auth = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Credentials:
    """``auth`` is what the engine is sent (empty: nobody in particular), ``origin`` where it comes from, ``trouble``
    why there may be none, both for people."""

    auth: Auth
    origin: str = ""
    trouble: str = ""

    @property
    def whose(self) -> str:
        """What is refused, for people."""
        user = self.auth.get("username", "")
        whom = f"the login of {user!r}" if user else "the token"
        return f"{whom} from {self.origin}"

    def advice(self, registry: str) -> str:
        """What to do when the registry refuses."""
        if self.auth:
            return f"correct the password of {self.whose}, or `docker login {registry}` again as the daemon's user"
        more = f" (now {self.trouble})" if self.trouble else ""
        return (
            f"log in where the image is private{more}: `docker login {registry}` as the daemon's user, or name a login"
            " in the domain's `registries`"
        )


def header(auth: Mapping[str, Any]) -> str:
    """As the headers ``X-Registry-Auth`` and ``X-Registry-Config`` have it."""
    return base64.urlsafe_b64encode(json.dumps(auth).encode()).decode()


Lends = Callable[[str], bool]


def _everywhere(registry: str) -> bool:
    return True


class Logins:
    """Finds credentials. Blocking. ``contents`` reads the passwords of domains' logins."""

    def __init__(self, contents: Contents | None) -> None:
        self._contents = contents

    def find(self, registry: str, domain: Mapping[str, Login], lends: Lends = _everywhere) -> Credentials:
        """Those for a registry, as an :class:`~reconciler.intent.image_names.ImageName` has it. ``lends`` says to which
        the daemon's own may be used."""
        own = domain.get(registry)
        if own is not None:
            return self._of_domain(registry, own)
        if not lends(registry):
            return Credentials({}, trouble="the policy does not lend the daemon's own login: rule images.logins")
        try:
            return _of_configuration(registry, _configuration())
        except _Unusable as error:
            return Credentials({}, trouble=str(error))

    def all(self, domain: Mapping[str, Login], lends: Lends = _everywhere) -> dict[str, Auth]:
        """All that there are, for a build whose base images may come from anywhere; ``lends`` as above."""
        found: dict[str, Auth] = {}
        try:
            configuration = _configuration()
            known = {*configuration.get("auths", {}), *configuration.get("credHelpers", {})}
            for registry in filter(lends, {_host(key) for key in known} - {""}):
                found[registry] = _of_configuration(registry, configuration).auth
        except _Unusable:
            pass  # the registry's refusal tells, where it matters
        for registry, login in domain.items():
            found[registry] = self._of_domain(registry, login).auth
        return {HUB_KEY if registry == DOCKER_HUB else registry: auth for registry, auth in found.items() if auth}

    def _of_domain(self, registry: str, login: Login) -> Credentials:
        if self._contents is None:
            return Credentials({}, trouble="secrets can't be read here")
        try:
            password = self._contents.read(login.password).decode("utf-8").rstrip("\r\n")
        except PnrError as error:
            return Credentials({}, trouble=f"the password from the domain's secrets can't be read: {error}")
        except UnicodeDecodeError:
            return Credentials({}, trouble=f"the password in {login.password} is not UTF-8")
        auth = {"username": login.username, "password": password, "serveraddress": _server(registry)}
        return Credentials(auth, "the domain's `registries`")


class _Unusable(Exception):
    """Docker's configuration or a helper of it."""


def _path() -> str:
    folder = os.environ.get("DOCKER_CONFIG") or os.path.join(os.path.expanduser("~"), ".docker")
    return os.path.join(folder, "config.json")


def _configuration() -> dict[str, Any]:
    path = _path()
    try:
        with open(path, "rb") as file:
            found = json.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise _Unusable(f"{path} can't be read: {why}") from error
    if not isinstance(found, dict):
        raise _Unusable(f"{path} holds no object")
    return {key: part for key, part in found.items() if isinstance(part, dict | str)}


def _of_configuration(registry: str, configuration: Mapping[str, Any]) -> Credentials:
    helpers = configuration.get("credHelpers") or {}
    helper = next((name for key, name in helpers.items() if _host(key) == registry), configuration.get("credsStore"))
    if helper:
        auth = _ask_helper(str(helper), _server(registry))
        if auth:
            return Credentials({**auth, "serveraddress": _server(registry)}, f"docker-credential-{helper}")
    path = _path()
    for key, entry in (configuration.get("auths") or {}).items():
        if _host(key) == registry and isinstance(entry, dict):
            auth = _decoded(entry, path, key)
            if auth:
                return Credentials({**auth, "serveraddress": _server(registry)}, path)
    return Credentials({})


def _decoded(entry: Mapping[str, Any], path: str, key: str) -> dict[str, str]:
    for token in ("identitytoken", "registrytoken"):
        if entry.get(token):
            return {token: str(entry[token])}
    if entry.get("auth"):
        try:
            user, _, password = base64.b64decode(str(entry["auth"])).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise _Unusable(f"the login for {key} in {path} is damaged") from error
        return {"username": user, "password": password.rstrip("\0")}
    if entry.get("username"):
        return {"username": str(entry["username"]), "password": str(entry.get("password", ""))}
    return {}


def _ask_helper(helper: str, server: str) -> dict[str, str]:
    """What a credential helper has for a server; nothing where it has nothing. Its output is never shown."""
    program = f"docker-credential-{helper}"
    try:
        ended = subprocess.run(
            [program, "get"],
            input=server.encode(),
            capture_output=True,
            timeout=HELPER_SECONDS,
            check=False,
            env=environment("docker-credential", os.environ),
        )
    except FileNotFoundError as error:
        raise _Unusable(f"{program}, which {_path()} names, is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise _Unusable(f"{program} did not answer within {HELPER_SECONDS:g} s") from error
    except OSError as error:
        raise _Unusable(f"{program} can't be run: {error.strerror}") from error
    if ended.returncode != 0:
        if b"credentials not found" in ended.stdout + ended.stderr:
            return {}
        raise _Unusable(f"{program} ended with {ended.returncode}")
    try:
        found = json.loads(ended.stdout)
        user, secret = str(found["Username"]), str(found["Secret"])
    except (ValueError, KeyError, TypeError) as error:
        raise _Unusable(f"{program} answered something else than credentials") from error
    return {"identitytoken": secret} if user == _TOKEN_USER else {"username": user, "password": secret}


def _host(key: str) -> str:
    try:
        return registry_host(key)
    except BadImageName:
        return ""


def _server(registry: str) -> str:
    return HUB_KEY if registry == DOCKER_HUB else registry
