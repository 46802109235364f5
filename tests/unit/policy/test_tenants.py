"""Several authors, one machine: what the policy gives to one domain file is no other's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.daemon.intake import Judged, Loading, judge
from reconciler.diagnostics import Diagnostic
from reconciler.intent.contents import Source, SourceKind
from reconciler.policy import Judge, Policy
from reconciler.policy.reading import read
from reconciler.policy.request import Request, Route, to_create
from tests.unit.policy import judging
from tests.unit.policy.judging import Disk, Engine, create, send

BASE = judging.INSTALLATION.domains
SOCKET = {"Binds": ["/run/docker.sock:/x"]}


def policy(text: str, profile: str = "standard") -> Policy:
    return read(f'profile = "{profile}"\n{text}', "/etc/pnr/policy.toml")


class File:
    """A file as it was read."""

    error: Diagnostic | None = None

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.data: bytes | None = json.dumps(document, indent=1).encode()


def document(name: str = "shop", container: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A domain of one chunk, which strict lets pass where it may have its name."""
    quiet = {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"], "user": "1000", "read_only": True}
    one = {"image": "a@sha256:" + "0" * 64, "mem_limit": "64m", "cpus": 1, "pids_limit": 10, **quiet}
    chunk = {"name": "web", "container": {**one, **(container or {})}, **more.pop("chunk", {})}
    return {"name": name, "cpuxs": {"main": {"design_chunks": [chunk]}}, **more}


def judged(given: Policy, files: Mapping[str, Mapping[str, Any]], env: Mapping[str, str] | None = None) -> Judged:
    return judge(
        Loading(BASE, env or {}, frozenset(env or {}), {}, policy=judging.judge(given)),
        {name: File(one) for name, one in files.items()},
    )


def told(given: Policy, file: str, one: Mapping[str, Any], env: Mapping[str, str] | None = None) -> str:
    """What is wrong with a file; "" where nothing is."""
    found = judged(given, {file: one}, env)
    return "\n".join(problem.message for problems in found.errors.values() for problem in problems)


def asking(given: Policy, files: Mapping[str, str]) -> Judge:
    """The judge as the guard in front of the engine has it."""
    return judging.judge(given).asking(files.get)


def rules(given: Policy, files: Mapping[str, str], request: Request, engine: Engine | None = None) -> set[str]:
    return {refusal.rule for refusal in asking(given, files).request(request, engine or Engine())}


# --- a section is its files' ----------------------------------------------------------------------------------------

GIVEN = policy(
    '[domain."infra-*.json".security]\nprivileged = true\n'
    '[domain."infra-proxy.json".binds]\nengine_socket = ["*"]\n'
    '[domain."infra-watch.json".binds]\nengine_socket = ["*"]\n'
    'read_only = ["...", "/", "/proc", "/sys", "/var/run", "/run"]\n'
    '[domain."web*".binds]\nwrite = ["/etc/web", "/var/log/web"]\nread_only = ["/proc", "/sys"]\n'
)


@pytest.mark.parametrize("file", ["infra-a.json", "infra-.json", "infra-proxy.json"])
def test_what_a_section_gives_its_files_have(file: str) -> None:
    assert told(GIVEN, file, document(container={"privileged": True})) == ""


OTHERS = [
    *("shop.json", "infra.json", "xinfra-a.json", "Infra-a.json", "INFRA-a.json", "infra_a.json", "a-infra-.json"),
    *(
        "-infra-a.json",
        "infra\u2010a.json",
        " infra-a.json",
        "infra\n-a.json",
        "\ufeffinfra-a.json",
        "infr\u0430-a.json",
    ),
]


@pytest.mark.parametrize("file", OTHERS)
def test_what_a_section_gives_no_other_file_has(file: str) -> None:
    assert "security.privileged" in told(GIVEN, file, document(container={"privileged": True}))


def test_a_name_in_a_file_makes_no_other_file_of_it() -> None:
    for name in ("infra-proxy", "infra-watch", "infra-a"):
        assert "privileged" in told(GIVEN, "mallory.json", document(name, {"privileged": True}))
        socket = document(name, {"volumes": ["/run/docker.sock:/s"]})
        assert "binds.engine_socket" in told(GIVEN, "mallory.json", socket)


def test_what_watches_the_host_gets_it_in_a_few_lines_and_without_open() -> None:
    node = {"pid": "host", "volumes": ["/:/host:ro,rslave", "/proc:/p:ro", "/sys:/s:ro", "/var/run:/r:ro"]}
    said = told(GIVEN, "infra-watch.json", document("any", node))
    assert "namespaces.host" in said
    assert "binds." not in said
    for way in ("/", "/var/run", "/run", "/etc"):
        assert "binds.protected" in told(GIVEN, "infra-watch.json", document("any", {"volumes": [f"{way}:/x"]}))
    assert told(GIVEN, "web.json", document("any", {"volumes": ["/proc:/p:ro", "/sys:/s:ro"]})) == ""
    assert "binds.protected" in told(GIVEN, "web.json", document("any", {"volumes": ["/:/x:ro"]}))


@pytest.mark.parametrize("way", ["/etc/web", "/etc/web/a", "/var/log/web"])
def test_what_is_given_to_write_to_may_be_had_below_what_is_protected(way: str) -> None:
    assert told(GIVEN, "web1.json", document("any", {"volumes": [f"{way}:/x"]})) == ""
    assert told(GIVEN, "web1.json", document("any", {"volumes": [f"{way}:/x:ro"]})) == ""
    assert "binds.protected" in told(GIVEN, "shop.json", document("any", {"volumes": [f"{way}:/x"]}))


def test_what_is_given_to_write_to_needs_no_allowed_directory_and_opens_nothing_else() -> None:
    strict = policy(
        '[domain."web.json".binds]\nwrite = ["/srv/web", "/etc/pnr", "/var/lib/docker", "/run"]\n', "strict"
    )
    given = {"volumes": ["/srv/web:/x"]}
    assert told(strict, "web.json", document("web", given)) == ""
    for way in ("/srv", "/srv/web2", "/srv/web/../other", "/etc/pnr", "/run", "/etc/pnr/policy.toml"):
        assert "binds." in told(strict, "web.json", document("web", {"volumes": [f"{way}:/x"]})), way
    linked = judging.judge(strict, Disk(links={"/srv/web/x": "/etc"})).for_file("web.json")
    assert linked.request(create({"Binds": ["/srv/web/x:/x"]}))


# --- permissions that hang on a name --------------------------------------------------------------------------------


def test_what_the_policy_gives_to_a_name_is_given_to_the_file_of_that_name() -> None:
    given = policy('binds.engine_socket = ["infra/main/web"]\n')
    mine = document("infra", {"volumes": ["/run/docker.sock:/s"]})
    assert told(given, "infra.json", mine) == ""
    said = told(given, "mallory.json", mine)
    assert "the policy gives it to domain infra of the file infra.json, and this one is mallory.json" in said
    assert '[domain."mallory.json".binds] engine_socket = ' in said
    moved = policy('[domain."stack.json".binds]\nengine_socket = ["infra/main/web"]\n')
    assert told(moved, "stack.json", mine) == ""
    assert "binds.engine_socket" in told(moved, "infra.json", mine)
    for file in ("a/infra.json", "infra.json.json", "infra..json", "INFRA.json"):
        assert "binds.engine_socket" in told(given, file, mine)


def test_a_section_that_adds_gives_nothing_of_what_others_are_given_by_their_names() -> None:
    given = policy(
        'binds.engine_socket = ["infra/main/web", "*/main/eye"]\n'
        '[domain."m*".binds]\nengine_socket = ["...", "mallory/main/web"]\n'
        '[domain."infra*".binds]\nengine_socket = ["...", "x/main/web"]\n'
    )
    for file, name, is_given in (
        ("mallory.json", "mallory", True),
        ("mallory.json", "infra", False),
        ("infra.json", "infra", True),
        ("infra.json", "x", True),
        ("infra2.json", "infra", False),
        ("infra.json", "mallory", False),
    ):
        said = told(given, file, document(name, {"volumes": ["/run/docker.sock:/s"]}))
        assert (said == "") == is_given, (file, name, said)


def test_the_name_of_a_file_can_write_no_rule_into_the_lines_that_are_suggested() -> None:
    evil = 'x"]\n[security]\nprivileged = true\n#[y".json'
    said = told(policy(""), evil, document("any", {"privileged": True}))
    lines = said.partition("policy.toml: ")[2]
    assert "\n" not in lines
    found = policy(lines.replace("] privileged", "]\nprivileged"))
    assert not found.flag("security.privileged")
    assert found.for_file(evil).flag("security.privileged") or "?" in lines


def test_the_guard_asks_whose_the_name_of_a_domain_is() -> None:
    given = policy('binds.engine_socket = ["shop/main/web"]\n')
    assert rules(given, {"shop": "shop.json"}, create(SOCKET)) == set()
    assert rules(given, {"shop": "mallory.json"}, create(SOCKET)) == {"binds.engine_socket"}
    assert rules(given, {}, create(SOCKET)) == {"binds.engine_socket"}


# --- the guard ------------------------------------------------------------------------------------------------------

PRIVILEGED = policy('[domain."infra.json".security]\nprivileged = true\n'
                    '[domain."infra.json".builds]\nallowed = true\nnames = ["*"]\n'
                    '[domain."infra.json".images]\nallowed = ["evil.io/*"]\n[builds]\nallowed = false\n')  # fmt: skip
THERE = Engine(containers={"c": judging.container(Privileged=True), "other": judging.container("", Privileged=True)})


@pytest.mark.parametrize(
    "request_",
    [
        create({"Privileged": True}),
        send("POST", "/containers/c/start"),
        send("POST", "/containers/c/exec", {"Privileged": True}),
    ],
)
def test_the_guard_holds_a_request_against_what_is_in_force_for_its_domains_file(request_: Request) -> None:
    assert rules(PRIVILEGED, {"shop": "infra.json"}, request_, THERE) - {"images.allowed"} == set()
    assert "security.privileged" in rules(PRIVILEGED, {"shop": "other.json"}, request_, THERE)
    assert "known files" in rules(PRIVILEGED, {"infra": "infra.json"}, request_, THERE)


def test_what_belongs_to_no_domain_has_what_all_have() -> None:
    assert rules(PRIVILEGED, {"shop": "infra.json"}, send("POST", "/containers/other/start"), THERE) == {
        "security.privileged"
    }
    unlabelled = to_create({"Image": "redis", "HostConfig": {"Privileged": True}})
    assert "security.privileged" in rules(PRIVILEGED, {"shop": "infra.json"}, unlabelled)


@pytest.mark.parametrize(
    ("domain", "refused"), [("shop", set()), ("mallory", {"builds.allowed"}), ("", {"builds.allowed"})]
)
def test_a_build_is_for_the_domain_that_asked(domain: str, refused: set[str]) -> None:
    asked = Request(Route.BUILD, "POST", "/build", query={"t": ["evil.io/x"]}, domain=domain)
    assert rules(PRIVILEGED, {"shop": "infra.json", "mallory": "m.json"}, asked) == refused


def test_a_pull_is_for_the_domain_that_asked() -> None:
    given = policy('[images]\nallowed = ["good.io/*"]\n[domain."a.json".images]\nallowed = ["team.io/*"]\n')
    asked = {"fromImage": ["team.io/x"], "tag": ["1"]}
    for domain, refused in (("a", set()), ("b", {"images.allowed"}), ("", {"images.allowed"})):
        pull = Request(Route.PULL, "POST", "/images/create", query=asked, domain=domain)
        assert rules(given, {"a": "a.json", "b": "b.json"}, pull) == refused
    assert rules(given, {}, Request(Route.PULL, "POST", "/images/create", query=asked, domain="c")) == {"known files"}


def test_the_daemons_login_is_lent_to_the_files_that_it_is_given_to() -> None:
    given = policy('[domain."a.json".images]\nlogins = ["ghcr.io", "*.team.io"]\n', "strict")
    files = {"a": "a.json", "b": "b.json"}
    lent = {(d, r) for d in ("a", "b", "c", "") for r in ("ghcr.io", "x.team.io", "docker.io")
            if asking(given, files).lends_login(d, r)}  # fmt: skip
    assert lent == {("a", "ghcr.io"), ("a", "x.team.io")}
    assert asking(policy(""), files).lends_login("c", "docker.io")


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "name", "is_given"),
    [
        ("shop.json", "shop", True),
        ("shop.json", "shop2", False),
        ("shop.json", "infra", False),
        ("mallory.json", "shop", False),
        ("infra-a.json", "infra", True),
        ("infra-a.json", "infra-b", True),
        ("infra-a.json", "infra-a", True),
        ("infra-a.json", "shop", False),
    ],
)
def test_a_domains_name_is_the_files_that_it_is_given_to(file: str, name: str, is_given: bool) -> None:
    given = policy('[domain."infra-*".claims]\ndomains = ["infra", "infra-*"]\n', "strict")
    said = told(given, file, document(name))
    assert (said == "") == is_given, said
    assert is_given or "claims.domains" in said


