"""Docker as an engine."""

from reconciler.engine.docker.engine import DockerEngine

__all__ = ["DockerEngine"]
