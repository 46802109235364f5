"""Who asks a registry: Docker's own configuration, its helpers, a domain's secrets; and what a refusal says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.engine.docker import DockerEngine
from reconciler.engine.protocol import ImagePullFailed, RegistryFailed
from tests.integration.images.conftest import Bench, log_in
from tests.integration.images.servers import PASSWORD, USER, Front

pytestmark = pytest.mark.docker


@pytest.fixture(autouse=True)
def pushed(bench: Bench) -> str:
    """The digest of an image that wants a login."""
    return bench.push("private")


async def refused(bench: Bench) -> ImagePullFailed:
    with pytest.raises(ImagePullFailed) as caught:
        await bench.ensure(bench.name())
    assert caught.value.permanent
    return caught.value


def helper(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential helper in the PATH."""
    program = folder / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


async def test_without_a_login_it_is_said_who_is_to_log_in_where(bench: Bench) -> None:
    error = str(await refused(bench))
    assert "no basic auth credentials" in error
    assert f"docker login {bench.registry.address}" in error
    assert "`registries`" in error


async def test_dockers_own_login_is_used_and_a_new_one_counts_at_once(bench: Bench, docker_config: Path) -> None:
    await refused(bench)
    log_in(docker_config, bench.registry.address)
    await bench.ensure(bench.name())
    assert bench.text_of(bench.name()) == "private"


async def test_a_login_that_is_kept_under_a_url_is_found(bench: Bench, docker_config: Path) -> None:
    log_in(docker_config, f"http://{bench.registry.address}/v2/")
    await bench.ensure(bench.name())


async def test_a_wrong_password_names_the_registry_the_user_and_the_file(bench: Bench, docker_config: Path) -> None:
    log_in(docker_config, bench.registry.address, password="wrong-horse")
    error = str(await refused(bench))
    assert f"{bench.registry.address} refuses the login of '{USER}' from {docker_config}/config.json" in error
    assert "unauthorized" in error
    assert "wrong-horse" not in error


async def test_a_domains_login_is_read_when_it_is_wanted_and_goes_before_dockers(
    bench: Bench, docker_config: Path
) -> None:
    log_in(docker_config, bench.registry.address, password="wrong-horse")
    logins = {bench.registry.address: bench.domain_login("wrong-too")}
    with pytest.raises(ImagePullFailed, match="from the domain's `registries`") as caught:
        await bench.ensure(bench.name(), logins=logins)
    assert "wrong-too" not in str(caught.value)
    bench.domain_login(PASSWORD)
    await bench.ensure(bench.name(), logins=logins)
    assert bench.text_of(bench.name()) == "private"


async def test_a_password_that_can_not_be_read_is_told(bench: Bench, tmp_path: Path) -> None:
    logins = {bench.registry.address: bench.domain_login()}
    (tmp_path / "registry-password").unlink()
    with pytest.raises(ImagePullFailed, match="password from the domain's secrets can't be read"):
        await bench.ensure(bench.name(), logins=logins)


@pytest.mark.parametrize("kind", ["credHelpers", "credsStore"])
async def test_a_credential_helper_is_asked(
    bench: Bench, docker_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    answer = json.dumps({"ServerURL": "x", "Username": USER, "Secret": PASSWORD})
    helper(
        tmp_path,
        "test",
        f"read server; [ \"$server\" = {bench.registry.address} ] || exit 3\necho '{answer}'",
        monkeypatch,
    )
    wanted = {bench.registry.address: "test"} if kind == "credHelpers" else "test"
    (docker_config / "config.json").write_text(json.dumps({kind: wanted, "auths": {bench.registry.address: {}}}))
    await bench.ensure(bench.name())
    assert bench.text_of(bench.name()) == "private"


async def test_a_helper_that_has_nothing_leaves_it_to_the_file(
    bench: Bench, docker_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(tmp_path, "test", "echo 'credentials not found in native keychain'; exit 1", monkeypatch)
    log_in(docker_config, bench.registry.address)
    config = json.loads((docker_config / "config.json").read_text())
    (docker_config / "config.json").write_text(json.dumps({**config, "credsStore": "test"}))
    await bench.ensure(bench.name())


@pytest.mark.parametrize(
    ("config", "script", "said"),
    [
        ('{"credsStore": "test"}', "echo secret-output; exit 7", "docker-credential-test ended with 7"),
        ('{"credsStore": "test"}', "echo secret-output", "answered something else than credentials"),
        ('{"credsStore": "nowhere"}', "", "docker-credential-nowhere, which .* names, is not installed"),
        ("{not json", "", "config.json can't be read: it is not JSON"),
        ("[]", "", "config.json holds no object"),
    ],
)
async def test_a_configuration_that_can_not_be_used_is_told_when_the_registry_refuses(
    bench: Bench,
    docker_config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: str,
    script: str,
    said: str,
) -> None:
    helper(tmp_path, "test", script, monkeypatch)
    (docker_config / "config.json").write_text(config)
    with pytest.raises(ImagePullFailed, match=said) as caught:
        await bench.ensure(bench.name())
    assert "secret-output" not in str(caught.value)


# --- asking for the newest digest ---------------------------------------------------------------------------------


async def test_the_newest_digest_is_the_registrys(
    engine: DockerEngine, bench: Bench, docker_config: Path, pushed: str
) -> None:
    logins = {bench.registry.address: bench.domain_login()}
    assert await engine.newest_digest(bench.name(), logins) == pushed
    log_in(docker_config, bench.registry.address)
    assert await engine.newest_digest(bench.name()) == pushed
    newer = bench.push("newer")
    assert newer != pushed
    assert await engine.newest_digest(bench.name()) == newer
    assert await engine.newest_digest(f"{bench.name()}@{pushed}") == newer
    assert await engine.newest_digest(f"{bench.name().removesuffix(':1')}@{pushed}") == pushed


async def test_what_was_pulled_has_the_registrys_digest(
    engine: DockerEngine, bench: Bench, docker_config: Path, pushed: str
) -> None:
    log_in(docker_config, bench.registry.address)
    await bench.ensure(bench.name())
    found = await engine.image(bench.name())
    assert found is not None
    assert found.digests == (f"{bench.name().removesuffix(':1')}@{pushed}",)
    assert found.names == (bench.name(),)
    assert found.labels["text"] == "private"
    assert found.platform.startswith("linux/")
    assert await engine.image(found.id) == found
    assert await engine.image(bench.name("9")) is None


async def test_a_digest_that_can_not_be_had_says_why_and_whether_it_passes(
    engine: DockerEngine, bench: Bench, front: Front, docker_config: Path
) -> None:
    with pytest.raises(RegistryFailed, match="docker login") as caught:
        await engine.newest_digest(bench.name())
    assert caught.value.permanent
    log_in(docker_config, bench.registry.address, front.address)
    with pytest.raises(RegistryFailed, match="manifest unknown") as caught:
        await engine.newest_digest(bench.name("9"))
    assert caught.value.permanent
    with pytest.raises(RegistryFailed, match="connection refused") as caught:
        await engine.newest_digest("127.0.0.1:1/a:1")
    assert not caught.value.permanent
    front.answers = [429] * 10
    with pytest.raises(RegistryFailed, match="toomanyrequests") as caught:
        await engine.newest_digest(bench.name(at=front))
    assert not caught.value.permanent
    front.answers = ["stall"] * 10
    with pytest.raises(RegistryFailed, match="no answer within 2 s") as caught:
        await engine.newest_digest(bench.name(at=front))
    assert not caught.value.permanent
