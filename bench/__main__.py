"""``python -m bench``: measures pnr against RAW and Compose on this machine's Docker engine.

Prints a table and writes bench/results/latest.json. It needs an engine on a unix socket, the docker command line
and a static busybox; Compose is measured where `docker-compose` is in PATH (or COMPOSE names its binary).
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from bench import scenarios
from bench.raw import Raw
from bench.scenarios import Row
from bench.subjects import PREFIX, Compose, Daemon, ensure_image


def clean() -> None:
    """Remove what an interrupted run may have left."""
    raw = Raw()
    for container in raw.call("GET", "/containers/json?all=true"):
        if any(name.lstrip("/").startswith(PREFIX) for name in container["Names"]):
            raw.remove(container["Id"])
    raw.remove_network(scenarios.NETWORK)


def show(row: Row) -> str:
    """One line of the table."""
    reference = f"{row.reference} {row.reference_value:.4g}" if row.reference_value is not None else ""
    ratio = f"{row.ratio:.3f}" if row.ratio is not None else ""
    target = f"<= {row.target:.2f}" if row.target is not None else ""
    verdict = ""
    if row.ratio is not None and row.target is not None:
        verdict = "met" if row.ratio <= row.target else f"MISSED by {(row.ratio / row.target - 1) * 100:.0f} %"
    return f"{row.scenario:70} {row.value:9.4g} {row.unit:12} {reference:34} {ratio:>7} {target:>8} {verdict}"


def main() -> int:
    """Run the chosen scenarios."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("only", nargs="*", help="numbers of scenarios: 1 2 3 5 7 9 10 (default: all)")
    parser.add_argument("--pairs", type=int, default=9, help="pairs for each comparison (default 9)")
    parser.add_argument("--rest-seconds", type=float, default=60.0, help="how long to watch a daemon at rest")
    options = parser.parse_args()
    ensure_image()
    clean()
    compose = Compose.find()
    if compose is None:
        print("no docker-compose found: its columns are left out", file=sys.stderr)
    daemon = Daemon()
    pairs = options.pairs
    plan: dict[str, Callable[[], Iterator[Row]]] = {
        "1": lambda: scenarios.single_start(daemon, max(pairs, 15) if pairs >= 9 else pairs),
        "2": lambda: scenarios.many(daemon, compose, pairs),
        "3": lambda: scenarios.chain(daemon, compose, pairs),
        "5": lambda: scenarios.heal(daemon, pairs),
        "7": lambda: scenarios.no_change([10, 100, 1000], pairs),
        "9": lambda: (
            row for part in (scenarios.at_rest(daemon, options.rest_seconds), scenarios.probes(30)) for row in part
        ),
        "10": lambda: scenarios.status(daemon, compose, pairs),
    }
    rows: list[Row] = []
    daemon.start()
    try:
        for number, scenario in plan.items():
            if not options.only or number in options.only:
                for row in scenario():
                    rows.append(row)
                    print(show(row), flush=True)
    finally:
        daemon.stop()
        clean()
    results = Path("bench", "results")
    results.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "rows": [asdict(r) for r in rows],
    }
    (results / "latest.json").write_text(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
