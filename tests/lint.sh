#!/usr/bin/env bash
# Every linter, all findings, one verdict.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=()
run() { local name=$1; shift; printf '== %s\n' "$name"; "$@" || failed+=("$name"); }
run ruff ruff check .
run "ruff format" ruff format --check --quiet .
run mypy mypy
run yamllint yamllint --strict .
# The inventory of the lab needs the lab; syntax does not.
run ansible-lint env ANSIBLE_INVENTORY=lab/machine.ini ANSIBLE_INVENTORY_ENABLED=ini ansible-lint --offline -q --nocolor
if [ "${#failed[@]}" -gt 0 ]; then printf 'lint: FAILED: %s\n' "${failed[*]}"; exit 1; fi
echo "lint: clean"
