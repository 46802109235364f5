"""Volumes in Compose's long form, and what of it only newer engines know."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.intent.settings import SETTINGS, payload, read_back
from reconciler.intent.settings.volumes import beyond, images_mounted
from reconciler.planner.capabilities import unsupported
from tests.unit.intent.test_settings import faults, inspected_from, normal, spec, volume


def long(kind: str, source: str | None, **options: Any) -> dict[str, Any]:
    written: dict[str, Any] = {"type": kind, "target": "/x"}
    if source is not None:
        written["source"] = source
    if options.pop("read_only", False):
        written["read_only"] = True
    return {**written, kind: options}


def bind(**options: Any) -> dict[str, Any]:
    return long("bind", "/a", **options)


CASES = [
    ("/a:/x:rshared,ro", volume("bind", "/a", "/x", True, propagation="rshared")),
    ("/a:/x:rprivate,cached", volume("bind", "/a", "/x")),
    (bind(create_host_path=False), volume("bind", "/a", "/x", create_host_path=False)),
    (bind(create_host_path=True, propagation="rprivate", recursive="enabled"), volume("bind", "/a", "/x")),
    (
        bind(propagation="slave", recursive="disabled"),
        volume("bind", "/a", "/x", propagation="slave", recursive="disabled"),
    ),
    (bind(read_only=True, recursive="readonly"), volume("bind", "/a", "/x", True, recursive="readonly")),
    (bind(read_only=True, recursive="writable"), volume("bind", "/a", "/x", True, recursive="writable")),
    (long("volume", "cache", subpath="./a/../b/"), volume("volume", "cache", "/x", subpath="b")),
    (
        long("volume", None, labels=["team=shop", "bare"]),
        volume("volume", None, "/x", labels={"bare": "", "team": "shop"}),
    ),
    (long("tmpfs", None, mode="1777", size="1m"), volume("tmpfs", None, "/x", mode=0o1777, size=1024**2)),
    (long("tmpfs", None, mode=0o755), volume("tmpfs", None, "/x", mode=0o755)),
    (
        long("image", "ghcr.io/team/www:1", subpath="www"),
        volume("image", "ghcr.io/team/www:1", "/x", True, subpath="www"),
    ),
]


@pytest.mark.parametrize(("written", "meant"), CASES)
def test_volumes_in_their_long_form_come_back_from_the_engine(written: Any, meant: Any) -> None:
    declared = normal("volumes", [written])
    assert declared == [meant]
    found = read_back(inspected_from(payload(spec({"volumes": declared}))))
    assert SETTINGS["volumes"].same(declared, found["volumes"])


def test_extensions_and_the_words_of_an_earlier_docker_desktop_mean_nothing() -> None:
    written = {**bind(**{"x-note": 1}), "consistency": "delegated", "x-more": {}}
    assert normal("volumes", [written]) == [volume("bind", "/a", "/x")]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (long("npipe", "x"), "a named pipe is Windows' own"),
        (long("cluster", "xx"), "cluster volumes are Swarm's"),
        (long("image", None), "source, the name of the image, is missing"),
        (long("image", "NO"), "NO"),
        ("/a:/x:shared,slave", "contradict"),
        ("cache:/x:rshared", "rshared is for directories of the host"),
        (bind(recursive="readonly"), "set read_only as well"),
        (bind(selinux="z", create_host_path=False), "can't relabel (selinux) a directory with create_host_path false"),
        (bind(selinux="z", recursive="disabled"), "can't relabel (selinux) a directory with recursive"),
        (bind(read_only=True, recursive="readonly", propagation="shared"), "leave propagation out"),
        (bind(recursive="all"), "expected one of enabled, disabled, writable, readonly"),
        (bind(propagation="al"), "expected one of private, rprivate"),
        ({**bind(), "consistency": "no"}, "expected one of default, consistent"),
        (long("tmpfs", None, mode=1777), 'if "01777" is meant, write it in quotes'),
        (long("tmpfs", None, mode="rwx"), "expected a mode"),
        (long("tmpfs", None, mode=0), "expected a mode"),
        (long("volume", "xx", subpath="/a"), "expected a path inside of it"),
        (long("volume", "xx", subpath="a/../.."), "expected a path inside of it"),
        (long("volume", None, subpath="a"), "it has no subpath"),
        (long("volume", "xx", labels={"a": "b"}), "put them under volumes.xx of the domain"),
    ],
)
def test_what_can_not_be_had_is_said(written: Any, words: str) -> None:
    found = faults("volumes", [written])
    assert any(words in message for _, message in found)


@pytest.mark.parametrize(
    ("written", "api"),
    [
        (long("volume", "cache", subpath="a"), "1.45"),
        (long("image", "x:1"), "1.48"),
        (bind(read_only=True, recursive="writable", create_host_path=False), "1.44"),
        (bind(recursive="disabled"), "1.42"),
    ],
)
def test_an_engine_that_does_not_know_it_is_named_with_its_version(written: Any, api: str) -> None:
    declared = {"volumes": normal("volumes", [written])}
    (said,) = unsupported(declared, engine="docker 20.10.24", api_version="1.41", system="linux")
    assert "in volumes" in said
    assert f"takes an engine of API {api}; docker 20.10.24 speaks 1.41" in said
    assert unsupported(declared, engine="docker 28.5.2", api_version="1.51", system="linux") == ()


def test_whether_a_directory_would_have_been_made_is_no_difference() -> None:
    declared = normal("volumes", [bind(create_host_path=False)])
    assert SETTINGS["volumes"].same(declared, normal("volumes", ["/a:/x"]))
    assert not SETTINGS["volumes"].same(declared, normal("volumes", ["/a:/x:ro"]))


def test_what_is_mounted_beyond_what_was_declared_is_known_by_its_place() -> None:
    assert beyond(normal("volumes", ["/a:/x"]), normal("volumes", ["/a:/x", "/b:/y"])) == ["/y"]


def test_the_images_that_are_mounted_must_be_there() -> None:
    declared = normal("volumes", [long("image", "b:1"), {**long("image", "b:1"), "target": "/y"}, "cache:/z"])
    assert images_mounted({"volumes": declared}) == ("b:1",)
    assert images_mounted({}) == ()
