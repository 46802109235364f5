#!/bin/sh
# Sees to a Docker engine: uses the one that answers, else installs and starts the distribution's, where it may.
# With PNR_ENGINE_PID_FILE set it writes the pid of an engine that it started itself there.
set -eu
. "$(dirname "$0")/say.sh"

answers() {
  if command -v docker >/dev/null 2>&1; then
    docker version >/dev/null 2>&1
  elif [ -S /var/run/docker.sock ] && command -v curl >/dev/null 2>&1; then
    curl -fsS --max-time 5 --unix-socket /var/run/docker.sock http://localhost/_ping >/dev/null 2>&1
  else
    return 1
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

answers && exit 0
[ -z "${DOCKER_HOST:-}" ] || fail "no Docker engine answers at DOCKER_HOST=$DOCKER_HOST"

if [ "$(uname -s)" != Linux ]; then
  fail "no Docker engine answers: install and start Docker Desktop (or Colima, Rancher Desktop), then try again"
fi
if ! command -v dockerd >/dev/null 2>&1; then
  may_install || fail "no Docker engine answers, and none can be installed from here:
  as root on Debian or Ubuntu: apt-get install docker.io; elsewhere see your distribution's documentation;
  if one runs already, is your user in the group docker?"
  say "no Docker engine answers: installing the distribution's docker.io"
  install_packages docker.io containerd runc iptables iproute2
fi
command -v docker >/dev/null 2>&1 || install_packages docker.io
if [ "$(cat /proc/1/comm 2>/dev/null)" = systemd ]; then
  say "starting the Docker engine (systemctl start docker)"
  systemctl start docker || fail "systemctl could not start docker; see: journalctl -u docker"
else
  [ "$(id -u)" = 0 ] || fail "the Docker engine is installed but does not run; start it as root"
  say "starting the Docker engine (dockerd, log in /var/log/dockerd.log)"
  # Files of an engine that was killed make the next one believe that it still runs.
  for stale in /var/run/docker.pid /var/run/docker/containerd/containerd.pid; do
    if [ -f "$stale" ] && ! grep -qaE 'dockerd|containerd' "/proc/$(cat "$stale")/cmdline" 2>/dev/null; then
      rm -f "$stale"
    fi
  done
  setsid dockerd >>/var/log/dockerd.log 2>&1 </dev/null &
  [ -z "${PNR_ENGINE_PID_FILE:-}" ] || echo $! >"$PNR_ENGINE_PID_FILE"
fi
wait_for_answer || fail "the Docker engine was started but does not answer; see /var/log/dockerd.log"
