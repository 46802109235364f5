"""Rows of the table of container settings: names, ports and networks. Data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.intent.settings import hosts, isolation, links, ports, words
from reconciler.intent.settings.accepts import TEXT, TEXT_OR_TEXTS
from reconciler.intent.settings.found import list_found, same_list, same_unless, set_found, unless
from reconciler.intent.settings.places import in_config, in_host_config
from reconciler.intent.settings.row import Setting, declared_and_found
from reconciler.intent.settings.values import string_or_list, text, word


def _hostname_found(inspected: Mapping[str, Any]) -> str | None:
    """The engine's own choice is the beginning of the container's id."""
    name = str((inspected.get("Config") or {}).get("Hostname") or "")
    return None if not name or str(inspected.get("Id", "")).startswith(name) else name


def _mode_found(value: Any) -> str | None:
    """The name of a network is no mode: it is the first of those that the container joined."""
    mode = str(value or "")
    return mode if mode in ("host", "none") or mode.startswith(isolation.CONTAINER) else None


ROWS: tuple[Setting, ...] = (
    Setting(
        "ports",
        "network",
        "Published ports: an object from container port to host port, or Compose's list (host port first)."
        " Without an address they are bound to 127.0.0.1 only; with * to all of the host's (IPv4 and IPv6), as with"
        " Docker itself.",
        {"80": "8080"},
        ports.parse,
        ports.ACCEPTS,
        ports.send,
        ports.read,
        same=ports.same,
        tell=declared_and_found(ports.tell),
    ),
    Setting(
        "hostname",
        "network",
        "The name that the container has for itself.",
        "db1",
        word(
            "a host name (letters, digits, - and _ between dots, at most 63)",
            r"(?=.{1,63}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
            r"(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*",
        ),
        TEXT,
        in_config("Hostname")[0],
        _hostname_found,
        same=words.declared_or_image,
    ),
    Setting(
        "domainname",
        "network",
        "The domain that the container has for itself.",
        "example.com",
        hosts.host_name,
        TEXT,
        *in_config("Domainname", from_api=unless("")),
        same=same_unless(""),
    ),
    Setting(
        "dns",
        "network",
        "Addresses of name servers, one or a list, instead of the engine's.",
        ["192.0.2.53"],
        hosts.addresses,
        TEXT_OR_TEXTS,
        *in_host_config("Dns", from_api=list_found),
        same=same_list,
    ),
    Setting(
        "dns_search",
        "network",
        "Domains in which names are looked up, one or a list.",
        ["example.com"],
        string_or_list(text, "a domain, or a list of domains"),
        TEXT_OR_TEXTS,
        *in_host_config("DnsSearch", from_api=list_found),
        same=same_list,
    ),
    Setting(
        "dns_opt",
        "network",
        "Options of the resolver, such as ndots:2.",
        ["ndots:2"],
        string_or_list(text, "an option, or a list of options"),
        TEXT_OR_TEXTS,
        *in_host_config("DnsOptions", from_api=list_found),
        same=same_list,
    ),
    Setting(
        "extra_hosts",
        "network",
        "Further names for /etc/hosts: an object from name to address (or a list of them), or a list of name=address."
        " host-gateway stands for the host.",
        {"host.docker.internal": "host-gateway"},
        hosts.parse,
        hosts.ACCEPTS,
        *in_host_config("ExtraHosts", from_api=set_found),
        same=same_list,
    ),
    Setting(
        "mac_address",
        "network",
        "The address of the container's first network card.",
        "02:42:ac:11:65:43",
        hosts.mac_address,
        TEXT,
        in_config("MacAddress")[0],
        hosts.mac_found,
        same=hosts.same_mac,
    ),
    Setting(
        "expose",
        "network",
        "Ports that the container listens on, for information: whoever is in one of its networks reaches all of them.",
        ["3000", "8000-8002/tcp"],
        ports.parse_exposed,
        {"type": "array", "items": {"type": ["string", "integer"]}},
        ports.send_exposed,
        ports.read_exposed,
        same=ports.same_exposed,
    ),
    Setting(
        "links",
        "network",
        "Chunks of the same CPUX under further names: CHUNK or CHUNK:ALIAS. The container begins after theirs; in the"
        " networks that they share, only it knows these names.",
        ["db", "db:database"],
        links.parse,
        links.ACCEPTS,
        links.send,
        links.read,
        same=same_list,
    ),
    Setting(
        "network_mode",
        "network",
        "Instead of networks: host, none, bridge, service:CHUNK or container:NAME.",
        "host",
        isolation.namespace("network_mode", "host", "none", "bridge"),
        TEXT,
        *in_host_config("NetworkMode", from_api=_mode_found),
        same=isolation.same_namespace("bridge"),
    ),
)
