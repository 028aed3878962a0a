#!/usr/bin/env bash
# Linters, pytest suites, the demonstration, acceptance tests and molecule scenarios; what takes longest is `make long`. Ends with one line that counts.
set -uo pipefail
cd "$(dirname "$0")/.."
mkdir -p reports
started=$SECONDS passed=0 failed=0 broken=()
count() { # count WORDS LINE: the sum of the numbers before these words
  grep -oE "[0-9]+ ($1)" <<<"$2" | awk '{sum += $1} END {print sum + 0}'
}
step() { # step NAME COMMAND...: run it, keep its output, add up what it counted
  local name=$1; shift
  printf '\n=== %s (at %d s)\n' "$name" "$((SECONDS - started))"
  "$@" 2>&1 | tee "reports/$name.log"
  local status=${PIPESTATUS[0]} line
  line=$(grep -E '[0-9]+ (passed|failed)' "reports/$name.log" | tail -1)
  passed=$((passed + $(count passed "$line")))
  failed=$((failed + $(count 'failed|errors?' "$line")))
  [ "$status" -eq 0 ] || broken+=("$name")
}
step lint tests/lint.sh
step unit pytest -q tests/unit
step content pytest -q tests/content
step demo lab demo
step integration pytest -q -n 2 --dist loadfile -m 'not long' tests/integration
step acceptance pytest -v --durations=10 tests/acceptance
# The lab above has the roles runner, monitoring, backup and database for real; their own scenarios, the long ones, belong to `make long`.
step molecule env MOLECULE_BUT=runner,monitoring,backup,database,vpn_rotation tests/molecule.sh
for name in "${broken[@]}"; do printf '\n=== the end of %s, which failed\n' "$name"; tail -n 20 "reports/$name.log" | cut -c1-400; done
printf '\ntook %d s%s\n' "$((SECONDS - started))" "${broken:+; broken: ${broken[*]}}"
[ "${#broken[@]}" -eq 0 ] || [ "$failed" -gt 0 ] || failed=${#broken[@]}
printf '%d passed, %d failed\n' "$passed" "$failed" | tee reports/total.log
[ "${#broken[@]}" -eq 0 ]
