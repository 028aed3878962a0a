#!/usr/bin/env bash
# Make .venv from the hash-locked requirements. Quick when nothing changed. Called by `make setup`.
set -euo pipefail
cd "$(dirname "$0")/.."

started=$SECONDS
say() { printf '[setup %3d s] %s\n' "$((SECONDS - started))" "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

inputs=(requirements/bootstrap.lock requirements/development.lock pyproject.toml booking/pyproject.toml requirements/setup.sh)
stamp=.venv/understudy-setup.sha256
if [ -x .venv/bin/python ] && .venv/bin/python -c pass 2>/dev/null && [ -f "$stamp" ] \
  && { pwd; sha256sum "${inputs[@]}"; } | cmp -s - "$stamp"; then
  say "nothing to do: .venv matches the lock files"
  exit 0
fi

# An environment must not be made from the Python of the one it replaces.
PATH=$(printf '%s' "$PATH" | tr ':' '\n' | grep -vxF "$PWD/.venv/bin" | paste -sd:)

# A usable Python is 3.12 or newer and able to make environments.
usable() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; }
find_python() {
  local candidate
  for candidate in python3.14 python3.13 python3.12 python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
    candidate=$(command -v "$candidate" 2>/dev/null) || continue
    if usable "$candidate"; then echo "$candidate"; return; fi
  done
}

python=$(find_python)
if [ -z "$python" ]; then
  say "no Python 3.12 or newer on PATH or in pyenv: asking uv for one"
  python3 -c 'import ensurepip, venv' 2>/dev/null \
    || fail "python3 cannot make environments; install the package python3-venv and run make setup again."
  rm -rf .cache/bootstrap
  python3 -m venv .cache/bootstrap
  .cache/bootstrap/bin/python -m pip install --quiet --require-hashes -r requirements/bootstrap.lock
  .cache/bootstrap/bin/uv python install 3.13 \
    || fail "uv could not get Python 3.13; install Python 3.12 or newer (package or pyenv) and run make setup again."
  python=$(.cache/bootstrap/bin/uv python find 3.13)
fi

say "making .venv with $("$python" --version)"
rm -rf .venv
"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
say "installing the locked requirements (about 180 packages)"
.venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes requirements/development.lock
say "installing this tree, editable"
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e . -e ./booking
# The tree is the collection understudy.hybrid: the same plugin names work here and where it is installed from Galaxy.
collections=$(.venv/bin/python -c 'import ansible_collections, os; print(list(ansible_collections.__path__)[0])')
mkdir -p "$collections/understudy"
ln -sfn "$PWD" "$collections/understudy/hybrid"
{ pwd; sha256sum "${inputs[@]}"; } > "$stamp"
say "done"
