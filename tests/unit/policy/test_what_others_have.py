"""Ways to what others have, as requests to the engine: names of images, networks, volumes and containers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from reconciler.intent.model import Adopt
from reconciler.policy import Judge, Policy
from reconciler.policy.refusal import KNOWN_FIELDS, OWN_LABELS
from reconciler.policy.request import Request, of_url
from reconciler.policy.world import ImageThere
from tests.unit.policy.judging import OPEN, STANDARD, STRICT, Engine, changed, container, create, judge, rules, send

CLOSED = changed(STANDARD, networks__external=["@domain_*", "@domain-*"])
"""Where the networks that belong to no domain are not everybody's either."""
ID = "sha256:" + "a" * 64
HEX = "b" * 64


def built(*names: str, domain: str = "shop", **query: Any) -> Request:
    """The request that builds an image for a domain, under these names."""
    labels = {"labels": json.dumps({"io.pnr.built-by": domain})} if domain else {}
    asked = urlencode({"t": list(names), "dockerfile": "Dockerfile", **labels, **query}, doseq=True)
    return of_url("POST", f"http+docker://localhost/v1.41/build?{asked}", iter(()))


# --- names under which images are built -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("shop-web", "shop"),
        ("shop-main-web:1.2", "shop"),
        ("shop_web", "shop"),  # Compose's first way
        ("docker.io/library/shop-web", "shop"),
        ("my-shop-web", "My.Shop"),
        ("my-shop-web", "my_shop"),
        ("my_shop-web", "my_shop"),
        ("my.shop_web", "My.Shop"),
        ("pnr_api", "dev_stack"),  # files of the original program
        ("a-b", "A"),
    ],
)
def test_a_domain_builds_under_names_of_its_own(name: str, domain: str) -> None:
    assert rules(built(name, domain=domain)) == set()


@pytest.mark.parametrize(
    "name",
    [
        "web",
        "shop",
        "shop:web",
        "shopweb",
        "Shop-web",
        "other-web",
        "xshop-web",
        "shop.web",
        "redis:7",
        "portainer/portainer-ce",
        "team/shop-web",
        "shop/web",
        "shop-web/app",
        "ghcr.io/shop-web",
        "shop-web.example.com/app",
        "localhost/shop-web",
        "registry:5000/shop-web",
        "docker.io/shop-web/app",
        f"shop-web@{ID}",
        ID,
        "@domain-web",
        "*-web",
        "",
    ],
)
def test_a_domain_builds_under_no_other_name(name: str) -> None:
    assert "builds.names" in rules(built(name))
    assert "builds.names" in rules(built("shop-web", name))


def test_a_build_that_does_not_say_for_whom_it_is_has_no_name_of_its_own() -> None:
    assert rules(built("shop-web", domain="")) == {"builds.names"}
    assert rules(built("-web", domain="")) == {"builds.names"}
    assert rules(built("shop-web", domain="other")) == {"builds.names"}
    assert rules(built("shop-web", labels="[]")) == {"builds.names"}
    assert rules(built("shop-web", labels="{")) == {"builds.names"}


def test_a_policy_gives_names_and_its_lines_are_shown() -> None:
    given = changed(STANDARD, builds__names=["registry.example.com/@domain/*", "web:1"])
    assert rules(built("registry.example.com/shop/web:2", "web:1"), given) == set()
    assert rules(built("registry.example.com/other/web:2"), given) == {"builds.names"}
    assert rules(built("web:2"), given) == {"builds.names"}
    (refusal,) = judge().request(built("web"))
    assert refusal.wants == (("builds.names", "web:latest"),)


def test_what_is_built_follows_the_list_of_images_as_well() -> None:
    policy = changed(STANDARD, images__allowed=["ghcr.io/team/*", "shop-web"])
    assert rules(built("shop-web"), policy) == set()
    assert rules(built("shop-web", "shop-tools"), policy) == {"images.allowed"}


@pytest.mark.parametrize("names", [["@domain-*"], ["*"], ["web"]])
def test_no_domain_builds_over_what_a_registry_or_another_domain_brought(names: list[str]) -> None:
    policy = changed(STANDARD, builds__names=names)
    name = "web:latest" if names == ["web"] else "shop-web:latest"
    for there in (ImageThere("other"), ImageThere(delivered=True)):
        (refusal,) = judge(policy).request(built(name), Engine(images={name: there}))
        assert (refusal.rule, refusal.field, refusal.wants) == ("builds.names", "t[0]", ())
    for there in (ImageThere("shop"), ImageThere()):
        assert rules(built(name), policy, engine=Engine(images={name: there})) == set()


