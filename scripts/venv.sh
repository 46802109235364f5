#!/bin/sh
# Makes a virtual environment in $1 with $PYTHON, which must be 3.11 or newer.
set -eu
. "$(dirname "$0")/say.sh"

target=$1
python=${PYTHON:-python3}
if ! command -v "$python" >/dev/null 2>&1; then
  may_install || fail "there is no $python; install Python 3.11 or newer"
  install_packages python3
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$python is too old: pnr needs Python 3.11 or newer (make PYTHON=python3.11 ...)"
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  may_install || fail "$python has no venv; install it (Debian: python3-venv)"
  install_packages python3-venv
fi
[ -x "$target/bin/python" ] || "$python" -m venv "$target"
