#!/bin/sh
# unstable.sh DIRECTORY: the newest engine and Compose, from Debian's unstable packages, unpacked into DIRECTORY and
# installed nowhere: dockerd, containerd and docker below DIRECTORY/usr/sbin and DIRECTORY/usr/bin, Compose as
# DIRECTORY/usr/libexec/docker/cli-plugins/docker-compose.
# The machine's own apt is neither configured nor updated: lists and packages lie in DIRECTORY as well.
# runc and docker-init are the machine's own (unstable's need a newer libc).
set -eu
cd "$(dirname "$0")/.."
. scripts/say.sh

[ $# = 1 ] || fail "usage: scripts/unstable.sh DIRECTORY"
case $1 in /*) target=$1 ;; *) target=$(pwd)/$1 ;; esac
made=$target/made
wanted="docker.io docker-cli containerd docker-compose"
[ "$(cat "$made" 2>/dev/null)" != "$wanted" ] || exit 0
command -v apt-get >/dev/null 2>&1 || fail "Debian's unstable packages can be fetched on a Debian only"

# Two test runs may want it at the same time.
mkdir -p "$target"
exec 9>"$target/lock"
flock 9
[ "$(cat "$made" 2>/dev/null)" != "$wanted" ] || exit 0

say "fetching Debian's newest docker.io and docker-compose (unpacked, not installed)"
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
# shellcheck disable=SC2016 # apt's own placeholders
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" | head -n 1)
[ -n "$mirror" ] || fail "apt has no lists for $suite: as root, apt-get update"
mkdir -p "$target/apt/lists/partial" "$target/apt/cache/archives/partial" "$target/packages"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keys] $mirror sid main" >"$target/apt/sources.list"
apt_get() {
  apt-get -o "Dir::Etc::sourcelist=$target/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
    -o "Dir::State::lists=$target/apt/lists" -o "Dir::Cache=$target/apt/cache" -o APT::Sandbox::User=root \
    -o Acquire::Languages=none "$@"
}
log=$target/log
{
  # shellcheck disable=SC2086 # a list of names
  apt_get update && (cd "$target/packages" && rm -f ./*.deb && apt_get download $wanted)
} </dev/null >"$log" 2>&1 || {
  tail -n 20 "$log" >&2
  fail "Debian's unstable packages could not be fetched"
}
for package in "$target"/packages/*.deb; do
  dpkg-deb --extract "$package" "$target"
done
rm -rf "$target/packages" "$target/apt"
echo "$wanted" >"$made"