def test_labels_of_ours_are_not_forged_by_a_build() -> None:
    for label in ("io.pnr.domain", "io.pnr.mark"):
        labels = json.dumps({"io.pnr.built-by": "shop", label: "other"})
        assert rules(built("shop-web", labels=labels)) == {OWN_LABELS}


def test_the_profile_open_lets_build_whatever_there_is() -> None:
    there = Engine(images={"redis:7": ImageThere(delivered=True)})
    assert rules(built("redis:7"), OPEN, engine=there) == set()
    assert rules(built("redis:7"), changed(OPEN, networks__external=["x"]), engine=there) == set()


# --- images that others have built ------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [STANDARD, changed(STRICT, images__digest=False)])
@pytest.mark.parametrize("name", ["redis:7", "other-web", "registry.example.com/app:1", ID])
def test_what_another_domain_has_built_is_used_where_the_policy_names_it(policy: Policy, name: str) -> None:
    hardened = {"CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges"], "ReadonlyRootfs": True}
    limits = {"Memory": 1 << 20, "NanoCpus": 1, "PidsLimit": 1}
    asked = create({**hardened, **limits}, Image=name, User="1000")
    mounts = [{"Type": "image", "Source": name, "Target": "/x"}]
    mounted = create({**hardened, **limits, "Mounts": mounts}, Image="mine", User="1000")
    theirs = Engine(images={name: ImageThere("other")})
    for one in (asked, mounted):
        assert "images.of_domains" in rules(one, policy, engine=theirs)
        for builder in ("shop", ""):
            assert "images.of_domains" not in rules(one, policy, engine=Engine(images={name: ImageThere(builder)}))
        if name != ID:
            named = changed(policy, images__of_domains=[name])
            assert "images.of_domains" not in rules(one, named, engine=theirs)
    assert rules(asked, OPEN, engine=theirs) == set()


def test_an_image_of_another_domain_is_taken_up_where_the_policy_names_it() -> None:
    named = changed(STANDARD, images__of_domains=["other-*"])
    assert not judge().may_take_up("other-web:1", "shop")
    assert judge(named).may_take_up("other-web:1", "shop")
    assert not judge(named).may_take_up("redis", "shop")
    assert judge(OPEN).may_take_up("redis", "shop")


# --- networks and volumes ---------------------------------------------------------------------------------------------


def joins(network: str) -> list[Request]:
    """The ways into a network."""
    return [
        create(NetworkingConfig={"EndpointsConfig": {network: {}}}),
        create({"NetworkMode": network}),
        send("POST", f"/networks/{network}/connect", {"Container": "web"}),
    ]


def mounts(volume: str) -> list[Request]:
    """The ways to a volume."""
    return [
        create({"Binds": [f"{volume}:/x"]}),
        create({"Binds": [f"{volume}:/x:ro"]}),
        create({"Mounts": [{"Type": "volume", "Source": volume, "Target": "/x"}]}),
        create({"Mounts": [{"Type": "volume", "Source": volume, "Target": "/x", "ReadOnly": True}]}),
        create({"Mounts": [{"Type": "volume", "Source": volume, "Target": "/x", "VolumeOptions": {"Subpath": "a"}}]}),
        create({"VolumesFrom": ["sibling"]}),
    ]


def world(labels: dict[str, str], **more: Any) -> Engine:
    """An engine with a network ``nn`` and a volume ``vv`` of these labels, and a container of ours that has it."""
    sibling = {
        **container(Binds=["vv:/x"]),
        "Mounts": [{"Type": "volume", "Name": "vv", "Destination": "/x"}],
    }
    network = {"Name": "nn", "Driver": "bridge", "Labels": labels}
    return Engine(
        {"web": container(), "sibling": sibling},
        networks={"nn": network, HEX: network, HEX[:12]: network},
        volumes={"vv": {"Name": "vv", "Driver": "local", "Labels": labels}},
        **more,
    )


