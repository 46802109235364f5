"""Ways around the rules for images and builds."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from reconciler.intent.image_names import parse
from reconciler.policy.checks.images import matches
from reconciler.policy.refusal import KNOWN_FIELDS
from reconciler.policy.request import Request, of_url
from tests.unit.policy.judging import STANDARD, STRICT, Engine, changed, container, create, rules

DIGEST = "sha256:" + "a" * 64


# --- images -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "image", "is_of_it"),
    [
        ("redis", "redis", True),
        ("redis", "docker.io/library/redis:7", True),
        ("redis", "index.docker.io/library/redis", True),
        ("redis", "evil/redis", False),
        ("redis", "evil.com/library/redis", False),
        ("redis", "redis2", False),
        ("library/*", "redis", True),
        ("docker.io/library/*", "redis", True),
        ("team/*", "team/app", True),
        ("team/*", "ghcr.io/team/app", False),
        ("ghcr.io/team/*", "ghcr.io/team/sub/app:1", True),
        ("ghcr.io/team/*", "ghcr.io/team2/app", False),
        ("ghcr.io/team/*", "ghcr.io.evil.com/team/app", False),
        ("ghcr.io/*", "ghcr.io:444/app", False),
        ("registry:5000/*", "registry:5000/app", True),
        ("registry:5000/*", "registry/app", False),
        ("localhost/*", "localhost/app", True),
        ("redis:7*", "redis:7.2", True),
        ("redis:7*", "redis", False),
        ("redis:7*", f"redis@{DIGEST}", False),
        ("redis:7*", f"redis:7@{DIGEST}", True),
        ("redis:latest", "redis", True),
        ("*/team/app", "ghcr.io/team/app", True),
    ],
)
def test_patterns_of_images(pattern: str, image: str, is_of_it: bool) -> None:
    assert matches(pattern, parse(image)) is is_of_it


TEAM = changed(STANDARD, images__allowed=["ghcr.io/team/*"])


@pytest.mark.parametrize(
    "image",
    [
        "redis",
        "team/app",
        "ghcr.io/other/app",
        f"ghcr.io/other/app@{DIGEST}",
        f"redis:ghcr.io@{DIGEST}",
        DIGEST,
        "a" * 64,
        "deadbeef",
        "abc",
        "GHCR.IO/team/app",
        "",
        " ghcr.io/team/app",
    ],
)
def test_other_images_are_refused_where_the_policy_lists_them(image: str) -> None:
    assert "images.allowed" in rules(create(Image=image), TEAM)


def test_an_id_is_no_way_around_a_list_of_images() -> None:
    library = changed(STANDARD, images__allowed=["docker.io/library/*"])
    assert rules(create(Image="redis"), library) == set()
    for name in (DIGEST, "deadbeef", "c0ffee:latest"):
        assert rules(create(Image=name), library) == {"images.allowed"}


def test_images_may_have_to_be_named_with_their_digest() -> None:
    policy = changed(STANDARD, images__digest=True)
    assert rules(create(Image="redis:7"), policy) == {"images.digest"}
    assert rules(create(Image=f"redis:7@{DIGEST}"), policy) == set()
    assert rules(create({"Mounts": [{"Type": "image", "Source": "redis", "Target": "/x"}]}, Image=DIGEST), policy) == {
        "images.digest"
    }


def pulled(**query: str) -> Request:
    """The request that pulls an image."""
    return of_url("POST", f"http+docker://localhost/v1.41/images/create?{urlencode(query)}", None)


def test_pulls_follow_the_same_lists() -> None:
    assert rules(pulled(fromImage="ghcr.io/team/app", tag="1"), TEAM) == set()
    assert rules(pulled(fromImage="ghcr.io/team/app", tag=DIGEST), TEAM) == set()
    assert rules(pulled(fromImage="redis", tag="7"), TEAM) == {"images.allowed"}
    assert rules(pulled(fromImage="redis", tag="7"), STRICT) == {"images.digest"}
    assert rules(pulled(fromImage="redis", tag=DIGEST), STRICT) == set()
    assert rules(pulled(fromSrc="http://192.0.2.1/x.tar", repo="redis")) >= {KNOWN_FIELDS}
    assert rules(pulled(fromImage="redis", tag="7", changes="USER root")) == {KNOWN_FIELDS}


# --- builds -----------------------------------------------------------------------------------------------------------


def built(**query: Any) -> Request:
    """The request that builds an image."""
    labels = json.dumps({"io.pnr.built-by": "shop"})
    asked = urlencode({"t": "shop-web:latest", "dockerfile": "Dockerfile", "labels": labels, **query}, doseq=True)
    return of_url("POST", f"http+docker://localhost/v1.41/build?{asked}", iter(()))


def test_builds_are_refused_where_the_policy_allows_none() -> None:
    assert rules(built(), STRICT) == {"builds.allowed"}
    assert rules(built()) == set()


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        pytest.param({"networkmode": "host"}, "builds.networks", id="the host's network"),
        pytest.param({"networkmode": "container:x"}, "builds.networks", id="a container's network"),
        pytest.param({"networkmode": "shop_net"}, "builds.networks", id="another network"),
        pytest.param({"remote": "https://192.0.2.1/x.git"}, KNOWN_FIELDS, id="a context from elsewhere"),
        pytest.param({"securityopt": "seccomp=unconfined"}, KNOWN_FIELDS, id="an option of security"),
        pytest.param({"cgroupparent": "/x"}, KNOWN_FIELDS, id="another cgroup"),
        pytest.param({"outputs": "[]"}, KNOWN_FIELDS, id="somewhere to put files"),
        pytest.param({"version": "2"}, KNOWN_FIELDS, id="another builder"),
    ],
)
def test_builds_with_more_than_a_directory_are_refused(query: dict[str, str], rule: str) -> None:
    assert rule in rules(built(**query))


def test_a_build_takes_nobodys_name() -> None:
    policy = changed(STANDARD, builds__names=["shop-*"])
    assert rules(built(t=["shop-web"]), policy) == set()
    assert rules(built(t=["shop-web", "portainer/portainer"]), policy) == {"builds.names"}
    assert rules(built(t=[DIGEST])) == {"builds.names"}


def test_a_build_in_the_network_of_a_container_that_has_the_hosts() -> None:
    policy = changed(STANDARD, builds__networks=["*"], namespaces__containers="any")
    through = Engine({"x": container(NetworkMode="host")})
    assert rules(built(networkmode="container:x"), policy, engine=through) == {"builds.networks"}
