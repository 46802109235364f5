#!/bin/sh
# Installs pnr as a systemd service: the package in PREFIX, domains in /etc/pnr/domains, state in /var/lib/pnr, a policy,
# and a user of its own in the group docker. Run again, it upgrades; containers are not touched.
# Without a network: PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER make install, where FOLDER was filled by
# pip download --require-hashes --dest FOLDER -r requirements/build.txt -r requirements/run.txt
set -eu
cd "$(dirname "$0")/.."
. scripts/say.sh

PREFIX=${PREFIX:-/opt/pnr}
COMMAND=/usr/local/bin/pnr
UNIT=/etc/systemd/system/pnr.service
SHARE=/usr/local/share

[ "$(uname -s)" = Linux ] || fail "the service needs Linux with systemd; elsewhere run: pnr run"
[ "$(id -u)" = 0 ] || fail "make install changes the system: run it as root (sudo make install)"
case $PREFIX in
  /*[!A-Za-z0-9._/-]*) fail "PREFIX=$PREFIX: use letters, digits and ._-/ only" ;;
  /?*) ;;
  *) fail "PREFIX=$PREFIX: must be an absolute path, such as /opt/pnr" ;;
esac
if [ -e "$PREFIX" ] && [ ! -f "$PREFIX/pyvenv.cfg" ] && [ -n "$(ls -A "$PREFIX")" ]; then
  fail "$PREFIX holds something else already; choose another PREFIX"
fi
if { [ -e "$COMMAND" ] || [ -L "$COMMAND" ]; } && [ "$(readlink "$COMMAND" || true)" != "$PREFIX/bin/pnr" ]; then
  fail "$COMMAND is there already and is not ours; remove it first"
fi

say "installing the package into $PREFIX"
umask 022
scripts/venv.sh "$PREFIX"
scripts/packages.sh "$PREFIX/bin/python" build run
"$PREFIX/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --upgrade .

getent group docker >/dev/null || {
  say "there is no group docker yet: making it; a Docker engine from your distribution will use it"
  groupadd --system docker
}
getent group pnr >/dev/null || groupadd --system pnr
getent passwd pnr >/dev/null ||
  useradd --system --gid pnr --home-dir /var/lib/pnr --no-create-home --shell /usr/sbin/nologin pnr
usermod --append --groups docker pnr

# Domain files may hold passwords: root writes them, the service reads them, nobody else does.
install -d -o root -g root -m 0755 /etc/pnr
install -d -o root -g pnr -m 2750 /etc/pnr/domains
install -d -o pnr -g pnr -m 0700 /var/lib/pnr
# What domains may ask for. Somebody's own is never overwritten.
[ -e /etc/pnr/policy.toml ] || [ -L /etc/pnr/policy.toml ] ||
  install -o root -g root -m 0644 systemd/policy.toml /etc/pnr/policy.toml
ln -sfn "$PREFIX/bin/pnr" "$COMMAND"
# What lets shells complete its commands, where each of them looks for it.
completion() {
  install -d -m 0755 "${2%/*}"
  "$PREFIX/bin/pnr" completion "$1" >"$2.new"
  chmod 0644 "$2.new"
  mv "$2.new" "$2"
}
completion bash "$SHARE/bash-completion/completions/pnr"
completion zsh "$SHARE/zsh/site-functions/_pnr"
completion fish /etc/fish/completions/pnr.fish
sed "s|/opt/pnr|$PREFIX|g" systemd/pnr.service >"$UNIT.new"
chmod 0644 "$UNIT.new"
mv "$UNIT.new" "$UNIT"

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable --quiet pnr.service
  systemctl restart pnr.service || fail "the service does not start; see: journalctl -u pnr"
  say "the service runs. Drop a domain file into /etc/pnr/domains, and watch: pnr status --watch"
else
  say "systemd does not run here: $UNIT is in place, and not started"
fi
