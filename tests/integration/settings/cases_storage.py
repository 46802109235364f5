"""Cases of volumes, files, file systems in memory and logs; and of the image and the name."""

from __future__ import annotations

from typing import Any

from tests.integration.settings.case import NOTHING, PLAIN, RICH, Case, Here


def _bound(text: str) -> Any:
    def value(here: Here) -> list[str]:
        return [text.format(folder=here.folder)]

    return value


def _long(**volume: Any) -> list[dict[str, Any]]:
    return [volume]


def _one_bound(**bind: Any) -> Any:
    return lambda here: _long(type="bind", source=f"{here.folder}/one", target="/data", read_only=True, bind=bind)


def _part(name: str) -> Any:
    return lambda here: _long(type="volume", source=here.volume, target="/data", volume={"subpath": name})


CASES = (
    Case("volumes", "bound", _bound("{folder}/one:/data"), _bound("{folder}/two:/data")),
    Case("volumes", "bound elsewhere", _bound("{folder}/one:/data"), _bound("{folder}/one:/other")),
    Case("volumes", "bound read-only", _bound("{folder}/one:/data:ro"), _bound("{folder}/one:/data")),
    Case("volumes", "spellings of a mode", _bound("{folder}/one:/data:rw"), _bound("{folder}/./one:/data/"), NOTHING),
    Case(
        "volumes",
        "short and long form",
        _bound("{folder}/one:/data:ro"),
        lambda here: _long(type="bind", source=f"{here.folder}/one", target="/data", read_only=True),
        NOTHING,
    ),
    Case("volumes", "named", ["data:/data"], ["more:/data"]),
    Case(
        "volumes",
        "named, short and long form",
        ["data:/data"],
        _long(type="volume", source="data", target="/data"),
        NOTHING,
    ),
    Case("volumes", "nocopy", ["data:/data:nocopy"], ["data:/data"]),
    Case("volumes", "order", ["data:/a", "more:/b"], ["more:/b", "data:/a"], NOTHING),
    Case("volumes", "more", ["data:/a"], ["data:/a", "more:/b"]),
    Case("volumes", "anonymous", ["/scratch"], ["/other"]),
    Case("volumes", "anonymous, long form", ["/scratch"], _long(type="volume", target="/scratch"), NOTHING),
    Case(
        "volumes",
        "memory",
        _long(type="tmpfs", target="/fast", tmpfs={"size": "8m"}),
        _long(type="tmpfs", target="/fast", tmpfs={"size": "9m"}),
    ),
    Case("volumes", "left out", ["data:/data"], None),
    Case("volumes", "propagation", _bound("{folder}/one:/data:private"), _bound("{folder}/one:/data")),
    Case(
        "volumes",
        "short and long form of a propagation",
        _bound("{folder}/one:/data:private"),
        lambda here: _long(type="bind", source=f"{here.folder}/one", target="/data", bind={"propagation": "private"}),
        NOTHING,
    ),
    Case(
        "volumes",
        "memory with a mode",
        _long(type="tmpfs", target="/fast", tmpfs={"mode": "1777"}),
        _long(type="tmpfs", target="/fast", tmpfs={"mode": "1770"}),
    ),
    Case(
        "volumes",
        "labels of an anonymous one",
        _long(type="volume", target="/data", volume={"labels": {"a": "1"}}),
        _long(type="volume", target="/data", volume={"labels": {"a": "2"}}),
    ),
    Case(
        "volumes",
        "recursive",
        _one_bound(recursive="disabled", create_host_path=False),
        _one_bound(create_host_path=False),
    ),
    Case("volumes", "directory made or not", _one_bound(create_host_path=False), _one_bound()),
    Case(
        "volumes",
        "how far read-only goes",
        _one_bound(recursive="writable"),
        _one_bound(recursive="readonly"),
        since="1.44",
    ),
    Case("volumes", "part of a volume", _part("one"), _part("two"), since="1.45"),
    Case("volumes", "external", lambda here: [f"{here.volume}:/data"], ["data:/data"]),
    Case("volumes", "selinux", _bound("{folder}/one:/data:z"), _bound("{folder}/one:/data")),
    Case(
        "volumes",
        "image",
        lambda here: _long(type="image", source=here.images[PLAIN], target="/data"),
        lambda here: _long(type="image", source=here.images[RICH], target="/data"),
        since="1.48",
    ),
    Case("tmpfs", "one and a list", "/run", ["/run"], NOTHING),
    Case("tmpfs", "size", "/tmp:size=8m", "/tmp:size=9m"),
    Case("tmpfs", "mode", ["/tmp:size=8m,mode=1777"], ["/tmp:size=8m,mode=1770"]),
    Case("tmpfs", "more", ["/run"], ["/run", "/tmp"]),
    Case("tmpfs", "left out", "/run", None),
    Case("volumes_from", "another chunk's", ["first"], ["second"]),
    Case("volumes_from", "read-only", ["first:ro"], ["first"]),
    Case("volumes_from", "spellings", ["first:rw"], ["first"], NOTHING),
    Case("volumes_from", "another container's", lambda here: [f"container:{here.name('first')}"], None),
    Case("logging", "options", {"options": {"max-size": "10m"}}, {"options": {"max-size": "20m"}}),
    Case("logging", "more", {"options": {"max-size": "10m"}}, {"options": {"max-size": "10m", "max-file": 2}}),
    Case("logging", "driver", {"driver": "json-file"}, {"driver": "local"}),
    Case("logging", "none", {"driver": "none"}, None),
    Case(
        "logging",
        "spellings",
        {"driver": "json-file", "options": {"max-file": 3}},
        {"driver": "json-file", "options": {"max-file": "3"}},
        NOTHING,
    ),
    Case("secrets", "another", ["one"], ["two"]),
    Case("secrets", "mode", [{"source": "one", "mode": "0400"}], [{"source": "one", "mode": "0440"}]),
    Case("secrets", "short and long form", ["one"], [{"source": "one"}], NOTHING),
    Case("secrets", "left out", ["one"], None),
    Case("configs", "another", [{"source": "one", "target": "/c"}], [{"source": "two", "target": "/c"}]),
    Case("configs", "short and long form", ["one"], [{"source": "one", "target": "/one"}], NOTHING),
    Case("configs", "left out", ["one"], None),
    Case("env_file", "another", ["one.env"], ["two.env"]),
    Case("env_file", "and environment", ["one.env"], None, NOTHING, beside={"environment": {"FROM": "one"}}),
    Case("env_file", "overridden", ["one.env", "two.env"], ["two.env"], NOTHING),
    Case("env_file", "left out", ["one.env"], None),
    Case("label_file", "another", ["one.labels"], ["two.labels"]),
    Case("label_file", "left out", ["one.labels"], None),
    Case("image", "another", lambda here: here.images[PLAIN], lambda here: here.images[RICH]),
    Case("image", "another name for the same", lambda here: here.images[PLAIN], lambda here: here.images["other name"]),
    Case(
        "image",
        "with and without the usual tag",
        lambda here: here.images[PLAIN],
        lambda here: here.images[PLAIN].removesuffix(":latest"),
        NOTHING,
    ),
    Case("pull_policy", "which says nothing of the container", "missing", "never", NOTHING),
)

TESTED_ELSEWHERE = {
    "build": "tests/integration/images: contexts that change",
    "build_path": "tests/integration/images: contexts that change",
    "scale": "tests/integration/daemon/test_replicas_and_adoption.py: copies",
    "name": "tests/integration/settings/test_drift.py: renamed by hand",
    "storage_opt": "tests/integration/settings/test_not_started.py: takes a file system with quotas",
}
"""What stands in a container and has no case here, with the place or the reason."""

OF_NO_EFFECT = {
    "attach": "only false is accepted",
    "pull_refresh_after": "says when an image is pulled, and nothing of the container",
}
"""What is accepted and is nothing of the container."""
