"""Each fault as domain files, and what has to be there for it. The texts are in :mod:`.catalogue`."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from docker.types import IPAMConfig, IPAMPool

from tests.integration.faults.stage import Document, Stage, free_port, own_process
from tests.integration.images.servers import USER

YES = {"prompt": "?", "response": ["yes"], "tv": "Y"}
ANSWER = "read request; printf 'HTTP/1.1 {status}\\r\\n{headers}Content-Length: {length}\\r\\n\\r\\n{body}'"


@dataclass
class Injected:
    """A fault as it was injected. ``files`` are written at the start, ``then`` is done once what they say is up.
    ``values`` stand in the texts of the catalogue. ``chunk`` is who is asked about."""

    domain: str
    files: dict[str, str]
    values: dict[str, str] = field(default_factory=dict)
    chunk: str = "web"
    then: Callable[[Any], None] | None = None


@dataclass
class Scene:
    """Where one fault is played. ``restart`` is the engine's restart policy of every container of it."""

    stage: Stage
    domain: str
    restart: str = ""
    cleanups: list[Callable[[], None]] = field(default_factory=list)

    def chunk(self, name: str = "web", *, after: str = "", check: Document | None = None, **container: Any) -> Document:
        """A chunk that sleeps and answers NAME_ready, unless it is told otherwise. ``after``: whose answer it needs."""
        chunk: Document = {
            "name": name,
            "flowout": {f"{name}_ready": YES},
            "container": {
                "image": self.stage.image,
                "command": ["sleep", "86400"],
                "stop_grace_period": "0s",
                # The engine has addresses for some thirty networks, and there are more domains than that.
                **({} if "networks" in container else {"network_mode": "bridge"}),
                **({"restart": self.restart} if self.restart else {}),
                **container,
            },
        }
        if after:
            chunk["gatekeeper"] = {key if "/" in key else f"{key}_ready": YES for key in after.split()}
        if check is not None:
            chunk["health_check"] = {"deadline_seconds": 5, **check}
        return chunk

    def of(self, *chunks: Document, values: dict[str, str] | None = None, **more: Any) -> Injected:
        """A domain of these chunks, asked about its chunk ``web``."""
        document = {"name": self.domain, "cpuxs": {"main": {"design_chunks": list(chunks)}}, **more}
        return self.written(json.dumps(document, indent=1), values)

    def written(self, text: str, values: dict[str, str] | None = None, **more: Any) -> Injected:
        """The same of a text."""
        known = {"name": f"{self.domain}/main/web", "domain": self.domain, "file": f"{self.domain}.json"}
        return Injected(self.domain, {f"{self.domain}.json": text}, {**known, **(values or {})}, **more)

    def http(self, status: str, headers: str = "", body: str = "", path: str = "/", **check: Any) -> Injected:
        """A chunk whose server answers so."""
        script = ANSWER.format(status=status, headers=headers, length=len(body), body=body)
        command = ["nc", "-ll", "-p", "80", "-e", "sh", "-c", script]
        probe = {"type": "http", "port_key": "80", "path": path, **check}
        return self.of(self.chunk(check=probe, command=command))


Inject = Callable[[Scene], Injected]
INJECTIONS: dict[str, Inject] = {}


def injects(name: str) -> Callable[[Inject], Inject]:
    """Registers the injection of a fault of the catalogue."""

    def register(inject: Inject) -> Inject:
        INJECTIONS[name] = inject
        return inject

    return register


# --- images ---------------------------------------------------------------------------------------------------


@injects("image-mistyped")
def _(s: Scene) -> Injected:
    wrong = s.stage.application.removesuffix("app") + "aap"
    return s.of(s.chunk(image=f"{wrong}:1"), values={"image": f"{wrong}:1", "near": f"{s.stage.application}:1"})


@injects("tag-missing")
def _(s: Scene) -> Injected:
    image = f"{s.stage.application}:7"
    return s.of(s.chunk(image=image), values={"image": image, "tag": "7", "near": f"{s.stage.application}:1"})


@injects("no-login")
def _(s: Scene) -> Injected:
    image = f"{s.stage.private.address}/{s.stage.prefix}/locked:1"
    return s.of(s.chunk(image=image), values={"image": image, "registry": s.stage.private.address})


@injects("wrong-password")
def _(s: Scene) -> Injected:
    address = s.stage.private.address
    image = f"{address}/{s.stage.prefix}/locked:1"
    password = s.stage.root / "wrong_password"
    password.write_text("wrong-horse")
    return s.of(
        s.chunk(image=image),
        values={"image": image, "registry": address, "user": USER},
        secrets={"pull": {"file": str(password)}},
        registries={address: {"username": USER, "password_secret": "pull"}},
    )


