"""Programs that open secrets and find logins get what is theirs of pnr's environment."""

from __future__ import annotations

import pytest

from reconciler.helper_environment import environment

OURS = {
    "PATH": "/bin",
    "HOME": "/root",
    "LC_ALL": "C",
    "https_proxy": "http://p",
    "SOPS_AGE_KEY_FILE": "/k",
    "AWS_PROFILE": "p",
    "VAULT_TOKEN": "t",
    "DOCKER_CONFIG": "/d",
    "SHOP_DB_PASSWORD": "s3cret",
    "PNR_AGE_IDENTITY": "/i",
    "CREDENTIALS_DIRECTORY": "/c",
    "LD_PRELOAD": "/evil.so",
    "MY_AWS_PROFILE": "x",
    "XPATH": "x",
    "NOTIFY_SOCKET": "/run/systemd/notify",
}
EVERYONES = {"PATH", "HOME", "LC_ALL", "https_proxy"}


@pytest.mark.parametrize(
    ("tool", "own"),
    [
        ("age", set()),
        ("sops", {"SOPS_AGE_KEY_FILE", "AWS_PROFILE", "VAULT_TOKEN"}),
        ("docker-credential", {"DOCKER_CONFIG", "AWS_PROFILE"}),
        ("another", set()),
    ],
)
def test_a_tool_gets_what_is_its_own_and_nothing_of_a_domain(tool: str, own: set[str]) -> None:
    assert set(environment(tool, OURS)) == EVERYONES | own
