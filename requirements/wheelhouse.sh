#!/usr/bin/env bash
# Collect the wheels of a lock file for hosts with a Python of another version than ours:
#   requirements/wheelhouse.sh LOCK PYTHON_VERSION DIRECTORY   ->   DIRECTORY/*.whl, DIRECTORY/requirements.txt
# Quick when nothing changed. A directory that is there is whole.
set -euo pipefail
fail() { printf 'requirements/wheelhouse.sh: %s\n' "$*" >&2; exit 1; }
[ $# -eq 3 ] || fail "expected LOCK, PYTHON_VERSION and DIRECTORY, such as: requirements/wheelhouse.sh requirements/booking.lock 3.13 build/wheels"
lock=$1 version=$2 wheelhouse=$3 python=${PYTHON:-$(dirname "$0")/../.venv/bin/python}
[[ $version =~ ^3\.[0-9]+$ ]] || fail "PYTHON_VERSION is '$version'; expected the hosts' version, such as 3.13"
[ -x "$python" ] || fail "there is no $python; run make setup first."
[ -f "$lock" ] || fail "there is no $lock; run make lock first."

stamp=$wheelhouse/.complete
wanted=$({ echo "$version"; cat "$lock"; } | sha256sum)
[ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || exit 0
rm -rf "$wheelhouse"
platforms=()
for glibc in 2_41 2_39 2_36 2_35 2_34 2_31 2_28 2_27 2_26 2_24 2_17 2_12 2_5; do platforms+=(--platform "manylinux_${glibc}_$(uname -m)"); done
platforms+=(--platform "manylinux2014_$(uname -m)" --platform any)
# The lock is for every Python; pip would judge its markers by the Python that runs here, not by that of the hosts.
mkdir -p "$wheelhouse"
"$python" - "$lock" "$version" > "$wheelhouse/requirements.txt" <<'PYTHON'
import re
import sys
from packaging.markers import Marker

there = {"python_version": sys.argv[2], "python_full_version": f"{sys.argv[2]}.0", "sys_platform": "linux", "os_name": "posix",
         "platform_python_implementation": "CPython", "implementation_name": "cpython", "platform_system": "Linux"}
for entry in re.split(r"(?<!\\)\n", open(sys.argv[1], encoding="utf-8").read()):
    found = re.match(r"([^;\s]+==\S+)\s*(?:;([^\\]*?))?\s*((?:\\\n\s*--hash\S+\s*)+)$", entry)
    if found and (not found[2] or Marker(found[2].strip()).evaluate(there)):
        print(found[1], *re.findall(r"--hash\S+", found[3]))
PYTHON
"$python" -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary=:all: \
  --implementation cp --python-version "$version" --abi "cp${version/./}" --abi abi3 --abi none "${platforms[@]}" \
  --dest "$wheelhouse" --requirement "$wheelhouse/requirements.txt" >&2
echo "$wanted" > "$stamp"
