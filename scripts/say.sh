# Sourced by the other scripts: how they speak, and what they may do.

say() { printf 'pnr: %s\n' "$*"; }

fail() {
  printf 'pnr: %s\n' "$*" >&2
  exit 1
}

# Whether this is a Debian (or a child of it) that we may install packages on.
may_install() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1
}

# install PACKAGE...: installs the Debian packages that are not there yet.
install_packages() {
  missing=
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  may_install || fail "these packages are missing:$missing. Install them (as root: apt-get install$missing)"
  say "installing$missing"
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  # shellcheck disable=SC2086
  if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail "apt-get could not install:$missing"
  fi
  rm -f "$log"
}