def test_a_containers_name_is_the_files_that_it_is_given_to() -> None:
    given = policy('[claims]\ncontainers = ["@domain", "@domain-*"]\n[domain."db.json".claims]\ncontainers = ["pg*"]\n')
    for file, name, is_given in (
        ("shop.json", "shop", True),
        ("shop.json", "shop-web", True),
        ("shop.json", "shopper", False),
        ("shop.json", "pg1", False),
        ("db.json", "pg1", True),
        ("db.json", "db-1", False),
    ):
        said = told(given, file, document("any", {"name": name}))
        assert (said == "") == is_given, (file, name, said)
        assert is_given or "claims.containers" in said
    assert told(given, "db.json", document("any")) == ""


def test_ports_and_addresses_are_the_files_that_they_are_given_to() -> None:
    given = policy(
        '[ports]\nallowed = []\n[domain."a*".ports]\nallowed = ["8000-8099"]\n'
        'addresses = ["127.0.0.0/8", "10.1.0.0/16"]\n'
    )
    for port, is_given in (
        ("127.0.0.1:8000:80", True),
        ("10.1.2.3:8099:80", True),
        ("8000:80", True),  # which is on 127.0.0.1
        ("0.0.0.0:8000:80", False),
        ("127.0.0.1:8100:80", False),
        ("127.0.0.1:8090-8100:80-90", False),
        ("127.0.0.1::80", False),
        ("10.2.0.1:8000:80", False),
        ("[::]:8000:80", False),
    ):
        said = told(given, "a1.json", document("any", {"ports": [port]}))
        assert (said == "") == is_given, (port, said)
        assert "ports.allowed" in told(given, "b.json", document("any", {"ports": [port]}))


