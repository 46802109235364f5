#!/bin/sh
# fuzz.sh PYTHON MINUTES: rounds of random input at all that takes some, until the time is over. What fails is shown with
# what it failed for, and with the seed that brings it again: PNR_TEST_PROFILE=fuzz PNR_TEST_EXAMPLES=N pytest
# --hypothesis-seed=SEED TEST.
# Each round looks at more examples than the one before it, so that a slow machine has tried some of each kind as well.
set -eu
cd "$(dirname "$0")/.."
. scripts/say.sh
python=$1
end=$(($(date +%s) + $2 * 60))
round=0
complete=0
examples=30
while [ "$(date +%s)" -lt "$end" ]; do
  round=$((round + 1))
  seed=$("$python" -c 'import secrets; print(secrets.randbelow(1 << 32))')
  left=$((end - $(date +%s)))
  [ "$left" -gt 0 ] || break
  say "round $round, $examples examples of each, --hypothesis-seed=$seed, $left s left"
  status=0
  PNR_TEST_PROFILE=fuzz PNR_TEST_EXAMPLES=$examples timeout --signal=INT --kill-after=30 "$left" \
    "$python" -m pytest -q -x --timeout=0 --hypothesis-seed="$seed" tests/unit/fuzz tests/unit/daemon/test_requests.py tests/unit/intent/test_regexes.py \
    tests/unit/intent/test_strict_json.py tests/unit/intent/test_loader_takes_anything.py || status=$?
  # Where the time is over in the middle of something long, timeout has to kill it, and says so in another way.
  case $status in 124 | 137) [ "$(date +%s)" -lt "$end" ] || break ;; esac
  [ "$status" = 0 ] || fail "failed in round $round with $examples examples and --hypothesis-seed=$seed (above)"
  complete=$round
  [ "$examples" -ge 1000 ] || examples=$((examples * 3))
done
say "nothing failed; $complete rounds are complete"