@pytest.mark.parametrize(
    "policy", [CLOSED, changed(STANDARD, networks__external=["n", "NN", "nn?"], volumes__external=["v"])]
)
@pytest.mark.parametrize("labels", [{}, {"io.pnr.domain": "other"}, {"io.pnr.domain": ""}, {"IO.PNR.DOMAIN": "shop"}])
def test_networks_and_volumes_of_others_and_of_nobody_known_are_refused(policy: Policy, labels: dict[str, str]) -> None:
    there = world(labels)
    for asked in [*joins("nn"), *joins(HEX), *joins(HEX[:12])]:
        assert rules(asked, policy, engine=there) == {"networks.external"}
    for asked in mounts("vv"):
        assert rules(asked, policy, engine=there) == {"volumes.external"}


def test_networks_and_volumes_of_the_domain_itself_are_its_own() -> None:
    there = world({"io.pnr.domain": "shop"})
    for asked in [*joins("nn"), *mounts("vv")]:
        assert rules(asked, engine=there) == set()


@pytest.mark.parametrize("name", ["*", "n*", "nn"])
def test_the_policy_names_networks_by_their_names_and_not_by_ids(name: str) -> None:
    named = changed(STANDARD, networks__external=[name])
    for asked in [*joins("nn"), *joins(HEX)]:
        assert rules(asked, named, engine=world({})) == set()
        assert rules(asked, changed(STANDARD, networks__external=[HEX, HEX[:12]]), engine=world({})) == {
            "networks.external"
        }


def test_the_policy_names_volumes() -> None:
    for labels in ({}, {"io.pnr.domain": "other"}):
        for asked in mounts("vv"):
            assert rules(asked, changed(STANDARD, volumes__external=["vv"]), engine=world(labels)) == set()


def test_true_and_false_still_say_all_and_none() -> None:
    everything = changed(STANDARD, networks__external=True, volumes__external=True)
    nothing = changed(OPEN, networks__external=False, volumes__external=False)
    for asked in [*joins("nn"), *mounts("vv")]:
        assert rules(asked, everything, engine=world({})) == set()
        assert len(rules(asked, nothing, engine=world({}))) == 1


def test_an_owner_shares_what_is_its_own_and_nothing_else() -> None:
    both = (("other", "network", "nn", "shop"), ("other", "volume", "vv", "shop"))
    theirs = {"io.pnr.domain": "other"}
    for asked in [*joins("nn"), *joins(HEX), *mounts("vv")]:
        assert rules(asked, engine=world(theirs, shared=both)) == set()
        assert len(rules(asked, engine=world({"io.pnr.domain": "third"}, shared=both))) == 1
        assert len(rules(asked, CLOSED, engine=world({}, shared=both))) == 1
    with_another = (("other", "network", "nn", "third"), ("other", "volume", "vv", "third"))
    crosswise = (("other", "volume", "nn", "shop"), ("other", "network", "vv", "shop"))
    for shared in (with_another, crosswise):
        for asked in [*joins("nn"), *mounts("vv")]:
            assert len(rules(asked, engine=world(theirs, shared=shared))) == 1


def test_a_container_that_nobody_knows_is_in_no_shared_network() -> None:
    there = Engine({"web": container("")}, networks=world({}).networks, shared=(("", "network", "nn", ""),))
    assert rules(send("POST", "/networks/nn/connect", {"Container": "web"}), engine=there) == {"networks.external"}


def test_a_refusal_of_the_engine_shows_the_lines_that_allow_it() -> None:
    for asked, rule, name in ((joins("nn")[0], "networks.external", "nn"), (mounts("vv")[0], "volumes.external", "vv")):
        (refusal,) = judge(CLOSED).request(asked, world({}))
        assert refusal.wants == ((rule, name),)


