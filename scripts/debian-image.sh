#!/bin/sh
# debian-image.sh TAG PACKAGE...: makes an image of Debian with these packages, where no image registry is needed.
# Release and mirror are the machine's own where it is a Debian, else Debian 12 from Debian's mirrors.
set -eu
cd "$(dirname "$0")/.."
. scripts/say.sh

tag=$1
shift
packages=$(printf '%s,' "$@")
install_docker_command
install_packages mmdebstrap

suite=bookworm mirror=
# shellcheck source=/dev/null
[ "$(. /etc/os-release && echo "$ID")" != debian ] || suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
if command -v apt-get >/dev/null 2>&1; then
  # shellcheck disable=SC2016 # apt's own placeholders
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" | head -n 1)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2016 # mmdebstrap gives the hook its folder as $1
# A cluster of PostgreSQL that nobody asked for would take 40 MB.
mmdebstrap --quiet --variant=minbase --include="${packages%,}" \
  --essential-hook='mkdir -p "$1/etc/postgresql-common" && echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  "$suite" - ${mirror:+"$mirror"} 2>"$log" | docker import - "$tag" >/dev/null 2>>"$log" || true
if ! docker image inspect "$tag" >/dev/null 2>&1; then
  tail -n 20 "$log" >&2
  fail "the image $tag could not be made from Debian's packages"
fi
