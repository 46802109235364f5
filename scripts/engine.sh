#!/bin/sh
# Sees to a Docker engine: uses the one that answers, else installs and starts the distribution's, where it may.
# With PNR_ENGINE_PID_FILE set, the pid of an engine that this script had to start is written there.
set -eu
. "$(dirname "$0")/say.sh"

SOCKET=/var/run/docker.sock
LOG=/var/log/dockerd.log

# Asks the socket itself where there is no docker command: an engine can be there without it.
answers() {
  if command -v docker >/dev/null 2>&1; then
    docker version >/dev/null 2>&1
  else
    [ -S "$SOCKET" ] && python3 - "$SOCKET" <<'PYTHON' 2>/dev/null
import socket, sys
with socket.socket(socket.AF_UNIX) as link:
    link.settimeout(5)
    link.connect(sys.argv[1])
    link.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
    sys.exit(b" 200 " not in link.recv(64))
PYTHON
  fi
}

wait_for_answer() {
  tries=0
  until answers; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || return 1
    sleep 0.5
  done
}

# Files of an engine that was killed make the next one believe that it still runs.
clear_stale_pid_files() {
  for stale in /var/run/docker.pid /var/run/docker/containerd/containerd.pid; do
    if [ -f "$stale" ] && ! grep -qaE 'dockerd|containerd' "/proc/$(cat "$stale")/cmdline" 2>/dev/null; then
      rm -f "$stale"
    fi
  done
}

answers && exit 0
[ -z "${DOCKER_HOST:-}" ] || fail "no Docker engine answers at DOCKER_HOST=$DOCKER_HOST"
[ "$(uname -s)" = Linux ] ||
  fail "no Docker engine answers: install and start Docker Desktop (or Colima, Rancher Desktop), then try again"

if ! command -v dockerd >/dev/null 2>&1; then
  may_install || fail "no Docker engine answers, and none can be installed from here.
  On Debian or Ubuntu, as root: apt-get install docker.io; elsewhere see https://docs.docker.com/engine/install.
  If one runs already, your user may not talk to it: is it in the group docker?"
  say "no Docker engine answers: installing the distribution's docker.io"
  install_packages docker.io containerd runc iptables iproute2
fi
install_docker_command
if answers; then # installing it may have started it
  exit 0
fi
[ "$(id -u)" = 0 ] || fail "a Docker engine is installed but does not answer this user: start it (as root:
  systemctl start docker), and see that your user is in the group docker"
if [ -d /run/systemd/system ]; then
  say "starting the Docker engine (systemctl start docker)"
  told="journalctl -u docker"
  systemctl start docker || fail "systemctl could not start docker; see: $told"
else
  say "starting the Docker engine (dockerd; its log is $LOG)"
  told=$LOG
  clear_stale_pid_files
  # shellcheck disable=SC2086 # a list
  env ${PNR_ENGINE_PID_FILE:+$FOR_TESTS} setsid dockerd --pidfile /var/run/docker.pid >>"$LOG" 2>&1 </dev/null &
  [ -z "${PNR_ENGINE_PID_FILE:-}" ] || echo $! >"$PNR_ENGINE_PID_FILE"
fi
wait_for_answer || fail "the Docker engine was started but does not answer; see: $told"
