#!/bin/sh
# packages.sh PYTHON SET...: installs the packages of requirements/SET.txt for PYTHON, in the versions that stand there,
# and only files with the hashes that stand there. What has to be built is built with what is there already, so that
# nothing comes in beside the list.
set -eu
cd "$(dirname "$0")/.."

python=$1
shift
for set; do
  "$python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation \
    --requirement "requirements/$set.txt"
done
