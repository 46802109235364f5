"""What of the directory of the domain files a container may have: its own domain's folder, read-only."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.policy.world import Installation
from tests.unit.policy.judging import INSTALLATION, OPEN, STANDARD, STRICT, Disk, changed, create, judge, rules
from tests.unit.policy.test_mounts import bind, mount

OWN = "/srv/pnr/domains/shop"
WHOLE = changed(STANDARD, binds__allowed=["/", "@domains"])
FORMS = [lambda p: bind(p, "ro"), lambda p: mount(p, ReadOnly=True)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", [OWN, f"{OWN}/", f"{OWN}/html", f"{OWN}/nginx.conf", f"{OWN}/./a/../html"])
def test_a_domain_has_its_own_folder_read_only(path: str, form: Any) -> None:
    for policy in (STANDARD, WHOLE, OPEN):
        assert rules(create(form(path)), policy) == set()
    assert not rules(create(form(path)), STRICT) & {"binds.allowed", "binds.protected", "binds.data"}


@pytest.mark.parametrize("form", [bind, mount, lambda p: bind(p, "ro,rw"), lambda p: mount(p, ReadOnly="true")])
@pytest.mark.parametrize("path", [OWN, f"{OWN}/html"])
def test_it_may_not_write_to_it(path: str, form: Any) -> None:
    for policy in (STANDARD, STRICT):
        assert "binds.allowed" in rules(create(form(path)), policy)
    assert rules(create(form(path)), WHOLE) == set()
    assert rules(create(form(path)), OPEN) == set()


@pytest.mark.parametrize("form", [*FORMS, bind, mount])
@pytest.mark.parametrize(
    "path",
    [
        "/srv/pnr/domains/nginx.conf",
        "/srv/pnr/domains/html",
        "/srv/pnr/domains/other",
        "/srv/pnr/domains/other/secrets",
        "/srv/pnr/domains/shop2",
        "/srv/pnr/domains/shop.d",
        "/srv/pnr/domains/sho",
        "/srv/pnr/domains/SHOP",
        "/srv/pnr/domains/shop/../other",
        "/srv/pnr/domains/shop\n",
        "/srv/pnr/domains/*",
        "/srv/pnr/domains/sh?p",
    ],
)
def test_it_has_nothing_else_of_that_directory(path: str, form: Any) -> None:
    for policy in (STANDARD, STRICT):
        assert "binds.allowed" in rules(create(form(path)), policy)


@pytest.mark.parametrize("policy", [STANDARD, WHOLE, STRICT])
@pytest.mark.parametrize("form", [*FORMS, bind, mount])
@pytest.mark.parametrize(
    "path",
    [
        "/srv/pnr/domains",
        "/srv/pnr/domains/",
        "/srv/pnr/domains/shop/..",
        "/srv/pnr/domains/shop.json",
        "/srv/pnr/domains/other.json",
        "/srv/pnr/domains/shop/.git",
        "/srv/pnr/domains/shop/a/.git/hooks",
        "/srv/pnr/domains/.git",
        "/srv/pnr",
    ],
)
def test_the_directory_itself_the_files_in_it_and_what_git_keeps_are_nobodys(path: str, form: Any, policy: Any) -> None:
    assert rules(create(form(path)), policy) & {"binds.protected", "binds.allowed"}


@pytest.mark.parametrize("form", FORMS)
def test_links_out_of_the_own_folder_and_into_it_are_refused(form: Any) -> None:
    disk = Disk(links={f"{OWN}/x": "/srv/pnr/domains/other", f"{OWN}/y": "/root", "/srv/z": OWN})
    lax = changed(STANDARD, binds__links=True)
    for path in (f"{OWN}/x", f"{OWN}/y", "/srv/z"):
        assert "binds.links" in rules(create(form(path)), disk=disk)
    for path, rule in ((f"{OWN}/x", "binds.allowed"), (f"{OWN}/y", "binds.protected")):
        assert rules(create(form(path)), lax, disk=disk) == {rule}


@pytest.mark.parametrize("form", FORMS)
def test_a_folder_that_is_called_as_no_domain_file_is_everybodys_to_read(form: Any) -> None:
    top = "/srv/pnr/domains"
    disk = Disk(
        missing=(f"{top}/conf.json", f"{top}/nginx.conf.json", f"{top}/.git.json"),
        kinds={f"{top}/nginx.conf": "file"},
        links={f"{top}/conf/x": f"{top}/other", f"{top}/conf/y": "/root"},
    )
    for path in (f"{top}/conf", f"{top}/conf/app.conf"):
        assert rules(create(form(path)), disk=disk) == set()
        assert "binds.allowed" in rules(create(form(path)), STRICT, disk=disk)
        assert "binds.allowed" in rules(create(form(path))), "there is a file conf.json"
        assert "binds.allowed" in rules(create(bind(path)), disk=disk), "writable"
    for path in ("nginx.conf", "conf/.env", "conf/.git/config", "conf/../other", ".git", "conf/x", "conf/y", "other/a"):
        assert rules(create(form(f"{top}/{path}")), changed(STANDARD, binds__links=True), disk=disk), path


def test_a_domain_of_an_odd_name_has_no_folder() -> None:
    for name in ("", ".", "..", "a/b", "../other", "shop/../other", "*", "sh*p"):
        labels = {"io.pnr.domain": name, "io.pnr.cpux": "main", "io.pnr.chunk": "web"}
        for path in ("/srv/pnr/domains/other", "/srv/pnr/domains/shop"):
            asked = create(bind(path, "ro"))
            asked.body["Labels"].update(labels)
            assert "binds.allowed" in rules(asked), name


def test_volumes_that_are_a_directory_follow_the_same_rule() -> None:
    from tests.unit.policy.test_mounts import volume

    for o, refused in (("bind,ro", set()), ("bind", {"binds.allowed"}), ("bind,ro,rw", {"binds.allowed"})):
        assert rules(volume(type="none", o=o, device=f"{OWN}/html")) == refused
        assert rules(volume(type="none", o=o, device="/srv/pnr/domains/other")) == {"binds.allowed"}


def test_it_is_had_wherever_the_domain_files_lie() -> None:
    there = judge()
    there.places = Installation(domains="/root/shop/domains", own=("/root/shop/state",))
    assert not there.request(create(bind("/root/shop/domains/shop/html", "ro")))
    for source in ("/root/shop/domains", "/root/shop", "/root/shop/domains/../state", "/root/shop/domains/x.json"):
        assert there.request(create(bind(source, "ro"))), source
    there.policy = WHOLE
    assert not there.request(create(bind("/root/shop/domains/html")))


def test_a_policy_may_name_a_folder_in_that_directory_for_all() -> None:
    shared = changed(STANDARD, binds__allowed=["/", "@domain", "@domains/shared"])
    assert rules(create(bind("/srv/pnr/domains/shared/x")), shared) == set()
    assert rules(create(bind("/srv/pnr/domains/other/x")), shared) == {"binds.allowed"}


def test_a_refusal_says_what_may_be_had_instead() -> None:
    (refusal,) = judge().request(create(bind("/srv/pnr/domains/nginx.conf", "ro")))
    assert f"its domain's own folder ({OWN}), read-only" in refusal.message
    (refusal,) = judge().request(create(bind(f"{OWN}/html")))
    assert "`:ro`" in refusal.message


def test_the_strict_profile_has_a_list_of_what_may_be_had_and_nothing_else() -> None:
    kept = {"binds.allowed", "binds.protected", "binds.data", "binds.read_by_root", "binds.missing"}
    for path in ("/srv/pnr/shop", "/srv/pnr/shop/data"):
        assert not rules(create(bind(path)), STRICT) & kept
    for path in ("/srv/pnr/other", "/srv/app", "/data", "/home/ann/app", "/mnt/disk", "/srv/pnr/shop2", "/srv/pnr/*"):
        assert "binds.allowed" in rules(create(bind(path)), STRICT), path
        assert "binds.allowed" in rules(create(bind(path, "ro")), STRICT), path
    asked = create(bind("/srv/pnr/domains"))
    asked.body["Labels"]["io.pnr.domain"] = "domains"
    assert rules(asked, STRICT) & {"binds.protected"}
    assert INSTALLATION.domains == "/srv/pnr/domains"


def test_the_folder_belongs_to_the_file_and_not_to_the_name_written_into_it() -> None:
    mallory = judge().for_file("mallory.json")
    asked = create(bind(f"{OWN}/html", "ro"))  # of a domain that calls itself shop
    assert {one.rule for one in mallory.request(asked)} == {"binds.allowed"}
    assert mallory.request(create(bind("/srv/pnr/domains/mallory/html", "ro"))) == []
    assert "binds.allowed" in {one.rule for one in judge().for_file("").request(asked)}
