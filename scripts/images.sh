#!/bin/sh
# Sees to the images of the demo stack: a real PostgreSQL, a real API, a real nginx.
# From the official images where a registry can be reached, else from Debian's packages. Made once; kept after that.
set -eu
cd "$(dirname "$0")/.."
. scripts/say.sh

has() { docker image inspect "$1" >/dev/null 2>&1; }

if has pnr-demo-db:latest && has pnr-demo-api:latest && has pnr-demo-web:latest; then
  exit 0
fi

# from_registry IMAGE: fetch it, without waiting long for a registry that is not there.
from_registry() {
  has "$1" || timeout "${PNR_PULL_SECONDS:-20}" docker pull --quiet "$1" >/dev/null 2>&1
}

debian_base() {
  has pnr-demo-debian:latest && return 0
  say "no registry can be reached: making the demo's base image from Debian's packages (about a minute)"
  install_packages mmdebstrap
  suite=bookworm
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" 2>/dev/null | head -n 1)
  packages=postgresql-15,nginx-light,python3-minimal,libpython3-stdlib,python3-psycopg2
  log=$(mktemp)
  mmdebstrap --quiet --variant=minbase --include="$packages" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$suite" - ${mirror:+"$mirror"} 2>"$log" | docker import - pnr-demo-debian:latest >/dev/null || true
  if ! has pnr-demo-debian:latest; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail "the base image could not be made"
  fi
  rm -f "$log"
}

if from_registry postgres:16-alpine && from_registry python:3.12-alpine && from_registry nginx:1.27-alpine; then
  db=postgres:16-alpine api=python:3.12-alpine web=nginx:1.27-alpine
else
  debian_base
  db=pnr-demo-debian:latest api=$db web=$db
fi
for part in db api web; do
  eval "base=\$$part"
  say "building pnr-demo-$part from $base"
  # The classic builder: it is in every engine, and needs nothing from a registry.
  if ! said=$(DOCKER_BUILDKIT=0 docker build --build-arg "BASE=$base" --tag "pnr-demo-$part:latest" "demo/$part" 2>&1); then
    printf '%s\n' "$said" | tail -n 20 >&2
    fail "the image pnr-demo-$part could not be built"
  fi
done
