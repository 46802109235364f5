"""Short forms of volumes, devices and ports. Compose itself is asked in the
integration tests; here is what must never be got wrong.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.compose.mounts import clean, short_device, short_mount, short_ports


@pytest.mark.parametrize(
    ("text", "mount"),
    [
        ("/data", {"type": "volume", "target": "/data", "volume": {}}),
        ("vo:/data:ro", {"type": "volume", "source": "vo", "target": "/data", "read_only": True, "volume": {}}),
        ("./a:/b", {"type": "bind", "source": "./a", "target": "/b", "bind": {"create_host_path": True}}),
        ("C:\\a:D:\\b", {"type": "bind", "source": "C:\\a", "target": "D:\\b", "bind": {"create_host_path": True}}),
        (
            "/a:/b:rslave,Z",
            {
                "type": "bind",
                "source": "/a",
                "target": "/b",
                "bind": {"propagation": "rslave", "selinux": "Z", "create_host_path": True},
            },
        ),
        ("vo:/d:nocopy", {"type": "volume", "source": "vo", "target": "/d", "volume": {"nocopy": True}}),
    ],
)
def test_a_short_volume(text: str, mount: dict[str, Any]) -> None:
    assert short_mount(text) == mount


@pytest.mark.parametrize("text", ["", "/abc:", ":/a", "/ab::/b", "/ab:/cd:ro:z"])
def test_what_is_no_short_volume(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        short_mount(text)


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("80", [(None, 80, None, "tcp")]),
        ("8080:80/udp", [(None, 80, "8080", "udp")]),
        ("127.0.0.1::80", [("127.0.0.1", 80, None, "tcp")]),
        ("[::1]:8080:80", [("::1", 80, "8080", "tcp")]),
        ("90-92:80-82", [(None, 80, "90", "tcp"), (None, 81, "91", "tcp"), (None, 82, "92", "tcp")]),
        ("90-92:80", [(None, 80, "90-92", "tcp")]),
        ("9-10", [(None, 10, None, "tcp"), (None, 9, None, "tcp")]),
    ],
)
def test_a_short_port(text: str, ports: list[tuple[str | None, int, str | None, str]]) -> None:
    found = [(p.get("host_ip"), p["target"], p.get("published"), p["protocol"]) for p in short_ports(text)]
    assert found == ports


@pytest.mark.parametrize(
    "text", ["", ":", "80:", "x:80", "70000:80", "2-1:80-81", "1-2:80-82", "80/x", "a.b:80:80", "0"]
)
def test_what_is_no_short_port(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        short_ports(text)


def test_a_short_device() -> None:
    assert short_device("/dev/a") == {"source": "/dev/a", "target": "/dev/a", "permissions": "rwm"}
    assert short_device("/dev/a:/dev/b:r") == {"source": "/dev/a", "target": "/dev/b", "permissions": "r"}
    with pytest.raises(ValueError, match="too many colons"):
        short_device("a:b:c:d")


@given(st.text(max_size=40))
def test_no_text_breaks_the_readers_of_short_forms(text: str) -> None:
    for read in (short_mount, short_device, short_ports, clean):
        try:
            read(text)
        except ValueError as error:
            said = str(error)
        else:
            said = "fine"
        assert said
