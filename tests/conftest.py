"""Property tests look at new examples on a developer's machine, and at the same ones each time where CI is set: there a
change is judged, and must not fail for what an earlier one did. No example has a deadline: machines are slow at times.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("developer", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "developer")
