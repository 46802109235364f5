"""What honest people write: it must pass without a policy file, or under the example that is made for it."""

from __future__ import annotations

from typing import Any

from tests.unit.policy.corpus.entry import BARE, DIGEST, Entry, Group, chunks, domain, encoded
from tests.unit.policy.judging import Disk

# What the tables below hold is any JSON.
volume: Any
mount: Any
options: Any
container: Any
network: Any
ports: Any
logging: Any
secret: Any

_GROUPS: dict[str, Group] = {}


def _passes(group: str, name: str, container: Any, /, **more: Any) -> None:
    _GROUPS.setdefault(group, Group(group)).add(name, "", container, **more)


for name, volume in (
    ("data below /srv", "/srv/app:/data"),
    ("data below /data", "/data/app:/data"),
    ("data below /opt", "/opt/app/data:/data"),
    ("a disk of media", "/mnt/disk/media:/media:ro"),
    ("a disk by its label", "/media/disk/photos:/photos"),
    ("pages below /var/www", "/var/www/html:/usr/share/nginx/html:ro"),
    ("a database's old place", "/var/lib/postgresql/data:/var/lib/postgresql/data"),
    ("a folder in a home", "/home/ann/app/html:/html"),
    ("a folder that is not there yet", "/srv/new:/data"),
    ("a name with a blank", "/srv/my data:/data"),
    ("a name with an umlaut", "/srv/bücher:/data"),
    ("a name with two dots in it", "/srv/a..b:/data"),
    ("the domain's own folder beside its file", "./shop/html:/usr/share/nginx/html:ro"),
    ("a file in the domain's own folder", "./shop/nginx.conf:/etc/nginx/nginx.conf:ro"),
    ("the time zone", "/etc/timezone:/etc/timezone:ro"),
    ("certificates of the system", "/etc/ssl/certs:/etc/ssl/certs:ro"),
    ("certificates of Let's Encrypt", "/etc/letsencrypt:/etc/letsencrypt:ro"),
    ("users' names", "/etc/passwd:/etc/passwd:ro"),
    ("modules of the kernel", "/lib/modules:/lib/modules:ro"),
):
    disk = Disk(missing=("/srv/new",))
    _passes("paths", name, {"volumes": [volume]}, disk=disk)
_passes(
    "links",
    "the time of the machine, which is a link",
    {"volumes": ["/etc/localtime:/etc/localtime:ro"]},
    disk=Disk(links={"/etc/localtime": "/usr/share/zoneinfo/Europe/Berlin"}),
)
for name, mount in (
    ("a named volume", "data:/data"),
    ("a named volume, read-only", "data:/data:ro"),
    ("no name at all", "/data"),
    ("the long form", {"type": "volume", "source": "data", "target": "/data"}),
    ("the long form of a folder", {"type": "bind", "source": "/srv/app", "target": "/data", "read_only": True}),
    ("a folder with SELinux' label", "/srv/app:/data:Z"),
    ("mounts that come in later", "/srv/app:/data:rslave"),
    ("memory", {"type": "tmpfs", "target": "/cache", "tmpfs": {"size": "64m"}}),
):
    _passes("mounts", name, {"volumes": [mount]})
_passes("mounts", "memory, short", {"tmpfs": ["/tmp:size=64m"]})
_passes(
    "mounts",
    "volumes of a sibling",
    chunks(
        {"name": "app", "container": {"image": "redis", "volumes": ["/srv/app:/data"]}},
        {"name": "backup", "container": {"image": "redis", "volumes_from": ["app:ro"]}},
    ),
)
for name, options in (
    ("of the engine", {}),
    ("in memory", {"type": "tmpfs", "o": "size=64m,uid=1000", "device": "tmpfs"}),
    ("on a server with NFS", {"type": "nfs", "o": "addr=192.0.2.1,rw,nfsvers=4", "device": ":/export"}),
    ("on a server with SMB", {"type": "cifs", "o": "username=a,password=b", "device": "//192.0.2.1/share"}),
    ("in a folder", {"type": "none", "o": "bind", "device": "/srv/data"}),
):
    _passes("volumes", name, {"volumes": ["data:/data"]}, volumes={"data": {"driver_opts": options}})
