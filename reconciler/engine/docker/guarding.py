"""The guard in front of the engine: no request that changes something is sent before the policy has judged it.

It stands where all of the SDK's calls come together (``requests.Session.send``) and looks at what really goes out,
whichever code made it. What stands under the names in a request (volumes, networks, other containers) it asks the
engine. Blocking; may be called from several threads.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

import docker
import requests
from docker.errors import APIError

from reconciler.engine.docker import mounted_places, reading
from reconciler.engine.docker.failures import status
from reconciler.engine.docker.images import builder, seeing
from reconciler.engine.docker.ownership import Ownership
from reconciler.engine.protocol import Adopted, ImageRecord, Lending, NotFound, PolicyRefused
from reconciler.intent.image_names import parse
from reconciler.intent.model import Adopt, ChunkId
from reconciler.planner.image_use import delivered
from reconciler.planner.observed import LABEL_BUILD, LABEL_CHUNK, LABEL_CPUX, LABEL_DOMAIN, LABEL_REPLICA
from reconciler.policy.checks.subnets import BRIDGE_NAME
from reconciler.policy.domain import allowed_by
from reconciler.policy.judge import Judge, Unowned, domain_of
from reconciler.policy.names import told
from reconciler.policy.refusal import Against, Refusal
from reconciler.policy.request import NoJson, container_of, of_url
from reconciler.policy.world import ImageThere
from reconciler.sentences import advised

Body = Mapping[str, Any]


class MountedOtherwise(PolicyRefused):
    """A container has something else mounted than was judged. ``may_be_had``: the policy would allow that as well."""

    def __init__(self, message: str, *, may_be_had: bool) -> None:
        super().__init__(message)
        self.may_be_had = may_be_had


class Guard:
    """Holds requests against the policy of ``judge``, which knows the file that each domain belongs to: what the policy
    says of that file is in force for them. ``adopted`` tells whose the containers are that were taken over, ``images``
    who built them, ``lending`` what domains share."""

    def __init__(
        self,
        judge: Judge,
        adopted: Adopted | None = None,
        images: ImageRecord | None = None,
        lending: Lending | None = None,
    ) -> None:
        self._judge = judge
        self._ownership = Ownership(adopted)
        self._images = images
        self._lending = lending

    def protect(self, root: str) -> None:
        """The engine keeps its data there."""
        self._judge.protect(root)

    def check(self, client: docker.APIClient, request: requests.PreparedRequest, domain: str = "") -> None:
        """Return where the request may be sent, for a ``domain`` where nothing in it tells. Raises PolicyRefused, and
        NotFound where a container that it is about is not there, as the engine would."""
        try:
            asked = of_url(str(request.method), str(request.url), request.body, domain)
        except NoJson as error:
            raise PolicyRefused(f"the policy can't judge it: {error}") from error
        asking = self._asking(client)
        target = container_of(asked) if not self._judge.policy.is_open else ""
        if target and asking.container(target) is None:
            # Whose it was is not known any more, and so not what it may have.
            raise NotFound(f"container {target[:12]} is gone")
        self._refuse(self._judge.request(asked, asking), self._judge.domain_of_request(asked, asking))

    def lends_login(self, domain: str, registry: str) -> bool:
        """Whether the daemon's own login to a registry may be used for a domain."""
        return self._judge.lends_login(domain, registry)

    def is_judged(self, client: docker.APIClient, body: Body) -> bool:
        """Whether the engine must not start a container again by itself: what it has of the host is judged first."""
        return self._judge.is_judged(body, self._asking(client))

    def check_mounted(self, client: docker.APIClient, body: Body, *, is_here: bool) -> None:
        """Return where a container that runs, and that pnr has not started, has of the host what it may have: what it
        was to have, as that is now, and what the kernel says that it has. Raises PolicyRefused, and NotFound where
        it shares something with a container that is not there."""
        asking = self._asking(client)
        if not self._judge.is_judged(body, asking):
            return
        self._refuse(self._judge.existing(_without_restarts(body), asking), domain_of(body))
        names = [str(mount["Name"]) for mount in body.get("Mounts") or () if mount.get("Name")]
        volumes = {name: found for name in names if (found := asking.volume(name)) is not None}
        said, may_be_had = [], True
        for other in mounted_places.differing(body, volumes) if is_here else ():
            wanted, instead = other.wanted, other.places
            refusals = [one for path in instead for one in self._judge.place(body, path, read_only=wanted.read_only)]
            may_be_had = may_be_had and not refusals and (bool(instead) or other.removed)
            unknown = "what was removed from there since" if other.removed else "something unknown"
            why = f": {'; '.join(map(told, refusals))}" if refusals else ""
            what = " or ".join(instead) or unknown
            said.append(f"{what} is mounted at {wanted.target}, and not {wanted.source}, which was judged{why}")
        if said:
            told_all = f"the policy refuses what the engine has mounted by itself: {'; '.join(said)}"
            raise MountedOtherwise(told_all, may_be_had=may_be_had)

    def check_adoption(self, client: docker.APIClient, body: Body, chunk: ChunkId, adopt: Adopt) -> None:
        """Return where a container that is there may be taken over for a chunk: no request would tell, for none is
        sent. One that is to be replaced need not be as the policy wants it. Raises PolicyRefused, NotFound."""
        refusals = self._adoption(chunk, adopt)
        if adopt is Adopt.MATCHING:
            labels = {
                LABEL_DOMAIN: chunk.domain,
                LABEL_CPUX: chunk.cpux,
                LABEL_CHUNK: chunk.chunk,
                LABEL_REPLICA: str(chunk.replica),
            }
            # The engine may be told to start it again: that is taken from it as soon as it is ours.
            found = reading.overlaid(_without_restarts(body), labels)
            refusals += self._judge.existing(found, self._asking(client))
        self._refuse(refusals, chunk.domain)

    def _adoption(self, chunk: ChunkId, adopt: Adopt) -> list[Refusal]:
        try:
            return self._judge.for_domain(chunk.domain).adoption(adopt)
        except Unowned as error:
            raise PolicyRefused(
                f"the policy can't judge it: it is not known which file declares domain {error}"
            ) from error

    def _asking(self, client: docker.APIClient) -> _Asking:
        return _Asking(client, self._ownership, self._images, self._lending)

    def _refuse(self, refusals: list[Refusal], domain: str) -> None:
        if not refusals:
            return
        against = {refusal.against for refusal in refusals}
        if Against.GONE in against and Against.ASKED not in against:
            raise NotFound(f"the policy can't judge it: {'; '.join(map(told, refusals))}")
        try:
            judge = self._judge.for_domain(domain)
        except Unowned:
            judge = self._judge
        shown = allowed_by(judge, refusals)
        step = f"take it out of the domain file, or allow it in {shown}" if shown else ""
        said = advised("the policy refuses " + "; ".join(map(told, refusals)), step)
        # What only the host's state of this moment speaks against is no verdict on what was asked for.
        raise PolicyRefused(said, permanent=Against.ASKED in against)


