"""Ways over the network: how it is made, what is published, where output goes."""

from __future__ import annotations

from typing import Any

from tests.unit.policy.corpus.entry import Group

# What the tables below hold is any JSON.
network: Any
logging: Any

NETWORKS = Group("networks")
for name, rule, network in (
    ("a driver that runs as root", "networks.drivers", {"driver": "weave"}),
    ("a driver in upper case", "networks.drivers", {"driver": "Bridge"}),
    ("an option that nobody knows", "networks.options", {"driver_opts": {"com.example": "1"}}),
    ("a driver of addresses", "networks.ipam_drivers", {"ipam": {"driver": "evil"}}),
    ("a subnet that is none", "InvalidValue", {"ipam": {"config": [{"subnet": "10.0.0.0/33"}]}}),
    ("a gateway outside of it", "InvalidValue", {"ipam": {"config": [{"subnet": "10.77.0.0/24", "gateway": "169.254.169.254"}]}}),
    ("another address outside of it", "InvalidValue", {"ipam": {"config": [{"subnet": "10.77.0.0/24", "aux_addresses": {"x": "169.254.169.254"}}]}}),
    ("a range outside of it", "InvalidValue", {"ipam": {"config": [{"subnet": "10.77.0.0/24", "ip_range": "198.51.100.0/24"}]}}),
    ("another address of the host for what goes out", "networks.options", {"driver_opts": {"com.docker.network.host_ipv4": "192.0.2.1"}}),
    ("a gateway that is none", "InvalidValue", {"ipam": {"config": [{"subnet": "10.1.0.0/24", "gateway": "x"}]}}),
):  # fmt: skip
    NETWORKS.add(name, rule, {"networks": ["back"]}, networks={"back": network})
for name, rule, network in (
    ("on the host's own network", "networks.drivers", {"driver": "macvlan", "driver_opts": {"parent": "eth0"}}),
    ("on the host's own network, in another way", "networks.drivers", {"driver": "ipvlan"}),
    ("without the filter for ports", "networks.options", {"driver_opts": {"com.docker.network.bridge.gateway_mode_ipv4": "nat-unprotected"}}),
    ("under the name of a bridge of the host", "networks.options", {"driver_opts": {"com.docker.network.bridge.name": "docker0"}}),
    ("open to the host's addresses", "networks.options", {"driver_opts": {"com.docker.network.bridge.host_binding_ipv4": "0.0.0.0"}}),
):  # fmt: skip
    NETWORKS.add(name, rule, {"networks": ["back"]}, networks={"back": network}, policy="strict")
    NETWORKS.add(name, rule, {"networks": ["back"]}, networks={"back": network}, policy="team")
NETWORKS.add(
    "an option of the card that nobody knows",
    "networks.options",
    {"networks": {"back": {"driver_opts": {"com.example": "1"}}}},
    networks={"back": {}},
)

PORTS = Group("ports")
for policy, port, rule in (
    ("strict", "0.0.0.0:8080:80", "ports.addresses"),
    ("strict", "[::]:8080:80", "ports.addresses"),
    ("strict", "*:8080:80", "ports.addresses"),
    ("strict", "192.0.2.1:8080:80", "ports.addresses"),
    ("strict", "80:80", "ports.allowed"),
    ("strict", "1023:80", "ports.allowed"),
    ("strict", "80", "ports.allowed"),
    ("team", "22:80", "ports.allowed"),
    ("team", "2375:80", "ports.allowed"),
    ("team", "0.0.0.0:3306:80", "ports.allowed"),
    ("team", "8999-9000:80-81", "ports.allowed"),
    ("team", "9000:80", "ports.allowed"),
    ("team", "192.0.2.1:8080:80", "ports.addresses"),
    ("shared-lab", "8080:80", "ports.allowed"),
    ("shared-lab", "*:20000:80", "ports.addresses"),
    ("shared-lab", "30000:80", "ports.allowed"),
):
    PORTS.add(port, rule, {"ports": [port]}, policy=policy)
for port in ("localhost:80:80", "0x7f000001:80:80", "127.1:80:80", "65536:80", "-1:80", "80:80/evil"):
    PORTS.add(port, "InvalidValue", {"ports": [port]})
PORTS.add("a range that later copies leave", "ports.allowed", {"ports": ["8998-9000:80"]}, chunk={"replicas": 3}, policy="team")  # fmt: skip

LOGGING = Group("logging")
for name, rule, logging in (
    ("a driver that nobody knows", "logging.drivers", {"driver": "evil"}),
    ("into the engine's socket", "binds.engine_socket", {"driver": "syslog", "options": {"syslog-address": "unix:///run/docker.sock"}}),
    ("into a socket of systemd", "binds.protected", {"driver": "syslog", "options": {"syslog-address": "unixgram:///run/systemd/notify"}}),
    ("into the system's bus", "binds.protected", {"driver": "syslog", "options": {"syslog-address": "unix:///run/dbus/system_bus_socket"}}),
    ("with fluentd into the engine's socket", "binds.engine_socket", {"driver": "fluentd", "options": {"fluentd-address": "unix:///var/run/docker.sock"}}),
    ("into a socket behind an escape", "binds.protected", {"driver": "syslog", "options": {"syslog-address": "unix:///run/%64ocker.sock"}}),
    ("a key of the host", "binds.protected", {"driver": "syslog", "options": {"syslog-tls-key": "/etc/shadow"}}),
    ("an authority of the host", "binds.protected", {"driver": "syslog", "options": {"syslog-tls-ca-cert": "/root/ca.pem"}}),
    ("splunk's authority of the host", "binds.protected", {"driver": "splunk", "options": {"splunk-capath": "/etc/shadow"}}),
    ("a name in upper case", "logging.drivers", {"driver": "JSON-file"}),
):  # fmt: skip
    LOGGING.add(name, rule, {"logging": logging})
for driver in ("syslog", "fluentd", "gelf", "awslogs", "splunk", "gcplogs"):
    LOGGING.add(f"to elsewhere by {driver}", "logging.drivers", {"logging": {"driver": driver}}, policy="strict")
LOGGING.add("to elsewhere", "logging.drivers", {"logging": {"driver": "syslog"}}, policy="team")

NETWORKS.add(
    "under the name of the engine's own bridge",
    "networks.host_overlap",
    {"networks": ["back"]},
    networks={"back": {"driver_opts": {"com.docker.network.bridge.name": "docker0"}}},
)
