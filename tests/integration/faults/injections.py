"""Each fault as domain files, and what has to be there for it. The texts are in :mod:`.catalogue`."""

from __future__ import annotations

from tests.integration.faults.injecting import containers, files, gates, hands, health, images, places
from tests.integration.faults.injecting.files import FILES
from tests.integration.faults.scene import INJECTIONS, Injected, Scene

KINDS = (images, places, health, containers, gates, files, hands)
"""Imported for what they register."""

__all__ = ["FILES", "INJECTIONS", "KINDS", "Injected", "Scene"]
