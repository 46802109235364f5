"""Property tests look at new examples on a developer's machine, and at the same ones each time where CI is set: there a
change is judged, and must not fail for what an earlier one did. No example has a deadline: machines are slow at times.

Ctrl-C reaches the programs that tests start, even where the shell that runs the tests has its children ignore it.
"""

from __future__ import annotations

import os
import signal

from hypothesis import settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("developer", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "developer")
