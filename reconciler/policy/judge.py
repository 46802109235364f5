"""Judges requests to the Engine API by the policy: the one place where a yes or no is said. Pure.

Two ask it the same: whoever judges a domain file, with the requests that the domain would send, and the guard in front
of the engine's client, with the request that is about to be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from reconciler.intent.contents import Source
from reconciler.intent.image_names import parse
from reconciler.intent.model import Adopt, ChunkId
from reconciler.planner.observed import LABEL_DOMAIN
from reconciler.policy.checks import chunk, container, images, network, places, secrets, subnets, volumes
from reconciler.policy.checks.case import Case, Protected, labels_of, owner_of, table
from reconciler.policy.checks.mounts import RULE, has_of_host
from reconciler.policy.model import Policy
from reconciler.policy.refusal import KNOWN_FIELDS, KNOWN_FILES, KNOWN_ROUTES, Refusal
from reconciler.policy.request import Request, Route
from reconciler.policy.world import HostNet, Installation, Look, Nothing, Seen, World

_VOLUME = frozenset({"Name", "Driver", "DriverOpts", "Labels"})
_CONNECT = frozenset({"Container", "EndpointConfig", "Force"})


FileOf = Callable[[str], str | None]
"""Which domain file a domain's name belongs to, by its path in the domains directory; None where nobody knows."""


class Unowned(Exception):
    """Nobody knows which file a domain belongs to. The text is its name."""


