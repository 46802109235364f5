"""The kernel's control groups, as they are while other engines make and remove some."""

from __future__ import annotations

import os
from fnmatch import fnmatch
from pathlib import Path


def control_groups(pattern: str) -> list[Path]:
    """Those that are called so, wherever they are; what goes in the middle of the look is passed over."""
    return [
        Path(folder, name) for folder, names, _ in os.walk("/sys/fs/cgroup") for name in names if fnmatch(name, pattern)
    ]
