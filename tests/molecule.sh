#!/usr/bin/env bash
# Run molecule scenarios, all (but MOLECULE_BUT, with commas) or the named ones, MOLECULE_AT_ONCE (2) at a time; count them at the end.
set -uo pipefail
cd "$(dirname "$0")/.."
export MOLECULE_GLOB='molecule/*/molecule.yml'
scenarios=("$@")
if [ "${#scenarios[@]}" -eq 0 ]; then
  # The longest first, by the lines of their tests: a long one at the end would run alone.
  mapfile -t scenarios < <(for file in molecule/*/molecule.yml; do
    folder=$(dirname "$file"); printf '%s %s\n' "$(cat "$folder"/tests/*.py 2>/dev/null | wc -l)" "$(basename "$folder")"
  done | sort -rn | cut -d' ' -f2 | grep -vxE "${MOLECULE_BUT:+${MOLECULE_BUT//,/|}}")
fi
mkdir -p reports
for name in "${scenarios[@]}"; do rm -f "reports/molecule-$name".{log,passed}; done
one() { # one SCENARIO: run it, keep its output, and say in one line how it ended
  local name=$1 ended=FAILED
  if molecule test -s "$name" > "reports/molecule-$name.log" 2>&1; then ended=passed; touch "reports/molecule-$name.passed"; fi
  printf '== molecule %s %s after %d s\n' "$name" "$ended" "$SECONDS"
}
export -f one
printf '%s\n' "${scenarios[@]}" | xargs -P "${MOLECULE_AT_ONCE:-2}" -I{} bash -c 'one {}'
# Only what said so has passed: one that was killed, or never begun, has not. What failed is told at the end, where a log is read.
failed=()
for name in "${scenarios[@]}"; do
  [ ! -f "reports/molecule-$name.passed" ] || continue
  failed+=("$name")
  printf 'molecule %s failed; the end of reports/molecule-%s.log, and the errors in it:\n' "$name" "$name"
  tail -n 12 "reports/molecule-$name.log" | cut -c1-200
  # Last, as continuous integration shows the end only: what was asserted and what came instead.
  grep -aE -A2 'fatal:|failed: |(^|│[^ ]* )(E  |FAILED)|Error\(' "reports/molecule-$name.log" | grep -v '^--' | cut -c1-400 | head -n 16
done
printf 'molecule: %d passed, %d failed%s\n' "$((${#scenarios[@]} - ${#failed[@]}))" "${#failed[@]}" "${failed:+: ${failed[*]}}"
[ "${#failed[@]}" -eq 0 ]
