"""What people, the engine and the machine do."""

from __future__ import annotations

from reconciler.states import Reason
from tests.integration.faults.texts.fault import Fault, Section, web

HANDS = Section(
    "What people do to containers",
    (
        Fault(
            "paused-by-hand",
            "Somebody paused the container",
            "{name} was paused from outside at …, and was put right",
            "Nothing needs to be done",
            (Reason.RUNNING, Reason.HEALTHY),
            web(),
            journal="was paused",
        ),
        Fault(
            "disconnected-by-hand",
            "Somebody disconnected the container",
            "{name} was disconnected from network {network} from outside at …, and was put right",
            "Nothing needs to be done",
            (Reason.RUNNING, Reason.HEALTHY),
            web(network="shop_front"),
            journal="is not connected to {network}",
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
            web(socket="/var/run/docker.sock"),
            "Where the engine was stopped, its containers have ended with it (its `live-restore` is off): pnr starts"
            " them again when it is back. Where only pnr can't reach it, they run on.",
        ),
        Fault(
            "no-right-on-socket",
            "pnr may not use the engine's socket",
            "The engine does not answer: permission denied on unix://{socket}",
            "Run pnr as a user in the group `docker`",
            (),
            web(socket="/var/run/docker.sock"),
        ),
        Fault(
            "state-disk-full",
            "The disk of the state folder is full",
            "pnr can't keep its state: {state}/… can't be written: No space left on device",
            "Make room on that disk",
            (Reason.RUNNING, Reason.HEALTHY),
            web(state="/var/lib/pnr"),
        ),
    ),
)
