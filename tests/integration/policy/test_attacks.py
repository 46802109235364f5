"""What somebody hostile tries who may write one domain file, beside somebody who has another one."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from tests.integration.daemon.conftest import Build, stack, web
from tests.integration.policy.conftest import Town

pytestmark = pytest.mark.docker

__all__ = ["web"]

WRITES = ["sh", "-c", "touch /x/was-here; sleep 86400"]
"""What a container runs that leaves a mark in what it has at /x."""


def inside(api: APIClient, container: str, script: str) -> None:
    """Something that a container does by itself."""
    client: Any = api
    made = client.exec_create(container, ["sh", "-c", script])
    client.exec_start(made["Id"])
    while (seen := client.exec_inspect(made["Id"]))["Running"]:
        time.sleep(0.02)  # the end of what it prints can come before its own
    assert seen["ExitCode"] == 0


def line_of(text: str, error: dict[str, Any]) -> str:
    """The line of a file that an error names."""
    return text.splitlines()[int(error["line"]) - 1]


FIELD = re.compile(r"\([A-Za-z][^;]*; rule \w[^,]*, ")
"""The field of a request, and the rule, as a refusal names them."""

Try = tuple[dict[str, Any], dict[str, Any], str, str]
"""Settings of a chunk, those of the file, the rule or the error that refuses it, and what stands in the line named."""


def test_a_path_that_one_container_exchanges_leads_another_nowhere(
    town: Town, web: Build, unique: Callable[[str], str]
) -> None:
    daemon, mallory, accomplice = town.daemon, unique("mallory"), unique("accomplice")
    shared = daemon.root / mallory
    (shared / "x" / "etc").mkdir(parents=True)
    (shared / "other" / "etc").mkdir(parents=True)
    mark = town.guarded / "etc" / "was-here"
    a, b = f"{mallory}_a", f"{accomplice}_b"
    daemon.settle(mallory, stack(mallory, web("a", prefix=mallory, container={"volumes": [f"{shared}:/r"]})))
    asked = {"volumes": [f"{shared}/x/etc:/x"], "restart": "always", "command": WRITES, "init": True}
    chunk = web("b", prefix=accomplice, container=asked)
    del chunk["health_check"]
    daemon.settle(accomplice, stack(accomplice, chunk))
    assert (shared / "x" / "etc" / "was-here").exists()
    assert daemon.container(b)["HostConfig"]["RestartPolicy"]["Name"] == "no"

    # The way is exchanged, and it ends by itself: neither the engine nor pnr mounts what is there now.
    with daemon.asleep():
        inside(daemon.api, a, f"mv /r/x /r/judged && ln -s {town.guarded} /r/x")
        os.kill(daemon.container(b)["State"]["Pid"], signal.SIGKILL)
        daemon.until(lambda: daemon.container(b)["State"]["Status"] == "exited", "its end")
    daemon.until(lambda: daemon.chunk(accomplice, "b")["reason"] == "PolicyRefused", "the refusal of its start")
    assert not daemon.container(b)["State"]["Running"]
    assert not mark.exists()
    assert "binds.links" in daemon.chunk(accomplice, "b")["message"]

    # Somebody starts it by hand, and the way is as it was before pnr looks: the kernel tells.
    with daemon.asleep():
        daemon.api.start(b)
        daemon.until(mark.exists, "it to have what it may not have, with nobody looking")
        inside(daemon.api, a, "rm /r/x && mv /r/judged /r/x")
    daemon.until(lambda: not daemon.container(b)["State"]["Running"], "it to be ended")
    said = f"{town.guarded}/etc is mounted at /x, and not {shared}/x/etc, which was judged"
    daemon.until(lambda: said in daemon.chunk(accomplice, "b")["message"], "it to be told")
    assert daemon.pnr("apply", accomplice, "--wait").returncode == 0

    # Nor does a place go on that nobody protects: it is not what was judged.
    with daemon.asleep():
        inside(daemon.api, a, "mv /r/x /r/judged && mv /r/other /r/x")
        daemon.api.restart(b, timeout=0)
        inside(daemon.api, a, "mv /r/x /r/other && mv /r/judged /r/x")
    begun = daemon.run_of(b)
    daemon.until(lambda: daemon.run_of(b) != begun or not daemon.container(b)["State"]["Running"], "it to be ended")
    said = f"{shared}/other/etc is mounted at /x"
    daemon.until(lambda: said in json.dumps(daemon.journal()), "it to be told")
    assert daemon.pnr("down", accomplice, mallory).returncode == 0


def hostile(town: Town, prefix: str, victim: str) -> dict[str, Try]:
    """Files by what they try."""

    def ways(**container: Any) -> dict[str, Any]:
        return {"container": container}

    def subnet(text: str) -> Try:
        top = {"networks": {"lan": {"ipam": {"config": [{"subnet": text}]}}}}
        return ways(networks=["lan"]), top, "networks.subnets", text

    def log(rule: str, driver: str, option: str, value: str) -> Try:
        return ways(logging={"driver": driver, "options": {option: value}}), {}, rule, "logging"

    def pool(written: str, **config: Any) -> Try:
        top = {"networks": {"lan": {"ipam": {"config": [{"subnet": "10.213.0.0/24", **config}]}}}}
        return ways(networks=["lan"]), top, "InvalidValue", written

    def secret(file: str) -> Try:
        return ways(secrets=["s"]), {"secrets": {"s": {"file": file}}}, "binds.protected", file

    folder = town.daemon.domains
    return {
        # names that belong to others
        "build": (ways(image=town.theirs, build="./app"), {}, "builds.names", '"image"'),
        "tags": (
            ways(image=f"{prefix}_tags-x", build={"context": "./app", "tags": [town.theirs]}),
            {},
            "builds.",
            "tags",
        ),
        "replace": ({"adopt": "replace", **ways(name=f"{prefix}_anybodys")}, {}, "domains.adopt", "adopt"),
        "volume": (
            ways(volumes=["data:/x"]),
            {"volumes": {"data": {"name": f"{victim}_data", "external": True}}},
            "volumes.external",
            '"data"',
        ),
        "network": (
            ways(networks=["lan"]),
            {"networks": {"lan": {"name": f"{victim}_lan", "external": True}}},
            "networks.external",
            '"lan"',
        ),
        "container": ({"adopt": "replace", **ways(name=f"{victim}_web")}, {}, "ContainerNameClash", f"{victim}_web"),
        "made": (
            ways(volumes=["data:/x"]),
            {"volumes": {"data": {"name": f"{victim}_data"}}},
            "VolumeNameClash",
            '"volumes"',
        ),
        # the directory of the domain files
        "domains": (ways(volumes=[f"{folder}:/x"]), {}, "binds.", f"{folder}:/x"),
        "domains-ro": (ways(volumes=["./:/x:ro"]), {}, "binds.", "./:/x:ro"),
        "anothers": (ways(volumes=[f"./{victim}:/x:ro"]), {}, "binds.", f"./{victim}:/x:ro"),
        "own-rw": (ways(volumes=[f"./{prefix}_own-rw:/x"]), {}, "binds.", f"./{prefix}_own-rw:/x"),
        # the host
        "protected": (ways(volumes=[f"{town.guarded}/etc:/x:ro"]), {}, "binds.protected", "/x:ro"),
        "extensions": (ways(volumes=["/var/lib/extensions:/x"]), {}, "binds.", "/var/lib/extensions"),
        "watchdog": (ways(devices=["/dev/watchdog"]), {}, "devices", "/dev/watchdog"),
        "grace": (ways(stop_grace_period="9000h"), {}, "limits.stop_grace", "stop_grace_period"),
        "cgroup": (ways(cgroup_parent="/"), {}, "limits.cgroup_parents", "cgroup_parent"),
        "public": subnet("198.51.100.0/24"),
        "metadata": subnet("169.254.169.0/24"),
        "half": subnet("0.0.0.0/1"),
        "loopback": subnet("127.0.0.0/8"),
        "ipv6": subnet("2001:db8::/64"),
        "gateway": pool("198.51.100.1", gateway="198.51.100.1"),
        "aux": pool("169.254.169.254", aux_addresses={"a": "169.254.169.254"}),
        "card": (
            ways(networks={"lan": {"link_local_ips": ["169.254.169.254"]}}),
            {"networks": {"lan": {}}},
            "networks.host_overlap",
            '"networks"',
        ),
        "probe": (
            {"health_check": {"type": "http", "port_key": "2375", "method": "POST"}, **ways(network_mode="host")},
            {},
            "probes.host_network",
            "health_check",
        ),
        "confexts": (ways(volumes=["/var/lib/confexts:/x"]), {}, "binds.protected", "/var/lib/confexts"),
        "update": (ways(volumes=["/system-update:/x"]), {}, "binds.protected", "/system-update"),
        "new": (ways(volumes=[f"/{prefix}:/x"]), {}, "binds.data", f"/{prefix}:/x"),
        "data": (ways(volumes=[f"{town.data}/x:/x:ro"]), {}, "binds.protected", f"{town.data}/x"),
        "secret": secret("/etc/shadow"),
        "engines": secret(f"{town.data}/x"),
        "copies": ({"replicas": 51, **ways()}, {}, "limits.replicas", "replicas"),
        "upper": log("binds.engine_socket", "syslog", "syslog-address", "UNIX:///run/docker.sock"),
        "relative": log("known fields", "syslog", "syslog-address", "unix:run/docker.sock"),
        "scheme": log("known fields", "syslog", "syslog-address", "npipe:////./pipe/docker_engine"),
        "port": log("logging.addresses", "fluentd", "fluentd-address", "tcp://127.0.0.1:22"),
        "tag": log("known fields", "syslog", "tag", "x\ny"),
        "option": log("logging.options", "json-file", "x", "y"),
        "syslog": log("binds.engine_socket", "syslog", "syslog-address", "unix://x/run/docker.sock"),
        "fluentd": log("binds.engine_socket", "fluentd", "fluentd-address", "unix:///run/docker.sock"),
        "certificate": log("binds.allowed", "syslog", "syslog-tls-ca-cert", "etc/shadow"),
    }


def test_a_file_that_asks_for_what_is_not_its_own_is_refused_with_rule_and_place(
    town: Town, web: Build, busybox_image: str, unique: Callable[[str], str]
) -> None:
    daemon, victim, mallory = town.daemon, unique("victim"), unique("mallory")
    names = {"networks": {"lan": {"name": f"{victim}_lan"}}, "volumes": {"data": {"name": f"{victim}_data"}}}
    has = {"image": town.theirs, "volumes": ["data:/d"], "networks": ["lan"]}
    daemon.settle(victim, stack(victim, web("web", prefix=victim, container=has), **names))
    before = daemon.run_of(f"{victim}_web")
    image = daemon.api.inspect_image(town.theirs)["Id"]  # type: ignore[no-untyped-call]
    host = daemon.api.create_host_config(init=True)
    anybodys = daemon.api.create_container(busybox_image, name=f"{mallory}_anybodys", host_config=host)["Id"]
    daemon.api.start(anybodys)
    run = daemon.run_of(anybodys)
    for source in ("app", victim, f"{mallory}_own-rw"):
        (daemon.domains / source).mkdir()
    (daemon.domains / "app" / "Dockerfile").write_text(f"FROM {busybox_image}\nLABEL test={mallory}\n")

    tries = hostile(town, mallory, victim)
    for how, (settings, top, _, _) in tries.items():
        file = f"{mallory}_{how}"
        town.write(file, stack(file, web("web", prefix=file, **settings), **top))
    for how, (_, _, rule, written) in tries.items():
        file = f"{mallory}_{how}"
        daemon.until(lambda file=file: bool(town.errors(file)), file)  # type: ignore[misc]
        errors = town.errors(file)
        said = [f"{error['code']}: {error['message']}" for error in errors]
        assert any(f"rule {rule}" in one or one.startswith(f"{rule}:") for one in said), (how, said)
        assert all(FIELD.search(one) for one in said if one.startswith("PolicyRefused")), said
        text = (daemon.domains / f"{file}.json").read_text()
        assert any(written in line_of(text, error) for error in errors), (how, errors)
        assert daemon.names(file) == []
    # Nothing of it was done, and nobody else has noticed.
    assert daemon.run_of(f"{victim}_web") == before
    assert daemon.run_of(anybodys) == run
    assert daemon.api.inspect_image(town.theirs)["Id"] == image  # type: ignore[no-untyped-call]
    assert not daemon.api.images(filters={"label": f"test={mallory}"})
    assert not [one for one in daemon.api.networks() if one["Name"].startswith(f"{mallory}_")]
    town.withdraw(*(f"{mallory}_{how}" for how in tries))

    # What is its own it has: the folder that is called as its file, to read.
    (daemon.domains / mallory).mkdir()
    (daemon.domains / mallory / "page").write_text("mine")
    own = {"volumes": [f"./{mallory}:/x:ro"]}
    daemon.settle(mallory, stack(mallory, web("web", prefix=mallory, container=own)))
    inside(daemon.api, f"{mallory}_web", "test -e /x/page && ! touch /x/page")
    Path(daemon.domains / mallory / "page").unlink()
