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
passed=0 failed=()
for name in "${scenarios[@]}"; do
  started=$SECONDS
  printf '== molecule %s ... ' "$name"
  if molecule test -s "$name" > "reports/molecule-$name.log" 2>&1; then
    passed=$((passed + 1)); printf 'passed in %d s\n' "$((SECONDS - started))"
  else
    failed+=("$name"); printf 'FAILED after %d s; the end of reports/molecule-%s.log:\n' "$((SECONDS - started))" "$name"
    tail -n 60 "reports/molecule-$name.log"
  fi
done
printf 'molecule: %d passed, %d failed\n' "$passed" "${#failed[@]}"
[ "${#failed[@]}" -eq 0 ]
