# shellcheck shell=sh
# Sourced by the other scripts: how they speak, what they may install, and how they start an engine for tests.

# Engines are most of what tests cost, and most of that is programs that they start, each for a moment: with one thread
# of Go's and no collection of garbage below a size, a container costs a sixth less.
# shellcheck disable=SC2034 # used where this is sourced
FOR_TESTS="GOMAXPROCS=1 GOGC=off GOMEMLIMIT=128MiB"

say() { printf 'pnr: %s\n' "$*"; }

fail() {
  printf 'pnr: %s\n' "$*" >&2
  exit 1
}

# Whether this is a Debian (or a child of it) that we may install packages on.
may_install() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1
}

# install_packages PACKAGE...: installs the Debian packages that are not there yet.
install_packages() {
  missing=
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  may_install || fail "these Debian packages are missing:$missing
  As root on Debian or Ubuntu: apt-get install$missing; elsewhere, what your distribution calls them."
  say "installing$missing"
  log=$(mktemp)
  # shellcheck disable=SC2086 # a list of names
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 \
    install -y --no-install-recommends $missing; } </dev/null >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail "apt-get could not install:$missing"
  fi
  rm -f "$log"
}

# Sees to the docker command: newer Debians have it in a package apart from the engine's.
install_docker_command() {
  command -v docker >/dev/null 2>&1 && return 0
  may_install || fail "the docker command is missing: install your distribution's docker-cli (Debian 12: docker.io)"
  if apt-cache show docker-cli >/dev/null 2>&1; then
    install_packages docker-cli
  else
    install_packages docker.io
  fi
}
