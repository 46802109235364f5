#!/bin/sh
# Sees to the images of the demo stack: a real PostgreSQL, a real API, a real nginx.
# From the official images where a registry answers, else from Debian's packages. Made once; kept after that.
# `images.sh remove` removes them.
set -eu
cd "$(dirname "$0")/.."
. scripts/say.sh

BASE=pnr-demo-debian:latest
# By digest, so that nobody exchanges what lies under a tag.
# postgres:16-alpine, python:3.12-alpine, nginx:1.27-alpine
POSTGRES_IMAGE=postgres@sha256:57c72fd2a128e416c7fcc499958864df5301e940bca0a56f58fddf30ffc07777
PYTHON_IMAGE=python@sha256:6d43704baacd1bfbe7c295d7f13079d5d8104ed33568873133f8fc69980419df
NGINX_IMAGE=nginx@sha256:65645c7bb6a0661892a8b03b89d0743208a18dd2f3f17a54ef4b76fb8e2f2a10
REGISTRY_SECONDS=10

has() { docker image inspect "$1" >/dev/null 2>&1; }

# from_registry IMAGE: fetches it. A registry that does not answer in time is given up; a slow download is not.
from_registry() {
  has "$1" && return 0
  log=$(mktemp)
  docker pull "$1" >"$log" 2>&1 &
  pull=$!
  waited=0
  while kill -0 "$pull" 2>/dev/null && ! grep -q 'Pulling from' "$log"; do
    if [ "$waited" -ge $((REGISTRY_SECONDS * 5)) ]; then
      kill "$pull" 2>/dev/null || true
      break
    fi
    waited=$((waited + 1))
    sleep 0.2
  done
  rm -f "$log"
  wait "$pull"
}

if [ "${1:-}" = remove ]; then
  command -v docker >/dev/null 2>&1 || exit 0
  for image in pnr-demo-db:latest pnr-demo-api:latest pnr-demo-web:latest "$BASE"; do
    if has "$image"; then
      docker image rm "$image" >/dev/null || say "$image stays: something uses it (make down)"
    fi
  done
  exit 0
fi

install_docker_command
if has pnr-demo-db:latest && has pnr-demo-api:latest && has pnr-demo-web:latest; then
  exit 0
fi
if ! has "$BASE" && from_registry "$POSTGRES_IMAGE" && from_registry "$PYTHON_IMAGE" && from_registry "$NGINX_IMAGE"; then
  set -- "db=$POSTGRES_IMAGE" "api=$PYTHON_IMAGE" "web=$NGINX_IMAGE"
else
  set -- db=$BASE api=$BASE web=$BASE
  if ! has "$BASE"; then
    say "no image registry answers: making the demo's base image from Debian's packages (about a minute)"
    scripts/debian-image.sh "$BASE" postgresql nginx-light python3-minimal libpython3-stdlib python3-psycopg2
  fi
fi
for pair in "$@"; do
  part=${pair%%=*} base=${pair#*=}
  say "building pnr-demo-$part from $base"
  # The classic builder: it is in every engine, and needs nothing from a registry.
  if ! said=$(DOCKER_BUILDKIT=0 docker build --build-arg "BASE=$base" --tag "pnr-demo-$part:latest" "demo/$part" 2>&1)
  then
    printf '%s\n' "$said" | tail -n 20 >&2
    fail "the image pnr-demo-$part could not be built"
  fi
done
