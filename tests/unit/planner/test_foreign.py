"""A container of somebody else against what a chunk declares: all that was asked of it counts, what its image and the
engine bring along does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.intent.contents import Source, SourceKind
from reconciler.intent.model import MountedFile
from reconciler.planner.adopting import mismatches
from reconciler.planner.observed import Condition, Container, HostPort
from tests.unit.planner.build import chunk

PORT = {"target": "80/tcp", "host_ip": "*", "published": 8080}


def volume(source: str | None, target: str = "/a") -> dict[str, Any]:
    return {"type": "volume", "source": source, "target": target, "read_only": False}


def foreign(found: dict[str, Any], brought: dict[str, Any] | None = None, **more: Any) -> Container:
    image = chunk("web").container.image
    return Container("1" * 12, "web", image, "", Condition.RUNNING, settings=found, brought=brought or {}, **more)


def told(
    declared: dict[str, Any], found: dict[str, Any], brought: dict[str, Any] | None = None, **more: Any
) -> tuple[str, ...]:
    made = chunk("web")
    return mismatches(
        replace(made, container=replace(made.container, settings=declared)), foreign(found, brought, **more)
    )


@pytest.mark.parametrize(
    ("declared", "found", "brought"),
    [
        ({"command": ["a"]}, {"command": ["a"]}, {"command": ["a"]}),  # declared as the image has it
        ({}, {"command": ["a"]}, {"command": ["a"]}),
        ({"environment": {"PATH": "/bin"}}, {"environment": {"PATH": "/bin"}}, {"environment": {"PATH": "/bin"}}),
        ({"environment": {"A": "1"}}, {"environment": {"A": "1", "PATH": "/bin"}}, {"environment": {"PATH": "/bin"}}),
        ({}, {"hostname": "host"}, {"hostname": "host"}),
        ({}, {"labels": {"theirs": "1"}, "expose": ["1/tcp"]}, {}),
        ({"ports": [PORT]}, {"ports": [PORT]}, {}),
        ({"volumes": [volume(None)]}, {"volumes": [volume("a" * 64)]}, {}),  # anonymous, handed on by Compose
        ({"volumes_from": ["container:db:ro"]}, {"volumes_from": [f"{'b' * 64}:ro"]}, {}),
        ({"ports": [PORT]}, {"ports": [{**PORT, "until": 8090}]}, {}),  # one of a range is as good
    ],
)
def test_what_means_the_same_is_no_difference(
    declared: dict[str, Any], found: dict[str, Any], brought: dict[str, Any]
) -> None:
    assert told(declared, found, brought) == ()


@pytest.mark.parametrize(
    ("declared", "found", "sentence"),
    [
        ({"command": ["a"]}, {"command": ["b"]}, 'command: ["a"] declared, ["b"] found'),
        ({}, {"environment": {"PASSWORD": "x"}}, "environment: PASSWORD found, not declared"),
        ({"environment": {"A": "1"}}, {"environment": {"A": "1", "B": "2"}}, "environment: B found, not declared"),
        ({"volumes": [volume("a")]}, {"volumes": [volume("b" * 64)]}, f"volumes: a:/a declared, {'b' * 59}… found"),
        ({}, {"read_only": True}, "read_only: nothing declared, true found"),
        (
            {"volumes": [{"type": "volume", "source": "a", "target": "/a", "read_only": False}]},
            {
                "volumes": [
                    {"type": "volume", "source": "a", "target": "/a", "read_only": False},
                    {"type": "bind", "source": "/", "target": "/host", "read_only": False},
                ]
            },
            "volumes: /host found, not declared",
        ),
        (
            {"ports": [PORT]},
            {"ports": [{**PORT, "published": 8081, "until": 8090}]},
            "ports: *:8080->80/tcp declared, *:8081-8090->80/tcp found",
        ),
        (
            {"ports": [PORT]},
            {"ports": [{**PORT, "host_ip": "127.0.0.1"}]},
            "ports: *:8080->80/tcp declared, 127.0.0.1:8080->80/tcp found",
        ),
    ],
)
def test_what_was_asked_otherwise_is_named(declared: dict[str, Any], found: dict[str, Any], sentence: str) -> None:
    assert told(declared, found) == (sentence,)


def test_of_a_range_the_port_that_was_taken_counts() -> None:
    found = {"ports": [{**PORT, "until": 8090}]}
    assert told({"ports": [PORT]}, found, published={"80/tcp": (HostPort("0.0.0.0", 8080),)}) == ()
    (sentence,) = told({"ports": [PORT]}, found, published={"80/tcp": (HostPort("0.0.0.0", 8083),)})
    assert sentence == "ports: 8080 declared for 80/tcp, 8083 taken"


def bind(**more: Any) -> dict[str, Any]:
    return {"type": "bind", "source": "/s.txt", "target": "/run/secrets/s", "read_only": True, **more}


@pytest.mark.parametrize(
    ("kind", "mount", "matches"),
    [
        (SourceKind.FILE, bind(), True),
        (SourceKind.FILE, bind(source="/other"), False),
        (SourceKind.FILE, bind(read_only=False), False),
        (SourceKind.FILE, bind(type="volume"), False),
        (SourceKind.CREDENTIAL, bind(), False),
    ],
)
def test_a_secret_from_a_file_is_there_where_that_file_is_mounted(
    kind: SourceKind, mount: dict[str, Any], matches: bool
) -> None:
    made = chunk("web")
    file = MountedFile("/run/secrets/s", Source(kind, "/s.txt"), "f", secret=True)
    made = replace(made, container=replace(made.container, files=(file,), settings={}))
    found = mismatches(made, foreign({"volumes": [mount]}))
    assert (found == ()) is matches
    assert matches or found[0].startswith("secrets: /run/secrets/s declared")


def test_what_no_setting_can_say_keeps_a_container_from_being_taken_over() -> None:
    assert told({}, {}, unsaid=("it was made with --rm",)) == ("it was made with --rm",)


def test_what_an_engine_chooses_counts_where_it_tells_its_own_choice() -> None:
    assert told({}, {"runtime": "runsc"}) == ()
    assert told({}, {"runtime": "runsc"}, {"runtime": "runc"}) == ("runtime: nothing declared, runsc found",)
    assert told({"runtime": "runsc"}, {"runtime": "runsc"}, {"runtime": "runc"}) == ()
