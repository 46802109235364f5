"""Ways to a place on the host that a container must not have."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.policy.refusal import KNOWN_FIELDS
from tests.unit.policy.judging import (
    OPEN,
    STANDARD,
    STRICT,
    Disk,
    Engine,
    changed,
    container,
    create,
    judge,
    rules,
    send,
)


def bind(source: str, mode: str = "rw") -> dict[str, Any]:
    """The short form of a bind."""
    return {"Binds": [f"{source}:/x:{mode}"]}


def mount(source: str, /, **more: Any) -> dict[str, Any]:
    """The long form of a bind."""
    return {"Mounts": [{"Type": "bind", "Source": source, "Target": "/x", **more}]}


@pytest.mark.parametrize("form", [bind, mount])
@pytest.mark.parametrize(
    "source",
    [
        "/",
        "//",
        "/.",
        "/etc",
        "/etc/",
        "//etc",
        "/./etc",
        "/srv/../etc",
        "/srv/app/../../etc/shadow",
        "/root",
        "/root/.ssh",
        "/home",
        "/home/ann",
        "/home/ann/.ssh",
        "/home/ann/.bashrc",
        "/var",
        "/var/run",
        "/run",
        "/run/containerd/containerd.sock",
        "/run/dbus/system_bus_socket",
        "/var/lib",
        "/var/lib/docker",
        "/var/lib/docker/volumes/other_data/_data",
        "/var/lib/containerd",
        "/var/lib/kubelet/pods",
        "/var/spool/cron",
        "/var/backups",
        "/var/log",
        "/proc",
        "/proc/1/root",
        "/proc/self/root",
        "/proc/self/root/srv/app",
        "/proc/1/cwd",
        "/sys",
        "/sys/fs/cgroup",
        "/dev",
        "/dev/sda",
        "/dev/fd/3",
        "/boot",
        "/usr",
        "/usr/local/bin",
        "/bin",
        "/lib/systemd/system",
        "/lib64",
        "/sbin",
        "/srv/repository/.git",
        "/srv/repository/.git/hooks",
        "/srv",
        "/srv/pnr",
        "/srv/pnr/state",
        "/srv/pnr/state/runtime/other/main/web",
        "/srv/pnr/state/files/other/main/web",
        "/run/pnr/files/shop/main/web",
        "/srv/pnr/domains",
        "/srv/pnr/domains/",
        "/srv/pnr/domains/other.json",
        "/srv/pnr/domains/.git",
        "/etc/pnr/policy.toml",
        "/etc/pnr",
        "/opt/pnr",
        "/opt/pnr/lib",
        "/opt",
        "/tmp",
        "/tmp/tmux-0",
        "/tmp/.X11-unix",
        "/tmp/ssh-abc/agent.1",
        "/swapfile",
        "/var/lib/dkms",
        "/var/cache/debconf",
    ],
)
def test_the_standard_policy_refuses_what_makes_root(source: str, form: Any) -> None:
    assert "binds.protected" in rules(create(form(source)))
    assert rules(create(form(source)), OPEN) == set()


@pytest.mark.parametrize("form", [bind, mount])
@pytest.mark.parametrize(
    "source",
    [
        "/srv/app",
        "/srv/app/",
        "/opt/app",
        "/home/ann/app/html",
        "/data",
        "/mnt/disk/media",
        "/var/www",
        "/var/lib/postgresql",
        "/var/lib/mysql/data",
        "/tmp/x",
        "/srv/etcetera",
        "/srv/runner",
    ],
)
def test_the_standard_policy_allows_ordinary_directories(source: str, form: Any) -> None:
    assert rules(create(form(source))) == set()


@pytest.mark.parametrize(
    ("path", "links"),
    [
        pytest.param("/srv/app", {"/srv/app": "/etc"}, id="a link at the end"),
        pytest.param("/srv/app/html", {"/srv/app": "/usr"}, id="a link in the middle"),
        pytest.param("/srv/a/b", {"/srv/a": "/srv/c", "/srv/c/b": "/etc"}, id="a link behind a link"),
        pytest.param("/srv/pnr/domains/html", {"/srv/pnr/domains/html": "/etc"}, id="a link beside the domain files"),
        pytest.param("/srv/app/../app2", {"/srv/app": "/etc/x"}, id="two dots after a link"),
    ],
)
def test_links_are_refused_and_followed(path: str, links: dict[str, str]) -> None:
    disk = Disk(links=links)
    assert "binds.links" in rules(create(bind(path)), disk=disk)
    lax = changed(STANDARD, binds__links=True)
    assert rules(create(bind(path)), lax, disk=disk) == {"binds.protected"}


def test_a_link_to_an_ordinary_place_is_refused_with_the_place_to_write_instead() -> None:
    disk = Disk(links={"/srv/app": "/mnt/disk/app"})
    (refusal,) = judge(STANDARD, disk).request(create(bind("/srv/app")))
    assert refusal.rule == "binds.links"
    assert "write /mnt/disk/app" in refusal.message
    assert rules(create(bind("/srv/app")), changed(STANDARD, binds__links=True), disk=disk) == set()


@pytest.mark.parametrize(
    ("path", "same"),
    [
        pytest.param("/srv/alias", {"/srv/alias": "/etc"}, id="a mount of /etc elsewhere"),
        pytest.param("/srv/alias/cron.d", {"/srv/alias": "/etc"}, id="below a mount of /etc elsewhere"),
        pytest.param("/srv/host/srv/x", {"/srv/host": "/"}, id="below a mount of the root elsewhere"),
    ],
)
def test_a_protected_place_is_known_under_another_name(path: str, same: dict[str, str]) -> None:
    assert rules(create(bind(path)), disk=Disk(same=same)) == {"binds.protected"}


SOCKET_WAYS = [
    pytest.param("/run/docker.sock", Disk(), id="by its name"),
    pytest.param("/var/run/docker.sock", Disk(links={"/var/run": "/run"}), id="through the usual link"),
    pytest.param("/srv/x.sock", Disk(links={"/srv/x.sock": "/run/docker.sock"}), id="by a link to it"),
    pytest.param("/srv/x.sock", Disk(same={"/srv/x.sock": "/run/docker.sock"}), id="by a hard link to it"),
    pytest.param("/srv/run/docker.sock", Disk(same={"/srv/run/docker.sock": "/run/docker.sock"}), id="by a mount"),
]


@pytest.mark.parametrize("form", [bind, mount, lambda p: bind(p, "ro"), lambda p: mount(p, ReadOnly=True)])
@pytest.mark.parametrize(("path", "disk"), SOCKET_WAYS)
def test_the_engines_socket_is_for_the_chunks_that_the_policy_names(path: str, disk: Disk, form: Any) -> None:
    asked = create(form(path))
    assert (
        rules(asked, disk=disk) == rules(asked, STRICT, disk=disk) & {"binds.engine_socket"} == {"binds.engine_socket"}
    )
    assert rules(asked, OPEN, disk=disk) == set()
    for named, refused in (
        (["shop/main/web"], set()),
        (["shop/*"], set()),
        (["*"], set()),
        (["shop/main/web2", "shop/main/we", "other/*", "other/main/web"], {"binds.engine_socket"}),
    ):
        assert rules(asked, changed(STANDARD, binds__engine_socket=named), disk=disk) == refused


def test_who_may_have_the_engines_socket_has_none_of_what_it_lies_in() -> None:
    named = changed(STANDARD, binds__engine_socket=["*"])
    for path in ("/run", "/var/run", "/", "/run/containerd/containerd.sock"):
        assert "binds.protected" in rules(create(bind(path)), named)


def test_the_right_to_the_engines_socket_covers_what_holds_it_if_named_read_only() -> None:
    disk = Disk(links={"/var/run": "/run"})
    lax = changed(STANDARD, binds__read_only=["/", "/var/run", "/run"], binds__engine_socket=["shop/main/web"])
    for path in ("/", "/var/run", "/run", "/srv/pnr/state", "/var/lib/docker"):
        assert rules(create(bind(path, "ro")), lax, disk=disk) == set()
        assert "binds.protected" in rules(create(bind(path)), lax, disk=disk)
    other = changed(STANDARD, binds__read_only=["/", "/var/run", "/run"], binds__engine_socket=["shop/main/other"])
    for path in ("/", "/run", "/srv/pnr/state"):
        assert "binds.protected" in rules(create(bind(path, "ro")), other, disk=disk)


def test_an_exception_may_be_written_to_but_for_what_is_pnrs_or_the_engines() -> None:
    lax = changed(STANDARD, binds__excepted=["/etc/app", "/", "/run"])
    narrow = changed(STANDARD, binds__excepted=["/etc/app"])
    assert rules(create(bind("/etc/app/data")), narrow) == set()
    for path in ("/etc", "/etc/other", "/"):
        assert "binds.protected" in rules(create(bind(path)), narrow)
    assert "binds.protected" in rules(create(bind("/etc/link")), narrow, disk=Disk(links={"/etc/link": "/etc/app"}))
    leading = Disk(links={"/etc/app": "/etc/shadow"})
    assert {"binds.links", "binds.protected"} <= rules(create(bind("/etc/app")), narrow, disk=leading)
    for path in ("/", "/run", "/srv/pnr/state", "/etc/pnr/policy.toml"):
        assert "binds.protected" in rules(create(bind(path)), lax)
    assert rules(create(bind("/run/docker.sock")), lax) == {"binds.engine_socket"}


def test_a_list_of_protected_places_says_nothing_about_the_socket() -> None:
    lax = changed(STANDARD, binds__protected=[], binds__read_only=["/run"])
    assert rules(create(bind("/run/docker.sock", "ro")), lax) == {"binds.engine_socket"}


def test_the_open_profile_made_stricter_holds_for_the_socket_too() -> None:
    assert rules(create(bind("/run/docker.sock")), changed(OPEN, binds__allowed=["/srv"])) == {"binds.allowed"}
    assert rules(create(bind("/run/docker.sock")), changed(OPEN, binds__engine_socket=[])) == {"binds.engine_socket"}


@pytest.mark.parametrize("form", [lambda p: bind(p, "ro"), lambda p: mount(p, ReadOnly=True)])
def test_harmless_files_of_the_host_are_allowed_read_only(form: Any) -> None:
    disk = Disk(links={"/etc/localtime": "/usr/share/zoneinfo/UTC"})
    for path in ("/etc/localtime", "/etc/timezone", "/etc/ssl/certs"):
        assert rules(create(form(path)), disk=disk) == set()
        assert "binds.protected" in rules(create(bind(path)), disk=disk)


def test_a_name_of_a_harmless_file_that_leads_elsewhere_is_refused() -> None:
    disk = Disk(links={"/etc/localtime": "/etc/shadow"})
    assert "binds.protected" in rules(create(bind("/etc/localtime", "ro")), disk=disk)


@pytest.mark.parametrize(
    ("host", "rule"),
    [
        pytest.param(bind("/srv/app", "ro,rw"), None, id="read-only and not counts as not"),
        pytest.param(bind("/etc/timezone", "ro,rw"), "binds.protected", id="read-only and not, of a protected file"),
        pytest.param(bind("/srv/app", "rshared"), "binds.propagation", id="mounts go on to the host"),
        pytest.param(bind("/srv/app", "z,shared"), "binds.propagation", id="the same behind another mode"),
        pytest.param(
            mount("/srv/app", BindOptions={"Propagation": "shared"}), "binds.propagation", id="in the long form"
        ),
        pytest.param(bind("/srv/app", "new"), KNOWN_FIELDS, id="a mode of a newer engine"),
        pytest.param(mount("/srv/app", BindOptions={"New": True}), KNOWN_FIELDS, id="an option of a newer engine"),
        pytest.param(mount("/srv/app", source="/etc"), KNOWN_FIELDS, id="a second source in lower case"),
        pytest.param({"Binds": ["/etc:/x:ro:rw"]}, KNOWN_FIELDS, id="too many parts"),
        pytest.param({"Binds": ["./etc:/x"]}, "binds.allowed", id="a relative path"),
        pytest.param({"Mounts": [{"Type": "bind", "Source": "etc"}]}, "binds.allowed", id="a relative path, long"),
        pytest.param({"Mounts": [{"Type": "BIND", "Source": "/etc"}]}, KNOWN_FIELDS, id="a type in upper case"),
        pytest.param({"Mounts": [{"Source": "/etc", "Target": "/x"}]}, KNOWN_FIELDS, id="no type"),
        pytest.param({"Mounts": [{"Type": "npipe", "Source": "x"}]}, KNOWN_FIELDS, id="a named pipe"),
        pytest.param(
            {"Mounts": [{"Type": "volume", "Target": "/x", "VolumeOptions": {"Labels": {"io.pnr.domain": "a"}}}]},
            "own labels",
            id="a label of pnr",
        ),
        pytest.param({"VolumeDriver": "evil"}, "volumes.drivers", id="a driver for all volumes"),
    ],
)
def test_odd_forms_are_refused(host: dict[str, Any], rule: str | None) -> None:
    assert rules(create(host)) == ({rule} if rule is not None else set())


def test_what_pnr_can_not_look_at_is_refused() -> None:
    disk = Disk(locked=("/home/ann",))
    assert rules(create(bind("/home/ann/app")), disk=disk) == {"binds.unseen"}
    assert rules(create(bind("/home/ann/app")), changed(STANDARD, binds__unseen=True), disk=disk) == set()
    assert "binds.protected" in rules(create(bind("/etc/x")), changed(STANDARD, binds__unseen=True), disk=disk)


def test_only_below_allowed_directories_where_the_policy_lists_them() -> None:
    policy = changed(STRICT, binds__allowed=["/srv/data"])
    host = {"Binds": ["/srv/data/a:/a", "/srv/data2:/b", "/srv/data/../other:/c"]}
    refused = [r.field for r in judge(policy).request(create(host)) if r.rule == "binds.allowed"]
    assert refused == ["HostConfig.Binds[1]", "HostConfig.Binds[2]"]
    disk = Disk(missing=("/srv/data/new",), writable=("/srv/data/shared",))
    assert "binds.missing" in rules(create(bind("/srv/data/new")), policy, disk=disk)
    assert "binds.others_may_write" in rules(create(bind("/srv/data/shared/x")), policy, disk=disk)


# --- pnr's own mounts -----------------------------------------------------------------------------------------------

RUNTIME = "/srv/pnr/state/runtime/shop/main/web"
FILE = "/run/pnr/files/shop/main/web/" + "a" * 64


def test_pnrs_own_mounts_pass_by_where_they_lie() -> None:
    own = [
        {"Type": "bind", "Source": RUNTIME, "Target": "/runtime"},
        {"Type": "bind", "Source": FILE, "Target": "/run/secrets/key", "ReadOnly": True},
    ]
    assert rules(create({"Mounts": own})) == set()
    assert rules(create({"Mounts": own}), changed(STANDARD, binds__allowed=[])) == set()


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param({"Source": RUNTIME, "Target": "/elsewhere"}, id="its own directory at another place"),
        pytest.param({"Source": RUNTIME.replace("web", "db"), "Target": "/runtime"}, id="that of another chunk"),
        pytest.param({"Source": RUNTIME.replace("shop", "other"), "Target": "/runtime"}, id="that of another domain"),
        pytest.param({"Source": RUNTIME + "/..", "Target": "/runtime"}, id="the one above"),
        pytest.param({"Source": FILE, "Target": "/x"}, id="a secret that could be written"),
        pytest.param({"Source": FILE[:-64], "Target": "/x", "ReadOnly": True}, id="the whole folder of secrets"),
        pytest.param(
            {"Source": FILE.replace("shop", "other"), "Target": "/x", "ReadOnly": True}, id="another domain's secret"
        ),
        pytest.param(
            {"Source": FILE, "Target": "/x", "ReadOnly": True, "BindOptions": {"Propagation": "rprivate"}},
            id="a secret with options that pnr never sends",
        ),
    ],
)
def test_nothing_else_passes_as_a_mount_of_pnr(taken: dict[str, Any]) -> None:
    assert "binds.protected" in rules(create({"Mounts": [{"Type": "bind", **taken}]}))


def test_a_forged_label_makes_no_mount_pnrs_own_for_another_domain() -> None:
    request = create({"Mounts": [{"Type": "bind", "Source": RUNTIME, "Target": "/runtime"}]})
    body = {**request.body, "Labels": {**request.body["Labels"], "io.pnr.domain": "evil"}}
    assert "binds.protected" in rules(send("POST", "/containers/create", body))


# --- volumes --------------------------------------------------------------------------------------------------------


def volume(driver: str = "local", **options: str) -> Any:
    """The request that makes a volume."""
    body = {"Name": "shop_v", "Driver": driver, "DriverOpts": options, "Labels": {"io.pnr.domain": "shop"}}
    return send("POST", "/volumes/create", body)


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        pytest.param({"type": "none", "o": "bind", "device": "/etc"}, "binds.protected", id="a bind"),
        pytest.param({"type": "none", "o": "rbind", "device": "/"}, "binds.protected", id="a bind of all below"),
        pytest.param({"o": "bind", "device": "/etc"}, "binds.protected", id="a bind without a type"),
        pytest.param({"type": "tmpfs", "o": "bind", "device": "/etc"}, "binds.protected", id="a bind called tmpfs"),
        pytest.param({"type": "nfs", "o": "bind", "device": "/etc"}, "binds.protected", id="a bind called nfs"),
        pytest.param({"type": "none", "o": "ro,bind", "device": "/etc"}, "binds.protected", id="behind an option"),
        pytest.param(
            {"type": "none", "o": "size=1m,bind,ro", "device": "/etc/shadow"}, "binds.protected", id="between"
        ),
        pytest.param({"type": "none", "o": "bind", "device": "/srv/link"}, "binds.links", id="a bind of a link"),
        pytest.param({"type": "none", "o": "bind", "device": "/srv/../etc"}, "binds.protected", id="two dots"),
        pytest.param({"type": "none", "o": "BIND", "device": "/etc"}, "volumes.options", id="an option in upper case"),
        pytest.param({"type": "none", "o": " bind", "device": "/etc"}, "volumes.options", id="an option with a blank"),
        pytest.param({"type": "none", "o": "bind,rshared", "device": "/srv/a"}, "volumes.options", id="shared"),
        pytest.param({"type": "tmpfs", "o": "remount", "device": "/"}, "volumes.options", id="remount"),
        pytest.param({"type": "none", "device": "/etc"}, "volumes.types", id="no option at all"),
        pytest.param({"device": "/etc"}, "volumes.types", id="a device alone"),
        pytest.param({"type": "ext4", "device": "/dev/sda1"}, "volumes.types", id="a disk"),
        pytest.param({"type": "EXT4", "device": "/dev/sda1"}, "volumes.types", id="a disk in upper case"),
        pytest.param({"type": "overlay", "o": "lowerdir=/etc"}, "volumes.types", id="an overlay of /etc"),
        pytest.param({"type": "proc", "device": "proc"}, "volumes.types", id="proc"),
        pytest.param({"type": "cgroup", "device": "x", "o": "memory"}, "volumes.types", id="control groups"),
        pytest.param({"type": "fuse.x", "device": "x"}, "volumes.types", id="a program of the host"),
        pytest.param({"Type": "none", "O": "bind", "Device": "/etc"}, KNOWN_FIELDS, id="names in upper case"),
        pytest.param({"mountpoint": "/etc"}, KNOWN_FIELDS, id="an option that is not known"),
        *(
            pytest.param({"type": kind, **options}, "volumes.addresses", id=f"{kind} of {options}")
            for kind, options in (
                ("nfs", {"o": "addr=127.0.0.1,rw", "device": ":/"}),
                ("nfs", {"o": "addr=192.168.1.10,rw", "device": ":/"}),
                ("nfs4", {"o": "addr=192.0.2.1,addr=::1", "device": ":/"}),
                ("nfs", {"o": "addr=::ffff:127.0.0.1", "device": ":/"}),
                ("nfs", {"o": "addr=127.1", "device": ":/"}),
                ("nfs", {"o": "addr=box", "device": ":/"}),
                ("nfs", {"o": "addr=nfs.example.com", "device": ":/"}),
                ("nfs", {"o": "rw", "device": "localhost:/"}),
                ("nfs", {"o": "rw", "device": "[fe80::1]:/"}),
                ("cifs", {"o": "username=a", "device": "//127.0.0.1/c$"}),
                ("cifs", {"o": "username=a", "device": r"\\172.17.0.1\c$"}),
                ("cifs", {"o": "username=a,addr=0.0.0.0", "device": "//192.0.2.1/x"}),
            )
        ),
        pytest.param({"type": "nfs", "o": "addr=a b", "device": ":/"}, KNOWN_FIELDS, id="a server that is not a name"),
    ],
)
def test_volumes_that_are_places_of_the_host_are_refused(options: dict[str, str], rule: str) -> None:
    disk, hosts = Disk(links={"/srv/link": "/srv/other"}), {"nfs.example.com": ("192.168.1.10",)}
    assert rule in rules(volume(**options), disk=disk, engine=Engine(hosts=hosts))
    inline = {
        "Type": "volume",
        "Target": "/x",
        "VolumeOptions": {"DriverConfig": {"Name": "local", "Options": options}},
    }
    assert rule in rules(create({"Mounts": [inline]}), disk=disk, engine=Engine(hosts=hosts))
    made = {"Driver": "local", "Options": options, "Labels": {"io.pnr.domain": "shop"}}
    there = Engine(volumes={"vv": made}, hosts=hosts)
    for host in ({"Binds": ["vv:/x"]}, {"Mounts": [{"Type": "volume", "Source": "vv", "Target": "/x"}]}):
        assert rule in rules(create(host), disk=disk, engine=there)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"type": "tmpfs", "o": "size=64m,uid=1000", "device": "tmpfs"},
        {"type": "nfs", "o": "addr=192.0.2.1,rw,nfsvers=4", "device": ":/export"},
        {"type": "cifs", "o": "username=a,password=b", "device": "//192.0.2.1/share"},
        {"type": "none", "o": "bind", "device": "/srv/data"},
    ],
)
def test_ordinary_volumes_are_allowed(options: dict[str, str]) -> None:
    assert rules(volume(**options)) == set()


def test_a_policy_names_the_servers_that_volumes_may_come_from() -> None:
    here = volume(type="nfs", o="addr=127.0.0.1", device=":/export")
    share = volume(type="cifs", o="username=a", device="//nas.example.com/share")
    assert rules(here, changed(STANDARD, volumes__addresses=["...", "@host"])) == set()
    only = changed(STANDARD, volumes__addresses=["nas.example.com", "192.0.2.0/24"])
    assert rules(share, only) == set()
    assert rules(volume(type="nfs", o="addr=192.0.2.7", device=":/x"), only) == set()
    assert rules(volume(type="nfs", o="addr=198.51.100.7", device=":/x"), only) == {"volumes.addresses"}
    assert rules(here, OPEN) == set()


def test_what_may_be_read_only_is_not_made_where_it_is_missing() -> None:
    """The engine would make a directory, as root, in a place that is protected."""
    disk = Disk(missing=("/etc/ssl/certs/new", "/etc/timezone"))
    for source in ("/etc/ssl/certs/new", "/etc/timezone"):
        short, long = bind(source, "ro"), mount(source, ReadOnly=True)
        assert rules(create(short), disk=disk) == {"binds.protected"}
        assert rules(create(long), disk=disk) == set()  # the engine refuses it, and makes nothing
        assert rules(create(mount(source, ReadOnly=True, BindOptions={"CreateMountpoint": True})), disk=disk) == {
            "binds.protected"
        }
        # Of a file that is judged elsewhere nobody knows what is on the engine's machine.
        assert rules(create(short), disk=disk, engine=Engine(is_complete=False)) == set()
    (refusal,) = judge(STANDARD, disk).request(create(bind("/etc/timezone", "ro")), Engine())
    assert "make it first, or write it in the long form (`type: bind`)" in str(refusal)


def test_a_driver_of_volumes_is_a_program_that_runs_as_root() -> None:
    assert rules(volume("vieux/sshfs")) == {"volumes.drivers"}
    named = {"Type": "volume", "Target": "/x", "VolumeOptions": {"DriverConfig": {"Name": "vieux/sshfs"}}}
    assert rules(create({"Mounts": [named]})) == {"volumes.drivers"}
    there = Engine(volumes={"vv": {"Driver": "vieux/sshfs", "Labels": {"io.pnr.domain": "shop"}}})
    assert rules(create({"Binds": ["vv:/x"]}), engine=there) == {"volumes.drivers"}


def test_passwords_of_volumes_are_in_no_refusal() -> None:
    asked = volume(type="cifs", o="username=a,password=hunter2,evil=hunter2", device="//192.0.2.1/share")
    refusals = judge().request(asked)
    assert refusals
    assert not any("hunter2" in str(refusal) for refusal in refusals)


# --- volumes of other containers ------------------------------------------------------------------------------------


def test_volumes_of_another_container_count_as_its_own() -> None:
    socket = {"Type": "bind", "Source": "/run/docker.sock", "Destination": "/s", "RW": True}
    there = Engine({"tool": {**container(), "Mounts": [socket]}})
    for entry in ("tool", "tool:ro", "tool:rw"):
        assert rules(create({"VolumesFrom": [entry]}), engine=there) == {"binds.engine_socket"}


def test_volumes_of_a_foreign_container_are_refused() -> None:
    for whose in ("", "other"):
        there = Engine({"tool": container(whose)})
        assert rules(create({"VolumesFrom": ["tool:ro"]}), engine=there) == {"namespaces.containers"}
    assert rules(create({"VolumesFrom": ["nobody"]})) == {"namespaces.containers"}


def test_volumes_of_a_sibling_may_hold_what_pnr_put_there() -> None:
    own = {"Type": "bind", "Source": RUNTIME, "Destination": "/runtime", "RW": True}
    there = Engine({"web": {**container(), "Mounts": [own]}})
    assert rules(create({"VolumesFrom": ["web"]}), engine=there) == set()


def test_links_lead_to_no_foreign_container() -> None:
    assert rules(create({"Links": ["db:db"]}), engine=Engine({"db": container("other")})) == {"namespaces.containers"}
    assert rules(create({"Links": ["/db:/x/db"]}), engine=Engine({"db": container()})) == set()
