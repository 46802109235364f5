#!/bin/sh
# Removes the service that install.sh made. Containers go on; /etc/pnr and /var/lib/pnr stay unless PURGE=1, and then
# /etc/pnr/secrets stays unless SECRETS=1 as well. Says what will go, and asks where there is a terminal (YES=1: not).
set -eu
. "$(dirname "$0")/say.sh"

PREFIX=${PREFIX:-/opt/pnr}
COMMAND=/usr/local/bin/pnr
UNIT=/etc/systemd/system/pnr.service
SETTINGS=/etc/pnr
KEPT=$SETTINGS/secrets
STATE=/var/lib/pnr
SHARE=/usr/local/share

# count FOLDER PATTERN: how many files there are
count() { find "$1" -type f -name "$2" 2>/dev/null | wc -l; }

say_what_goes() {
  say "PURGE=1 removes, for good:"
  say "  $SETTINGS/domains: $(count "$SETTINGS/domains" '*.json') domain files, and whatever else is in $SETTINGS"
  if [ -e "$KEPT" ] && [ "${SECRETS:-}" = 1 ]; then
    say "  $KEPT: $(count "$KEPT" '*') secrets"
  fi
  say "  $STATE: the state of $(count "$STATE" '*.toml') domains, and the journal"
  say "  the service, the program in $PREFIX and the user pnr"
  if [ -e "$KEPT" ] && [ "${SECRETS:-}" != 1 ]; then
    say "$KEPT stays ($(count "$KEPT" '*') files; SECRETS=1 removes it too)"
  fi
}

remove_settings() {
  if [ -e "$KEPT" ] && [ "${SECRETS:-}" != 1 ]; then
    find "$SETTINGS" -mindepth 1 -maxdepth 1 ! -path "$KEPT" -exec rm -rf {} +
    # Whoever gets the number of the user that goes is not to read them.
    [ -L "$KEPT" ] || {
      chown -R root:root "$KEPT"
      chmod 0700 "$KEPT"
    }
  else
    rm -rf "$SETTINGS"
  fi
}

[ "$(id -u)" = 0 ] || fail "make uninstall changes the system: run it as root (sudo make uninstall)"
if [ "${PURGE:-}" = 1 ]; then
  say_what_goes
  if [ -t 0 ] && [ "${YES:-}" != 1 ]; then
    printf 'pnr: go on? [y/N] '
    read -r answer || answer=
    case $answer in
      [yY] | [yY][eE][sS]) ;;
      *) fail "nothing is removed" ;;
    esac
  fi
fi
if [ -d /run/systemd/system ] && [ -f "$UNIT" ]; then
  systemctl disable --now --quiet pnr.service
fi
rm -f "$UNIT"
rm -rf "$UNIT.d"
[ ! -d /run/systemd/system ] || systemctl daemon-reload
[ "$(readlink "$COMMAND" || true)" != "$PREFIX/bin/pnr" ] || rm -f "$COMMAND"
rm -f "$SHARE/bash-completion/completions/pnr" "$SHARE/zsh/site-functions/_pnr" /etc/fish/completions/pnr.fish
if [ -f "$PREFIX/pyvenv.cfg" ] && [ -e "$PREFIX/bin/pnr" ]; then
  rm -rf "$PREFIX"
elif [ -e "$PREFIX" ]; then
  say "$PREFIX does not look like ours: left alone"
fi
if [ "${PURGE:-}" = 1 ]; then
  remove_settings
  rm -rf "$STATE" /run/pnr
  ! getent passwd pnr >/dev/null || userdel pnr
  ! getent group pnr >/dev/null || groupdel pnr
  say "the service, its domains and its state are gone"
else
  say "the service is gone; $SETTINGS and $STATE stay (PURGE=1 removes them too)"
fi
say "containers were left as they are; to see them: docker ps --filter label=io.pnr.domain"
