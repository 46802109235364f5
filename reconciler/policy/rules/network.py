"""Rules: networks, published ports, where output goes. Data."""

from __future__ import annotations

from reconciler.policy.rule import (
    ADDRESSES,
    COUNT,
    DOMAIN,
    FLAG,
    HOST,
    NAMES,
    PORTS,
    SIZE,
    UNOWNED,
    WORDS,
    Rule,
    choice,
)

PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]

ROWS = (
    Rule(
        "networks.drivers",
        WORDS,
        "Which drivers of networks may be used. macvlan and ipvlan put a container onto the host's own network, past"
        " every rule for ports, also into a VLAN that the host itself is not in (`parent: eth0.50`).",
        ["*"],
        ["bridge", "ipvlan", "macvlan", "overlay"],
        ["bridge"],
    ),
    Rule(
        "networks.options",
        WORDS,
        "Which options (driver_opts) a network may have, and a container in one. Kernel settings of a container's card"
        " (com.docker.network.endpoint.sysctls) also follow security.sysctls.",
        ["*"],
        [
            *("com.docker.network.bridge.*", "com.docker.network.driver.mtu", "com.docker.network.enable_ipv*"),
            *("com.docker.network.container_iface_prefix", "com.docker.network.endpoint.ifname"),
            *("com.docker.network.endpoint.sysctls", "com.docker.network.driver.overlay.*", "encrypted"),
            *("ipvlan_*", "macvlan_*", "parent"),
        ],
        [
            *("com.docker.network.bridge.enable_icc", "com.docker.network.driver.mtu"),
            "com.docker.network.endpoint.ifname",
        ],
    ),
    Rule(
        "networks.subnets",
        ADDRESSES,
        "In which subnets the networks of domains may lie that name one, with their ranges, gateways and addresses. The"
        " standard list is the private ranges (RFC 1918, RFC 4193). Shared address space (100.64.0.0/10) is not in it:"
        " VPNs and providers have it.",
        ["*"],
        PRIVATE,
        PRIVATE,
    ),
    Rule(
        "networks.host_overlap",
        FLAG,
        "Whether they may overlap what the host has already (a route, an address, a gateway, a resolver) or an address"
        " where a cloud tells its machines their secrets, a container have such an address, or the bridge of a network"
        " be an interface of the host; and whether macvlan and ipvlan may be on the bridge of another network. The"
        " engine's own networks don't count here (that they do not overlap is the engine's to see to), nor the subnets"
        " of those that put no route onto the host: macvlan, ipvlan, overlay.",
        True,
        False,
        False,
    ),
    Rule(
        "networks.unseen",
        FLAG,
        "Whether a network may name a subnet where pnr can't see what the engine's machine has: on macOS and Windows,"
        " and where the engine is elsewhere.",
        True,
        True,
        False,
    ),
    Rule(
        "networks.ipam_drivers",
        WORDS,
        "Which drivers may hand out a network's addresses.",
        ["*"],
        ["default", "null"],
        ["default"],
    ),
    Rule(
        "networks.external",
        NAMES,
        "Which networks that do not belong to its domain a container may join, by their names in the engine. What"
        " another domain shares (`shared_with` at the network in its file) takes no entry here. Of what belongs to no"
        f" domain `{DOMAIN}` stands for the domain file's own name, as Compose puts it before that of a network, and"
        f" `{UNOWNED}` for all.",
        ["*"],
        [f"{DOMAIN}_*", f"{DOMAIN}-*", UNOWNED],
        [],
    ),
    Rule(
        "ports.addresses",
        ADDRESSES,
        "On which of the host's addresses ports may be published. `0.0.0.0` and `::` are all of them.",
        ["*"],
        ["*"],
        ["127.0.0.0/8", "::1"],
    ),
    Rule(
        "ports.allowed",
        PORTS,
        "Which of the host's ports may be published; 0 is any free one.",
        ["0-65535"],
        ["0-65535"],
        ["1024-65535"],
    ),
    Rule(
        "logging.drivers",
        WORDS,
        "Where the engine may put what containers print. A path or socket of the host among a driver's options follows"
        " the rules of binds, a certificate those for what is read only.",
        ["*"],
        [
            *("awslogs", "etwlogs", "fluentd", "gcplogs", "gelf", "journald", "json-file", "local", "none"),
            *("splunk", "syslog"),
        ],
        ["journald", "json-file", "local"],
    ),
    Rule(
        "logging.addresses",
        WORDS,
        "Where log drivers may send to, as HOST, HOST:PORT or a subnet. `*` is every machine but this one, and nothing"
        " that is link-local or tells a cloud's machines their secrets: these take an entry of their own. So does a"
        " server that is spoken to by HTTP (splunk, awslogs-endpoint): it may send the engine on to this machine."
        " `@host` is this machine by any of its addresses. The standard ports are those of fluentd, GELF and syslog. A"
        " name counts as what it stands for when the container is made.",
        ["*"],
        ["*", *(f"{HOST}:{port}" for port in (514, 6514, 12201, 24224))],
        [],
    ),
    Rule(
        "logging.options",
        WORDS,
        "Which options log drivers may have besides those that pnr knows of the engine's own drivers. An option for"
        " credentials of the machine (`awslogs-credentials-endpoint`) has to be named here as well.",
        ["*"],
        [],
        [],
    ),
    Rule(
        "logging.buffer",
        SIZE,
        "The most memory that the engine may keep of a container's output (max-buffer-size, fluentd-buffer-limit).",
        "none",
        "64m",
        "8m",
    ),
    Rule(
        "logging.files",
        COUNT,
        "The most files in which the engine may keep a container's output (max-file, cache-max-file): with each new one"
        " it renames as many as there may be, for seconds or for hours.",
        "none",
        1000,
        100,
    ),
    Rule(
        "probes.host_network",
        choice("any", "read", "none"),
        "What a health check may do with a container that has the host's network, whose ports are ports of the host's"
        " own loopback: anything, connect and read (tcp, and http with GET, HEAD or OPTIONS), or nothing. Every other"
        " check asks the published port of its container, or an address that is neither the host's nor link-local,"
        " whatever the policy says.",
        "any",
        "read",
        "none",
    ),
)
