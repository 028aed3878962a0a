#!/usr/bin/env bash
# Resolve every requirements/*.in into its lock file: all hashes, no index address.
set -euo pipefail
cd "$(dirname "$0")"
for name in bootstrap project development; do
  uv pip compile --quiet --upgrade --python-version 3.12 --universal --generate-hashes --no-header --no-annotate \
    "$name.in" -o "$name.lock"
  printf 'locked %s: %s packages\n' "$name" "$(grep -c '==' "$name.lock")"
done
# Swift runs on Debian 12's own Python, in an environment of its own.
uv pip compile --quiet --upgrade --python-version 3.11 --generate-hashes --no-header --no-annotate swift.in -o swift.lock
printf 'locked swift: %s packages\n' "$(grep -c '==' swift.lock)"