@injects("registry-down")
def _(s: Scene) -> Injected:
    address = f"127.0.0.1:{free_port()}"
    return s.of(s.chunk(image=f"{address}/shop/web:1"), values={"image": f"{address}/shop/web:1", "registry": address})


@injects("platform-missing")
def _(s: Scene) -> Injected:
    image = f"{s.stage.application}:1"
    return s.of(
        s.chunk(image=image, platform="linux/s390x", pull_policy="always"),
        values={"image": image, "platform": "linux/s390x"},
    )


@injects("no-dockerfile")
def _(s: Scene) -> Injected:
    folder = s.stage.root / f"{s.domain}-empty"
    folder.mkdir()
    return s.of(
        s.chunk(image=f"{s.domain}:1", build=str(folder)),
        values={"image": f"{s.domain}:1", "folder": str(folder)},
    )


@injects("failing-run")
def _(s: Scene) -> Injected:
    folder = s.stage.root / f"{s.domain}-built"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM {s.stage.image}\nRUN echo no such package; exit 9\n")
    return s.of(
        s.chunk(image=f"{s.domain}:1", build=str(folder)),
        values={"image": f"{s.domain}:1", "folder": str(folder)},
    )


# --- names, ports, networks, volumes -----------------------------------------------------------------------------


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


# --- health --------------------------------------------------------------------------------------------------


@injects("wrong-port-key")
def _(s: Scene) -> Injected:
    check = {"type": "tcp", "port_key": "8080"}
    return s.of(s.chunk(check=check, command=["httpd", "-f", "-p", "8081", "-h", "/www"]), values={"listens": "8081"})


@injects("health-path-missing")
def _(s: Scene) -> Injected:
    check = {"type": "http", "port_key": "80", "path": "/healthz"}
    return s.of(s.chunk(check=check, command=["httpd", "-f", "-p", "80", "-h", "/www"]))


@injects("health-500")
def _(s: Scene) -> Injected:
    return s.http("500 Internal Server Error", body="database pool exhausted")


@injects("health-redirect")
def _(s: Scene) -> Injected:
    return s.http("302 Found", "Location: /login\\r\\n")


def _behind(s: Scene, name: str) -> Injected:
    """A chunk that hands on to a server with TLS; the certificate is for the published address."""
    port = free_port()
    host = "$(ip route | awk '/default/ {print $3}')"
    script = ["sh", "-c", f"exec nc -ll -p 443 -e nc {host} {s.stage.tls_ports[name]}".replace("$", "$$")]
    check = {"type": "https", "port_key": "443"}
    return s.of(s.chunk(check=check, command=script, ports=[f"127.0.0.1:{port}:443"]), values={"port": str(port)})


@injects("certificate-self-signed")
def _(s: Scene) -> Injected:
    return _behind(s, "selfsigned")


@injects("certificate-expired")
def _(s: Scene) -> Injected:
    return _behind(s, "expired")


@injects("slow-answer")
def _(s: Scene) -> Injected:
    command = ["nc", "-ll", "-p", "80", "-e", "sh", "-c", "sleep 30"]
    check = {"type": "http", "port_key": "80", "path": "/", "timeout_seconds": 0.5}
    return s.of(s.chunk(check=check, command=command))


@injects("healthcheck-fails")
def _(s: Scene) -> Injected:
    test = ["CMD-SHELL", "echo connection to db:5432 refused; exit 1"]
    check = {"type": "docker"}
    return s.of(s.chunk(check=check, healthcheck={"test": test, "interval": "1s", "retries": 2}))


@injects("log-pattern-never-comes")
def _(s: Scene) -> Injected:
    command = ["sh", "-c", "echo booting; echo waiting for a licence; sleep 86400"]
    return s.of(s.chunk(check={"type": "log", "pattern": "ready to serve"}, command=command))


# --- the container itself -------------------------------------------------------------------------------------


def _runs(s: Scene, script: str, **more: Any) -> Injected:
    return s.of(s.chunk(command=["sh", "-c", script], **more))


@injects("exits-1")
def _(s: Scene) -> Injected:
    return _runs(s, "echo no DATABASE_URL given >&2; exit 1")


@injects("exits-0")
def _(s: Scene) -> Injected:
    return _runs(s, "echo all done")


@injects("out-of-memory")
def _(s: Scene) -> Injected:
    return _runs(s, "exec tail /dev/zero", mem_limit="16m", memswap_limit="16m")


@injects("crashes-again")
def _(s: Scene) -> Injected:
    return _runs(s, "echo serving; sleep 7; echo lost the queue; exit 4")


@injects("command-not-there")
def _(s: Scene) -> Injected:
    return s.of(s.chunk(command=["serve-shop", "--port", "80"]))


@injects("not-executable")
def _(s: Scene) -> Injected:
    return s.of(s.chunk(command=["/www/index.html"]))


