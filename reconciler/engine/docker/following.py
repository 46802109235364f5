"""What a container prints, line by line as it comes, with the engine's own times. A thread reads; blocking.

The thread waits where nobody takes the lines, so that a container that prints faster than its reader reads costs no
memory. The stream ends when the container ends: whoever wants more asks again.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import docker

from reconciler.engine.docker.breaking import break_off
from reconciler.engine.docker.failures import RAISED, translate
from reconciler.engine.protocol import EngineError, Printed

MOST_WAITING = 1000
_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ")


class Lines:
    """Puts lines together from what the engine sends: a message at a time, each with its time, or (where the container
    has a terminal) pieces of any length."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, part: bytes) -> Iterator[Printed]:
        """Take one more piece; the lines that are whole by now."""
        if self._rest and not self._rest.endswith(b"\n"):
            # A line that is too long for one message comes in several: only the first time is wanted.
            stamp = _STAMP.match(part)
            part = part[stamp.end() :] if stamp is not None and _STAMP.match(self._rest) else part
        *whole, self._rest = (self._rest + part).split(b"\n")
        yield from (_printed(line) for line in whole)

    def end(self) -> Iterator[Printed]:
        """What is left when there is no more."""
        rest, self._rest = self._rest, b""
        if rest:
            yield _printed(rest)


def _printed(line: bytes) -> Printed:
    stamp = _STAMP.match(line)
    if stamp is None:
        return Printed(0, line.decode(errors="replace"))
    whole, fraction, zone = (group.decode() if group is not None else "" for group in stamp.groups())
    seconds = datetime.fromisoformat(whole + zone.replace("Z", "+00:00")).timestamp()
    text = line[stamp.end() :].removesuffix(b"\r").decode(errors="replace")
    return Printed(int(seconds) * 1_000_000_000 + int(fraction.ljust(9, "0") or 0), text)


class Following:
    """One stream and the thread that reads it. ``put`` takes lines, and at last None or an error, in that thread; after
    each line :meth:`taken` is to be called."""

    def __init__(
        self,
        client: docker.APIClient,
        container_id: str,
        put: Callable[[Printed | EngineError | None], None],
        *,
        where: str,
        since: float | None,
        tail: int | None,
    ) -> None:
        self._client = client
        self._container_id = container_id
        self._put = put
        self._where = where
        self._options: dict[str, Any] = {"tail": "all" if tail is None else tail}
        if since is not None and since > 0:
            self._options["since"] = since
        self._room = threading.Semaphore(MOST_WAITING)
        self._stream: Any = None
        self._stopped = False
        threading.Thread(target=self._read, name="pnr-follow", daemon=True).start()

    def taken(self) -> None:
        """A line was taken: there is room for one more."""
        self._room.release()

    def stop(self) -> None:
        """Read no more. Nothing waits for the thread."""
        self._stopped = True
        self._room.release()
        break_off(self._stream)
        self._client.close()

    def _read(self) -> None:
        lines = Lines()
        try:
            self._stream = self._client.logs(
                self._container_id, stdout=True, stderr=True, stream=True, follow=True, timestamps=True, **self._options
            )
            if self._stopped:
                break_off(self._stream)
                return
            for part in self._stream:
                for line in lines.feed(part):
                    self._hand_over(line)
                if self._stopped:
                    return
            for line in lines.end():
                self._hand_over(line)
            last: EngineError | None = None
        except RAISED as error:
            last = translate(error, self._where, EngineError)
        except (ValueError, RuntimeError, AttributeError) as error:
            # Cut in the middle of a message, or closed under the SDK's hands.
            last = EngineError(f"the output of container {self._container_id[:12]} broke off: {error}")
        if not self._stopped:
            self._put(last)

    def _hand_over(self, line: Printed) -> None:
        self._room.acquire()
        if not self._stopped:
            self._put(line)
