"""What a policy says of some domain files: which files a pattern means, and which of several holds."""

from __future__ import annotations

import itertools

import pytest

from reconciler.policy import Policy, Profile, patterns, suggesting
from reconciler.policy.reading import PolicyInvalid, read
from reconciler.policy.table import policy_of
from reconciler.policy.values import BadValue

FILE = "/etc/pnr/policy.toml"


def policy(text: str, profile: str = "standard") -> Policy:
    return read(f'profile = "{profile}"\n{text}', FILE)


def wrong(text: str) -> str:
    """What is said of a file that can't be used."""
    with pytest.raises(PolicyInvalid) as caught:
        policy(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "means", "not_means"),
    [
        ("shop.json", ["shop.json"], ["shop2.json", "xshop.json", "a/shop.json", "SHOP.json", "shop.json.json"]),
        ("shop-*", ["shop-.json", "shop-a.json", "shop-a.b.json"], ["shop.json", "shop-a/b.json"]),
        ("shop-*.json", ["shop-a.json"], ["shop.json"]),
        ("*", ["a.json", "*.json", "a\nb.json"], ["a/b.json"]),
        ("infra/*", ["infra/a.json"], ["infra.json", "infra/a/b.json", "x/infra/a.json"]),
        ("*/db.json", ["a/db.json"], ["db.json", "a/b/db.json"]),
        ("?b.json", ["ab.json"], ["b.json", "aab.json", "/b.json"]),
        ("a.b.json", ["a.b.json"], ["aXb.json"]),
        ("a+.json", ["a+.json"], ["aa.json"]),
        ("json.json", ["json.json"], [".json"]),
    ],
)
def test_a_pattern_means_files_by_their_whole_path(pattern: str, means: list[str], not_means: list[str]) -> None:
    normal = patterns.parse(pattern)
    assert [path for path in means if not patterns.means(normal, path)] == []
    assert [path for path in not_means if patterns.means(normal, path)] == []


NO_PATTERNS = [
    *("", "shop", "shop.toml", "/shop.json", "**", "**/a.json", "a/**", "../a.json", "a/../b.json", "./a.json"),
    *("a//b.json", "a\\b.json", "[ab].json", "{a,b}.json", ".json", ".a.json", "a/.b.json", "a\n.json"),
    *("x" * 2000 + ".json", "infra/"),
]


@pytest.mark.parametrize("pattern", NO_PATTERNS)
def test_what_no_domain_file_can_be_called_is_no_pattern(pattern: str) -> None:
    with pytest.raises(BadValue):
        patterns.parse(pattern)


def test_patterns_are_ordered_from_the_most_exact_on() -> None:
    ordered = ["infra-db.json", "infra-d?.json", "infra-d?*", "infra-d*", "infra-*-x*", "infra-*b.json", "infra-*",
               "i*", "*-db.json", "?*b.json", "*b.json", "*"]  # fmt: skip
    found = sorted(map(patterns.parse, ordered), key=patterns.exactness, reverse=True)
    assert found == [patterns.parse(pattern) for pattern in ordered]


def test_whether_two_patterns_may_mean_one_file_is_found_as_by_trying() -> None:
    alphabet = ["", "a", "b", "ab", "ba", "aa", "a/b", "b/a", "/", "aab", "aba"]
    some = ["a", "*", "a*", "*a", "?", "a?", "?a", "a*b", "*/b", "a/*", "a/b", "*b*", "??", "b/?", "a?b"]
    for one, other in itertools.product(some, some):
        tried = any(patterns.means(one, path) and patterns.means(other, path) for path in alphabet)
        if tried:
            assert patterns.may_mean_one(one, other), (one, other)
        assert patterns.may_mean_one(one, other) == patterns.may_mean_one(other, one)
    assert not patterns.may_mean_one("a*", "b*")
    assert not patterns.may_mean_one("*", "a/b")
    assert not patterns.may_mean_one("?", "ab")
    assert patterns.may_mean_one("*a", "b*")
    assert patterns.may_mean_one("", "*")


