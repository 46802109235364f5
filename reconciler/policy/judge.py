"""Judges requests to the Engine API by the policy: the one place where a yes or no is said. Pure.

Two ask it the same: whoever judges a domain file, with the requests that the domain would send, and the guard in front
of the engine's client, with the request that is about to be sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.intent.image_names import parse
from reconciler.intent.model import ChunkId
from reconciler.planner.observed import LABEL_DOMAIN
from reconciler.policy.checks import container, images, network, places, volumes
from reconciler.policy.checks.case import Case, Protected, labels_of, owner_of, table
from reconciler.policy.model import Policy
from reconciler.policy.refusal import KNOWN_FIELDS, KNOWN_ROUTES, Refusal
from reconciler.policy.request import Request, Route
from reconciler.policy.world import Installation, Look, Nothing, Seen, World

_VOLUME = frozenset({"Name", "Driver", "DriverOpts", "Labels"})
_CONNECT = frozenset({"Container", "EndpointConfig", "Force"})


class Judge:
    """Says what a policy refuses. ``look`` looks at paths of the host; ``places`` are those of this installation."""

    def __init__(self, policy: Policy, places: Installation, look: Look) -> None:
        self.policy = policy
        self.places = places
        self.look = look
        self._protected: Protected | None = None

    def noting(self, looked: dict[str, Seen]) -> Judge:
        """The same judge, for one domain: it looks at each path only once, and notes what it sees of those that the
        domain asks for."""

        def look(path: str) -> Seen:
            if path not in looked:
                looked[path] = self.look(path)
            return looked[path]

        judge = Judge(self.policy, self.places, look)
        judge._protected = Protected(self.look)
        return judge

    def case(self, world: World | None = None, owner: ChunkId | None = None, domain: str = "") -> Case:
        """A case of its own: for whoever judges a part of something."""
        said = owner.domain if owner is not None else domain
        protected = self._protected or Protected(self.look)
        return Case(self.policy, self.places, self.look, protected, world or Nothing(), owner, said)

    def request(self, request: Request, world: World | None = None) -> list[Refusal]:
        """Everything that the policy refuses of a request; nothing: it may be sent."""
        if self.policy.is_open or request.route in (Route.READ, Route.HARMLESS):
            return []
        case = self.case(world)
        match request.route:
            case Route.PULL:
                images.pull(case, request)
            case Route.BUILD:
                case.domain = images.builder(request)
                images.build(case, request)
            case Route.START_CONTAINER:
                return self._existing(request.target, case.world)
            case Route.UNKNOWN:
                said = f"no rule is known for {request.method} {request.path}"
                case.refuse(KNOWN_ROUTES, f"{request.method} {request.path}", said)
            case _:
                self._with_body(case, request)
        return list(case.out)

    def _with_body(self, case: Case, request: Request) -> None:
        body = request.body if request.body is not None else {}
        if not isinstance(body, Mapping):
            case.refuse(KNOWN_FIELDS, request.path, "a body that is no object")
            return
        match request.route:
            case Route.CREATE_CONTAINER:
                case.owner = owner_of(table(body.get("Labels")))
                case.domain = case.owner.domain if case.owner is not None else ""
                container.created(case, body)
            case Route.UPDATE_CONTAINER:
                container.updated(case, body)
            case Route.EXEC:
                container.executed(case, body)
            case Route.CREATE_VOLUME:
                case.domain = str(table(body.get("Labels")).get(LABEL_DOMAIN) or "")
                case.unknown(body, _VOLUME, "")
                volumes.made(case, str(body.get("Driver") or ""), table(body.get("DriverOpts")), "DriverOpts")
            case Route.CREATE_NETWORK:
                case.domain = str(table(body.get("Labels")).get(LABEL_DOMAIN) or "")
                network.network(case, body)
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
        if self.policy.is_open:
            return []
        owner = owner_of(labels_of(inspected))
        case = self.case(world, owner)
        container.existing(case, inspected)
        return list(case.out)

    def may_take_up(self, image: str) -> bool:
        """Whether a container may be made anew from an image of this name that another domain than its own has
        built."""
        return self.policy.is_open or images.may_take_up(self.policy, parse(image))

    def file(self, path: str, field: str = "file", *, is_folder: bool = False) -> list[Refusal]:
        """Everything that speaks against a file, or a directory to build from, that a domain refers to."""
        if self.policy.is_open:
            return []
        case = self.case()
        places.file(case, path, field, is_folder=is_folder)
        return list(case.out)
