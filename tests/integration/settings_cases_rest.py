"""Values of the settings of process, network, storage and metadata, for the round trip through a real engine."""

from __future__ import annotations

from typing import Any

CASES: list[tuple[str, Any]] = [
    ("tty", True),
    ("tty", False),
    ("stdin_open", True),
    ("platform", "linux/amd64"),
    ("domainname", "example.com"),
    ("dns", "192.0.2.53"),
    ("dns", ["192.0.2.53", "2001:db8::53"]),
    ("dns_search", ["example.com", "example.org"]),
    ("dns_opt", ["ndots:2", "timeout:1"]),
    ("extra_hosts", {"db.example": "192.0.2.7", "host.docker.internal": "host-gateway"}),
    ("extra_hosts", ["a=192.0.2.1", "b:2001:db8::1"]),
    ("extra_hosts", []),
    ("mac_address", "02-42-AC-11-65-43"),
    ("expose", ["3000", "8000-8002/udp"]),
    ("network_mode", "host"),
    ("network_mode", "none"),
    ("network_mode", "bridge"),
    ("volumes", ["/tmp:/shared:rshared,ro", "/tmp:/slave:slave", "/tmp:/private:rprivate,cached"]),
    ("volumes", [{"type": "bind", "source": "/tmp", "target": "/x", "bind": {"create_host_path": False}}]),
    ("volumes", [{"type": "tmpfs", "target": "/x", "tmpfs": {"mode": "1770", "size": "1m"}}]),
    ("volumes", [{"type": "volume", "target": "/x", "volume": {"labels": {"team": "shop"}}}]),
    (
        "volumes",
        [
            {
                "type": "bind",
                "source": "/tmp",
                "target": "/x",
                "consistency": "cached",
                "bind": {"create_host_path": False, "recursive": "disabled", "propagation": "rslave"},
            }
        ],
    ),
    ("logging", {"driver": "json-file", "options": {"max-size": "10m", "max-file": 3}}),
    ("logging", {"driver": "none"}),
    ("logging", {"options": {"max-size": "10m"}}),
]

NEWER: list[tuple[str, Any]] = [
    ("annotations", {"com.example.note": "1"}),
    ("healthcheck", {"test": "true", "start_interval": "2s"}),
    ("volumes", [{"type": "volume", "source": "pnr_settings_test_data", "target": "/x", "volume": {"subpath": "a"}}]),
    ("volumes", [{"type": "bind", "source": "/tmp", "target": "/x", "bind": {"recursive": "disabled"}}]),
    (
        "volumes",
        [{"type": "bind", "source": "/tmp", "target": "/x", "read_only": True, "bind": {"recursive": "writable"}}],
    ),
    (
        "volumes",
        [{"type": "bind", "source": "/tmp", "target": "/x", "read_only": True, "bind": {"recursive": "readonly"}}],
    ),
    ("volumes", [{"type": "image", "source": "IMAGE", "target": "/x", "image": {"subpath": "bin"}}]),
]
"""What only newer engines know. IMAGE stands for the image of the test."""

CANT_BE_CREATED_HERE = {
    "annotations": "takes an engine of API 1.43",
    "links": "takes another container: has tests of its own",
    "volumes_from": "takes another container: has tests of its own",
}
