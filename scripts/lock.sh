#!/bin/sh
# lock.sh PYTHON [--upgrade]: writes requirements/*.txt from pyproject.toml, with the hashes of every platform's
# files. What is locked stays as it is where pyproject.toml allows it; with --upgrade the newest are taken that have been
# there for QUIET_DAYS (14, or what the environment says): most releases that somebody smuggled in are found and withdrawn
# within days.
# PYTHON is that of the environment with the tools.
set -eu
cd "$(dirname "$0")/.."
. scripts/say.sh

QUIET_DAYS=${QUIET_DAYS:-14}
python=$1
shift
upgrade=${1:-}
newest=$("$python" -c "import datetime as d; print(d.datetime.now(d.timezone.utc).date() - d.timedelta(days=$QUIET_DAYS))")
today=$(date -u +%F)

# lock FILE OPTION...: one file.
lock() {
  file=$1
  shift
  if [ -z "$upgrade" ]; then
    # A release that was taken early, as it mends a vulnerability, is not exchanged for an older one.
    locked=$(sed -n 's/^\([a-z][a-z0-9._-]*\)==.*/\1/p' "$file")
    for package in $locked; do
      set -- --exclude-newer-package "$package=$today" "$@"
    done
  fi
  "$python" -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
    --exclude-newer "$newest" --custom-compile-command 'make lock' --output-file "$file" "$@"
  say "$file: $(grep -c '^[a-z]' "$file") packages"
}

# wanted KEY KEY: a list of pyproject.toml, one a line.
wanted() {
  "$python" -c 'import sys, tomllib
found = tomllib.load(open("pyproject.toml", "rb"))
for key in sys.argv[1:]:
    found = found[key]
print("\n".join(found))' "$@"
}

wanted build-system requires | lock requirements/build.txt "$@" -
lock requirements/run.txt "$@" pyproject.toml
lock requirements/developer.txt "$@" --extra dev --constraint requirements/run.txt --constraint requirements/build.txt \
  pyproject.toml
wanted project optional-dependencies tools | lock requirements/tools.txt "$@" -
echo psycopg2-binary | lock demo/api/requirements.txt "$@" -
