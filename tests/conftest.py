"""Property tests look at a few new examples on a developer's machine, and at the same hundred each time where CI is
set: a change is judged there, and must not fail for what an earlier one did. ``make fuzz`` looks at new ones,
round after round, at up to a thousand of each. No example has a deadline: some machines are slow.

Ctrl-C reaches the programs that tests start, even where the shell that runs the tests has its children ignore it.
"""

from __future__ import annotations

import gc
import os
import signal

from hypothesis import settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("developer", deadline=None, max_examples=20)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile(
    "fuzz", deadline=None, max_examples=int(os.environ.get("PNR_TEST_EXAMPLES") or 1000), print_blob=True
)
settings.load_profile(os.environ.get("PNR_TEST_PROFILE") or ("ci" if os.environ.get("CI") else "developer"))


def pytest_collection_finish() -> None:
    # Thousands of collected tests are there to the end: the garbage collector need not look at them again and again.
    gc.freeze()
