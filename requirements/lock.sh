#!/usr/bin/env bash
# Resolve every requirements/*.in into its lock file: all hashes, no index address. `--keep` adds what is new and upgrades nothing.
set -euo pipefail
cd "$(dirname "$0")"
upgrade=(--upgrade)
[ "${1:-}" != --keep ] || upgrade=()
lock() { # lock NAME PYTHON INPUT...
  local name=$1 version=$2; shift 2
  uv pip compile --quiet "${upgrade[@]}" --python-version "$version" --generate-hashes --no-header --no-annotate "$@" -o "$name.lock"
  printf 'locked %s: %s packages\n' "$name" "$(grep -c '==' "$name.lock")"
}
lock bootstrap 3.12 --universal bootstrap.in
lock project 3.12 --universal project.in
# Wheels for the hosts that run the runner (runner/build.sh), at the versions that are tested here.
lock runner 3.12 --universal --constraint project.lock runner.in
# What the booking application needs: on the hosts (Python 3.11 and newer), and here for its tests.
lock booking 3.11 --universal ../booking/pyproject.toml
lock development 3.12 --universal development.in ../booking/pyproject.toml
# Swift runs on Debian 12's own Python, in an environment of its own.
lock swift 3.11 swift.in
