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
stamp=$wheelhouse/.complete
wanted=$({ echo "$version"; cat "$lock"; } | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  rm -rf "$wheelhouse"
  platforms=()
  for glibc in 2_36 2_35 2_34 2_31 2_28 2_27 2_26 2_24 2_17 2_12 2_5; do platforms+=(--platform "manylinux_${glibc}_$(uname -m)"); done
  platforms+=(--platform "manylinux2014_$(uname -m)" --platform any)
  # The lock is for every Python; pip would judge its markers by the Python that runs here, not by that of the hosts.
  mkdir -p "$wheelhouse"
  "$python" - "$lock" "$version" > "$wheelhouse/requirements.txt" <<'PYTHON'
import re
import sys
from packaging.markers import Marker

there = {"python_version": sys.argv[2], "python_full_version": f"{sys.argv[2]}.0", "sys_platform": "linux", "os_name": "posix"}
for entry in re.split(r"(?<!\\)\n", open(sys.argv[1], encoding="utf-8").read()):
    found = re.match(r"([^;\s]+==\S+)\s*(?:;([^\\]*?))?\s*((?:\\\n\s*--hash\S+\s*)+)$", entry)
    if found and (not found[2] or Marker(found[2].strip()).evaluate(there)):
        print(found[1], *re.findall(r"--hash\S+", found[3]))
PYTHON
  "$python" -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary=:all: \
    --implementation cp --python-version "$version" --abi "cp${version/./}" --abi abi3 --abi none "${platforms[@]}" \
    --dest "$wheelhouse" --requirement "$wheelhouse/requirements.txt" >&2
  echo "$wanted" > "$stamp"
fi
# A release is never changed: what differs in content has another name.
name=$(basename "$out"/*.whl)
printf '%s-%.8s\n' "$(cut -d- -f2 <<<"$name")" "$(sha256sum "$out/$name")" > "$out/VERSION"
printf '%s\n' "$out"/*.whl "$wheelhouse"
