"""What a container may write to is judged by what kind of place it is, not by a list alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from reconciler.daemon.reading_contents import admission
from reconciler.intent.contents import ContentsError, Source, SourceKind
from reconciler.policy import Judge, reading
from reconciler.policy.checks.kinds import is_ordinary
from reconciler.policy.world import ReadByRoot, Seen
from reconciler.sources.contents import LocalContents, Places
from tests.unit.policy.judging import INSTALLATION, OPEN, STANDARD, STRICT, Disk, changed, create, judge, rules, send
from tests.unit.policy.test_mounts import bind, mount, volume

KINDS = {"binds.data", "binds.read_by_root", "binds.protected"}


@pytest.mark.parametrize("form", [bind, mount])
@pytest.mark.parametrize(
    "source",
    [
        "/var/lib/extensions",
        "/var/lib/extensions/evil",
        "/var/lib/confexts",
        "/var/lib/confexts/evil/etc",
        "/system-update",
        "/sysroot",
        "/ostree/deploy",
        "/initrd.img",
        "/vmlinuz",
        "/forcefsck",
        "/recovery",
        "/srv/salt",
        "/srv/salt/base",
        "/srv/pillar",
        "/opt/puppetlabs/puppet",
        "/opt/chef",
        "/opt/cinc/bin",
        "/var/lib/puppet",
        "/var/lib/ansible",
        "/var/cfengine/inputs",
        "/var/chef/cache",
        "/var/rudder",
        "/var/cache/salt",
        "/new",
        "/new/deeply/below",
        "/etc2",
        "/bin2",
        "/.new",
        "/opt",
        "/srv",
        "/mnt",
        "/media",
        "/var/new",
        "/var/cache",
        "/var/cache/fontconfig",
        "/var/lib/new",
        "/var/lib/polkitd",
        "/var/lib/gdm3",
        "/var/lib/iscsi",
        "/var/lib/logrotate",
        "/var/lib/git",
        "/var/lib/sddm",
        "/var/games",
        "/var/opt/gitlab",
        "/var/lib/postfix",
        "/var/yp",
        "/usr/local/share/x",
    ],
)
def test_what_the_host_itself_lives_on_is_not_written_to_listed_or_not(source: str, form: Any) -> None:
    for disk in (Disk(), Disk(missing=(source,)), Disk(missing=("/new", "/system-update", "/var/lib/new"))):
        assert rules(create(form(source)), disk=disk) & KINDS
        assert "binds.allowed" in rules(create(form(source)), STRICT, disk=disk)
        assert rules(create(form(source)), OPEN, disk=disk) == set()


@pytest.mark.parametrize(
    "source",
    [
        "/srv/x",
        "/srv/x/data",
        "/opt/app",
        "/opt/app/data",
        "/opt/stacks/shop/db",
        "/data",
        "/data/shop",
        "/data2/shop",
        "/mnt/disk",
        "/mnt/disk/films",
        "/media/usb0/films",
        "/home/ann/x",
        "/home/ann/shop/data",
        "/volume1/docker/shop",
        "/tank/shop",
        "/storage",
        "/docker/shop",
        "/var/www/html",
        "/var/lib/postgresql/16",
        "/var/lib/mysql",
        "/var/lib/grafana",
        "/tmp/shop",
        "/Users/ann/shop",
    ],
)
def test_where_applications_keep_data_roots_directories_and_new_ones_are_written(source: str) -> None:
    for disk in (Disk(), Disk(missing=(source,)), Disk(owners={source: 999}), Disk(owners={source: 1000})):
        for host in (bind(source), mount(source), bind(source, "ro")):
            assert rules(create(host), disk=disk) == set()


@pytest.mark.parametrize(
    ("disk", "is_allowed"),
    [
        pytest.param(Disk(), False, id="root's"),
        pytest.param(Disk(owners={"/new": 1000}), True, id="somebody's"),
        pytest.param(Disk(owners={"/new": 1000, "/new/data": 0}), False, id="root's in somebody's"),
        pytest.param(Disk(owners={"/new/data": 1000}), True, id="somebody's in root's"),
        pytest.param(Disk(owners={"/new/data": 999}), False, id="a service's"),
        pytest.param(Disk(owners={"/new/data": 65534}), False, id="nobody's"),
        pytest.param(Disk(owners={"/new/data": 61184}), False, id="a service's of systemd"),
        pytest.param(Disk(owners={"/new/data": 100999}), True, id="a container's of a user"),
        pytest.param(Disk(owners={"/new": 1000}, missing=("/new/data",)), True, id="to be made in somebody's"),
        pytest.param(Disk(missing=("/new",)), False, id="to be made below the root"),
        pytest.param(Disk(disks=("/new",)), True, id="on a disk of its own"),
        pytest.param(Disk(disks=("/new/data",)), False, id="a disk further down"),
    ],
)
def test_elsewhere_it_depends_on_whose_it_is(disk: Disk, is_allowed: bool) -> None:
    assert rules(create(bind("/new/data")), disk=disk) == (set() if is_allowed else {"binds.data"})
    assert rules(volume(type="none", o="bind", device="/new/data"), disk=disk) == (
        set() if is_allowed else {"binds.data"}
    )
    # Read-only it may be had, as it is: the engine makes no directory there, and gives it no other label.
    is_made = not is_allowed and bool(disk.missing)
    assert rules(create(bind("/new/data", "ro")), disk=disk) == ({"binds.data"} if is_made else set())
    assert rules(create(mount("/new/data", ReadOnly=True)), disk=disk) == set()
    assert rules(create(bind("/new/data", "ro,Z")), disk=disk) == (set() if is_allowed else {"binds.data"})


def test_a_disk_that_is_the_hosts_var_or_home_is_no_data() -> None:
    disk = Disk(disks=("/var", "/opt", "/srv", "/home"))
    for path in ("/var/new", "/var/lib/new"):
        assert rules(create(bind(path)), disk=disk) == {"binds.data"}


def test_what_the_policy_names_needs_no_kind() -> None:
    for policy in (
        changed(STANDARD, binds__allowed=["/new"]),
        changed(STANDARD, binds__data=["/new/*"]),
        changed(STANDARD, binds__excepted=["/new/data"]),
        changed(STANDARD, binds__data=["/"]),
    ):
        assert rules(create(bind("/new/data")), policy) == set()
    assert rules(create(bind("/new/data")), changed(OPEN, binds__data=["/srv"])) == {"binds.data"}


@pytest.mark.parametrize(
    ("uid", "uid_min", "ordinary"),
    [
        (0, 1000, False),
        (999, 1000, False),
        (1000, 1000, True),
        (500, 500, True),
        (60000, 1000, True),
        (61184, 1000, False),
        (65534, 1000, False),
        (65536, 1000, True),
        (4294967294, 1000, True),
    ],
)
def test_people_have_numbers_from_a_first_one_on(uid: int, uid_min: int, ordinary: bool) -> None:
    assert is_ordinary(uid, uid_min) is ordinary


ROOTS = INSTALLATION.__class__(
    **{
        **{name: getattr(INSTALLATION, name) for name in ("domains", "own", "program", "runtime", "files", "sockets")},
        "read_by_root": (
            ReadByRoot("/opt/agent/agent.sh", "agent.service"),
            ReadByRoot("/srv/scripts/backup.sh", "/etc/cron.d/backup"),
            ReadByRoot("/srv/lib", "every program of the host (ld.so.conf)", all_below=True),
        ),
    }
)


@pytest.mark.parametrize(
    ("path", "is_refused"),
    [
        ("/opt/agent", True),
        ("/opt/agent/agent.sh", True),
        ("/opt/agent/data", False),
        ("/opt/agent/agent.sh.d", False),
        ("/opt/agent2", False),
        ("/srv/scripts", True),
        ("/srv/scripts/../scripts", True),
        ("/srv/scripts/other", False),
        ("/srv/lib", True),
        ("/srv/lib/below", True),
        ("/srv/library", False),
    ],
)
def test_what_the_host_runs_or_reads_as_root_is_not_written_to_wherever_it_lies(path: str, is_refused: bool) -> None:
    for owner in (0, 1000):
        there = Judge(STANDARD, ROOTS, Disk(owners={"/opt": owner, "/srv": owner}))
        found = {refusal.rule for refusal in there.request(create(bind(path)))}
        assert found == ({"binds.read_by_root"} if is_refused else set())
    assert not there.request(create(bind(path, "ro")))
    named = Judge(changed(STANDARD, binds__allowed=["/opt", "/srv"]), ROOTS, Disk())
    assert bool(named.request(create(bind(path)))) is is_refused
    lax = Judge(changed(STANDARD, binds__read_by_root=True), ROOTS, Disk())
    assert not lax.request(create(bind(path)))
    excepted = Judge(changed(STANDARD, binds__excepted=[path.replace("/../scripts", "")]), ROOTS, Disk())
    assert not excepted.request(create(bind(path)))


@pytest.mark.parametrize(
    ("path", "there"),
    [
        pytest.param("/opt/agent", "/opt/agent/bin", id="holds bin"),
        pytest.param("/opt/agent", "/opt/agent/embedded", id="holds a whole distribution of its own"),
        pytest.param("/opt/agent/lib/plugins", "", id="lies in lib"),
        pytest.param("/opt/agent/sbin", "", id="is sbin"),
        pytest.param("/mnt/disk", "/mnt/disk/etc/passwd", id="the root of another system"),
        pytest.param("/mnt/disk/etc", "/mnt/disk/etc/passwd", id="a part of another system"),
        pytest.param("/srv/chroot/home/x", "/srv/chroot/etc/passwd", id="far below the root of another system"),
    ],
)
def test_programs_and_other_systems_are_known_by_what_they_hold(path: str, there: str) -> None:
    disk = Disk(there=(there, path))
    assert rules(create(bind(path)), disk=disk) == {"binds.read_by_root"}
    assert rules(create(bind(path, "ro")), disk=disk) == set()
    theirs = replace(disk, owners={"/opt": 1000, "/mnt": 1000, "/srv": 1000})
    assert rules(create(bind(path)), disk=theirs) == set()


@pytest.mark.parametrize("mode", ["rw", "ro"])
@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/data/docker", "/data/docker/volumes/metadata.db"),
        ("/data/docker/volumes/other/_data", "/data/docker/volumes/metadata.db"),
        ("/data/docker/containers/abc", "/data/docker/engine-id"),
        ("/home/ann/.local/x", "/home/ann/.local/x/overlay-containers"),
        ("/mnt/ctr/x", "/mnt/ctr/io.containerd.metadata.v1.bolt"),
        ("/srv/exec", "/srv/exec/runtime-runc"),
    ],
)
def test_an_engines_data_is_known_by_what_it_holds_wherever_it_lies(path: str, there: str, mode: str) -> None:
    disk = Disk(there=(there,))
    assert "binds.protected" in rules(create(bind(path, mode)), disk=disk)
    lax = changed(STANDARD, binds__excepted=["/"], binds__data=["/"], binds__read_only=["/"])
    assert "binds.protected" in rules(create(bind(path, mode)), lax, disk=disk)
    (refusal, *_) = judge(STANDARD, disk).file(path)
    assert refusal.rule == "binds.protected"


def test_the_engines_data_is_nobodys_as_soon_as_the_engine_has_told_of_it() -> None:
    there = Judge(STANDARD, replace(INSTALLATION, engine=[]), Disk())
    asked = send("POST", "/containers/create", create(bind("/data/engine/volumes/x", "ro")).body)
    assert not there.request(asked)
    assert not there.file("/data/engine/volumes/x/key")
    one = there.noting({})
    there.protect("/data/engine")
    there.protect("/data/engine")
    there.protect("")
    for judge_then in (there, there.noting({}), one):
        assert {refusal.rule for refusal in judge_then.request(asked)} == {"binds.protected"}
        assert judge_then.file("/data/engine/volumes/x/key")
        assert judge_then.request(create(bind("/data")))


def test_a_refusal_by_kind_says_what_would_allow_it() -> None:
    (refusal,) = judge().request(create(bind("/new/data")))
    assert refusal.wants == (("binds.data", "/new/data"),)
    assert "it is root's" in refusal.message
    assert "read-only" in refusal.message
    (refusal,) = judge(STANDARD, Disk(missing=("/new",))).request(create(bind("/new/data")))
    assert "the engine would make it as root" in refusal.message


# --- the list of what is protected ---------------------------------------------------------------------------------


def test_what_a_policy_file_protects_comes_to_what_is_protected_anyway() -> None:
    for said in ('["/srv/vault"]', '["...", "/srv/vault"]', "[]"):
        policy = reading.read(f'profile = "standard"\n[binds]\nprotected = {said}\n', "policy.toml")
        assert rules(create(bind("/etc")), policy) == {"binds.protected"}
        assert bool(rules(create(bind("/srv/vault/x")), policy)) is ("vault" in said)
    own = reading.read('profile = "open"\n[binds]\nprotected = ["/srv/vault"]\n', "policy.toml")
    assert rules(create(bind("/srv/vault/x")), own) == {"binds.protected"}
    assert rules(create(bind("/etc/x")), own) == set()


def test_to_clear_that_list_takes_a_word_of_its_own() -> None:
    text = 'profile = "standard"\n[binds]\nprotected_defaults = false\n'
    cleared = reading.read(text, "policy.toml")
    assert rules(create(bind("/etc/x", "ro")), cleared) == set()
    assert rules(create(bind("/etc/x")), cleared) == {"binds.data"}  # nor does it make the host's places data
    assert rules(create(bind("/srv/pnr/state", "ro")), cleared) == {"binds.protected"}
    own = reading.read(f'{text}protected = ["/srv/vault"]\n', "policy.toml")
    assert rules(create(bind("/srv/vault", "ro")), own) == {"binds.protected"}
    assert "binds.protected_defaults" in cleared.caution
    assert STANDARD.caution == ""


def test_protected_places_are_looked_at_once_for_all_that_a_file_reads() -> None:
    looked: Counter[str] = Counter()

    def look(path: str) -> Seen:
        looked[path] += 1
        return Disk(missing=("/srv/pnr/domains/shop",))(path)

    may_read = admission(Judge(STRICT, INSTALLATION, look))()
    for number in range(50):
        path = f"/srv/pnr/domains/shop/{number}"
        may_read(path, False, Source(SourceKind.FILE, path, "shop.json"))
    often = {path for path, times in looked.items() if times > 1 and not path.startswith("/srv/pnr/domains/shop/")}
    assert often == set()
    assert len(looked) < 50 + 100
    assert "/srv/pnr/domains/shop/7/engine-id" not in looked  # in what is not there, there is nothing


def test_protected_places_are_looked_at_anew_for_what_is_read_later() -> None:
    sockets: list[str] = []

    def look(path: str) -> Seen:
        sockets.extend([path] * (path in INSTALLATION.sockets))
        return Disk()(path)

    contents = LocalContents(lambda: b"k", Places({}), admission=admission(Judge(STRICT, INSTALLATION, look)))
    for _ in range(2):
        with pytest.raises(ContentsError):
            contents.read(Source(SourceKind.FILE, "/srv/pnr/domains/shop/none", "shop.json"))
    first = len(sockets)
    glance = contents.glance()
    for _ in range(2):
        with pytest.raises(ContentsError):
            glance.read(Source(SourceKind.FILE, "/srv/pnr/domains/shop/none", "shop.json"))
    assert len(sockets) - first == first // 2
