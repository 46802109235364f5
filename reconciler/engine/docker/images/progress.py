"""How far a pull is, over all layers, from the lines that the engine streams. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.quantities import sizes

_UNPACKING_SHARE = 0.2
_LOCAL_WORK = ("Verifying Checksum", "Download complete", "Extracting")


@dataclass(slots=True)
class _Layer:
    size: int = 0
    done: float = 0.0
    is_local_work: bool = False


class Layers:
    """Add line after line."""

    def __init__(self) -> None:
        self._layers: dict[str, _Layer] = {}
        self._shown = 0
        self.digest = ""
        self.is_over = False

    def add(self, line: Mapping[str, Any]) -> None:
        """Take note of one line."""
        status = str(line.get("status", ""))
        if status.startswith("Digest: "):
            self.digest = status.removeprefix("Digest: ").strip()
        if status.startswith("Status: "):
            self.is_over = True
        name = line.get("id")
        if not name or "progressDetail" not in line:
            return
        if status == "Already exists":
            self._layers.pop(str(name), None)
            return
        layer = self._layers.setdefault(str(name), _Layer())
        detail = line.get("progressDetail") or {}
        total, current = int(detail.get("total") or 0), int(detail.get("current") or 0)
        layer.size = max(layer.size, total)
        layer.is_local_work = status in _LOCAL_WORK
        part = min(1.0, current / total) if total > 0 else 0.0
        match status:
            case "Downloading":
                layer.done = max(layer.done, part * (1 - _UNPACKING_SHARE))
            case "Verifying Checksum" | "Download complete":
                layer.done = max(layer.done, 1 - _UNPACKING_SHARE)
            case "Extracting":
                layer.done = max(layer.done, 1 - _UNPACKING_SHARE * (1 - part))
            case "Pull complete":
                layer.done = 1.0

    @property
    def bytes(self) -> int:
        """How many bytes had to be fetched, as far as is known."""
        return sum(layer.size for layer in self._layers.values())

    @property
    def is_local_work(self) -> bool:
        """Whether the engine is at work on what it has fetched and waits for no registry: that can take long in
        silence."""
        unfinished = [layer for layer in self._layers.values() if layer.done < 1.0]
        return any(layer.is_local_work for layer in unfinished)

    @property
    def percent(self) -> int:
        """How much is done. It never goes back; a layer whose size is not known yet counts as an average one."""
        layers = self._layers.values()
        known = [layer.size for layer in layers if layer.size]
        usual = sum(known) / len(known) if known else 1.0
        whole = sum(layer.size or usual for layer in layers)
        if whole:
            done = sum((layer.size or usual) * layer.done for layer in layers)
            self._shown = max(self._shown, int(100 * done / whole))
        return self._shown

    def text(self) -> str:
        """For people: ``45 %, 30.1 MB, 3 of 5 layers``; "" before anything is known."""
        if not self._layers:
            return ""
        finished = sum(layer.done >= 1.0 for layer in self._layers.values())
        return f"{self.percent} %, {sizes.rounded(self.bytes)}, {finished} of {len(self._layers)} layers"
