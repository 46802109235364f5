#!/bin/sh
# Removes the service that install.sh made. Containers go on; /etc/pnr and /var/lib/pnr stay unless PURGE=1.
set -eu
. "$(dirname "$0")/say.sh"

PREFIX=${PREFIX:-/opt/pnr}
COMMAND=/usr/local/bin/pnr
UNIT=/etc/systemd/system/pnr.service

[ "$(id -u)" = 0 ] || fail "make uninstall changes the system: run it as root (sudo make uninstall)"
if [ -d /run/systemd/system ] && [ -f "$UNIT" ]; then
  systemctl disable --now --quiet pnr.service
fi
rm -f "$UNIT"
rm -rf "$UNIT.d"
[ ! -d /run/systemd/system ] || systemctl daemon-reload
[ "$(readlink "$COMMAND" || true)" != "$PREFIX/bin/pnr" ] || rm -f "$COMMAND"
if [ -f "$PREFIX/pyvenv.cfg" ] && [ -e "$PREFIX/bin/pnr" ]; then
  rm -rf "$PREFIX"
elif [ -e "$PREFIX" ]; then
  say "$PREFIX does not look like ours: left alone"
fi
if [ "${PURGE:-}" = 1 ]; then
  rm -rf /etc/pnr /var/lib/pnr /run/pnr
  ! getent passwd pnr >/dev/null || userdel pnr
  ! getent group pnr >/dev/null || groupdel pnr
  say "the service, its domains and its state are gone"
else
  say "the service is gone; /etc/pnr/domains and /var/lib/pnr stay (PURGE=1 removes them too)"
fi
say "containers were left as they are; to see them: docker ps --filter label=io.pnr.domain"