for name, container in (
    ("the host's network, for multicast", {"network_mode": "host"}),
    ("no network", {"network_mode": "none"}),
    ("shared memory for siblings", {"ipc": "shareable"}),
    ("control groups of its own", {"cgroup": "private"}),
):
    _passes("namespaces", name, container)
_passes(
    "namespaces",
    "a sibling's network, as behind a tunnel",
    chunks(
        {"name": "vpn", "container": {"image": "x", "cap_add": ["NET_ADMIN"], "devices": ["/dev/net/tun"]}},
        {"name": "app", "container": {"image": "x", "network_mode": "service:vpn"}},
    ),
)
for name in ("NET_BIND_SERVICE", "NET_ADMIN", "IPC_LOCK", "SYS_NICE", "CHOWN", "NET_RAW"):
    _passes("capabilities", name, {"cap_add": [name]})
_passes("capabilities", "all but one dropped", {"cap_drop": ["ALL"], "cap_add": ["NET_BIND_SERVICE"]})
for name, container in (
    ("no new privileges", {"security_opt": ["no-new-privileges:true"]}),
    ("the usual filter of system calls", {"security_opt": ["seccomp=builtin"]}),
    ("a level of SELinux", {"security_opt": ["label=level:s0:c100,c200"]}),
    ("more connections", {"sysctls": {"net.core.somaxconn": 1024}}),
    ("low ports without root", {"sysctls": ["net.ipv4.ip_unprivileged_port_start=0"]}),
    ("shared memory of a database", {"sysctls": {"kernel.shmmax": 68719476736}, "shm_size": "1g"}),
    ("gVisor", {"runtime": "runsc"}),
    ("a user of its own and nothing to write", {"user": "1000:1000", "read_only": True, "tmpfs": ["/tmp"]}),
):
    _passes("security options", name, container)
for name, container in (
    ("a serial adapter", {"devices": ["/dev/ttyUSB0:/dev/ttyUSB0"]}),
    ("a graphics card", {"devices": ["/dev/dri"]}),
    ("a tunnel", {"devices": ["/dev/net/tun"], "cap_add": ["NET_ADMIN"]}),
    ("all cards of NVIDIA", {"gpus": "all"}),
    ("two cards of NVIDIA", {"gpus": [{"driver": "nvidia", "count": 2, "capabilities": ["gpu"]}]}),
    ("a camera", {"devices": ["/dev/video0"], "group_add": ["video"]}),
):
    _passes("devices", name, container)
for name, network in (
    ("a second one", {}),
    ("without a way out", {"internal": True}),
    ("with a private subnet", {"ipam": {"config": [{"subnet": "10.78.0.0/24", "gateway": "10.78.0.1"}]}}),
    ("with smaller packets", {"driver_opts": {"com.docker.network.driver.mtu": "1400"}}),
    ("a shared one of the proxy", {"external": True, "name": "proxy"}),
):
    _passes("networks", name, {"networks": ["back"]}, networks={"back": network})
for ports in (["8080:80"], ["*:80:80", "*:443:443"], ["192.0.2.7:53:53/udp"], {"80": "8080"}, ["9000-9010:9000-9010"]):
    _passes("ports", str(ports), {"ports": ports})
for name, logging in (
    ("files that are turned over", {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}),
    ("the journal", {"driver": "journald", "options": {"tag": "{{.Name}}"}}),
    ("a server of logs", {"driver": "syslog", "options": {"syslog-address": "tcp://192.0.2.1:514"}}),
    ("a collector", {"driver": "fluentd", "options": {"fluentd-address": "192.0.2.1:24224"}}),
    ("nowhere", {"driver": "none"}),
):
    _passes("logging", name, {"logging": logging})
for name, container in (
    ("with a tag", {"image": "redis:7"}),
    ("by a digest", {"image": f"redis@{DIGEST}"}),
    ("of a registry", {"image": "ghcr.io/team/app:1.2"}),
    ("built here", {"build": "./app", "image": "shop-web"}),
    (
        "built here with arguments",
        {"image": "shop-web", "build": {"context": "./app", "dockerfile": "prod.Dockerfile", "args": {"A": "1"}}},
    ),
    ("built without a network", {"image": "shop-web", "build": {"context": "./app", "network": "none"}}),
):
    _passes("images and builds", name, container)
