"""What one domain asks for that is another's: judged file beside file, with the place and the lines that allow it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.daemon.intake import Judged, Loading, judge
from reconciler.intent.judgement import InForce
from reconciler.intent.model import Domain
from reconciler.policy import Policy
from tests.unit.intent.reading import File
from tests.unit.policy import judging
from tests.unit.policy.judging import OPEN, STANDARD, STRICT, changed
from tests.unit.policy.test_domain import BASE, TYPES

SHOP = "shop.json"


def file(name: str, container: Mapping[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    """A domain with one chunk."""
    chunk = {"name": "web", "container": {"image": "redis", **(container or {})}}
    return {"name": name, "cpuxs": {"main": {"design_chunks": [chunk]}}, **top}


def judged(
    *domains: Mapping[str, Any], policy: Policy = STANDARD, in_force: tuple[Mapping[str, Any], ...] = ()
) -> Judged:
    """What becomes of files, each called by its domain's name, beside others that are in force."""

    def ask(documents: tuple[Mapping[str, Any], ...], held: list[InForce], policy: Policy) -> Judged:
        files = {f"{one['name']}.json": File(json.dumps(one, indent=1).encode()) for one in documents}
        return judge(Loading(BASE, {}, (), TYPES, policy=judging.judge(policy)), files, in_force=held)

    before: Mapping[str, Domain] = ask(in_force, [], OPEN).domains
    assert len(before) == len(in_force)
    held = [InForce(domain.name, domain.file, domain) for domain in before.values()]
    return ask((*domains, *(one for one in in_force if one["name"] not in {d["name"] for d in domains})), held, policy)


def refused(found: Judged) -> dict[str, list[tuple[str, str]]]:
    """Path and code of each problem, by file; without what most paths begin with."""
    prefix = "cpuxs.main.design_chunks[0].container."
    return {
        name: [(problem.where.removeprefix(prefix), problem.code) for problem in problems]
        for name, problems in found.errors.items()
    }


# --- networks and volumes ---------------------------------------------------------------------------------------------

INFRA = file("infra", {"networks": ["front"], "volumes": ["data:/d"]}, networks={"front": {}}, volumes={"data": {}})
FRONT, DATA = "pnr_infra_front", "infra_data"
JOINS = file("shop", {"networks": ["lan"]}, networks={"lan": {"external": True, "name": FRONT}})
MOUNTS = file("shop", {"volumes": ["vv:/d"]}, volumes={"vv": {"external": True, "name": DATA}})


def infra(*shared_with: str) -> dict[str, Any]:
    """The owner of a network and a volume, shared with these."""
    shared = {"shared_with": list(shared_with)}
    return {**INFRA, "networks": {"front": shared}, "volumes": {"data": shared}}


