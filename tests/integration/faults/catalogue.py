"""The faults, each with what `pnr why CHUNK` says of it. The tests hold the program to these texts, and
docs/troubleshooting.md is made from them (``make docs``).

``…`` stands for anything; ``{name}`` and the like for what a fault's injection, or the example on the page, has there.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """``cause`` is what the first line says, ``step`` what the second one says. ``reasons`` are those of ``pnr status``
    that may stand with it (none: the file is not in force). ``example`` holds values for the page. ``more`` is what a
    line behind these two says."""

    name: str
    title: str
    cause: str
    step: str
    reasons: tuple[str, ...] = ()
    example: dict[str, str] = field(default_factory=dict)
    more: str = ""


@dataclass(frozen=True)
class Section:
    """Faults that belong together on the page."""

    title: str
    faults: tuple[Fault, ...]


_WEB = {"name": "shop/main/web", "domain": "shop", "file": "shop.json"}
_IMAGE = {"image": "registry.example.com/shop/web:1", "registry": "registry.example.com"}
_PULL = ("ImagePullFailed", "PullingImage", "Creating")
_BUILD = ("ImageBuildFailed", "BuildingImage", "Creating")
_START = ("StartFailed", "Creating", "Starting", "Recovering", "BackOff")
_CREATE = ("CreateFailed", "Creating", "PullingImage", "BackOff")
_END = ("ExitedNonZero", "CrashLooping", "Starting", "Recovering", "BackOff", "Probing", "Running")
_PORT = ("PortInUse", "Creating", "Starting", "Recovering", "BackOff", "PullingImage")
_CHECK = ("DeadlineExceeded", "Probing", "Unhealthy", "Recovering", "Stopping", "Starting", "BackOff", "CrashLooping")


def _web(**values: str) -> dict[str, str]:
    return {**_WEB, **values}


IMAGES = Section(
    "Images",
    (
        Fault(
            "image-mistyped",
            "The image's name is mistyped",
            "{name} is …: …image {image} can't be pulled: … has no such image",
            "If {near} is meant, which is here, correct the name of the image",
            _PULL,
            _web(image="registry.example.com/shop/wbe:1", near="registry.example.com/shop/web:1"),
        ),
        Fault(
            "tag-missing",
            "The image has no such tag",
            "{name} is …: …image {image} can't be pulled: … has no such image",
            "If {near} is meant, which is here, correct the name of the image",
            _PULL,
            _web(image="registry.example.com/shop/web:7", near="registry.example.com/shop/web:1"),
        ),
        Fault(
            "no-login",
            "The registry wants a login",
            "{name} is …: …image {image} can't be pulled: {registry} does not give it without a login",
            "Log in where the image is private: `docker login {registry}`",
            _PULL,
            _web(**_IMAGE),
        ),
        Fault(
            "wrong-password",
            "The password is wrong",
            "{name} is …: …image {image} can't be pulled: {registry} refuses the login of '{user}' from the domain's"
            " `registries`",
            "Correct the password of the login of '{user}'",
            _PULL,
            _web(user="puller", **_IMAGE),
        ),
        Fault(
            "registry-down",
            "The registry does not answer",
            "{name} is …: …image {image} can't be pulled: {registry} can't be reached (…connection refused)",
            "See that it runs and that the engine's machine reaches it",
            _PULL,
            _web(**_IMAGE),
        ),
        Fault(
            "platform-missing",
            "The image is not there for this platform",
            "{name} is …: …image {image} … {platform}",
            "Correct `platform`, or take a tag that has the image for it",
            _PULL,
            _web(platform="linux/s390x", **_IMAGE),
        ),
        Fault(
            "no-dockerfile",
            "There is no Dockerfile",
            "{file} is not valid, …: there is no Dockerfile {folder}/Dockerfile",
            "…rite the Dockerfile",
            (),
            _web(folder="/srv/shop/web"),
        ),
        Fault(
            "failing-run",
            "A RUN of the Dockerfile fails",
            "{name} is …: …image {image} can't be built from {folder}: The command '/bin/sh -c echo no such package;"
            " exit 9' returned a non-zero code: 9 (no such package)",
            "Correct the Dockerfile",
            _BUILD,
            _web(image="shop:1", folder="/srv/shop/web"),
        ),
    ),
)

PLACES = Section(
    "Names, ports, networks and volumes",
    (
        Fault(
            "port-held-by-process",
            "A process holds the port",
            "{name} is …: host port {port} is held by {holder}",
            "Free it, or publish another port",
            _PORT,
            _web(port="8080", holder="nginx (pid 812)"),
        ),
        Fault(
            "port-held-by-container",
            "A container holds the port",
            "{name} is …: host port {port} is held by container {holder} (",
            "Free it, or publish another port",
            _PORT,
            _web(port="8080", holder="old_shop"),
        ),
        Fault(
            "name-held",
            "Another container has the name",
            "{name} is …: the name {held} is held by container {id}",
            "Remove or rename it (`docker rename {held} NEW`)",
            ("NameConflict",),
            _web(held="shop_web", id="4e5ee9dcd1ca"),
        ),
        Fault(
            "subnet-overlaps",
            "The subnet overlaps with another network's",
            "{name} is …: network {network} can't be made: its subnet {subnet} overlaps with {others} of network"
            " {other}",
            "Give it another subnet",
            _CREATE,
            _web(subnet="172.29.77.128/25", network="shop_front", other="legacy", others="172.29.77.0/24"),
        ),
        Fault(
            "external-network-missing",
            "An external network is not there",
            "{name} is …: waiting for network {network}, which is declared external and does not exist",
            "Make it (`docker network create {network}`)",
            ("ExternalMissing",),
            _web(network="front"),
        ),
        Fault(
            "volume-driver-missing",
            "The volume's driver is not there",
            "{name} is …: volume {volume} can't be made: the engine has no driver {driver}",
            "Correct `driver` in the domain file, or install the plug-in",
            _CREATE,
            _web(volume="shop_data", driver="glusterfs"),
        ),
        Fault(
            "bind-source-missing",
            "The source of a bind mount is not there (long form)",
            "{name} is …: the bind source {source} does not exist on the engine's machine",
            "Make it (`mkdir -p {source}`)",
            _CREATE,
            _web(source="/srv/shop/data"),
        ),
        Fault(
            "bind-source-missing-short",
            "The source of a bind mount can't be made (short form)",
            "{name} is …: the bind source {source} does not exist",
            "Make it",
            (*_CREATE, *_START),
            _web(source="/srv/shop/data"),
        ),
        Fault(
            "secret-file-missing",
            "The file of a secret is not there",
            "{file} is not valid, …: {source} does not exist",
            "Make the file, or correct its name",
            (),
            _web(source="/etc/pnr/secrets/db_password"),
        ),
    ),
)

HEALTH = Section(
    "Health checks",
    (
        Fault(
            "wrong-port-key",
            "The health check asks a port on which nobody listens",
            "{name} is …: …8080: connection refused; the container listens on {listens}",
            "Correct `port_key` in the health check",
            _CHECK,
            _web(listens="8081"),
        ),
        Fault(
            "health-path-missing",
            "The path of the health check is not there",
            "{name} is …: …/healthz: answered 404 (Not Found), expected 2xx",
            "Correct the `path` of the health check",
            _CHECK,
            _web(),
        ),
        Fault(
            "health-500",
            "The health check is answered with an error",
            "{name} is …: …answered 500 (Internal Server Error), expected 2xx; it said: database pool exhausted",
            "See what the container prints",
            _CHECK,
            _web(),
        ),
        Fault(
            "health-redirect",
            "The health check is sent elsewhere",
            "{name} is …: …answered 302 (Found), expected 2xx, to /login",
            "Set `path` to where it leads, `follow_redirects`",
            _CHECK,
            _web(),
        ),
        Fault(
            "certificate-self-signed",
            "The certificate is self-signed",
            "{name} is …: …the certificate is not valid: self",
            "Give it a certificate that the daemon's machine trusts",
            _CHECK,
            _web(),
        ),
        Fault(
            "certificate-expired",
            "The certificate has expired",
            "{name} is …: …the certificate is not valid: certificate has expired",
            "Give it a certificate",
            _CHECK,
            _web(),
        ),
        Fault(
            "slow-answer",
            "The answer comes too late",
            "{name} is …: …80: no answer within 0.5 s",
            "See why it is slow, or raise `timeout_seconds`",
            _CHECK,
            _web(),
        ),
        Fault(
            "healthcheck-fails",
            "The image's HEALTHCHECK fails",
            "{name} is …: …its check printed: connection to db:5432 refused",
            "Put right what its check found",
            _CHECK,
            _web(),
        ),
        Fault(
            "log-pattern-never-comes",
            "The line that is waited for does not come",
            "{name} is …: …not seen in the output yet: ready to serve; the last line is: waiting for a licence",
            "See what it prints",
            _CHECK,
            _web(),
        ),
    ),
)

CONTAINERS = Section(
    "Containers that end",
    (
        Fault(
            "exits-1",
            "It ends at once with an error",
            "{name} is …exit code 1; it said: no DATABASE_URL given",
            "Read what it printed",
            _END,
            _web(),
        ),
        Fault(
            "exits-0",
            "It ends without an error, though it is a service",
            "{name} is …ended with exit code 0",
            'It is to be kept up but ended by itself: work that ends is declared with `"kind": "job"`',
            (*_END, "Exited"),
            _web(),
        ),
        Fault(
            "out-of-memory",
            "It is killed for want of memory",
            "{name} is …killed for want of memory (exit code 137): it wanted more than its limit of 16 MiB",
            "Give it more memory (`mem_limit`)",
            (*_END, "OOMKilled"),
            _web(),
        ),
        Fault(
            "crashes-again",
            "It crashes again and again, after having been up",
            "{name} is …exit code 4; it said: …lost the queue",
            "Read what it printed",
            _END,
            _web(),
        ),
        Fault(
            "command-not-there",
            "The command is not in the image",
            "{name} is …: the command serve-shop is not in the image",
            "Correct `command` or `entrypoint`",
            _START,
            _web(),
        ),
        Fault(
            "not-executable",
            "The command is no program",
            "{name} is …: /www/index.html in the image can't be executed: permission denied",
            "Make it executable",
            _START,
            _web(),
        ),
        Fault(
            "read-only-file-system",
            "It writes to a file system that is read-only",
            "{name} is …exit code 1; it said: touch: /var-run.pid: Read-only file system",
            "Give it a place to write to: `tmpfs`",
            _END,
            _web(),
        ),
        Fault(
            "name-unknown-to-dns",
            "It asks for a name that nobody has",
            "{name} is …exit code 1; it said: wget: bad address 'databse:5432'",
            "The name databse is not known in its networks",
            _END,
            _web(),
        ),
        Fault(
            "job-exits-3",
            "A job fails",
            "{name} is …exit code 3; it said: migration 12 failed",
            "Read what it printed",
            (*_END, "RunningJob"),
            _web(),
        ),
        Fault(
            "update-crashes",
            "An update crashes",
            "{name} is …: the update failed and the previous container is back until the domain changes: …exit code…;"
            " it said: unknown option --fast",
            "…orrect the domain file",
            ("RolledBack",),
            _web(),
        ),
        Fault(
            "memory-below-least",
            "The memory limit is below the engine's least",
            "{file} is not valid, …mem_limit: expected a size of at least 6m, found '1m'",
            "Correct the file at that place",
            (),
            _web(),
        ),
    ),
)

GATES = Section(
    "Gates",
    (
        Fault(
            "cause-three-levels-up",
            "The cause is three levels up the chain",
            "{name} waits … for {domain}/main/db (through {domain}/main/shop, {domain}/main/api), which …exit code 5;"
            " it said: disk is read-only",
            "Read what it printed (`pnr logs {domain}/main/db`)",
            ("WaitingForGatekeeper",),
            _web(),
        ),
        Fault(
            "gate-nobody-answers",
            "A gate that nobody answers",
            "{file} is not valid, …: no chunk and no rt_state of CPUX main answers database_ready",
            "Correct the gatekeeper",
            (),
            _web(),
        ),
        Fault(
            "gate-wants-another-response",
            "A gate that wants another response",
            "{file} is not valid, …: db_ready can never be Y ('primary'): db answers Y ('yes')",
            "Correct the gatekeeper",
            (),
            _web(),
        ),
        Fault(
            "gate-cycle",
            "Gates in a circle",
            "{file} is not valid, …: none of these can ever start: …db waits for web_ready from web",
            "Take one of these gates out",
            (),
            _web(),
        ),
        Fault(
            "fact-of-missing-domain",
            "A gate on a domain that is not there",
            "{name} waits for {other}/main/db_ready, and there is no domain {other}",
            "Declare the domain {other}, or correct the name in the gatekeeper",
            ("WaitingForGatekeeper", "Stalled"),
            _web(other="database"),
        ),
    ),
)

FILES = Section(
    "Files that are not valid",
    (
        Fault(
            "syntax-error",
            "A slip in the file's syntax",
            "{file} is not valid, …: expected a key in double quotes here",
            "Correct the file at that place",
            (),
            _web(),
        ),
        Fault(
            "conflict-markers",
            "A merge conflict is left in the file",
            "{file} is not valid, …: an unresolved merge conflict",
            "Resolve the conflict in the file",
            (),
            _web(),
        ),
        Fault(
            "variable-missing",
            "A variable has no value",
            "{file} is not valid, …: {variable} has no value",
            "Give the variable a value",
            (),
            _web(variable="DB_HOST"),
        ),
        Fault(
            "one-name-in-two-files",
            "Two files declare one domain",
            "{file} is not valid, …: the domain {domain} is declared in {domain}.json already",
            "…ive …another name",
            (),
            _web(file="shop_copy.json"),
        ),
        Fault(
            "policy-refuses",
            "The policy refuses it",
            "{file} is not valid, …: the policy refuses privileged: it is root on the host",
            "…/etc/pnr/policy.toml: [security] privileged = true",
            (),
            _web(),
        ),
    ),
)

HANDS = Section(
    "What people do to containers",
    (
        Fault(
            "paused-by-hand",
            "Somebody paused the container",
            "{name} was paused from outside at …, and was put right",
            "Nothing is to be done",
            ("Running", "Healthy"),
            _web(),
        ),
        Fault(
            "disconnected-by-hand",
            "Somebody disconnected the container",
            "{name} was disconnected from network {network} from outside at …, and was put right",
            "Nothing is to be done",
            ("Running", "Healthy"),
            _web(network="shop_front"),
        ),
    ),
)

AROUND = Section(
    "The engine and the machine",
    (
        Fault(
            "engine-stopped",
            "The engine is stopped",
            "The engine does not answer: no Docker engine answers at unix://{socket}",
            "Start it (`systemctl start docker`",
            (),
            _web(socket="/var/run/docker.sock"),
            "Where the engine was stopped, its containers have ended with it (its `live-restore` is off): pnr starts"
            " them again when it is back. Where only pnr can't reach it, they run on.",
        ),
        Fault(
            "no-right-on-socket",
            "pnr may not use the engine's socket",
            "The engine does not answer: permission denied on unix://{socket}",
            "Run pnr as a user in the group `docker`",
            (),
            _web(socket="/var/run/docker.sock"),
        ),
        Fault(
            "state-disk-full",
            "The disk of the state folder is full",
            "pnr can't keep its state: {state}/… can't be written: No space left on device",
            "Make room on that disk",
            ("Running", "Healthy"),
            _web(state="/var/lib/pnr"),
        ),
    ),
)

SECTIONS = (IMAGES, PLACES, HEALTH, CONTAINERS, GATES, FILES, HANDS, AROUND)
FAULTS = {fault.name: fault for section in SECTIONS for fault in section.faults}

NEVER = (
    r"\.\.(?!\.)|;;|: :|,,| 0 times",
    r"Traceback|File \"|requests\.exceptions|urllib3",
    r"there is no chunk",
    r"None|\{\w*\}",
)
"""What stands in no line, whatever is the matter."""


def says(line: str, text: str, values: dict[str, str]) -> bool:
    """Whether a line says what a text of the catalogue asks for; ``…`` is anything."""
    at = 0
    for part in text.split("…"):
        wanted = part.format(**values) if part else ""
        found = line.find(wanted, at)
        if found < 0:
            return False
        at = found + len(wanted)
    return True