@injects("read-only-file-system")
def _(s: Scene) -> Injected:
    return _runs(s, "touch /var-run.pid || exit 1; sleep 86400", read_only=True)


@injects("name-unknown-to-dns")
def _(s: Scene) -> Injected:
    return _runs(s, "echo \"wget: bad address 'databse:5432'\" >&2; exit 1")


@injects("job-exits-3")
def _(s: Scene) -> Injected:
    chunk = s.chunk(command=["sh", "-c", "echo migration 12 failed; exit 3"])
    return s.of({**chunk, "kind": "job"})


@injects("memory-below-least")
def _(s: Scene) -> Injected:
    return s.of(s.chunk(mem_limit="1m"))


# --- gates ----------------------------------------------------------------------------------------------------


@injects("cause-three-levels-up")
def _(s: Scene) -> Injected:
    root = s.chunk("db", command=["sh", "-c", "echo disk is read-only; exit 5"])
    return s.of(root, s.chunk("api", after="db"), s.chunk("shop", after="api"), s.chunk(after="shop"))


@injects("gate-wants-another-response")
def _(s: Scene) -> Injected:
    web = s.chunk()
    web["gatekeeper"] = {"db_ready": {"prompt": "?", "response": ["primary"], "tv": "Y"}}
    return s.of(s.chunk("db"), web)


# --- files -------------------------------------------------------------------------------------------------------
# Each of these is wrong from the start; ``edited`` makes of it an edit of a file that was in force.


@injects("secret-file-missing")
def _(s: Scene) -> Injected:
    source = str(s.stage.root / "secrets" / "db_password")
    return s.of(s.chunk(secrets=["db_password"]), secrets={"db_password": {"file": source}}, values={"source": source})


@injects("variable-missing")
def _(s: Scene) -> Injected:
    return s.of(s.chunk(environment={"DATABASE_URL": "postgres://${DB_HOST}/shop"}), values={"variable": "DB_HOST"})


@injects("gate-nobody-answers")
def _(s: Scene) -> Injected:
    return s.of(s.chunk("db"), s.chunk(after="database"))


@injects("gate-cycle")
def _(s: Scene) -> Injected:
    return s.of(s.chunk("db", after="web"), s.chunk(after="db"))


@injects("fact-of-missing-domain")
def _(s: Scene) -> Injected:
    return s.of(s.chunk(after=f"{s.stage.prefix}_gone/main/db_ready"), values={"other": f"{s.stage.prefix}_gone"})


@injects("policy-refuses")
def _(s: Scene) -> Injected:
    return s.of(s.chunk(privileged=True))


@injects("syntax-error")
def _(s: Scene) -> Injected:
    text = json.dumps({"name": s.domain, "cpuxs": {"main": {"design_chunks": [s.chunk()]}}}, indent=1)
    return s.written(text.replace('"flowout"', 'flowout"'))


@injects("conflict-markers")
def _(s: Scene) -> Injected:
    text = json.dumps({"name": s.domain, "cpuxs": {"main": {"design_chunks": [s.chunk()]}}}, indent=1)
    head, tail = text.split('"flowout"', 1)
    return s.written(f'{head}\n<<<<<<< HEAD\n"flowout"\n=======\n"flow_out"\n>>>>>>> feature\n{tail}')


@injects("one-name-in-two-files")
def _(s: Scene) -> Injected:
    first = s.of(s.chunk("db"))
    second = s.of(s.chunk())
    copy = f"{s.domain}_copy.json"
    return Injected(s.domain, {**first.files, copy: second.files[f"{s.domain}.json"]}, {**second.values, "file": copy})


FILES = (
    "secret-file-missing",
    "variable-missing",
    "gate-nobody-answers",
    "gate-cycle",
    "fact-of-missing-domain",
    "policy-refuses",
    "syntax-error",
    "conflict-markers",
    "one-name-in-two-files",
)
"""What is told of a file as it is read: of a new one, and of one that was in force."""


# --- what is done to what runs -----------------------------------------------------------------------------------


@injects("update-crashes")
def _(s: Scene) -> Injected:
    now = s.of(s.chunk())
    bad = s.of(s.chunk(command=["sh", "-c", "echo unknown option --fast; exit 2"]))
    return Injected(s.domain, now.files, now.values, then=lambda daemon: daemon.put(bad.files))


@injects("paused-by-hand")
def _(s: Scene) -> Injected:
    found = s.of(s.chunk())
    found.then = lambda daemon: s.stage.api.pause(f"{s.domain}-main-web-1")
    return found


@injects("disconnected-by-hand")
def _(s: Scene) -> Injected:
    network = f"{s.domain}_front"
    found = s.of(s.chunk(networks=["front"]), networks={"front": {"name": network}}, values={"network": network})
    found.then = lambda daemon: s.stage.api.disconnect_container_from_network(f"{s.domain}-main-web-1", network)
    return found