@pytest.mark.parametrize("policy", [STANDARD, STRICT])
@pytest.mark.parametrize(
    ("asking", "path"),
    [
        (JOINS, "networks.lan"),
        (file("shop", {"networks": [FRONT]}, networks={FRONT: {"external": True}}), f"networks.{FRONT}"),
        (file("shop", {"networks": ["x"]}, networks={"x": {"external": {"name": FRONT}}}), "networks.x"),
        (file("shop", networks={"default": {"external": True, "name": FRONT}}), "networks.default"),
        (MOUNTS, "volumes.vv"),
        (file("shop", {"volumes": [f"{DATA}:/d:ro"]}, volumes={DATA: {"external": True}}), f"volumes.{DATA}"),
        (file("shop", {"volumes": ["xx:/d"]}, volumes={"xx": {"external": {"name": DATA}}}), "volumes.xx"),
        (
            file("shop", {"volumes": [{"type": "volume", "source": "xx", "target": "/d"}]},
                 volumes={"xx": {"external": True, "name": DATA}}),
            "volumes.xx",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("there", [(), (INFRA,), (infra("sho", "shop2", "SHOP", "s"),), (infra("infra"),)])
def test_what_is_not_shared_is_refused_where_it_is_declared(
    policy: Policy, asking: Mapping[str, Any], path: str, there: tuple[Mapping[str, Any], ...]
) -> None:
    found = judged(asking, *there, policy=policy)
    if not there and path.startswith("networks") and policy is STANDARD:
        assert refused(found) == {}  # as far as the files tell it belongs to no domain
        return
    assert (path, "PolicyRefused") in refused(found)[SHOP]
    assert refused(judged(asking, *there, policy=OPEN)) == {}
    kind = "volume" if path.startswith("volumes") else "network"
    told = next(str(one) for one in found.errors[SHOP] if f"{kind}s.external" in one.message)
    assert f"rule {kind}s.external, profile {policy.profile}" in told
    kept = '"...", ' if policy is STANDARD else ""
    assert (
        f'/etc/pnr/policy.toml: [domain."shop.json".{kind}s] external = [{kept}"{DATA if kind == "volume" else FRONT}"]'
        in told
    )
    if there:
        assert 'let infra.json share it, with "shared_with": ["shop"]' in told


@pytest.mark.parametrize("pattern", ["shop", "*", "sh*", "s*p", "*hop"])
@pytest.mark.parametrize("asking", [JOINS, MOUNTS])
def test_what_the_owner_shares_may_be_had(pattern: str, asking: Mapping[str, Any]) -> None:
    found = judged(asking, infra("other", pattern))
    assert set(found.domains) == {"shop", "infra"}


def test_the_lines_that_are_shown_allow_it() -> None:
    policy = changed(STANDARD, networks__external=[FRONT], volumes__external=["infra_*"])
    for asking in (JOINS, MOUNTS):
        assert refused(judged(asking, policy=policy)) == {}
        assert refused(judged(asking, INFRA, policy=policy)) == {}


def test_what_is_shared_is_made_though_no_chunk_of_its_own_has_it() -> None:
    lends = file("infra", networks={"front": {"shared_with": ["shop"]}}, volumes={"data": {"shared_with": ["shop"]}})
    domain = judged(lends).domains["infra"]
    assert FRONT in {network.name for network in domain.networks}
    assert {volume.name for volume in domain.volumes} == {DATA}


def test_whom_something_is_shared_with_changes_nothing_of_the_owner() -> None:
    before, after = (judged(one).domains["infra"] for one in (INFRA, infra("shop")))
    assert before.intent == after.intent
    assert before.networks[0].digest == after.networks[0].digest


def test_the_engines_own_networks_are_nobodys() -> None:
    for name in ("bridge", "host", "none"):
        asking = file("shop", {"networks": ["x"]}, networks={"x": {"external": True, "name": name}})
        assert refused(judged(asking)) == {}


def test_nobody_lends_what_another_has() -> None:
    claims = file("evil", {"networks": ["x"]}, networks={"x": {"name": FRONT, "shared_with": ["*"]}})
    both = {"x": {"name": FRONT, "shared_with": ["*"]}, "y": {"name": FRONT, "external": True}}
    found = judged(JOINS, claims, in_force=(INFRA,))
    assert refused(found) == {
        SHOP: [("networks.lan", "PolicyRefused")],
        "evil.json": [("networks", "NetworkNameClash")],
    }
    unused = {"x": {"name": DATA}, "yy": {"name": DATA, "external": True}}
    for asking in (
        file("evil", {"networks": ["y"]}, networks=both),
        file("evil", {"volumes": ["yy:/d"]}, volumes=unused),
    ):
        assert "evil" not in judged(asking, in_force=(INFRA,)).domains


def test_who_is_not_lent_something_any_more_keeps_what_runs_and_is_told() -> None:
    found = judged(INFRA, in_force=(JOINS, infra("shop")))
    assert refused(found) == {SHOP: [("networks.lan", "PolicyRefused")]}
    assert set(found.domains) == {"infra"}
    assert found.speaks["shop"] == SHOP


def test_what_is_external_is_not_there_to_be_shared() -> None:
    lends = file(
        "infra", {"networks": ["x"]}, networks={"x": {"external": True, "name": "n1", "shared_with": ["shop"]}}
    )
    assert ("networks.x.shared_with", "Conflict") in refused(judged(lends, policy=OPEN))["infra.json"]


@pytest.mark.parametrize("said", ["shop", [""], ["a b"], ["a/b"], [1], {"shop": True}, ["shop[12]"], ["?"]])
def test_whom_to_share_with_is_a_list_of_domains(said: Any) -> None:
    found = judged(file("infra", {"networks": ["x"]}, networks={"x": {"shared_with": said}}))
    assert list(found.errors) == ["infra.json"]


# --- names of images --------------------------------------------------------------------------------------------------

FREE = changed(STANDARD, builds__names=["*"])


def builds(name: str, image: str | None = None, **build: Any) -> dict[str, Any]:
    """A domain that builds an image."""
    said = {"build": {"context": ".", **build}}
    return file(name, {**said, "image": image} if image else {"image": None, **said})


def test_a_build_without_a_name_has_one_of_the_domains_own() -> None:
    found = judged(builds("shop"), builds("My.Shop_2"), policy=STANDARD)
    images = {chunk.container.image for domain in found.domains.values() for chunk in domain.chunks()}
    assert images == {"shop-main-web", "my-shop-2-main-web"}


@pytest.mark.parametrize(
    ("asking", "path"),
    [
        (builds("shop", "redis:7"), "image"),
        (builds("shop", "portainer/portainer-ce"), "image"),
        (builds("shop", "infra-main-web"), "image"),
        (builds("shop", tags=["shop-a", "infra-main-web:1"]), "build.tags[1]"),
        (builds("shop", tags=["redis"]), "build.tags[0]"),
        (builds("shop", "shop-web", tags=["registry.example.com/infra/web"]), "build.tags[0]"),
        (file("shop", {"image": "redis", "build_path": "."}), "image"),
    ],
)
def test_a_name_that_is_not_its_own_is_told_where_it_stands(asking: Mapping[str, Any], path: str) -> None:
    found = judged(asking)
    assert refused(found) == {SHOP: [(path, "PolicyRefused")]}
    (problem,) = found.errors[SHOP]
    assert problem.place.line > 1
    assert "rule builds.names, profile standard" in problem.message
    assert '/etc/pnr/policy.toml: [domain."shop.json".builds] names = ["...", ' in problem.message
    assert refused(judged(asking, policy=OPEN)) == {}


def test_no_two_domains_build_under_one_name() -> None:
    for theirs, ours in (
        (builds("infra", "team/web:1"), builds("shop", "team/web:1")),
        (builds("infra", "team/web"), builds("shop", "docker.io/team/web:latest")),
        (builds("infra", "team/web"), builds("shop", tags=["team/web"])),
        (builds("infra", tags=["team/web"]), builds("shop", tags=["index.docker.io/team/web"])),
        (builds("Shop"), builds("shop")),
    ):
        found = judged(ours, in_force=(theirs,), policy=FREE)
        assert [code for _, code in refused(found)[SHOP]] == ["ImageNameClash"]
        assert refused(judged(theirs, in_force=(theirs,), policy=FREE)) == {}


def test_a_chunk_and_its_copies_build_under_one_name_and_so_do_two_chunks() -> None:
    chunks = [
        {"name": name, "replicas": 2, "container": {"image": "shop-web", "build": "."}} for name in ("web", "worker")
    ]
    assert refused(judged({"name": "shop", "cpuxs": {"main": {"design_chunks": chunks}}})) == {}


@pytest.mark.parametrize(
    ("used", "name"),
    [
        ("portainer/portainer-ce", "portainer/portainer-ce:latest"),
        ("docker.io/library/redis:7", "redis:7"),
        ("registry.example.com/app", "registry.example.com/app:latest"),
        ("shop-tools", "shop-tools"),
    ],
)
def test_nothing_is_built_under_the_name_of_what_another_runs(used: str, name: str) -> None:
    theirs = file("shop-tools", {"image": used})
    for asking in (builds("shop", name), builds("shop", tags=[name])):
        found = judged(asking, in_force=(theirs,), policy=FREE)
        if used == "shop-tools":
            assert refused(found) == {}  # it is the domain's own name, and the other one chose it
            continue
        assert [code for _, code in refused(found)[SHOP]] == ["ImageNameClash"]
        assert "chunk shop-tools/main/web (shop-tools.json) uses the image" in found.errors[SHOP][0].message
        assert judged(theirs, in_force=(asking,), policy=FREE).domains.keys() == {"shop", "shop-tools"}


def test_of_two_domains_a_name_is_that_of_the_longer_one() -> None:
    theirs = file("shop-admin", {"image": "shop-admin-tools:1"})
    found = judged(builds("shop", "shop-admin-tools:1"), in_force=(theirs,))
    assert [code for _, code in refused(found)[SHOP]] == ["ImageNameClash"]
    mounted = file("shop-admin", {"volumes": [{"type": "image", "source": "shop-admin-tools:1", "target": "/x"}]})
    assert not judged(builds("shop", "shop-admin-tools:1"), in_force=(mounted,)).domains.keys() & {"shop"}


LOOK_ALIKES = ("Shop", "SHOP", "shop_", "shop-", "shop.")


@pytest.mark.parametrize("name", LOOK_ALIKES)
@pytest.mark.parametrize("image", [None, "shop-tools:1", "shop_tools"])
def test_a_name_is_that_of_the_file_that_is_called_so_and_of_none_that_looks_like_it(
    name: str, image: str | None
) -> None:
    real, other = file("shop"), builds(name, image)
    mine = f"{name}.json"
    for found in (judged(real, other), judged(other, in_force=(real,)), judged(other, builds("shop", image))):
        assert refused(found).keys() == {mine}
        (problem,) = found.errors[mine]
        assert problem.code == "ImageNameClash"
        says = "begins with shop, as shop.json is called, and belongs to that: give this image another name"
        assert says in problem.message or "domain shop (shop.json) builds" in problem.message
        assert "shop" in found.domains
    # What was built before somebody was called so goes on.
    assert refused(judged(real, other, in_force=(other,))) == {}
    assert refused(judged(other)) == {}


def test_a_name_of_a_longer_one_is_not_built_under_by_who_is_called_as_it_begins() -> None:
    longer, chunk = file("shop-main"), builds("shop")
    assert refused(judged(longer, chunk)) == {SHOP: [("image", "ImageNameClash")]}
    assert refused(judged(longer, builds("shop", "shop-web"))) == {}
    assert refused(judged(longer, chunk, in_force=(chunk,))) == {}


def test_a_domains_name_is_as_good_as_its_files() -> None:
    documents = (("team.json", builds("shop")), ("a-shop!.json", builds("shop.")), (SHOP, file("x")))
    files = {name: File(json.dumps(one, indent=1).encode()) for name, one in documents}
    found = judge(Loading(BASE, {}, (), TYPES, policy=judging.judge(STANDARD)), files)
    assert refused(found) == {"a-shop!.json": [("image", "ImageNameClash")]}


def test_a_name_that_belongs_to_nobody_else_is_that_of_whose_name_becomes_it() -> None:
    assert refused(judged(builds("dev_stack"), builds("My.Shop_2"), file("shop"), file("dev"))) == {}
    assert refused(judged(builds("Shop", "team/shop:1"), file("shop"), policy=FREE)) == {}


def test_what_is_fixed_by_its_digest_is_in_nobodys_way() -> None:
    theirs = file("infra", {"image": f"team/web:1@sha256:{'a' * 64}"})
    assert refused(judged(builds("shop", "team/web:1"), in_force=(theirs,), policy=FREE)) == {}


def test_what_was_built_first_stays_whoever_comes_to_use_it() -> None:
    first = builds("shop", "team/web:1")
    found = judged(
        {**first, "description": "edited"}, file("infra", {"image": "team/web:1"}), in_force=(first,), policy=FREE
    )
    assert refused(found) == {}


# --- what Compose has made --------------------------------------------------------------------------------------------


def test_what_bears_the_domains_name_and_is_declared_by_nobody_may_be_had() -> None:
    compose = {"networks": {"default": {"name": "shop_default", "external": True}}}
    asking = file(
        "shop", {"volumes": ["data:/d"]}, volumes={"data": {"name": "shop_data", "external": True}}, **compose
    )
    assert refused(judged(asking)) == {}
    assert refused(judged(asking, policy=STRICT))[SHOP]
    owner = file("owner", {"volumes": ["data:/d"]}, volumes={"data": {"name": "shop_data"}})
    assert refused(judged(asking, in_force=(owner,))) == {SHOP: [("volumes.data", "PolicyRefused")]}
