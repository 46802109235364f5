"""Rules: networks, published ports, where output goes. Data."""

from __future__ import annotations

from reconciler.policy.rule import ADDRESSES, NAMES, OWN_NAME, PORTS, UNOWNED, WORDS, Rule

ROWS = (
    Rule(
        "networks.drivers",
        WORDS,
        "Which drivers of networks may be used. macvlan and ipvlan put a container onto the host's own network, past"
        " every rule for ports.",
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
        f" domain `{OWN_NAME}` stands for the domain's name, as Compose puts it before that of a network, and"
        f" `{UNOWNED}` for all.",
        ["*"],
        [f"{OWN_NAME}_*", f"{OWN_NAME}-*"],
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
        " the rules of binds.",
        ["*"],
        [
            *("awslogs", "etwlogs", "fluentd", "gcplogs", "gelf", "journald", "json-file", "local", "none"),
            *("splunk", "syslog"),
        ],
        ["journald", "json-file", "local"],
    ),
)
