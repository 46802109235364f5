"""Talks to systemd: ready, status, watchdog (sd_notify(3)). Does nothing where systemd did not start us.

The watchdog is fed by the loop itself: a beat is a message like any other, and only a loop that still takes
messages answers it. A loop that hangs is therefore restarted by systemd, and the containers go on meanwhile.
"""

from __future__ import annotations

import os
import socket


class Notifier:
    """One datagram socket to the address in ``NOTIFY_SOCKET``."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        env = dict(os.environ) if environment is None else environment
        address = env.get("NOTIFY_SOCKET", "")
        usec = env.get("WATCHDOG_USEC", "")
        ours = env.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_seconds = int(usec) / 1_000_000 if usec.isdigit() and ours else None
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket: socket.socket | None = None
        if self._address and hasattr(socket, "AF_UNIX"):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)

    @property
    def active(self) -> bool:
        """Whether somebody listens."""
        return self._socket is not None

    def send(self, **fields: str) -> None:
        """Send ``KEY=value`` lines. A full or missing socket is no reason to stop working."""
        if self._socket is None:
            return
        text = "\n".join(f"{key}={' '.join(value.split())}" for key, value in fields.items())
        try:
            self._socket.sendto(text.encode(), self._address)
        except OSError:
            return

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
