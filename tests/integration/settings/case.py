"""What a case of the acceptance is: a setting, a value, another one, and what the change must do to the container."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

REPLACED = "replaced"
UPDATED = "updated in place"
NOTHING = "nothing"

PLAIN = "plain"
RICH = "rich"
"""The images: the tiny one, and the one that sets all that an image can set."""


@dataclass(frozen=True)
class Here:
    """What values need of the machine and of the run: names, free ports, a number for a pool of addresses, folders, and
    a volume that is there already, with the directories ``one`` and ``two``."""

    name: Callable[[str], str]
    port: Callable[[str], int]
    pool: int
    folder: str
    volume: str
    block_device: str
    images: Mapping[str, str]


Value = Any | Callable[[Here], Any]


@dataclass(frozen=True)
class Case:
    """``setting`` is declared as ``first``, then as ``second``, then as ``first`` again; None leaves it out.

    The way there must do ``change`` to the container, the way back ``back`` (where left out: the same). ``form`` tells
    it from the other cases of the setting. ``beside`` stands with it all the time. ``since`` is the API that first
    knows it: an older engine must refuse it before anything is touched. ``is_unseen``: an engine shows both alike.
    """

    setting: str
    form: str
    first: Value
    second: Value
    change: str = REPLACED
    back: str = ""
    beside: Mapping[str, Any] | Callable[[Here], Mapping[str, Any]] = field(default_factory=dict)
    image: str = PLAIN
    since: str = ""
    is_unseen: bool = False

    @property
    def id(self) -> str:
        """Its name in reports, and the chunk's."""
        return f"{self.setting}-{self.form}".replace("'s", "s").replace(",", "").replace(" ", "-")

    def way_back(self) -> str:
        """What taking it back must do."""
        return self.back or self.change

    def container(self, here: Here, value: Value) -> dict[str, Any]:
        """The container as it is declared with one of the values."""
        here_port = here.port  # each case has ports of its own
        here = replace(here, port=lambda label: here_port(f"{self.id} {label}"))
        beside = self.beside(here) if callable(self.beside) else self.beside
        container = {
            "name": here.name(self.id),
            "image": here.images[self.image],
            "stop_grace_period": "0s",
            **self._network(beside),
            **beside,
        }
        value = value(here) if callable(value) else value
        if value is not None:
            container[self.setting] = value
        else:
            container.pop(self.setting, None)
        return {key: value for key, value in container.items() if value is not None}

    def _network(self, beside: Mapping[str, Any]) -> dict[str, str]:
        """The host's, where that is all the same to the setting: a container with a network namespace of its own costs
        the engine nearly twice as much."""
        if "networks" in beside or self.setting in NEEDS_A_NETWORK:
            return {}
        return {"network_mode": "none" if self.setting in NEEDS_A_NAMESPACE else "host"}


NEEDS_A_NETWORK = ("networks", "ports", "mac_address", "links", "external_links")
NEEDS_A_NAMESPACE = ("network_mode", "sysctls")