class Judge:
    """Says what a policy refuses. ``look`` looks at paths of the host; ``places`` are those of this installation.

    A policy may say different things of different domain files. ``file`` is the one that this judge judges for
    (:meth:`for_file`). Where there is none, ``file_of`` tells whose a request is: permissions are given to files, and
    the name of a domain belongs to the file that has claimed it. Without both, what the policy says of all files holds.
    """

    def __init__(
        self,
        policy: Policy,
        places: Installation,
        look: Look,
        *,
        file_of: FileOf | None = None,
        file: str | None = None,
    ) -> None:
        self.policy = policy
        self.places = places
        self.look = look
        self.domain_file = file
        self._file_of = file_of
        self._protected: Protected | None = None

    def asking(self, file_of: FileOf) -> Judge:
        """The same judge for requests of all domains: it asks ``file_of`` which file a domain belongs to."""
        return Judge(self.policy, self.places, self.look, file_of=file_of)

    def placed(self, places: Installation) -> Judge:
        """The same judge in an installation of other places."""
        return Judge(self.policy, places, self.look, file_of=self._file_of, file=self.domain_file)

    def for_file(self, path: str) -> Judge:
        """The judge for one domain file, by its path in the domains directory: what the policy says of it is in
        force."""
        return Judge(self.policy.for_file(path), self.places, self.look, file=path)

    def for_domain(self, name: str) -> Judge:
        """The judge for what belongs to a domain, "" where it belongs to none. Raises Unowned where the policy says
        different things of different files, and nobody knows which one the domain is of."""
        if self.domain_file is not None or self._file_of is None:
            return self
        file = self._file_of(name) if name else None
        if file is not None:
            return self.for_file(file)
        if name and self.policy.sections:
            raise Unowned(name)
        return Judge(self.policy.of_no_file(), self.places, self.look, file="")

    def protect(self, folder: str) -> None:
        """The engine keeps its data there. Whoever judges with these places knows it from now on."""
        if folder and folder not in (*self.places.own, *self.places.engine):
            self.places.engine.append(folder)

    def noting(self, looked: dict[str, Seen], nets: list[HostNet] | None = None) -> Judge:
        """The same judge, for one domain: it looks at each path only once, and notes what it sees of those that the
        domain asks for; so with the networks of the host, in ``nets``."""
        seen = nets if nets is not None else []

        def look(path: str) -> Seen:
            if path not in looked:
                looked[path] = self.look(path)
            return looked[path]

        def net() -> HostNet:
            if not seen:
                seen.append(self.places.net())
            return seen[0]

        judge = Judge(self.policy, replace(self.places, net=net), look, file_of=self._file_of, file=self.domain_file)
        judge._protected = Protected(self.look)
        return judge

    def for_reading(self, reader: str) -> Judge:
        """The judge of what one domain file reads in one go: it looks at each protected place only once."""
        judge = self.for_file(reader) if reader else Judge(self.policy, self.places, self.look, file=self.domain_file)
        judge._protected = Protected(self.look)
        return judge

    def case(self, world: World | None = None, owner: ChunkId | None = None, domain: str = "") -> Case:
        """A case of its own: for whoever judges a part of something."""
        said = owner.domain if owner is not None else domain
        protected = self._protected or Protected(self.look)
        return Case(self.policy, self.places, self.look, protected, world or Nothing(), owner, said, self.domain_file)

    def request(self, request: Request, world: World | None = None) -> list[Refusal]:
        """Everything that the policy refuses of a request; nothing: it may be sent."""
        if self.policy.is_open or request.route in (Route.READ, Route.HARMLESS):
            return []
        seen = world or Nothing()
        try:
            return self.for_domain(self.domain_of_request(request, seen))._request(request, seen)
        except Unowned as error:
            return self._unowned(error)

    def domain_of_request(self, request: Request, world: World) -> str:
        """The domain that a request is for; "" where it can't be told, or need not."""
        if self.domain_file is not None or self._file_of is None:
            return ""
        body = table(request.body)
        match request.route:
            case Route.PULL:
                return request.domain
            case Route.BUILD:
                return request.domain or images.builder(request)
            case Route.CREATE_CONTAINER | Route.CREATE_VOLUME | Route.CREATE_NETWORK:
                return str(table(body.get("Labels")).get(LABEL_DOMAIN) or "")
            case Route.START_CONTAINER | Route.UPDATE_CONTAINER | Route.EXEC:
                return domain_of(world.container(request.target))
            case Route.CONNECT_NETWORK:
                return domain_of(world.container(str(body.get("Container") or "")))
        return ""

    def _unowned(self, error: Unowned) -> list[Refusal]:
        case = self.case()
        said = f"it is not known which file declares domain {error}, and the policy differs from file to file"
        case.refuse(KNOWN_FILES, "Labels", said)
        return case.refused

    def _request(self, request: Request, world: World) -> list[Refusal]:
        if self.policy.is_open:
            return []
        case = self.case(world)
        match request.route:
            case Route.PULL:
                case.domain = request.domain
                images.pull(case, request)
            case Route.BUILD:
                case.domain = request.domain or images.builder(request)
                images.build(case, request)
            case Route.START_CONTAINER:
                return self._existing(request.target, case.world)
            case Route.UNKNOWN:
                said = f"no rule is known for {request.method} {request.path}"
                case.refuse(KNOWN_ROUTES, f"{request.method} {request.path}", said)
            case _:
                self._with_body(case, request)
        return case.refused

    def _with_body(self, case: Case, request: Request) -> None:
        body = request.body if request.body is not None else {}
        if not isinstance(body, Mapping):
            case.refuse(KNOWN_FIELDS, request.path, "a body that is not an object")
            return
        match request.route:
            case Route.CREATE_CONTAINER:
                case.owner = owner_of(table(body.get("Labels")))
                case.domain = case.owner.domain if case.owner is not None else ""
                container.created(case, body)
            case Route.UPDATE_CONTAINER:
                found = case.world.container(request.target)
                case.owner = owner_of(labels_of(found)) if found is not None else None
                container.updated(case, body, found)
            case Route.EXEC:
                container.executed(case, body)
            case Route.CREATE_VOLUME:
                case.domain = str(table(body.get("Labels")).get(LABEL_DOMAIN) or "")
                case.unknown(body, _VOLUME, "")
                volumes.made(case, str(body.get("Driver") or ""), table(body.get("DriverOpts")), "DriverOpts")
            case Route.CREATE_NETWORK:
                case.domain = str(table(body.get("Labels")).get(LABEL_DOMAIN) or "")
                network.network(case, body)
                subnets.subnets(case, body)
            case Route.CONNECT_NETWORK:
                found = case.world.container(str(body.get("Container") or ""))
                case.owner = owner_of(labels_of(found)) if found is not None else None
                case.domain = case.owner.domain if case.owner is not None else ""
                case.unknown(body, _CONNECT, "")
                network.endpoint(case, request.target, table(body.get("EndpointConfig")), "EndpointConfig")

    def _existing(self, name: str, world: World) -> list[Refusal]:
        found = world.container(name)
        return self.existing(found, world) if found is not None else []

    def existing(self, inspected: Mapping[str, Any], world: World | None = None) -> list[Refusal]:
        """Everything that the policy refuses of a container that is there, as if it were made now."""
        owner = owner_of(labels_of(inspected))
        try:
            judge = self.for_domain(owner.domain if owner is not None else "")
        except Unowned as error:
            return self._unowned(error)
        if judge.policy.is_open:
            return []
        case = judge.case(world, owner)
        container.existing(case, inspected)
        return case.refused

    def lends_login(self, domain: str, registry: str) -> bool:
        """Whether a domain may be asked for at a registry with the daemon's own login."""
        try:
            return self.for_domain(domain).policy.allows("images.logins", registry)
        except Unowned:
            return False

    def environment(self, allowed: Collection[str]) -> frozenset[str]:
        """Of the variables that are allowed at all, those that the domain file may take."""
        if self.policy.is_open:
            return frozenset(allowed)
        return frozenset(name for name in allowed if self.policy.allows("secrets.environment", name))

    def source(self, source: Source, path: str, *, is_folder: bool = False) -> list[Refusal]:
        """Everything that speaks against reading ``path`` (a file, or a directory to build from; "" where it is none)
        for what a domain file refers to."""
        if self.policy.is_open:
            return []
        case = self.case()
        secrets.source(case, source, path, is_folder=is_folder)
        return case.refused

    def is_judged(self, inspected: Mapping[str, Any], world: World | None = None) -> bool:
        """Whether a container has something of the host, and so has to be started by who judges it."""
        if self.policy.is_open:
            return False
        owner = owner_of(labels_of(inspected))
        try:
            judge = self.for_domain(owner.domain if owner is not None else "")
        except Unowned:
            return True
        if judge.policy.is_open or judge.policy.flag(RULE):
            return False
        return has_of_host(judge.case(world, owner), table(inspected.get("HostConfig")))

    def place(self, inspected: Mapping[str, Any], path: str, *, read_only: bool) -> list[Refusal]:
        """Everything that speaks against a place of the host that a container was found to have."""
        if self.policy.is_open:
            return []
        owner = owner_of(labels_of(inspected))
        try:
            case = self.for_domain(owner.domain if owner is not None else "").case(None, owner)
        except Unowned as error:
            return self._unowned(error)
        places.host_path(case, path, "Mounts", read_only=read_only)
        return case.refused

    def adoption(self, adopt: Adopt) -> list[Refusal]:
        """Everything that speaks against what a chunk asks for of a container that somebody else made."""
        case = self.case()
        chunk.adoption(case, adopt)
        return case.refused

    def may_take_up(self, image: str, domain: str) -> bool:
        """Whether a container of a domain may be recreated from an image of this name that another one has built."""
        try:
            policy = self.for_domain(domain).policy
        except Unowned:
            return False
        return policy.is_open or images.may_take_up(policy, parse(image))

    def file(self, path: str, field: str = "file", *, is_folder: bool = False) -> list[Refusal]:
        """Everything that speaks against a file, or a directory to build from, that a domain refers to."""
        if self.policy.is_open:
            return []
        case = self.case()
        places.file(case, path, field, is_folder=is_folder)
        return case.refused


def domain_of(inspected: Mapping[str, Any] | None) -> str:
    """The domain that a container belongs to; "" where it belongs to none, or where there is none."""
    owner = owner_of(labels_of(inspected)) if inspected is not None else None
    return owner.domain if owner is not None else ""
