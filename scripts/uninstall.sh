#!/bin/sh
# Removes the service; containers go on. PURGE=1 removes its domains and state as well.
set -eu
. "$(dirname "$0")/say.sh"

PREFIX=${PREFIX:-/opt/pnr}
[ "$(id -u)" = 0 ] || fail "make uninstall must be run as root"
if [ -d /run/systemd/system ] && [ -f /etc/systemd/system/pnr.service ]; then
  systemctl disable --quiet --now pnr.service || say "the service was not running"
fi
rm -f /etc/systemd/system/pnr.service
[ ! -d /run/systemd/system ] || systemctl daemon-reload
[ "$(readlink /usr/local/bin/pnr 2>/dev/null)" != "$PREFIX/bin/pnr" ] || rm -f /usr/local/bin/pnr
if [ -x "$PREFIX/bin/pnr" ]; then
  rm -rf "$PREFIX"
fi
if [ "${PURGE:-}" = 1 ]; then
  rm -rf /etc/pnr /var/lib/pnr
  if getent passwd pnr >/dev/null; then userdel pnr; fi
  say "removed, with its domains and state; its containers go on"
else
  say "removed; /etc/pnr/domains and /var/lib/pnr are kept (PURGE=1 removes them), and its containers go on"
fi
