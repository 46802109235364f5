"""The guard in front of the engine: no request that changes something is sent before the policy has judged it.

It stands where all of the SDK's calls come together (``requests.Session.send``) and looks at what really goes out,
whichever code made it. What stands under the names in a request (volumes, networks, other containers) it asks the
engine. Blocking; may be called from several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException

from reconciler.engine.docker import reading
from reconciler.engine.docker.failures import status
from reconciler.engine.docker.images import builder, seeing
from reconciler.engine.protocol import Adopted, ImageRecord, Lending, PolicyRefused
from reconciler.intent.image_names import parse
from reconciler.intent.model import Adopt, ChunkId
from reconciler.planner.images import delivered
from reconciler.planner.observed import LABEL_BUILD, LABEL_CHUNK, LABEL_CPUX, LABEL_DOMAIN, LABEL_REPLICA
from reconciler.policy.domain import adoption, allowed_by
from reconciler.policy.judge import Judge
from reconciler.policy.names import told
from reconciler.policy.refusal import Refusal
from reconciler.policy.request import NoJson, of_url
from reconciler.policy.world import ImageThere
from reconciler.sentences import advised

Body = Mapping[str, Any]


class Guard:
    """Holds requests against the policy of ``judge``. ``adopted`` tells whose the containers are that were taken
    over, ``images`` who built them, ``lending`` what domains share."""

    def __init__(
        self,
        judge: Judge,
        adopted: Adopted | None = None,
        images: ImageRecord | None = None,
        lending: Lending | None = None,
    ) -> None:
        self._judge = judge
        self._adopted = adopted
        self._images = images
        self._lending = lending

    def protect(self, root: str) -> None:
        """The engine keeps its data there."""
        places = self._judge.places
        if root and root not in places.own:
            places = replace(places, own=(*places.own, root))
            self._judge = Judge(self._judge.policy, places, self._judge.look)

    def check(self, client: docker.APIClient, request: requests.PreparedRequest) -> None:
        """Return where the request may be sent. Raises PolicyRefused."""
        try:
            asked = of_url(str(request.method), str(request.url), request.body)
        except NoJson as error:
            raise PolicyRefused(f"the policy can't judge it: {error}") from error
        self._refuse(self._judge.request(asked, self._asking(client)))

    def check_adoption(self, client: docker.APIClient, body: Body, chunk: ChunkId, adopt: Adopt) -> None:
        """Return where a container that is there may be taken over for a chunk: no request would tell, for none is
        sent. One that is to be replaced need not be as the policy wants it. Raises PolicyRefused."""
        refusals = adoption(self._judge, adopt)
        if adopt is Adopt.MATCHING:
            labels = {
                LABEL_DOMAIN: chunk.domain,
                LABEL_CPUX: chunk.cpux,
                LABEL_CHUNK: chunk.chunk,
                LABEL_REPLICA: str(chunk.replica),
            }
            found = reading.overlaid(body, labels)
            refusals += self._judge.existing(found, self._asking(client))
        self._refuse(refusals)

    def _asking(self, client: docker.APIClient) -> _Asking:
        return _Asking(client, self._adopted, self._images, self._lending)

    def _refuse(self, refusals: list[Refusal]) -> None:
        if refusals:
            shown = allowed_by(self._judge.policy, refusals)
            step = f"take it out of the domain file, or allow it in {shown}" if shown else ""
            raise PolicyRefused(advised("the policy refuses " + "; ".join(map(told, refusals)), step))


class GuardedClient(docker.APIClient):
    """The SDK's client, with a guard before everything that it sends."""

    guard: Guard | None = None

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request that the guard lets pass. Raises PolicyRefused, and what ``requests`` raises."""
        if self.guard is not None:
            self.guard.check(self, request)
        return super().send(request, **kwargs)


class _Asking:
    """See :class:`reconciler.policy.world.World`: what the engine says, asked once for each name."""

    is_complete = True

    def __init__(
        self,
        client: docker.APIClient,
        adopted: Adopted | None,
        images: ImageRecord | None,
        lending: Lending | None,
    ) -> None:
        self._client = client
        self._adopted = adopted
        self._images = images
        self._lending = lending
        self._seen: dict[tuple[str, str], Body | None] = {}

    def container(self, name: str) -> Body | None:
        """By name or id."""
        found = self._asked("container", name, self._client.inspect_container)
        if found is None or self._adopted is None:
            return found
        return reading.overlaid(found, self._adopted.labels(str(found["Id"])))

    def volume(self, name: str) -> Body | None:
        """By name."""
        return self._asked("volume", name, self._client.inspect_volume)

    def network(self, name: str) -> Body | None:
        """By name or id."""
        return self._asked("network", name, self._client.inspect_network)

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
            except DockerException as error:
                raise PolicyRefused(
                    f"the policy can't judge it: the {kind} {name} can't be looked at: {error}"
                ) from error
        return self._seen[key]