# --- secrets --------------------------------------------------------------------------------------------------------

SECRETS = policy(
    '[domain."shop*".secrets]\nfiles = ["...", "/etc/pnr/secrets/shop"]\nenvironment = ["SHOP_*"]\n'
    'credentials = ["shop-db"]\n',
    "strict",
)


@pytest.mark.parametrize(
    ("kind", "name", "file", "is_given"),
    [
        (SourceKind.FILE, "/etc/pnr/secrets/shop/db", "shop.json", True),
        (SourceKind.SOPS, "/etc/pnr/secrets/shop/db", "shop1.json", True),
        (SourceKind.AGE, "/etc/pnr/secrets/shop", "shop1.json", True),
        (SourceKind.FILE, "/etc/pnr/secrets/bank/db", "shop.json", False),
        (SourceKind.FILE, "/etc/pnr/secrets/shop/../bank/db", "shop.json", False),
        (SourceKind.FILE, "/etc/pnr/secrets/shop/db", "bank.json", False),
        (SourceKind.SOPS, "/etc/pnr/secrets/shop/db", "bank.json", False),
        (SourceKind.AGE, "/etc/pnr/secrets/shop/db", "bank.json", False),
        (SourceKind.FILE, "/etc/pnr/secrets/shopper", "shop.json", False),
        (SourceKind.FILE, "/etc/pnr/secrets/shop/link", "shop.json", False),
        (SourceKind.FILE, f"{BASE}/shop/db", "shop.json", True),
        (SourceKind.FILE, f"{BASE}/shop/db", "bank.json", False),
        (SourceKind.FILE, f"{BASE}/bank/db", "bank.json", True),
        (SourceKind.FILE, f"{BASE}/bank/db", "shop.json", False),
        (SourceKind.FILE, f"{BASE}/bank.env", "shop.json", False),
        (SourceKind.FILE, f"{BASE}/shop/../bank/db", "shop.json", False),
        (SourceKind.FILE, f"{BASE}/bank.json", "shop.json", False),
        (SourceKind.ENVIRONMENT, "SHOP_KEY", "shop.json", True),
        (SourceKind.ENVIRONMENT, "BANK_KEY", "shop.json", False),
        (SourceKind.ENVIRONMENT, "SHOP_KEY", "bank.json", False),
        (SourceKind.ENVIRONMENT, "XSHOP_KEY", "shop.json", False),
        (SourceKind.CREDENTIAL, "shop-db", "shop.json", True),
        (SourceKind.CREDENTIAL, "bank-db", "shop.json", False),
        (SourceKind.CREDENTIAL, "shop-db", "bank.json", False),
        (SourceKind.FOLDER, "/etc/pnr/secrets", "shop.json", False),
        (SourceKind.FOLDER, "/etc/pnr/secrets/bank", "shop.json", False),
        (SourceKind.FOLDER, BASE, "shop.json", False),
        (SourceKind.FOLDER, f"{BASE}/bank", "shop.json", False),
        (SourceKind.FOLDER, f"{BASE}/shop/app", "shop.json", True),
        (SourceKind.TEXT, "anything", "bank.json", True),
    ],
)
def test_a_secret_is_the_files_that_it_is_given_to(kind: SourceKind, name: str, file: str, is_given: bool) -> None:
    disk = Disk(links={"/etc/pnr/secrets/shop/link": "/etc/pnr/secrets/bank/db"})
    path = name if name.startswith("/") else ""
    is_folder = kind is SourceKind.FOLDER
    found = judging.judge(SECRETS, disk).for_file(file).source(Source(kind, name, file), path, is_folder=is_folder)
    assert (found == []) == is_given, [str(refusal) for refusal in found]


def test_standard_gives_every_secret_to_every_file() -> None:
    found = judging.judge().for_file("a.json")
    assert found.source(Source(SourceKind.FILE, "/etc/pnr/secrets/x", "a.json"), "/etc/pnr/secrets/x") == []
    assert found.source(Source(SourceKind.ENVIRONMENT, "X", "a.json"), "") == []


def test_a_variable_that_a_file_is_not_given_has_no_value_in_it() -> None:
    env = {"SHOP_KEY": "s3cret", "BANK_KEY": "other"}
    mine = document("shop", {"environment": {"A": "${SHOP_KEY}"}})
    assert told(SECRETS, "shop.json", mine, env) == ""
    for file, name, variable in (("shop.json", "shop", "BANK_KEY"), ("bank.json", "bank", "SHOP_KEY")):
        said = told(SECRETS, file, document(name, {"environment": {"A": f"${{{variable}}}"}}), env)
        assert "has no value" in said
        assert not {"s3cret", "other"} & set(said.split())