for name, secret in (
    ("beside the domain files", {"file": "./db_password"}),
    ("in pnr's folder of secrets", {"file": "/etc/pnr/secrets/db"}),
    ("below /srv", {"file": "/srv/secrets/db"}),
    ("what sops opens", {"sops": "./db.enc"}),
    ("a certificate", {"file": "/etc/letsencrypt/live/example.com/privkey.pem"}),
):
    _passes("secrets and files", name, {"secrets": ["s"]}, secrets={"s": secret})
_passes("secrets and files", "a config in the file", {"configs": ["c"]}, configs={"c": {"content": "a = 1\n"}})
_passes("secrets and files", "variables in a file", {"env_file": ["./app.env"]})
_passes("adoption and external objects", "a container that is as it is declared", {}, chunk={"adopt": True})
_passes(
    "adoption and external objects",
    "a volume that is there",
    {"volumes": ["v1:/x"]},
    volumes={"v1": {"external": True, "name": "shop_v1"}},
)
for name, container in (
    ("memory and processors", {"mem_limit": "512m", "cpus": 0.5, "pids_limit": 100}),
    ("open files", {"ulimits": {"nofile": {"soft": 65536, "hard": 65536}, "memlock": -1}}),
    ("among the first to be ended", {"oom_score_adj": 500}),
    ("a little after others", {"oom_score_adj": -100}),
):
    _passes("limits", name, container)
_passes("limits", "three copies", {}, chunk={"replicas": 3})
_passes("names", "a name of its own", {"name": "database"})
_passes("names", "dots, dashes and lines", encoded({"name": "a.b-c_d", "cpuxs": {"m.1": {"design_chunks": [{"name": "x-1", "container": {"image": "x"}}]}}}))  # fmt: skip
_passes("syntax and size", "keys for people", domain({"x-note": "y"}, None, **{"x-a": [1, {"b": None}]}))
_passes("syntax and size", "a thousand chunks", chunks(*({"name": f"c{n}", "container": {"image": "x"}} for n in range(1000))))  # fmt: skip

# --- under the examples of policies -----------------------------------------------------------------------------------

_LIMITED = {"mem_limit": "1g", "pids_limit": 200, "cpus": 1, "security_opt": ["no-new-privileges:true"]}
_passes("paths", "a proxy with the engine's socket", encoded({"name": "infra", "cpuxs": {"main": {"design_chunks": [
    {"name": "traefik", "container": {"image": "traefik", "ports": ["*:80:80"], "volumes": ["/run/docker.sock:/var/run/docker.sock:ro"]}}]}}}), policy="one-author")  # fmt: skip
_passes("paths", "data of a container", {**_LIMITED, "volumes": ["/srv/data/shop/app:/data"]}, policy="team")
_passes("ports", "the proxy's", encoded({"name": "proxy", "cpuxs": {"main": {"design_chunks": [
    {"name": "traefik", "container": {**_LIMITED, "image": "traefik:v3.1", "ports": ["*:80:80", "*:443:443"]}}]}}}), policy="team")  # fmt: skip
_passes("images and builds", "of the team", {**_LIMITED, "image": "registry.example.com/team/app:1"}, policy="team")
_passes("secrets and files", "in pnr's folder", {**_LIMITED, "secrets": ["s"]}, secrets={"s": {"file": "/etc/pnr/secrets/shop/x"}}, policy="team")  # fmt: skip
_passes("limits", "four copies of a worker", BARE, chunk={"replicas": 4}, policy="shared-lab")
_passes("devices", "a graphics card", {**BARE, "gpus": "all"}, policy="shared-lab")
_passes("paths", "data to be read", {**BARE, "volumes": ["/srv/datasets/x:/data:ro", "out:/out"]}, policy="shared-lab")
_passes("ports", "in the range", {**BARE, "ports": ["20001:8080"]}, policy="shared-lab")

HONEST: tuple[Entry, ...] = tuple(entry for group in _GROUPS.values() for entry in group.entries)
