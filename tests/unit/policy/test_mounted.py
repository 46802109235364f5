"""What a container has really mounted, beside what it was to have."""

from __future__ import annotations

import pytest

from reconciler.policy.mounted import Wanted, mounts, not_as_wanted, paths_of, place_of

HOST = mounts(
    "\n".join(
        (
            "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw",
            "23 22 0:5 / /proc rw - proc proc rw",
            "24 22 8:2 / /srv rw shared:3 - ext4 /dev/sdb1 rw",
            "25 24 8:2 /sub /srv/again rw - ext4 /dev/sdb1 rw",
            "26 22 8:1 /srv/deep /mnt/alias rw - ext4 /dev/sda1 rw",
            r"27 22 8:3 / /mnt/a\040disk rw - ext4 /dev/sdc1 rw",
            "28 22 0:40 /@data /data rw - btrfs /dev/sdd rw",
            "29 22 0:50 / /mnt/over rw - tmpfs tmpfs rw",
            "30 22 0:51 / /mnt/over rw - tmpfs tmpfs rw",
            "broken line",
            "31 22 x:y / /mnt/odd rw - ext4 /dev/sde rw",
        )
    )
)


def there(*lines: tuple[str, str, str]) -> str:
    """The mountinfo of a container: device, root and point of each."""
    own = ["40 39 0:60 / / rw - overlay overlay rw", "41 40 0:61 / /proc rw - proc proc rw"]
    return "\n".join(
        [*own, *(f"{50 + n} 40 {dev} {root} {point} rw - ext4 x rw" for n, (dev, root, point) in enumerate(lines))]
    )


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", ("8:1", "/")),
        ("/etc/x", ("8:1", "/etc/x")),
        ("/srv", ("8:2", "/")),
        ("/srv/app", ("8:2", "/app")),
        ("/srvx", ("8:1", "/srvx")),
        ("/srv/again/x", ("8:2", "/sub/x")),
        ("/mnt/a disk/x", ("8:3", "/x")),
        ("/data/x", ("0:40", "/@data/x")),
        ("/mnt/over", ("0:51", "/")),
        ("/mnt/odd", ("8:1", "/mnt/odd")),
    ],
)
def test_a_path_shows_a_part_of_a_disk(path: str, place: tuple[str, str]) -> None:
    assert place_of(path, HOST) == place
    assert path in paths_of(place, HOST)


def test_a_part_of_a_disk_has_all_of_its_paths_and_none_that_something_else_covers() -> None:
    assert paths_of(("8:2", "/sub/x"), HOST) == ("/srv/sub/x", "/srv/again/x")
    assert paths_of(("8:1", "/srv/deep/x"), HOST) == ("/mnt/alias/x",)
    assert paths_of(("0:50", "/"), HOST) == ()
    assert paths_of(("9:9", "/x"), HOST) == ()
    assert place_of("/x", ()) is None


APP = Wanted("/srv/app", "/app")


@pytest.mark.parametrize(
    ("wanted", "found", "instead"),
    [
        pytest.param([APP], [("8:2", "/app", "/app")], None, id="as it was to be"),
        pytest.param([APP], [("8:1", "/etc", "/app")], ("/etc",), id="the host's /etc"),
        pytest.param([APP], [("8:1", "/", "/app")], ("/",), id="the whole host"),
        pytest.param([APP], [("8:2", "/other", "/app")], ("/srv/other",), id="another's data"),
        pytest.param([APP], [("8:1", "/app", "/app")], ("/app",), id="the same path of another disk"),
        pytest.param([APP], [("8:2", "/app2", "/app")], ("/srv/app2",), id="a name that begins alike"),
        pytest.param([APP], [("8:2", "/", "/app")], ("/srv",), id="what it lies in"),
        pytest.param([APP], [("8:2", "/app/x", "/app")], ("/srv/app/x",), id="what lies in it"),
        pytest.param([APP], [("9:9", "/x", "/app")], (), id="a disk that nobody knows"),
        pytest.param([APP], [], (), id="nothing"),
        pytest.param([APP], [("8:1", "/etc", "/moved")], (), id="moved out of sight"),
        pytest.param([APP], [("8:2", "/app", "/run/app")], None, id="behind a link of its image"),
        pytest.param([APP], [("8:2", "/app", "/app"), ("8:2", "/app/s", "/app/s")], None, id="with a disk in it"),
        pytest.param([APP], [("8:2", "/app//deleted", "/app")], (), id="removed since"),
        pytest.param(
            [APP, Wanted("/srv/app", "/b")],
            [("8:2", "/app", "/b"), ("8:1", "/etc", "/app")],
            ("/etc",),
            id="one of two of the same",
        ),
        pytest.param(
            [Wanted("/srv/a", "/a"), Wanted("/srv/b", "/b")],
            [("8:2", "/b", "/a"), ("8:2", "/a", "/b")],
            None,
            id="two that changed places: nothing that was not judged",
        ),
        pytest.param([Wanted("/srv/again/x", "/x")], [("8:2", "/sub/x", "/x")], None, id="through another mount of it"),
        pytest.param([Wanted("/mnt/a disk/x", "/x")], [("8:3", "/x", "/x")], None, id="with a blank in its name"),
        pytest.param(
            [Wanted("/srv/app", "/app", through="/srv/again/x")],
            [("8:2", "/sub/x", "/app")],
            ("/srv/sub/x",),
            id="a volume, which is also where the engine mounts it",
        ),
        pytest.param([APP], [("8:2", "/app", "/a\\040b")], None, id="at a target with a blank"),
    ],
)
def test_what_is_not_as_wanted(
    wanted: list[Wanted], found: list[tuple[str, str, str]], instead: tuple[str, ...] | None
) -> None:
    others = not_as_wanted(wanted, mounts(there(*found)), HOST)
    assert [other.places for other in others] == ([] if instead is None else [instead])
