"""Short forms of volumes, devices, ports, commands, sizes and lengths of time. Compose itself is asked in the
integration tests; here is what must never be got wrong.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.compose.mounts import clean, short_device, short_mount, short_ports
from reconciler.compose.quantities import duration_text, nanoseconds, size_in_bytes
from reconciler.compose.shellwords import split


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


@pytest.mark.parametrize(
    ("line", "words", "dropped"),
    [
        ("a 'b c' \"d e\" f\\ g", ["a", "b c", "d e", "f g"], ""),
        ('sh -c "a && b"', ["sh", "-c", "a && b"], ""),
        ("a && b", ["a"], "&& b"),
        ("a 2>b", ["a"], ">b"),
        ("a '' b", ["a", "", "b"], ""),
        ("echo $(a b)", ["echo", "$(a b)"], ""),
        ("", [], ""),
    ],
)
def test_a_command_line(line: str, words: list[str], dropped: str) -> None:
    assert split(line) == (words, dropped)


@pytest.mark.parametrize("line", ["'a", 'a "b', "a (b)", "a\\", "$(a"])
def test_a_command_line_that_does_not_end(line: str) -> None:
    with pytest.raises(ValueError, match="not closed"):
        split(line)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("90s", "1m30s"), ("1.5h", "1h30m0s"), ("1d", "24h0m0s"), ("500ms", "500ms"), ("0", "0s"), ("1.25s", "1.25s")],
)
def test_a_length_of_time(text: str, shown: str) -> None:
    assert duration_text(nanoseconds(text)) == shown


@given(st.integers(min_value=0, max_value=2**62))
def test_a_length_of_time_is_read_as_it_is_written(count: int) -> None:
    again = nanoseconds(duration_text(count))
    assert abs(again - count) <= max(1, count * 1e-15)


@pytest.mark.parametrize("text", ["", "10", "s", "1x", "1 s", "9999999w"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        nanoseconds(text)


@pytest.mark.parametrize(
    ("text", "size"), [("1g", 2**30), ("1.5 GB", 3 * 2**29), ("10kib", 10240), ("7", 7), ("7b", 7), ("1M", 2**20)]
)
def test_a_size(text: str, size: int) -> None:
    assert size_in_bytes(text) == size


@pytest.mark.parametrize("text", ["", "g", "1gg", "-1", "1,5g", "1bb", "1xib"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        size_in_bytes(text)


@given(st.text(max_size=40))
def test_no_text_breaks_the_readers_of_short_forms(text: str) -> None:
    for read in (short_mount, short_device, short_ports, split, nanoseconds, size_in_bytes, clean):
        try:
            read(text)
        except ValueError as error:
            said = str(error)
        else:
            said = "fine"
        assert said