def test_each_rule_has_the_value_of_the_most_exact_section_that_says_anything_of_it() -> None:
    found = policy(
        '[limits]\nmemory = "1g"\n'
        '[domain."*".limits]\nmemory = "2g"\ncpus = 1\npids = 10\n'
        '[domain."infra-*".limits]\nmemory = "3g"\ncpus = 2\n'
        '[domain."infra-db.json".limits]\nmemory = "4g"\n'
    )
    assert found.ceiling("limits.memory") == 1 << 30
    assert found.ceiling("limits.cpus") is None
    exact = found.for_file("infra-db.json")
    assert [exact.ceiling(f"limits.{name}") for name in ("memory", "cpus", "pids")] == [4 << 30, 2, 10]
    other = found.for_file("infra-web.json")
    assert [other.ceiling(f"limits.{name}") for name in ("memory", "cpus", "pids")] == [3 << 30, 2, 10]
    assert found.for_file("a.json").ceiling("limits.memory") == 2 << 30
    assert found.for_file("a/b.json").ceiling("limits.memory") == 1 << 30
    assert exact.origin("limits.memory") == f"{FILE}:12"
    assert exact.origin("limits.cpus") == f"{FILE}:10"
    assert exact.origin("limits.pids") == f"{FILE}:7"
    assert exact.by_section["limits.cpus"] == "infra-*"


def test_the_order_of_sections_in_the_file_means_nothing() -> None:
    texts = [
        '[domain."*".limits]\ncpus = 1\n',
        '[domain."a*".limits]\ncpus = 2\n',
        '[domain."ab.json".limits]\ncpus = 3\n',
    ]
    for order in itertools.permutations(texts):
        found = policy("".join(order))
        assert [found.for_file(path).ceiling("limits.cpus") for path in ("x.json", "ax.json", "ab.json")] == [1, 2, 3]


def test_a_list_with_dots_adds_to_what_holds_without_the_section() -> None:
    found = policy(
        '[binds]\nread_only = ["...", "/etc/one"]\n'
        '[domain."a*".binds]\nread_only = ["...", "/etc/two"]\n'
        '[domain."ab.json".binds]\nread_only = ["/etc/three", "..."]\n'
        '[domain."ac.json".binds]\nread_only = ["/etc/four"]\n'
    )
    usual = policy_of(Profile.STANDARD).words("binds.read_only")
    assert found.for_file("x.json").words("binds.read_only") == (*usual, "/etc/one")
    assert found.for_file("ab.json").words("binds.read_only") == (*usual, "/etc/one", "/etc/two", "/etc/three")
    assert found.for_file("ac.json").words("binds.read_only") == ("/etc/four",)


