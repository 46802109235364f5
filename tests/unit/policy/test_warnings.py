"""What looks wrong with a policy that can be used."""

from __future__ import annotations

import pytest

from reconciler.policy import reading
from reconciler.policy.warnings import warnings

RANGE = '[domain."a.json".ports]\nallowed = ["8000-8099"]\n'


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ('[ports]\nallowed = ["8000-8099"]\n', [3]),
        ('[ports]\naddresses = ["127.0.0.1"]\n', [3]),
        ("[quotas]\nports = 3\n", [3]),
        ('[ports]\nallowed = ["8000-8099"]\n[namespaces]\nhost = []\n', []),
        ('[ports]\nallowed = ["8000-8099"]\n[namespaces]\nhost = ["uts"]\n', []),
        (RANGE, [3]),
        (f"{RANGE}[namespaces]\nhost = []\n", []),
        (f'{RANGE}[domain."a.json".namespaces]\nhost = []\n', []),
        (f'{RANGE}[domain."a.json".namespaces]\nhost = ["...", "pid"]\n', [3]),
    ],
)
def test_ports_that_hold_for_nobody_who_has_the_hosts_network_are_told(text: str, lines: list[int]) -> None:
    policy = reading.read(f'profile = "standard"\n{text}', "policy.toml")
    told = [one for one in warnings(policy, ["a.json"]) if one.code == "InVain"]
    assert [one.place.line for one in told] == lines
    assert all("can not hold for a container that has the host's" in one.message for one in told)


def test_a_driver_whose_name_seems_to_be_mistyped_is_told() -> None:
    text = 'profile = "standard"\n[logging]\ndrivers = ["...", "jsonfile", "loki"]\n'
    text += '[domain."a.json".networks]\ndrivers = ["brigde", "weave*"]\n'
    told = [one for one in warnings(reading.read(text, "policy.toml"), ["a.json"]) if one.code == "UnknownName"]
    assert [(one.place.line, one.message.rpartition("; ")[2]) for one in told] == [
        (3, "did you mean 'json-file'?"),
        (5, "did you mean 'bridge'?"),
    ]


@pytest.mark.parametrize("profile", ["open", "standard", "strict"])
def test_nothing_is_said_of_a_profile(profile: str) -> None:
    assert warnings(reading.read(f'profile = "{profile}"\n', "policy.toml"), []) == ()
