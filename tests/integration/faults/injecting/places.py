"""Names, ports, networks and volumes that are held or not there."""

from __future__ import annotations

import socket

from docker.types import IPAMConfig, IPAMPool

from tests.integration.faults.scene import Injected, Scene, injects
from tests.integration.faults.stage import free_port, own_process


@injects("port-held-by-process")
def _(s: Scene) -> Injected:
    held = socket.create_server(("127.0.0.1", 0))
    s.cleanups.append(held.close)
    port = str(held.getsockname()[1])
    chunk = s.chunk(ports=[f"127.0.0.1:{port}:80"], command=["httpd", "-f", "-p", "80"])
    return s.of(chunk, values={"port": port, "holder": own_process()})


@injects("port-held-by-container")
def _(s: Scene) -> Injected:
    port = free_port()
    name = f"{s.domain}_holder"
    made = s.stage.api.create_container(
        s.stage.image,
        ["httpd", "-f", "-p", "80"],
        name=name,
        ports=[80],
        host_config=s.stage.api.create_host_config(port_bindings={80: ("127.0.0.1", port)}),
    )
    s.stage.api.start(made["Id"])
    return s.of(s.chunk(ports=[f"127.0.0.1:{port}:80"]), values={"port": str(port), "holder": name})


@injects("name-held")
def _(s: Scene) -> Injected:
    name = f"{s.domain}_holder"
    made = s.stage.api.create_container(s.stage.image, ["sleep", "86400"], name=name)
    chunk = s.chunk()
    chunk["container"]["name"] = name
    return s.of(chunk, values={"held": name, "id": made["Id"][:12]})


@injects("subnet-overlaps")
def _(s: Scene) -> Injected:
    other = f"{s.stage.prefix}_there"
    known = {n["Name"]: n for n in s.stage.api.networks()}
    if other not in known:
        s.stage.api.create_network(other, ipam=IPAMConfig(pool_configs=[IPAMPool(subnet="172.29.77.0/24")]))
    name = f"{s.domain}_front"
    networks = {"front": {"name": name, "ipam": {"config": [{"subnet": "172.29.77.128/25"}]}}}
    return s.of(
        s.chunk(networks=["front"]),
        networks=networks,
        values={"network": name, "subnet": "172.29.77.128/25", "other": other, "others": "172.29.77.0/24"},
    )


@injects("external-network-missing")
def _(s: Scene) -> Injected:
    networks = {"front": {"name": f"{s.domain}_nowhere", "external": True}}
    return s.of(s.chunk(networks=["front"]), networks=networks, values={"network": f"{s.domain}_nowhere"})


@injects("volume-driver-missing")
def _(s: Scene) -> Injected:
    name = f"{s.domain}_data"
    return s.of(
        s.chunk(volumes=["data:/data"]),
        volumes={"data": {"name": name, "driver": "glusterfs"}},
        values={"volume": name, "driver": "glusterfs"},
    )


@injects("bind-source-missing")
def _(s: Scene) -> Injected:
    source = str(s.stage.root / "nowhere" / "long")
    mount = {"type": "bind", "source": source, "target": "/data", "bind": {"create_host_path": False}}
    return s.of(s.chunk(volumes=[mount]), values={"source": source})


@injects("bind-source-missing-short")
def _(s: Scene) -> Injected:
    file = s.stage.root / "a-file"
    file.touch()
    source = f"{file}/below"
    return s.of(s.chunk(volumes=[f"{source}:/data"]), values={"source": source})
