#!/bin/sh
# newest.sh [--same] COMMAND...: runs a command on the newest Docker engine, beside the machine's own; with --same on a
# second one of the machine's own version.
# Both live in namespaces of their own (network, mounts, processes), so that two engines never meet: there 127.0.0.1,
# /run and /var/run/docker.sock are the newest engine's. Its images and containers lie in memory. What has no other
# life than the namespaces' ends with the command, whether it ends well, is interrupted or is killed.
# Exit code: the command's.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/say.sh
. "$here/say.sh"

unpacked=$(dirname "$here")/.cache/unstable
socket=/run/docker.sock

# The engine's control groups are the one thing that is not in a namespace. Those of a run that was killed go with
# the next one; a group in which anything runs can't be removed.
remove_groups() {
  find /sys/fs/cgroup -mindepth 2 -maxdepth 3 -type d -name 'pnr-newest-[0-9]*' 2>/dev/null | while read -r group; do
    owner=${group##*-}
    if [ "$owner" = $$ ] || ! [ -d "/proc/$owner" ]; then
      find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true
    fi
  done
}

outside() {
  [ "${1:-}" != --same ] || {
    shift
    export PNR_SAME_ENGINE=1
  }
  [ $# -gt 0 ] || fail "usage: scripts/newest.sh [--same] COMMAND..."
  [ "$(id -u)" = 0 ] || fail "an engine beside the machine's own needs namespaces: run it as root"
  install_packages docker.io runc iptables iproute2
  [ -n "${PNR_SAME_ENGINE:-}" ] || "$here/unstable.sh" "$unpacked"
  remove_groups
  trap remove_groups EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  status=0
  # Whoever kills this script ends the engine, and with it all that it runs.
  PNR_NEWEST=$$ setpriv --pdeathsig KILL \
    unshare --net --mount --pid --fork --kill-child --propagation private "$here/newest.sh" "$@" || status=$?
  exit "$status"
}

inside() {
  group=/pnr-newest-$PNR_NEWEST
  unset PNR_NEWEST
  mount -t proc proc /proc
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir /run/lock /run/newest
  ip link set lo up
  [ -n "${PNR_SAME_ENGINE:-}" ] || PATH=$unpacked/usr/sbin:$unpacked/usr/bin:$PATH
  unset PNR_SAME_ENGINE
  export PATH DOCKER_HOST=unix://$socket
  log=/run/newest/log
  # In a session of its own: Ctrl-C is for the command, which still needs the engine to clean up.
  # shellcheck disable=SC2086 # a list
  env $FOR_TESTS setsid dockerd --data-root /run/newest/data --exec-root /run/newest/exec --pidfile /run/newest/pid \
    --host "$DOCKER_HOST" --bip 172.31.250.1/24 --cgroup-parent "$group" >"$log" 2>&1 </dev/null &
  engine=$!
  trap 'end_engine' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  tries=0
  until docker version >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 150 ] || ! kill -0 "$engine" 2>/dev/null; then
      tail -n 20 "$log" >&2
      fail "the engine beside the machine's own was started but does not answer"
    fi
    sleep 0.2
  done
  # Not exec: something must stay to wait for what containers leave behind.
  "$@"
}

end_engine() {
  status=$?
  trap - EXIT
  kill "$engine" 2>/dev/null || true
  wait "$engine" 2>/dev/null || true
  exit "$status"
}

if [ -n "${PNR_NEWEST:-}" ]; then
  inside "$@"
else
  outside "$@"
fi
