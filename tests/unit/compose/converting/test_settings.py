"""The settings of a service become those of a container, under the same names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.compose.converting.build import chunks, container, converted, judge, service, told

AS_THEY_ARE: dict[str, Any] = {
    "annotations": {"a": "1"},
    "cap_add": ["NET_ADMIN"],
    "cgroup_parent": "/x",
    "command": ["sh", "-c", "echo hello"],
    "cpu_shares": 512,
    "cpus": 0.5,
    "dns": ["192.0.2.1"],
    "entrypoint": [],
    "environment": {"A": "1", "B": None},
    "expose": ["3000"],
    "extra_hosts": ["db=192.0.2.7", "host.docker.internal=host-gateway"],
    "gpus": [{"count": -1}],
    "healthcheck": {"test": ["CMD", "true"], "interval": "5s", "retries": 3},
    "hostname": "h",
    "init": True,
    "labels": {"a": "1"},
    "logging": {"driver": "json-file", "options": {"max-size": "10m"}},
    "mem_swappiness": "3",
    "oom_score_adj": 10,
    "pid": "host",
    "pull_policy": "daily",
    "read_only": True,
    "restart": "unless-stopped",
    "security_opt": ["no-new-privileges:true"],
    "stop_grace_period": "1m30s",
    "stop_signal": "SIGINT",
    "sysctls": {"net.core.somaxconn": "1024"},
    "tmpfs": ["/run"],
    "tty": True,
    "ulimits": {"nofile": 100, "nproc": {"soft": 1, "hard": 2}},
    "user": "1000",
    "working_dir": "/app",
}


@pytest.mark.parametrize("key", sorted(AS_THEY_ARE))
def test_a_setting_is_taken_over_as_it_is(key: str) -> None:
    assert container(**{key: AS_THEY_ARE[key]}) == {key: AS_THEY_ARE[key]}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"target": 80, "published": "8080", "protocol": "tcp", "mode": "ingress"}, "*:8080:80"),
        ({"target": 80, "protocol": "tcp", "mode": "ingress"}, "*::80"),
        ({"target": 53, "published": "53", "protocol": "udp", "mode": "host"}, "*:53:53/udp"),
        ({"target": 80, "published": "8080", "host_ip": "127.0.0.1"}, "127.0.0.1:8080:80"),
        ({"target": 80, "published": "8080", "host_ip": "::1"}, "[::1]:8080:80"),
        ({"target": 80, "published": "8080-8090", "protocol": "tcp"}, "*:8080-8090:80"),
    ],
)
def test_a_port_is_published_where_compose_publishes_it(said: dict[str, Any], meant: str) -> None:
    assert container(ports=[said]) == {"ports": [meant]}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"type": "volume", "source": "data", "target": "/data", "volume": {}}, "data:/data"),
        ({"type": "bind", "source": "/a", "target": "/b", "bind": {"create_host_path": True}}, "/a:/b"),
        ({"type": "bind", "source": "/a", "target": "/b", "read_only": True, "bind": {"selinux": "z"}}, "/a:/b:ro,z"),
        ({"type": "volume", "target": "/anon", "volume": {}}, "/anon"),
        ({"type": "volume", "source": "data", "target": "/d", "volume": {"nocopy": True}}, "data:/d:nocopy"),
        (
            {"type": "tmpfs", "target": "/t", "tmpfs": {"size": "1048576"}},
            {"type": "tmpfs", "target": "/t", "tmpfs": {"size": "1048576"}},
        ),
        (
            {"type": "volume", "source": "data", "target": "/d", "bind": {"selinux": "Z"}, "tmpfs": {"size": 1}},
            "data:/d:Z",
        ),
        ({"type": "bind", "source": "/a", "target": "/b", "bind": {"propagation": "rslave"}}, "/a:/b:rslave"),
        ({"type": "tmpfs", "target": "/t", "consistency": "cached"}, {"type": "tmpfs", "target": "/t"}),
    ],
)
def test_a_volume_is_written_as_short_as_it_can_be(said: dict[str, Any], meant: Any) -> None:
    assert container(volumes=[said]) == {"volumes": [meant]}


def test_a_limit_of_nothing_is_a_limit() -> None:
    assert container(ulimits={"core": {}, "nproc": {"soft": 1, "hard": 2}})["ulimits"] == {
        "core": 0,
        "nproc": {"soft": 1, "hard": 2},
    }


def test_a_dollar_sign_stands_for_itself_in_values_and_in_keys() -> None:
    said = {"command": ["echo", "$HOME ${A} $$"], "environment": {"A": "p$w"}, "labels": {"k$": "$"}}
    conversion = converted({"web": service(**said)})
    domain = judge(conversion.text).domain
    assert domain is not None
    settings = next(domain.chunks()).container.settings
    assert {key: settings[key] for key in said} == said


def test_a_volume_without_a_name_is_noted_since_compose_would_hand_it_on() -> None:
    conversion = converted({"web": service(volumes=[{"type": "volume", "target": "/data", "volume": {}}])})
    assert told(conversion) == [("services.web.volumes[0]", "AnonymousVolume")]


def test_labels_of_a_mount_say_nothing_of_a_volume_that_has_a_name() -> None:
    """Compose has made the volume before, with the labels that the volume itself has."""
    named = {"type": "volume", "source": "data", "target": "/data", "volume": {"labels": {"a": "b"}}}
    conversion = converted({"web": service(volumes=[named])}, volumes={"data": {"name": "shop_data"}})
    assert chunks(conversion)["web"]["container"]["volumes"] == ["data:/data"]
    assert conversion.losses == ()


def test_limits_of_devices_are_written_as_they_are_read() -> None:
    limits = {"weight": 300, "device_read_bps": [{"Path": "/dev/sda", "Rate": 1024}], "weight_device": []}
    meant = {"weight": 300, "device_read_bps": [{"path": "/dev/sda", "rate": 1024}], "weight_device": []}
    assert container(blkio_config=limits)["blkio_config"] == meant


@pytest.mark.parametrize("key", ["mem_limit", "mem_reservation", "shm_size"])
def test_a_size_is_written_for_people(key: str) -> None:
    assert container(**{key: "134217728"}) == {key: "128m"}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"source": "/dev/a", "target": "/dev/a", "permissions": "rwm"}, "/dev/a"),
        ({"source": "/dev/a", "target": "/dev/b", "permissions": "rwm"}, "/dev/a:/dev/b"),
        ({"source": "/dev/a", "target": "/dev/b", "permissions": "r"}, "/dev/a:/dev/b:r"),
    ],
)
def test_a_device_is_written_short(said: dict[str, str], meant: str) -> None:
    assert container(devices=[said]) == {"devices": [meant]}


def test_files_of_variables_keep_what_is_said_of_them() -> None:
    said = [{"path": "/a.env", "required": True}, {"path": "/b.env", "required": False, "format": "raw"}]
    assert container(env_file=said)["env_file"] == ["/a.env", {"path": "/b.env", "required": False, "format": "raw"}]


def test_a_build_keeps_the_name_that_compose_gives_its_image() -> None:
    said = {"context": "/src", "dockerfile": "Dockerfile", "args": {"A": "1", "UNSET": None}}
    assert container(image=None, build=said) == {"image": "shop-web", "build": {"context": "/src", "args": {"A": "1"}}}
    assert container(image="own:1", build={"context": "/src"}) == {"image": "own:1", "build": "/src"}


def test_deploy_becomes_settings_and_copies() -> None:
    deploy = {
        "replicas": 3,
        "resources": {
            "limits": {"cpus": 0.5, "memory": "67108864", "pids": 10},
            "reservations": {"memory": "33554432", "cpus": 0.1, "devices": [{"capabilities": ["gpu"], "count": 1}]},
        },
        "restart_policy": {"condition": "on-failure", "max_attempts": 3, "delay": "5s"},
        "placement": {"constraints": ["node.role == manager"]},
        "update_config": {"parallelism": 2, "order": "start-first"},
        "labels": {"swarm": "only"},
    }
    conversion = converted({"web": service(deploy=deploy)})
    chunk = chunks(conversion)["web"]
    assert chunk["replicas"] == 3
    assert chunk["container"] == {
        "name": "shop-web",
        "image": "img:1",
        "cpus": 0.5,
        "mem_limit": "64m",
        "pids_limit": 10,
        "mem_reservation": "32m",
        "deploy": {"resources": {"reservations": {"devices": [{"capabilities": ["gpu"], "count": 1}]}}},
        "restart": "on-failure:3",
    }
    assert conversion.losses == ()


def test_the_restart_policy_of_deploy_goes_before_the_other_as_with_compose() -> None:
    assert container(restart="always", deploy={"restart_policy": {"condition": "none"}}) == {"restart": "no"}
    assert container(deploy={"restart_policy": {"condition": "any"}}) == {"restart": "always"}


def test_scale_becomes_copies() -> None:
    assert chunks(converted({"web": service(scale=2)}))["web"]["replicas"] == 2


def test_ports_that_the_hosts_network_makes_useless_are_left_out_as_compose_does() -> None:
    conversion = converted({"web": service(network_mode="host", ports=[{"target": 80, "published": "80"}])})
    assert "ports" not in chunks(conversion)["web"]["container"]
    assert told(conversion) == [("services.web.ports", "PortsNotPublished")]


def test_whose_namespaces_are_shared_is_said_by_the_chunks_name() -> None:
    conversion = converted({
        "_vpn": service(),
        "web": service(network_mode="service:_vpn", pid="service:_vpn", ipc="host", volumes_from=["_vpn:ro"]),
    })  # fmt: skip
    found = chunks(conversion)["web"]["container"]
    assert (found["network_mode"], found["pid"], found["ipc"]) == ("service:vpn", "service:vpn", "host")
    assert found["volumes_from"] == ["vpn:ro"]


def test_owner_and_mode_of_a_secret_from_a_file_are_left_out_as_compose_ignores_them() -> None:
    conversion = converted(
        {
            "web": service(
                secrets=[{"source": "s", "target": "/run/secrets/s", "uid": "103", "mode": "0440"}],
                configs=[{"source": "c", "target": "/c", "uid": "103", "mode": "0440"}],
            )
        },
        secrets={"s": {"name": "shop_s", "file": "/s.txt"}},
        configs={"c": {"name": "shop_c", "content": "a $b"}},
    )
    found = chunks(conversion)["web"]["container"]
    assert found["secrets"] == ["s"]
    assert found["configs"] == [{"source": "c", "target": "/c", "uid": "103", "mode": "0440"}]
    assert conversion.document["secrets"] == {"s": {"file": "/s.txt"}}
    assert conversion.document["configs"] == {"c": {"content": "a $$b"}}
    assert told(conversion) == [("services.web.secrets[0]", "ModeIgnored")]
    (note,) = [remark for remark in conversion.remarks if remark.code == "ModeIgnored"]
    assert "does nothing with uid, mode" in note.message


def test_a_mode_of_a_copy_is_kept_however_short_it_is_written() -> None:
    uses = [{"source": "c", "target": f"/{mode}", "mode": mode} for mode in ("00", "0440", "040")]
    conversion = converted({"web": service(configs=uses)}, configs={"c": {"content": "x"}})
    modes = [use["mode"] for use in chunks(conversion)["web"]["container"]["configs"]]
    assert modes == ["0000", "0440", "0040"]
    assert told(conversion) == []


@pytest.mark.parametrize("key", ["attach", "develop", "extends", "profiles", "x-note"])
def test_what_compose_itself_does_nothing_with_is_no_loss(key: str) -> None:
    conversion = converted({"web": service(**{key: {"a": "b"}})})
    assert told(conversion) == []
