"""Policy files: what they say, and how mistakes in them are told."""

from __future__ import annotations

import time

import pytest

from reconciler.policy import Profile
from reconciler.policy.reading import PolicyInvalid, profile_named, read
from reconciler.policy.table import RULES, SECTIONS, policy_of

FILE = "/etc/pnr/policy.toml"


def wrong(text: str) -> list[str]:
    """What is said of a file that can't be used."""
    with pytest.raises(PolicyInvalid) as caught:
        read(text, FILE)
    return str(caught.value).splitlines()


def test_a_file_starts_from_a_profile_and_changes_single_rules() -> None:
    policy = read('# ours\nprofile = "standard"\n\n[limits]\nmemory = "2g"\n\n[ports]\nallowed = ["8000-8999"]\n', FILE)
    assert policy.ceiling("limits.memory") == 2 << 30
    assert policy.values["ports.allowed"] == ((8000, 8999),)
    assert policy.values["security.capabilities"] == policy_of(Profile.STANDARD).values["security.capabilities"]
    assert policy.origin("limits.memory") == f"{FILE}:5"
    assert policy.origin("ports.allowed") == f"{FILE}:8"
    assert policy.origin("binds.links") == "profile standard"


def test_a_list_may_add_to_that_of_the_profile() -> None:
    policy = read('profile = "standard"\nsecurity.capabilities = ["...", "sys_ptrace"]\n', FILE)
    usual = RULES["security.capabilities"].of(Profile.STANDARD)
    assert policy.values["security.capabilities"] == (*usual, "SYS_PTRACE")
    assert read('profile = "strict"\nsecurity.capabilities = ["SYS_PTRACE"]\n', FILE).words(
        "security.capabilities"
    ) == ("SYS_PTRACE",)


def test_the_line_of_a_rule_is_found_in_every_way_to_write_one() -> None:
    text = (
        'profile = "standard"\n'
        'images.allowed = [\n  "redis",\n  "ghcr.io/team/*",\n]\n'
        "[limits]\n# at most\ncpus = 2\n"
        "ulimits = {nofile = 1024}\n"
        '[logging]\ndrivers = ["""json-file""", """a\nx"""]\n'
    )
    with pytest.raises(PolicyInvalid) as caught:
        read(text, FILE)
    assert str(caught.value).startswith(f"{FILE}:11: logging.drivers: expected a text")
    policy = read(text.partition("[logging]")[0], FILE)
    assert policy.lines == {"images.allowed": 2, "limits.cpus": 8, "limits.ulimits": 9}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", [f"{FILE}:1: profile is missing: say where to start from"]),
        ('profile = "standart"', [f"{FILE}:1: there is no profile 'standart'", "did you mean 'standard'?"]),
        ("profile = 1", [f"{FILE}:1: there is no profile 1"]),
        ('profile = "open"\nprofil = "x"', [f"{FILE}:2: unknown key 'profil'; did you mean 'profile'?"]),
        ('profile = "open"\n[bind]\nx = 1', [f"{FILE}:2: unknown key 'bind'; did you mean 'binds'?"]),
        ('profile = "open"\n[binds]\n\nalowed = []', [f"{FILE}:4: unknown key 'alowed' in [binds]", "'allowed'?"]),
        ('profile = "open"\nprivileged = true', [f"{FILE}:2: unknown key 'privileged'; privileged belongs into [sec"]),
        ('profile = "open"\n[limits]\nprivileged = true', [f"{FILE}:3:", "privileged belongs into [security]"]),
        ('profile = "open"\nbinds = 1', [f"{FILE}:2: binds is a table of rules: write [binds]"]),
        ('profile = "open"\n[security]\nprivileged = "no"', [f"{FILE}:3: security.privileged: expected true or false"]),
        ('profile = "open"\n[security]\nprivileged = 0', ["expected true or false, found 0"]),
        ('profile = "open"\n[binds]\nallowed = "/srv"', ["binds.allowed: expected a list of paths"]),
        ('profile = "open"\n[binds]\nallowed = ["srv"]', ["expected an absolute path"]),
        ('profile = "open"\n[binds]\nallowed = ["/srv/../etc"]', ["expected an absolute path without .."]),
        ('profile = "open"\n[limits]\nmemory = "2x"', ["expected a size such as"]),
        ('profile = "open"\n[limits]\nmemory = 0', ["expected a size"]),
        ('profile = "open"\n[limits]\nmemory = -1', ["expected a size"]),
        ('profile = "open"\n[limits]\ncpus = true', ["expected a number above 0"]),
        ('profile = "open"\n[limits]\ncpus = nan', ["expected a number above 0"]),
        ('profile = "open"\n[limits]\ncpus = inf', ["expected a number above 0"]),
        ('profile = "open"\n[limits]\nrequired = ["memori"]', ["expected memory or cpus or pids"]),
        ('profile = "open"\n[ports]\nallowed = ["9000-8000"]', ["expected a port such as 8080"]),
        ('profile = "open"\n[ports]\nallowed = [70000]', ["expected a port such as 8080"]),
        ('profile = "open"\n[ports]\naddresses = ["localhost"]', ["expected an address, a subnet"]),
        ('profile = "open"\n[domains]\nadopt = "yes"', ["expected no or matching or replace"]),
        ('profile = "open"\n[security]\ncapabilities = ["NET-ADMIN"]', ["expected the name of a capability"]),
        ('profile = "open"\n[security\n', [f"{FILE}:2:", "it is not TOML"]),
        ('profile = "open"\nprofile = "open"', [f"{FILE}:2:", "it is not TOML"]),
        ('profile = "open"\nx = """', ["it is not TOML"]),
    ],
)
def test_mistakes_are_told_with_the_line(text: str, said: list[str]) -> None:
    told = wrong(text)[0]
    for part in said:
        assert part in told


