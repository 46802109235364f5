#!/bin/bash
# All tests, on a bare Debian machine too: sets up what they need, starts an engine where none answers, ends it after.
set -eu
cd "$(dirname "$0")/.."
. scripts/say.sh
BIN=${BIN:-.venv/bin}

install_packages docker.io containerd runc iptables iproute2 busybox-static mmdebstrap git openssl procps curl

# A folder of our own for what the tests write; the engine's is its usual one.
PNR_ENGINE_PID_FILE=$(mktemp)
export PNR_ENGINE_PID_FILE
end_engine() {
  if [ -s "$PNR_ENGINE_PID_FILE" ]; then
    say "ending the Docker engine that was started for the tests"
    kill "$(cat "$PNR_ENGINE_PID_FILE")" 2>/dev/null || true
    for _ in $(seq 60); do
      kill -0 "$(cat "$PNR_ENGINE_PID_FILE")" 2>/dev/null || break
      sleep 0.5
    done
  fi
  rm -f "$PNR_ENGINE_PID_FILE"
}
trap end_engine EXIT
scripts/engine.sh

"$BIN/python" -m pytest -q --durations=10 tests
