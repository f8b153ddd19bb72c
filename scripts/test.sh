#!/usr/bin/env bash
# Run all tests in two lanes at once: beside the unit tests those of the whole stack, which mostly
# wait, and then those of the training code. The first lane is shown as it runs. The second is shown
# at the end, whole where it failed.
set -uo pipefail
cd "$(dirname "$0")/.."

LOG=.cache/test-beside.log
mkdir -p .cache
setsid make --no-print-directory --keep-going test-servers test-training >"$LOG" 2>&1 &
beside=$!
trap 'kill -- "-$beside" 2>/dev/null' EXIT

failed=0
make --no-print-directory test-units || failed=1
echo "test-servers and test-training, which ran beside:"
if wait "$beside"; then
  grep -E '^=+ .* in [0-9.]+s' "$LOG"
else
  cat "$LOG"
  failed=1
fi
exit "$failed"
