"""Plays all faults on one daemon at a time, and keeps what `pnr why` said of each."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docker import APIClient

from reconciler.cli.explain import explain
from reconciler.errors import PnrError
from tests.integration.daemon.conftest import Daemon
from tests.integration.faults.catalogue import FAULTS, NEVER
from tests.integration.faults.injections import FILES, INJECTIONS, Injected, Scene
from tests.integration.faults.stage import Stage
from tests.integration.faults.texts.fault import Fault, says

LIMIT_SECONDS = 100.0
UP_SECONDS = 150.0
UNKNOWN_SECONDS = 60.0
LOOP_ENDS = 3
_LOOPS = ("exits-1", "exits-0", "out-of-memory", "crashes-again", "read-only-file-system", "name-unknown-to-dns")
_NOT_RESTARTED = ("memory-below-least", "paused-by-hand", "disconnected-by-hand", "no-dockerfile")
_HEALS = ("paused-by-hand", "disconnected-by-hand")
_CALM = ("Nothing needs to be done.", "nothing has failed")
SITUATIONS: dict[str, tuple[str, ...]] = {
    "plain": tuple(INJECTIONS),
    "restart: always": tuple(name for name in INJECTIONS if name not in (*FILES, *_NOT_RESTARTED)),
    "edited": FILES,
    "crash loop": _LOOPS,
}
"""What is played in which situation. A fault of a file is ``plain`` in one that was never valid."""


@dataclass
class Played:
    """A fault in a situation. ``right`` says whether the first two lines came to be as they should, ``texts`` is all
    that was said."""

    fault: Fault
    situation: str
    injected: Injected
    scene: Scene
    right: bool = False
    seconds: float = 0.0
    texts: list[str] = field(default_factory=list)
    belied: list[str] = field(default_factory=list)
    chunk: dict[str, Any] = field(default_factory=dict)
    begun: float = 0.0

    @property
    def last(self) -> str:
        """What was said last."""
        return self.texts[-1] if self.texts else ""

    def look(self, view: dict[str, Any]) -> None:
        """Ask once, and judge."""
        target = f"{self.injected.domain}/main/{self.injected.chunk}"
        try:
            text = explain(view, target)
        except PnrError as error:
            text = f"{error}\n"
            if not self.texts and time.monotonic() - self.begun < UNKNOWN_SECONDS:
                return  # the file is not read yet
        if text != self.last:
            self.texts.append(text)
        first, second, *_ = [*text.splitlines(), "", ""]
        values = self.injected.values
        self.chunk = next((c for c in _chunks(view) if c["full_name"] == target), {})
        ended_often = self.situation != "crash loop" or self._ends() >= LOOP_ENDS
        if self.right and self.fault.name not in _HEALS and any(calm in second for calm in _CALM):
            self.belied.append(text)
        if self.right or not ended_often:
            return
        if says(first, self.fault.cause, values) and says(second, self.fault.step, values):
            self.right = True
            self.seconds = time.monotonic() - self.begun

    def _ends(self) -> int:
        return max(int(self.chunk.get("restarts") or 0), int(self.chunk.get("attempts") or 0))

    def strange(self) -> list[str]:
        """The lines that should stand nowhere."""
        return [
            line for text in self.texts for line in text.splitlines() for pattern in NEVER if re.search(pattern, line)
        ]


def _chunks(view: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for domain in view["domains"]:
        for cpux in domain["cpuxs"]:
            for chunk in cpux["chunks"]:
                yield {**chunk, "full_name": f"{domain['name']}/{cpux['name']}/{chunk['name']}"}


SLOWEST_SHOWN = 5


def how_long(played: Iterable[Played]) -> str:
    """How long it took until the first line was right, of those for which it took longest. Told, and no verdict: it
    hangs on the machine."""
    slowest = sorted((one for one in played if one.right), key=lambda one: -one.seconds)[:SLOWEST_SHOWN]
    said = ", ".join(f"{one.fault.name} ({one.situation}) {one.seconds:.1f} s" for one in slowest)
    return f"The cause was in the first line last of: {said}"


@dataclass
class Theatre:
    """A daemon under the shipped policy, but for what the faults need."""

    daemon: Daemon
    stage: Stage
    prefix: str
    journal: list[dict[str, Any]] = field(default_factory=list)

    def put(self, files: dict[str, str]) -> None:
        """Write files as an editor does that renames them into place."""
        for name, text in files.items():
            temporary = self.daemon.root / "being-written"
            temporary.write_text(text)
            temporary.rename(self.daemon.domains / name)

    def play(self, situation: str, names: Iterable[str]) -> list[Played]:
        """These faults in a situation, all at once."""
        played = [self._begun(situation, name) for name in names]
        # What is done once it is up is done to each as soon as it is, so that others are looked at meanwhile.
        waiting = [one for one in played if one.injected.then is not None]
        end = time.monotonic() + LIMIT_SECONDS
        up_end = time.monotonic() + UP_SECONDS
        while waiting or (time.monotonic() < end and not all(one.right for one in played)):
            view = self.daemon.view()
            settled = {str(domain["name"]) for domain in view["domains"] if domain.get("settled")}
            for one in [one for one in waiting if one.injected.domain in settled]:
                assert one.injected.then is not None
                one.injected.then(self)
                waiting.remove(one)
                one.begun = time.monotonic()
                end = one.begun + LIMIT_SECONDS
            for one in played:
                if one not in waiting:
                    one.look(view)
            names = ", ".join(one.injected.domain for one in waiting)
            assert not waiting or time.monotonic() < up_end, f"waited for {names} to settle"
            time.sleep(0.3)
        self.journal = self.daemon.journal()
        for one in played:
            for cleanup in one.scene.cleanups:
                cleanup()
        return played

    def _begun(self, situation: str, name: str) -> Played:
        restart = "always" if situation == "restart: always" else ""
        letter = situation[0]
        scene = Scene(self.stage, f"{self.prefix}{letter}_{name.replace('-', '_')}", restart)
        injected = INJECTIONS[name](scene)
        if situation == "edited":
            first = scene.of(scene.chunk())
            wrong = injected.files
            if name == "one-name-in-two-files":
                first = scene.of(scene.chunk("db"))
            injected.files, injected.then = first.files, lambda theatre: theatre.put(wrong)
        self.put(injected.files)
        return Played(FAULTS[name], situation, injected, scene, begun=time.monotonic())


@contextmanager
def theatre(root: Path, api: APIClient, stage: Stage, prefix: str) -> Iterator[Theatre]:
    """A daemon for plays, ended at the end."""
    root.mkdir()
    daemon = Daemon(root, api)
    policy = root / "policy.toml"
    policy.write_text(
        'profile = "standard"\n[volumes]\ndrivers = ["...", "glusterfs"]\n[networks]\nexternal = ["*_nowhere"]\n'
    )
    daemon.environment |= {
        "PNR_POLICY": str(policy),
        "SSL_CERT_FILE": str(stage.certificates / "ca.pem"),
        "DOCKER_CONFIG": str(root / "nobody-logged-in"),
    }
    daemon.start()
    try:
        yield Theatre(daemon, stage, prefix)
    finally:
        daemon.kill(signal.SIGTERM)
