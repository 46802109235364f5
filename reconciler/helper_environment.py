"""What programs that open secrets and find logins get of pnr's environment: what is theirs, and no more. Pure.

The daemon's environment may hold secrets of domains. A program that is run for one domain, or for a registry, must not
hand on what belongs to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

_EVERYONE = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_*", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy"),
    *("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"),
    # without these no program starts on Windows
    *("SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA"),
    *("PROGRAMDATA", "HOMEDRIVE", "HOMEPATH"),
)
_CLOUDS = ("AWS_*", "AZURE_*", "GOOGLE_*", "CLOUDSDK_*", "GCLOUD_*")
_OF = {
    "age": (),
    "sops": ("SOPS_*", "VAULT_*", "GNUPGHOME", "GPG_AGENT_INFO", *_CLOUDS),
    "docker-credential": ("DOCKER_CONFIG", "GNUPGHOME", "GPG_AGENT_INFO", "PASSWORD_STORE_*", *_CLOUDS),
}


def environment(tool: str, ours: Mapping[str, str]) -> dict[str, str]:
    """What of our environment a tool gets: ``age``, ``sops``, ``docker-credential``; another one what all get."""
    names = (*_EVERYONE, *_OF.get(tool, ()))
    return {name: value for name, value in ours.items() if any(_is(name, pattern) for pattern in names)}


def _is(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name.upper() if pattern.isupper() else name, pattern)
