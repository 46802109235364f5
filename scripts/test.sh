#!/bin/sh
# All tests, with all that they need: Debian packages where they are missing, and an engine for as long as they run
# where none answers. BIN is the bin directory of the virtual environment; arguments go to pytest.
# In eight parts side by side: what needs the machine itself, and the adapters, on its own engine; what an engine can
# answer differently, on the newest one (scripts/newest.sh); the daemon, on a second engine of the machine's own version;
# all settings of containers, images, and the faults that are injected, on both; what needs no engine, or brings its own;
# and simulation in two. What they say is shown behind the first. With arguments: on the machine's own only, or with
# ENGINE=newest on the newest only.
set -eu
cd "$(dirname "$0")/.."
. scripts/say.sh
BIN=${BIN:-.venv/bin}
# What depends on the engine, and on nothing of the host's that the newest engine's namespaces hide.
DIFFERENT="tests/integration/engine tests/integration/probes tests/integration/daemon tests/integration/compose/moving
  tests/integration/policy"
# What of these no engine can answer differently.
INDEPENDENT="tests/integration/daemon/test_git_lock.py tests/integration/daemon/test_claims_and_state.py
  tests/integration/daemon/test_down.py tests/integration/daemon/test_replaced_files.py
  tests/integration/daemon/test_dropped_stream.py tests/integration/daemon/test_plan.py
  tests/integration/daemon/test_references.py tests/integration/daemon/test_secrets.py
  tests/integration/daemon/test_following_logs.py tests/integration/daemon/test_passing_ports.py
  tests/integration/policy/test_corpus_on_an_engine.py tests/integration/probes/test_http_bounds.py"
# What of the rest goes on a second engine of the machine's own version, so that all is done in time.
SECOND=tests/integration/daemon
# The same of both engines, and so many that they have engines of their own.
SETTINGS=tests/integration/settings
# What goes with these, so that the parts end at about the same time.
IMAGES="tests/integration/images tests/integration/faults"
# What brings an engine of its own or needs none, and what takes so many networks and ports that it gets one.
ALONE="tests/integration/own_engine tests/integration/cli tests/integration/control tests/integration/sources
  tests/integration/state tests/integration/compose/reading"

[ "$(uname -s)" = Linux ] || fail "all tests need Linux and a Docker engine; the ones that need nothing: make unit"
install_packages docker.io containerd runc iptables iproute2 busybox-static mmdebstrap git openssl procps curl age docker-registry apache2-utils gnupg

# The processes that test beside, and what they say.
newest=""
newest_said=$(mktemp)
second=""
second_said=$(mktemp)
settings=""
settings_said=$(mktemp)
newer=""
newer_said=$(mktemp)
alone=""
alone_said=$(mktemp)
simulated=""
simulated_said=$(mktemp)
stories=""
stories_said=$(mktemp)
PNR_ENGINE_PID_FILE=$(mktemp)
export PNR_ENGINE_PID_FILE

# A process that ended and that nobody waited for has no command line any more; `kill -0` would still find it.
runs() { [ -n "$(tr -d '\0' 2>/dev/null <"/proc/$1/cmdline")" ]; }

end_our_engine() {
  status=$?
  trap - EXIT
  for beside in $newest $second $settings $newer $alone $simulated $stories; do
    kill -s TERM -- "-$beside" 2>/dev/null || true
    wait "$beside" || true
  done
  rm -f "$newest_said" "$second_said" "$settings_said" "$newer_said" "$alone_said" "$simulated_said" "$stories_said"
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
  # shellcheck disable=SC2086 # lists of folders
  [ $# -gt 0 ] || set -- $DIFFERENT $SETTINGS $IMAGES
  scripts/newest.sh "$BIN/python" -m pytest -q --durations=10 "$@"
  exit
fi
if [ $# = 0 ]; then
  ignored=$(for each in $INDEPENDENT; do printf ' --ignore %s' "$each"; done)
  # Each in a session of its own, to be ended as one.
  # shellcheck disable=SC2086 # lists of folders
  setsid scripts/newest.sh "$BIN/python" -m pytest -q --durations=10 $DIFFERENT $ignored >"$newest_said" 2>&1 &
  newest=$!
  # shellcheck disable=SC2086
  setsid scripts/newest.sh --same "$BIN/python" -m pytest -q --durations=10 $SETTINGS $IMAGES >"$settings_said" 2>&1 &
  settings=$!
  # shellcheck disable=SC2086
  setsid scripts/newest.sh "$BIN/python" -m pytest -q --durations=10 $SETTINGS $IMAGES >"$newer_said" 2>&1 &
  newer=$!
  # shellcheck disable=SC2086
  setsid "$BIN/python" -m pytest -q --durations=10 tests/unit $ALONE >"$alone_said" 2>&1 &
  alone=$!
  setsid "$BIN/python" -m pytest -q --durations=10 tests/simulation/test_[a-m]*.py >"$simulated_said" 2>&1 &
  simulated=$!
  setsid "$BIN/python" -m pytest -q --durations=10 tests/simulation/test_[!a-m]*.py >"$stories_said" 2>&1 &
  stories=$!
  # shellcheck disable=SC2086
  setsid scripts/newest.sh --same "$BIN/python" -m pytest -q --durations=10 $SECOND >"$second_said" 2>&1 &
  second=$!
  set -- tests/integration
  for each in $ALONE $SECOND $SETTINGS $IMAGES; do
    set -- "$@" --ignore "$each"
  done
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
  ends "$second" "$second_said" "the daemon, on a second engine"
  second=""
  ends "$settings" "$settings_said" "all settings, images and the faults, on a third engine"
  settings=""
  ends "$newer" "$newer_said" "all settings, images and the faults, on the newest engine"
  newer=""
  ends "$alone" "$alone_said" "what needs no engine, or brings its own"
  alone=""
  ends "$simulated" "$simulated_said" "in simulation, the first half"
  simulated=""
  ends "$stories" "$stories_said" "in simulation, the other half"
  stories=""
fi
[ -z "$failed" ] || fail "tests failed $failed (above)"
