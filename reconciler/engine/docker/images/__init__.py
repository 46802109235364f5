"""Images on a Docker engine: seen, pulled, built, removed; logins, retries, and what people are told of all that."""

from reconciler.engine.docker.images.keeping import ImageKeeper, Pack, builder
from reconciler.engine.docker.images.logins import Logins
from reconciler.engine.docker.images.sharing import SharedWork

__all__ = ["ImageKeeper", "Logins", "Pack", "SharedWork", "builder"]