def test_volumes_that_the_engine_named_are_their_containers() -> None:
    """An anonymous volume has no label of ours: it goes with the container that has it, and is nobody else's."""
    nameless = {"Type": "volume", "Name": HEX, "Destination": "/data"}
    volumes = {HEX: {"Name": HEX, "Driver": "local", "Labels": None}}
    sibling = {**container(), "Mounts": [nameless]}
    shares = create({"VolumesFrom": ["sibling"]})
    assert rules(shares, engine=Engine({"sibling": sibling}, volumes=volumes)) == set()
    # One that was asked for by that name is somebody's.
    asked_for = {**container(Binds=[f"{HEX}:/data"]), "Mounts": [nameless]}
    assert rules(shares, engine=Engine({"sibling": asked_for}, volumes=volumes)) == {"volumes.external"}
    assert rules(create({"Binds": [f"{HEX}:/data"]}), engine=Engine(volumes=volumes)) == {"volumes.external"}
    # As images declare them, the engine makes them with the container.
    of_its_image = Engine({"web": {**container(), "Mounts": [{**nameless, "RW": True}]}}, volumes=volumes)
    assert rules(send("POST", "/containers/web/start"), engine=of_its_image) == set()
    # Compose hands on the volumes of the container that it replaces.
    there = Engine({"web": container(Binds=[f"{HEX}:/data"])}, volumes=volumes)
    assert rules(send("POST", "/containers/web/start"), engine=there) == set()
    named = Engine({"web": container(Binds=["vv:/data"])}, volumes=world({}).volumes)
    assert rules(send("POST", "/containers/web/start"), engine=named) == {"volumes.external"}


# --- containers of others ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "refused"),
    [
        (OPEN, set()),
        (STANDARD, {Adopt.REPLACE}),
        (STRICT, {Adopt.MATCHING, Adopt.REPLACE}),
        (changed(STANDARD, domains__adopt="replace"), set()),
    ],
)
def test_what_somebody_else_made_is_replaced_only_where_the_policy_says_so(policy: Policy, refused: set[Adopt]) -> None:
    asking: Judge = judge(policy)
    assert {adopt for adopt in Adopt if asking.adoption(adopt)} == refused


def test_known_fields_are_still_the_only_ones() -> None:
    assert rules(built("shop-web", remote="https://192.0.2.1/x.git")) == {KNOWN_FIELDS}


# --- what bears the domain's own name ---------------------------------------------------------------------------------


def of_a_name(name: str, labels: dict[str, str]) -> Engine:
    """An engine with a network and a volume of this name."""
    there = {"Name": name, "Driver": "local", "Labels": labels}
    return Engine({"web": container()}, networks={name: there}, volumes={name: there})


@pytest.mark.parametrize("name", ["shop_data", "shop-data", "shop_default"])
def test_what_compose_made_of_a_project_of_the_domains_name_may_be_had(name: str) -> None:
    asked = [create({"NetworkMode": name}), create({"Binds": [f"{name}:/x"]})]
    for one in asked:
        for labels in ({}, {"com.docker.compose.project": "shop"}):
            assert rules(one, engine=of_a_name(name, labels)) == set()
            assert rules(one, changed(STRICT, images__digest=False), engine=of_a_name(name, labels)) & {
                "networks.external",
                "volumes.external",
            }
        # A domain that has it by its label has it, whatever it is called.
        assert len(rules(one, engine=of_a_name(name, {"io.pnr.domain": "shop_data"}))) == 1


@pytest.mark.parametrize("name", ["shop", "shopdata", "Shop_data", "xshop_data", "shop.data", "shops_data"])
def test_other_names_are_not_the_domains(name: str) -> None:
    assert rules(create({"NetworkMode": name}), CLOSED, engine=of_a_name(name, {})) == {"networks.external"}
    assert rules(create({"Binds": [f"{name}:/x"]}), engine=of_a_name(name, {})) == {"volumes.external"}


def test_a_network_of_no_domain_is_for_all_in_standard_and_for_none_in_strict() -> None:
    for asked in joins("nn"):
        assert rules(asked, engine=world({})) == set()
        assert rules(asked, engine=world({"io.pnr.domain": "other"})) == {"networks.external"}
        assert "networks.external" in rules(asked, STRICT, engine=world({}))
    for asked in mounts("vv"):
        assert rules(asked, engine=world({})) == {"volumes.external"}


def test_a_policy_may_give_all_that_belongs_to_no_domain() -> None:
    policy = changed(STANDARD, networks__external=["@unowned"], volumes__external=["@unowned"])
    for asked in [*joins("nn"), *mounts("vv")]:
        assert rules(asked, policy, engine=world({})) == set()
        assert len(rules(asked, policy, engine=world({"io.pnr.domain": "other"}))) == 1
