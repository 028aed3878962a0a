#!/usr/bin/env bash
# Run molecule scenarios, all or the named ones, one after the other; count them at the end.
set -uo pipefail
cd "$(dirname "$0")/.."
export MOLECULE_GLOB='molecule/*/molecule.yml'
scenarios=("$@")
if [ "${#scenarios[@]}" -eq 0 ]; then
  for file in molecule/*/molecule.yml; do name=$(basename "$(dirname "$file")"); scenarios+=("$name"); done
fi
mkdir -p reports
rm -f reports/molecule-*.failed.log
passed=0 failed=()
for name in "${scenarios[@]}"; do
  started=$SECONDS
  printf '== molecule %s ... ' "$name"
  if molecule test -s "$name" > "reports/molecule-$name.log" 2>&1; then
    passed=$((passed + 1)); printf 'passed in %d s\n' "$((SECONDS - started))"
  else
    failed+=("$name"); printf 'FAILED after %d s; the end of reports/molecule-%s.log:\n' "$((SECONDS - started))" "$name"
    tail -n 60 "reports/molecule-$name.log"
    cp "reports/molecule-$name.log" "reports/molecule-$name.failed.log"
  fi
done
# What failed is told again at the end, in a few lines: a log is often read from there.
for name in "${failed[@]}"; do
  printf 'molecule %s failed; the first errors of reports/molecule-%s.failed.log:\n' "$name" "$name"
  grep -aE -A3 'fatal:|FAILED|failed: |AssertionError|Error\(' "reports/molecule-$name.log" | cut -c1-400 | head -n 24
done
printf 'molecule: %d passed, %d failed%s\n' "$passed" "${#failed[@]}" "${failed:+: ${failed[*]}}"
[ "${#failed[@]}" -eq 0 ]
