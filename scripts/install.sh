#!/bin/sh
# Installs pnr as a systemd service. Run as root from the project's folder: make install.
# PREFIX: where the package goes (default /opt/pnr). PNR_WHEELS: a folder of wheels to install from, without a network.
set -eu
cd "$(dirname "$0")/.."
. scripts/say.sh

PREFIX=${PREFIX:-/opt/pnr}
[ "$(id -u)" = 0 ] || fail "make install must be run as root"
[ "$(uname -s)" = Linux ] || fail "make install sets up a systemd service; there is none on $(uname -s). Use: pnr run"
command -v systemctl >/dev/null 2>&1 || fail "there is no systemd here; run the daemon by hand: pnr run"

scripts/venv.sh "$PREFIX"
if [ -n "${PNR_WHEELS:-}" ]; then
  "$PREFIX/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --find-links "$PNR_WHEELS" \
    --upgrade --force-reinstall pnr-reconciler
else
  "$PREFIX/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade .
fi

getent group docker >/dev/null || groupadd --system docker
getent passwd pnr >/dev/null ||
  useradd --system --user-group --home-dir /var/lib/pnr --no-create-home --shell /usr/sbin/nologin pnr
usermod --append --groups docker pnr

install -d -m 0755 /etc/pnr
install -d -m 0750 -o root -g pnr /etc/pnr/domains
install -d -m 0700 -o pnr -g pnr /var/lib/pnr
sed "s|/opt/pnr/|$PREFIX/|g" systemd/pnr.service >/etc/systemd/system/pnr.service
chmod 0644 /etc/systemd/system/pnr.service
ln -sf "$PREFIX/bin/pnr" /usr/local/bin/pnr

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable --quiet pnr.service
  systemctl restart pnr.service
  say "installed and started: drop files into /etc/pnr/domains; see how it stands with: systemctl status pnr, pnr status"
else
  say "installed; systemd does not run here, so the service was not started"
fi