def _without_restarts(body: Body) -> dict[str, Any]:
    host = {key: value for key, value in (body.get("HostConfig") or {}).items() if key != "RestartPolicy"}
    return {**body, "HostConfig": host}


class _Asking:
    """See :class:`reconciler.policy.world.World`: what the engine says, asked once for each name. That an engine fails
    to answer is no verdict: what the SDK raises is raised."""

    is_complete = True

    def __init__(
        self,
        client: docker.APIClient,
        ownership: Ownership,
        images: ImageRecord | None,
        lending: Lending | None,
    ) -> None:
        self._client = client
        self._ownership = ownership
        self._images = images
        self._lending = lending
        self._seen: dict[tuple[str, str], Body | None] = {}

    def container(self, name: str) -> Body | None:
        """By name or id."""
        return self._asked("container", name, lambda one: self._ownership.inspect(self._client, one))

    def volume(self, name: str) -> Body | None:
        """By name."""
        return self._asked("volume", name, self._client.inspect_volume)

    def network(self, name: str) -> Body | None:
        """By name or id."""
        return self._asked("network", name, self._client.inspect_network)

    def bridges(self) -> frozenset[str] | None:
        """Of all networks of the engine."""
        return frozenset(
            str((one.get("Options") or {}).get(BRIDGE_NAME) or f"br-{str(one.get('Id'))[:12]}")
            for one in self._client.networks()
        )

    def addresses(self, host: str) -> tuple[str, ...]:
        """As this machine resolves it: the engine's, where that is here."""
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return ()  # nor will the engine reach it
        return tuple(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))

    def image(self, name: str) -> ImageThere | None:
        """By name or id; who built it is in pnr's own record, since labels come along with what is built on others."""
        body = self._asked("image", name, self._client.inspect_image)
        if body is None:
            return None
        seen = seeing.seen(body)
        by = builder(self._images, seen)
        if by or parse(name).is_fixed:
            return ImageThere(by)
        # What was built before that was recorded has a label of ours.
        own = self._images.own() if self._images is not None and LABEL_BUILD not in seen.labels else {}
        return ImageThere("", delivered(seen, name, own.get(seen.id, ())))

    def shares(self, kind: str, name: str, owner: str, domain: str) -> bool:
        """As the intents in force say."""
        return self._lending is not None and self._lending.shares(kind, name, owner, domain)

    def _asked(self, kind: str, name: str, ask: Callable[[str], Any]) -> Body | None:
        key = (kind, name)
        if key not in self._seen:
            try:
                self._seen[key] = ask(name) if name else None
            except APIError as error:
                if status(error) not in (400, 404):
                    raise
                self._seen[key] = None
        return self._seen[key]
