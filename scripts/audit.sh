#!/bin/sh
# audit.sh BIN [TOOLS]: what well-kept checkers say of the code and of what it is made from. BIN is the bin directory of the
# developer's environment. Without TOOLS, the one with the tools, only what needs no network.
set -eu
cd "$(dirname "$0")/.."
. scripts/say.sh

bin=$1
tools=${2:-}
failed=""

say "Python: the linter, its rules about security among them"
"$bin/ruff" check --quiet . || failed="$failed Python,"
say "scripts: shellcheck"
"$bin/shellcheck" --external-sources --source-path SCRIPTDIR --severity style \
  scripts/*.sh demo/*/*.sh .ci/run || failed="$failed scripts,"
say "requirements: all files have hashes, and pyproject.toml is what was locked"
"$bin/python" -m pytest -q tests/unit/test_requirements.py || failed="$failed requirements,"
if [ -n "$tools" ]; then
  # --strict: a package that the data say nothing of was not looked at, and that is no pass.
  for set in run developer; do
    say "packages of requirements/$set.txt: known vulnerabilities"
    "$tools/pip-audit" --progress-spinner off --strict --disable-pip --require-hashes \
      --requirement "requirements/$set.txt" || failed="$failed packages ($set),"
  done
fi
[ -z "$failed" ] || fail "the audit found something, or could not look (above):${failed%,}"