def test_sections_that_are_equally_exact_and_may_mean_one_file_must_not_contradict() -> None:
    clash = '[domain."a*b*".limits]\ncpus = 1\n[domain."a*c*".limits]\ncpus = 2\n'
    told = wrong(clash)
    assert f"{FILE}:5:" in told
    assert "'a*c*' and 'a*b*' may mean the same file" in told
    assert policy(clash.replace("cpus = 2", "cpus = 1")).for_file("axcb.json").ceiling("limits.cpus") == 1
    assert policy(clash.replace("cpus = 2", "pids = 2"))
    assert policy('[domain."a*b.json".limits]\ncpus = 1\n[domain."a*c.json".limits]\ncpus = 2\n')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[domain."a.json".limit]\ncpus = 1', "2: unknown key 'limit'; did you mean 'limits'?"),
        ('[domain."a.json".limits]\ncpu = 1', "3: unknown key 'cpu' in [domain.\"a.json\".limits]; did you mean"),
        ('[domain."a.json".limits]\nmemory = "2x"', "3: limits.memory: expected a size"),
        ('[domain."a.json".limits]\nprivileged = true', "3: unknown key 'privileged'"),
        ('[domain."a.json"]\nprofile = "open"', "3: unknown key 'profile'"),
        ('[domain."a.json"]\nlimits = 1', "3: limits is a table of rules"),
        ("[domain]\nx = 1", "3: the name of every domain file ends with .json: write 'x.json'"),
        ('[domain]\n"x.json" = 1', '3: domain."x.json" holds sections of rules'),
        ("domain = 1", "2: domain is a table of patterns of files"),
        ("[domain.limits]\ncpus = 1", "2: the name of every domain file ends with .json"),
        ('[domain."**".limits]\ncpus = 1', "2: ** means no more than *"),
        ('[domain."a*".limits]\n[domain."a*.json".limits]', "3: 'a*.json' and 'a*' are the same pattern"),
        ('[domains."a.json".limits]\ncpus = 1', "unknown key 'a.json' in [domains]"),
        ('[domian."a.json".limits]\ncpus = 1', "unknown key 'domian'; did you mean 'domain'?"),
    ],
)  # fmt: skip
def test_mistakes_in_sections_are_told_with_the_line(text: str, said: str) -> None:
    assert said in wrong(text)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('security.capabilities = ["SYS_ADMN"]', "did you mean 'SYS_ADMIN'?"),
        ('security.capabilities = ["CAP_NETADMIN"]', "did you mean 'NET_ADMIN'?"),
        ("limits.replicas = -1", "expected a whole number from 1"),
        ("limits.replicas = 0", "expected a whole number from 1"),
        ("limits.pids = 1.5", "expected a whole number from 1"),
        ("limits.oom_score = -1001", "from -1000 to 1000"),
        ("limits.ulimits = {nofiles = 1}", "did you mean 'nofile'?"),
        ("limits.ulimits = {nofile = -1}", "nofile: expected a whole number from 0"),
        ('limits.ulimits = {nofile = "none"}', "leave out what has no ceiling"),
        ('binds.engine_socket = ["main/proxy"]', '"*/main/proxy"'),
        ('binds.engine_socket = ["proxy"]', 'expected a chunk as "domain/cpux/chunk"'),
        ('binds.engine_socket = ["a/b/c/d"]', "expected a chunk"),
        ('binds.engine_socket = ["a//c"]', "expected a chunk"),
        ('binds.allowed = ["**"]', "** stands only before one name"),
        ('binds.protected = ["/srv/**"]', "** stands only before one name"),
        ('binds.protected = ["**/a/b"]', "** stands only before one name"),
        ('binds.protected = ["**/"]', "** stands only before one name"),
        ('binds.allowed = ["@domainz"]', "expected an absolute path"),
        ('binds.allowed = ["@domains/../x"]', "without .."),
        ('binds.allowed = [""]', "not empty"),
        ('images.allowed = [""]', "not empty"),
        ('images.allowed = [" redis"]', "no space around it"),
        ('images.allowed = ["GHCR.io/team/*"]', "in small letters"),
        ('images.allowed = ["redis 7"]', "expected the name of an image"),
        ('devices.rules = ["c 1:3"]', "expected a rule such as"),
        ('devices.rules = ["c 1:3 rwx"]', "expected a rule such as"),
        ('security.sysctls = ["nett.core.somaxconn"]', "expected the name of a kernel setting"),
        ('namespaces.host = ["net"]', "expected network"),
        ('ports.allowed = ["80:90"]', "expected a port"),
        ('quotas.memory = "-1g"', "expected a size"),
        ("quotas.volumes = 0", "expected a whole number from 1"),
        ('claims.containers = ["**"]', "** means no more than * there: write '*'"),
        ('images.allowed = ["ghcr.io/**"]', "write 'ghcr.io/*'"),
        ('binds.engine_socket = ["**/main/proxy"]', "write '*/main/proxy'"),
        ('security.sysctls = ["net.**"]', "write 'net.*'"),
        ('claims.domains = ["@domian"]', "did you mean '@domain'?"),
        ('networks.external = ["@unowend"]', "did you mean '@unowned'?"),
        ('images.of_domains = ["@x"]', "there is no word '@x' (known: @domain, @unowned, @host)"),
        ('logging.addresses = ["@hots:514"]', "did you mean '@host'?"),
        ('logging.addresses = ["logs:99999"]', "expected a host, or a host and its port"),
        ('logging.addresses = ["[::1]:0"]', "expected a host, or a host and its port"),
        ('volumes.addresses = ["10.0.0.0/40"]', "expected an address, a subnet"),
        ('devices.paths = ["dev/ttyUSB0"]', "expected an absolute path"),
        ('devices.paths = ["/dev/../etc"]', "expected an absolute path"),
        ('security.selinux = ["lvel:s0"]', "expected an SELinux label such as level:s0"),
    ],
)  # fmt: skip
def test_unknown_words_and_values_are_errors_in_and_out_of_sections(rule: str, said: str) -> None:
    assert said in wrong(rule)
    section, _, rest = rule.partition(".")
    assert said in wrong(f'[domain."a.json".{section}]\n{rest}')


