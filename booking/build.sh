#!/usr/bin/env bash
# Build the application's wheel and collect the wheels of its locked requirements, for hosts with a Python of this version:
#   booking/build.sh OUT_DIR PYTHON_VERSION   ->   OUT_DIR/<wheel>, OUT_DIR/VERSION, OUT_DIR/wheelhouse-PYTHON_VERSION/
# Quick when nothing changed. Prints both paths, the wheel's first.
set -euo pipefail
fail() { printf 'booking/build.sh: %s\n' "$*" >&2; exit 1; }
[ $# -eq 2 ] || fail "expected OUT_DIR and PYTHON_VERSION, such as: booking/build.sh build/booking 3.13"
mkdir -p "$1"
out=$(cd "$1" && pwd) version=$2 here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-$here/../.venv/bin/python} lock=${BOOKING_LOCK:-$here/../requirements/booking.lock}
[[ $version =~ ^3\.[0-9]+$ ]] || fail "PYTHON_VERSION is '$version'; expected the hosts' version, such as 3.13"
[ -x "$python" ] || fail "there is no $python; run make setup first."
[ -f "$lock" ] || fail "there is no $lock; run make lock first."

rm -f "$out"/*.whl
(cd "$here" && "$python" -m hatchling build --target wheel --directory "$out") >&2

wheelhouse=$out/wheelhouse-$version
PYTHON=$python "$here/../requirements/wheelhouse.sh" "$lock" "$version" "$wheelhouse"
# A release is never changed: what differs in content has another name.
name=$(basename "$out"/*.whl)
printf '%s-%.8s\n' "$(cut -d- -f2 <<<"$name")" "$(sha256sum "$out/$name")" > "$out/VERSION"
printf '%s\n' "$out"/*.whl "$wheelhouse"
