#!/bin/sh
# Makes the database on the first start, then runs it in the foreground.
set -eu
for folder in /usr/lib/postgresql/*/bin; do
  [ -d "$folder" ] && PATH="$folder:$PATH"
done
export PATH LC_ALL=C
if [ ! -s /data/main/PG_VERSION ]; then
  rm -rf /data/main
  password=$(mktemp)
  printf '%s\n' "${POSTGRES_PASSWORD:?}" >"$password"
  initdb -D /data/main -U "${POSTGRES_USER:-notes}" --pwfile="$password" --auth-host=scram-sha-256 --auth-local=trust -E UTF8
  rm -f "$password"
  echo "host all all all scram-sha-256" >>/data/main/pg_hba.conf
fi
exec postgres -D /data/main -c listen_addresses='*' -c unix_socket_directories=/tmp
