"""What engines and registries say about images: how far a pull is, and what a refusal means."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine.docker.images import refusals
from reconciler.engine.docker.images.progress import Layers
from reconciler.engine.docker.images.seeing import fits, seen


def line(id: str, status: str, current: int = 0, total: int = 0) -> dict[str, Any]:
    return {"id": id, "status": status, "progressDetail": {"current": current, "total": total} if total else {}}


def test_percent_counts_all_layers_by_their_size_and_never_goes_back() -> None:
    layers = Layers()
    shown = []
    for one in (
        {"status": "Pulling from team/api", "id": "1"},
        line("a", "Pulling fs layer"),
        line("b", "Pulling fs layer"),
        line("c", "Already exists"),
        line("a", "Downloading", 500, 1000),
        line("b", "Waiting"),
        line("b", "Downloading", 0, 3000),
        line("a", "Download complete"),
        line("b", "Downloading", 3000, 3000),
        line("b", "Verifying Checksum"),
        line("a", "Extracting", 500, 1000),
        line("a", "Pull complete"),
        line("b", "Extracting", 3000, 3000),
        line("b", "Pull complete"),
    ):
        layers.add(one)
        shown.append(layers.percent)
    assert shown == sorted(shown)
    assert shown[0] == 0
    assert 0 < shown[4] < 50
    assert shown[-1] == 100
    assert layers.bytes == 4000
    assert layers.text() == "100 %, 4.0 kB, 2 of 2 layers"
    assert not layers.is_over
    layers.add({"status": "Digest: sha256:abc"})
    layers.add({"status": "Status: Downloaded newer image for team/api:1"})
    assert (layers.digest, layers.is_over) == ("sha256:abc", True)


def test_nothing_is_shown_before_anything_is_known() -> None:
    layers = Layers()
    layers.add({"status": "Pulling from team/api", "id": "1"})
    assert layers.text() == ""


def test_checks_and_unpacking_may_be_silent_for_long_but_not_the_registry() -> None:
    layers = Layers()
    layers.add(line("a", "Downloading", 10, 100))
    assert not layers.is_local_work
    layers.add(line("a", "Verifying Checksum"))
    assert layers.is_local_work
    layers.add(line("a", "Pull complete"))
    assert not layers.is_local_work


@pytest.mark.parametrize(
    "said",
    [
        "manifest for a/b:2 not found: manifest unknown: manifest unknown",
        'Head "http://r/v2/a/manifests/1": no basic auth credentials',
        "unauthorized: authentication required",
        "pull access denied for a, repository does not exist or may require 'docker login': denied: requested access to"
        " the resource is denied",
        'error parsing HTTP 403 response body: invalid character: "no"',
        "no matching manifest for linux/arm64/v8 in the manifest list entries",
        '"x/y/z/w": cannot parse platform specifier: invalid argument',
        "invalid reference format: repository name must be lowercase",
        'Get "https://r/v2/": x509: certificate signed by unknown authority',
        'Get "https://r/v2/": http: server gave HTTP response to HTTPS client',
        "write /var/lib/docker/tmp/x: no space left on device",
        "unknown blob",
    ],
)
def test_what_another_try_can_not_help_is_permanent_and_comes_with_advice(said: str) -> None:
    refusal = refusals.of_pull(said)
    assert refusal.permanent
    assert refusal.wants_login or refusal.advice


@pytest.mark.parametrize(
    "said",
    [
        "toomanyrequests: slow down",
        "toomanyrequests: You have reached your unauthenticated pull rate limit.",
        "received unexpected HTTP status: 503 Service Unavailable",
        "error pulling image configuration: download failed after attempts=6: received unexpected HTTP status: 502 Bad"
        " Gateway",
        'Get "http://r/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
        'Get "https://r/v2/": dial tcp: lookup r on 10.0.0.1:53: no such host',
        'Get "https://r/v2/": net/http: TLS handshake timeout',
        'Get "https://r/v2/": net/http: request canceled (Client.Timeout exceeded while awaiting headers)',
        "read tcp 10.0.0.2:1->10.0.0.3:443: read: connection reset by peer",
        "unexpected EOF",
        "something that nobody has ever seen",
    ],
)
def test_what_may_pass_is_worth_another_try(said: str) -> None:
    assert not refusals.of_pull(said).permanent


@pytest.mark.parametrize(
    ("said", "permanent"),
    [
        ("The command '/bin/sh -c curl x: connection refused' returned a non-zero code: 7", True),
        ("dockerfile parse error line 3: unknown instruction: RUM", True),
        ("manifest for a:9 not found: manifest unknown: manifest unknown", True),
        ("toomanyrequests: slow down", False),
        ("received unexpected HTTP status: 503 Service Unavailable", False),
    ],
)
def test_a_build_is_tried_again_only_where_a_registry_was_busy(said: str, permanent: bool) -> None:
    assert refusals.of_build(said).permanent is permanent


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("toomanyrequests: retry-after: 1.5s, allowed: 44000/minute", 1.5),
        ("toomanyrequests: retry-after: 250ms, allowed: 44000/minute", 0.25),
        ("429: Retry-After: 7", 7.0),
        ("retry-after: 5m", 30.0),
        ("toomanyrequests: slow down", None),
    ],
)
def test_the_wait_that_a_registry_asks_for_is_kept_within_bounds(said: str, seconds: float | None) -> None:
    assert refusals.wait_wanted(said) == seconds


@pytest.mark.parametrize(
    ("found", "wanted", "fine"),
    [
        (("linux", "amd64", ""), None, True),
        (("linux", "amd64", ""), "linux/amd64", True),
        (("linux", "amd64", ""), "linux", True),
        (("linux", "amd64", ""), "amd64", True),
        (("linux", "amd64", ""), "linux/x86_64", True),
        (("linux", "amd64", ""), "linux/arm64", False),
        (("windows", "amd64", ""), "linux/amd64", False),
        (("linux", "arm64", "v8"), "linux/arm64", True),
        (("linux", "arm64", ""), "linux/arm64/v8", True),
        (("linux", "arm64", "v8"), "linux/aarch64/v8", True),
        (("linux", "arm", "v6"), "linux/arm/v7", False),
        (("linux", "arm", "v7"), "linux/arm/v7", True),
    ],
)
def test_an_image_fits_the_platform_as_far_as_that_is_said(
    found: tuple[str, str, str], wanted: str | None, fine: bool
) -> None:
    body = {"Id": "sha256:1", "Os": found[0], "Architecture": found[1], "Variant": found[2], "RepoTags": None}
    assert fits(seen(body), wanted) is fine
