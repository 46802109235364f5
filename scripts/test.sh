#!/bin/sh
# All tests, with all that they need: Debian packages where they are missing, and an engine for as long as they run
# where none answers. BIN is the bin directory of the virtual environment; arguments go to pytest.
# What needs the machine's own engine is tested beside the rest: what an engine can answer differently on the newest one
# (scripts/newest.sh), and at the same time the faults that are injected (on a second engine of the machine's own version)
# and what needs none. What these say is shown behind the first. With arguments: on the machine's own only, or with
# ENGINE=newest on the newest only.
set -eu
cd "$(dirname "$0")/.."
. scripts/say.sh
BIN=${BIN:-.venv/bin}
# What depends on the engine, and on nothing of the host's that the newest engine's namespaces hide.
DIFFERENT="tests/integration/engine tests/integration/images tests/integration/probes tests/integration/daemon
  tests/integration/compose/moving tests/integration/policy tests/integration/settings
  tests/integration/test_settings_roundtrip.py"
# What brings an engine of its own, and what takes so many networks and ports that it gets one.
ALONE=tests/integration/own_engine
FAULTS=tests/integration/faults

[ "$(uname -s)" = Linux ] || fail "all tests need Linux and a Docker engine; the ones that need nothing: make unit"
install_packages docker.io containerd runc iptables iproute2 busybox-static mmdebstrap git openssl procps curl age docker-registry apache2-utils gnupg

newest="" # the process that tests on the newest engine, and what it says
newest_said=$(mktemp)
alone="" # the process that tests on engines of its own and on none, and what it says
alone_said=$(mktemp)
PNR_ENGINE_PID_FILE=$(mktemp)
export PNR_ENGINE_PID_FILE

# A process that ended and that nobody waited for has no command line any more; `kill -0` would still find it.
runs() { [ -n "$(tr -d '\0' 2>/dev/null <"/proc/$1/cmdline")" ]; }

end_our_engine() {
  status=$?
  trap - EXIT
  for beside in $newest $alone; do
    kill -s TERM -- "-$beside" 2>/dev/null || true
    wait "$beside" || true
  done
  rm -f "$newest_said" "$alone_said"
  engine=$(cat "$PNR_ENGINE_PID_FILE")
  rm -f "$PNR_ENGINE_PID_FILE"
  if [ -n "$engine" ] && runs "$engine"; then
    kill "$engine"
    tries=0
    while runs "$engine" && [ "$tries" -lt 150 ]; do
      tries=$((tries + 1))
      sleep 0.2
    done
  fi
  exit "$status"
}
trap end_our_engine EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ "${ENGINE:-}" = newest ]; then
  # shellcheck disable=SC2086 # a list of folders
  [ $# -gt 0 ] || set -- $DIFFERENT
  scripts/newest.sh "$BIN/python" -m pytest -q --durations=10 "$@"
  exit
fi
if [ $# = 0 ]; then
  set -- tests/integration --ignore "$ALONE" --ignore "$FAULTS"
  # Each in a session of its own, to be ended as one.
  ENGINE=newest setsid scripts/test.sh >"$newest_said" 2>&1 &
  newest=$!
  # shellcheck disable=SC2016
  setsid sh -c 'scripts/newest.sh --same "$1/python" -m pytest -q --durations=10 "$3" || failed=1
    "$1/python" -m pytest -q --durations=10 tests/unit tests/simulation "$2" || failed=1
    exit "${failed:-0}"' alone "$BIN" "$ALONE" "$FAULTS" >"$alone_said" 2>&1 &
  alone=$!
fi
scripts/engine.sh
say "on the machine's own engine:"
failed=""
"$BIN/python" -m pytest -q --durations=10 "$@" || failed="on the machine's own engine"
ends() { # ends PROCESS SAID WHERE: waits for it, and shows what it said
  status=0
  wait "$1" || status=$?
  say "$3:"
  cat "$2"
  [ "$status" = 0 ] || failed="${failed:+$failed, and }$3"
}
if [ -n "$newest" ]; then
  ends "$newest" "$newest_said" "on the newest engine"
  newest=""
  ends "$alone" "$alone_said" "on engines of their own and on none"
  alone=""
fi
[ -z "$failed" ] || fail "tests failed $failed (above)"