def test_all_mistakes_come_at_once_in_the_order_of_the_file() -> None:
    told = wrong('profile = "open"\n[limits]\ncpus = "x"\nmemry = 1\n[nets]\n')
    assert [line.split(": ")[0] for line in told] == [f"{FILE}:3", f"{FILE}:4", f"{FILE}:5"]


def test_a_file_that_nests_without_end_is_an_error_and_no_crash() -> None:
    assert "policy.toml" in wrong('profile = "open"\nx = ' + "[" * 20_000)[0]


@pytest.mark.parametrize("number", ["9" * 20_000, "0x" + "f" * 5000, "[0b" + "1" * 64 + "]"])
def test_a_number_without_end_is_an_error_and_no_crash(number: str) -> None:
    assert "policy.toml:1: a number in it has too many digits" in wrong(f'profile = "open"\nx = {number}')[0]


def test_the_lines_of_a_long_list_are_not_read_again_and_again() -> None:
    text = 'profile = "open"\nimages.allowed = [\n' + '"ghcr.io/team/x",\n' * 5000 + "]\n[limits]\ncpus = 2\n"
    begun = time.process_time()
    assert read(text, FILE).lines == {"images.allowed": 2, "limits.cpus": 5005}
    assert time.process_time() - begun < 10


def test_every_profile_is_complete_and_each_is_as_strict_as_the_one_before_it() -> None:
    for profile in Profile:
        assert policy_of(profile).values.keys() == RULES.keys()
    assert {name.partition(".")[0] for name in RULES} == set(SECTIONS)
    flags = [name for name, rule in RULES.items() if isinstance(rule.open, bool)]
    must = {"security.drop_all_capabilities", "security.no_new_privileges", "images.digest"}
    for name in flags:
        values = [policy_of(profile).flag(name) for profile in Profile]
        assert values == sorted(values, reverse=name not in must), name


def test_profiles_are_known_by_their_names_alone() -> None:
    assert profile_named("strict") == policy_of(Profile.STRICT)
    assert profile_named("Strict") is None
    assert profile_named("") is None


def test_only_the_profile_open_without_a_change_is_open() -> None:
    assert policy_of(Profile.OPEN).is_open
    assert read('profile = "open"', FILE).is_open
    assert not read('profile = "open"\nsecurity.privileged = false', FILE).is_open
    assert not policy_of(Profile.STANDARD).is_open


def test_names_without_an_end_are_told_shortened() -> None:
    long = "a" * 10_000
    text = f'profile = "{long}"\n{long} = 1\n[security]\n{long} = 1\n'
    with pytest.raises(PolicyInvalid) as caught:
        read(text, "policy.toml")
    assert len(str(caught.value)) < 2000
