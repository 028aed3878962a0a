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
run ansible-lint ansible-lint --offline -q
if [ "${#failed[@]}" -gt 0 ]; then printf 'lint: FAILED: %s\n' "${failed[*]}"; exit 1; fi
echo "lint: clean"
