"""A script beside an engine of its own, in namespaces of its own: what is done to that engine harms no other test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.integration.tree import ROOT

LIMIT_SECONDS = 240.0
BEGINNING = r"""
set -eu
cd "$FOLDER"
export PNR_DOMAINS="$FOLDER/domains" PNR_STATE="$FOLDER/state"
pnr() { (cd "$ROOT" && exec "$PYTHON" -m reconciler "$@"); }
start_daemon() {
  (cd "$ROOT" && exec "$PYTHON" -m reconciler run) >daemon.log 2>&1 &
  daemon=$!
  until pnr status >/dev/null 2>&1; do sleep 0.2; done
}
end_daemon() { kill "$daemon"; wait "$daemon" || true; }
tar -C "$(dirname "$(command -v busybox)")" -cf small.tar busybox
import() { docker import --change 'CMD ["/busybox","sleep","86400"]' "$1.tar" "$1"; }
"""


def run_beside_an_engine(folder: Path, script: str, **environment: str) -> None:
    """Run a shell script in ``folder``, where it has the functions above and an engine whose files lie in /run."""
    done = subprocess.run(
        [str(ROOT / "scripts/newest.sh"), "sh", "-c", BEGINNING + script],
        env={**os.environ, "FOLDER": str(folder), "ROOT": str(ROOT), "PYTHON": sys.executable, **environment},
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
