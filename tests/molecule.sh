#!/usr/bin/env bash
# Run molecule scenarios, all or the named ones, MOLECULE_AT_ONCE (2) at a time; count them at the end.
set -uo pipefail
cd "$(dirname "$0")/.."
export MOLECULE_GLOB='molecule/*/molecule.yml'
# Scenarios share one network: none of them takes it away while another is about to start.
export MOLECULE_KEEPS_NETWORK=1
network=(podman network rm understudy-molecule)
export CONTAINERS_CONF=${CONTAINERS_CONF:-/var/lib/understudy/lab/containers.conf}
export CONTAINERS_STORAGE_CONF=${CONTAINERS_STORAGE_CONF:-/var/lib/understudy/lab/storage.conf}
scenarios=("$@")
if [ "${#scenarios[@]}" -eq 0 ]; then
  # The longest first, by the lines of their tests: a long one at the end would run alone.
  mapfile -t scenarios < <(for file in molecule/*/molecule.yml; do
    folder=$(dirname "$file"); printf '%s %s\n' "$(cat "$folder"/tests/*.py 2>/dev/null | wc -l)" "$(basename "$folder")"
  done | sort -rn | cut -d' ' -f2)
fi
mkdir -p reports
rm -f reports/molecule-*.failed.log
podman network exists understudy-molecule || podman network create --disable-dns --subnet 10.210.254.0/24 understudy-molecule > /dev/null
one() { # one SCENARIO: run it, keep its output, and say in one line how it ended
  local name=$1 started=$SECONDS
  if molecule test -s "$name" > "reports/molecule-$name.log" 2>&1; then
    printf '== molecule %s passed in %d s\n' "$name" "$((SECONDS - started))"
  else
    cp "reports/molecule-$name.log" "reports/molecule-$name.failed.log"
    printf '== molecule %s FAILED after %d s\n' "$name" "$((SECONDS - started))"
  fi
}
export -f one
printf '%s\n' "${scenarios[@]}" | xargs -P "${MOLECULE_AT_ONCE:-2}" -I{} bash -c 'one {}'
"${network[@]}" > /dev/null 2>&1
# What failed is told at the end, in a few lines: a log is often read from there.
failed=()
for name in "${scenarios[@]}"; do
  [ -f "reports/molecule-$name.failed.log" ] || continue
  failed+=("$name")
  printf 'molecule %s failed; the first errors of reports/molecule-%s.failed.log:\n' "$name" "$name"
  grep -aE -A3 'fatal:|FAILED|failed: |AssertionError|Error\(' "reports/molecule-$name.log" | cut -c1-400 | head -n 24
  tail -n 30 "reports/molecule-$name.log" | cut -c1-400
done
printf 'molecule: %d passed, %d failed%s\n' "$((${#scenarios[@]} - ${#failed[@]}))" "${#failed[@]}" "${failed:+: ${failed[*]}}"
[ "${#failed[@]}" -eq 0 ]