def test_a_list_that_is_cleared_stands_where_the_word_for_it_does() -> None:
    assert policy("[limits]\ncpus = 1\n[binds]\nprotected_defaults = false").lines["binds.protected"] == 5


def test_each_value_of_a_list_that_is_wrong_is_told() -> None:
    told = wrong('binds.engine_socket = ["a/b", "*/x/y", "**"]\nlimits.ulimits = {nofiles = 1, cpus = 2}')
    assert told.count("expected a chunk") == 2
    assert told.count("there is no ulimit") == 2
    many = wrong(f"ports.allowed = {list(range(70_000, 90_000))}")
    assert many.count("expected a port") == 20


@pytest.mark.parametrize(
    "rule",
    [
        'claims.domains = ["@domain", "@domain-*", "*"]',
        'networks.external = ["@unowned", "@domain_*"]',
        'logging.addresses = ["*", "@host", "@host:514", "logs:514", "::1", "fd00::1", "[fd00::1]:514", "10.0.0.0/8"]',
        'security.selinux = ["*", "level:*", "type:container_t", "disable"]',
        'devices.paths = ["*", "/dev/ttyUSB*"]',
        'builds.names = ["registry.example.com/@domain/*", "@domain"]',
    ],
)
def test_words_and_patterns_that_are_meant_are_taken(rule: str) -> None:
    policy(f"{rule}\n")


def test_a_policy_with_sections_is_not_open_but_for_files_that_none_means() -> None:
    found = policy('[domain."a.json".security]\nprivileged = false\n', "open")
    assert not found.is_open
    assert not found.for_file("a.json").is_open
    assert found.for_file("b.json").is_open


def test_a_policy_that_is_written_down_again_keeps_its_sections() -> None:
    found = policy(
        '[limits]\ncpus = 2\n[domain."a*".binds]\nread_only = ["...", "/etc/a"]\nmissing = false\n'
        '[domain."a*".limits]\nmemory = "none"\n[domain."b.json".ports]\nallowed = [80, "8000-8100"]\n'
    )
    again = read(suggesting.whole(found, {}), FILE)
    assert again.values == found.values
    for path in ("ab.json", "b.json", "c.json"):
        assert again.for_file(path).values == found.for_file(path).values


def test_what_a_section_lists_as_protected_is_added_to_what_is_protected_without_it() -> None:
    found = policy('binds.protected = ["/srv/all"]\n[domain."shop.json".binds]\nprotected = ["/srv/x"]\n')
    assert {"/etc", "/srv/all", "/srv/x"} <= set(found.for_file("shop.json").words("binds.protected"))
    assert "/srv/x" not in found.for_file("other.json").words("binds.protected")
    assert found.caution == ""


def test_a_section_does_without_the_defaults_only_by_its_own_word_and_that_is_told() -> None:
    found = policy('[domain."shop.json".binds]\nprotected = ["/srv/x"]\nprotected_defaults = false\n')
    assert found.for_file("shop.json").words("binds.protected") == ("/srv/x",)
    assert "/etc" in found.for_file("other.json").words("binds.protected")
    assert found.caution.startswith("the policy protects only what it lists itself")
    assert f"{FILE}:4" in found.caution
    assert "those of shop.json" in found.caution
    again = policy('binds.protected_defaults = false\n[domain."a*".binds]\nprotected_defaults = true\n')
    assert "/etc" not in again.for_file("shop.json").words("binds.protected")
    assert "/etc" in again.for_file("a.json").words("binds.protected")
