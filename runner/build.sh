#!/usr/bin/env bash
# Build what a runner's host gets: this project with one inventory, the collections it needs, and the wheels of its locked requirements:
#   runner/build.sh OUT_DIR PYTHON_VERSION INVENTORY_DIR   ->   OUT_DIR/RELEASE, OUT_DIR/<release>.tar
# The release is named after what is in it, so the same content has the same name. Prints the name. Quick when nothing changed.
set -euo pipefail
fail() { printf 'runner/build.sh: %s\n' "$*" >&2; exit 1; }
[ $# -eq 3 ] || fail "expected OUT_DIR, PYTHON_VERSION and INVENTORY_DIR, such as: runner/build.sh build/runner 3.13 inventories/production"
mkdir -p "$1"
out=$(cd "$1" && pwd) version=$2 inventory=${3%/} here=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-$here/.venv/bin/python}
[ -x "$python" ] || fail "there is no $python; run make setup first."
[ -f "$inventory/two_sites.yml" ] || fail "there is no two_sites.yml in '$inventory'; name the inventory's folder."
inventory=$(cd "$inventory" && pwd)

exec 9> "$out/.lock"
flock 9
wheels=$out/wheels-$version
PYTHON=$python "$here/requirements/wheelhouse.sh" "$here/requirements/runner.lock" "$version" "$wheels"

stage=$out/stage
rm -rf "$stage"
mkdir -p "$stage/project/inventories" "$stage/collections"
for part in ansible.cfg galaxy.yml meta playbooks roles plugins runner; do cp -r "$here/$part" "$stage/project/"; done
cp -rL "$inventory" "$stage/project/inventories/"
# The release of the application, from which an image of its servers is made.
if [ -d "$here/build/booking" ]; then
  mkdir -p "$stage/project/build/booking"
  cp -r "$here"/build/booking/{VERSION,*.whl,wheelhouse-"$version"} "$stage/project/build/booking/"
fi
bundled=$("$python" -c 'import ansible_collections; print(list(ansible_collections.__path__)[0])')
while read -r collection; do
  [ -d "$bundled/$collection" ] || fail "there is no collection $collection in the environment; run make setup first."
  mkdir -p "$stage/collections/${collection%/*}"
  cp -r "$bundled/$collection" "$stage/collections/$collection"
done < <("$python" -c '
import sys, yaml
for each in yaml.safe_load(open(sys.argv[1]))["collections"]:
    print(each["name"].replace(".", "/"))' "$here/requirements.yml")
find "$stage" -name __pycache__ -prune -exec rm -rf {} +
find "$stage/collections" -type d \( -name tests -o -name docs -o -name changelogs \) -prune -exec rm -rf {} +
ln -s "$wheels" "$stage/wheels"
ln -s "$wheels/requirements.txt" "$stage/requirements.txt"

digest=$(cd "$stage" && find -L . -type f ! -name .complete -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
name=$(sed -n 's/^version: *//p' "$here/galaxy.yml")-${digest:0:8}
if [ ! -f "$out/$name.tar" ]; then
  rm -f "$out"/*.tar
  tar --create --dereference --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
    --exclude .complete --directory "$stage" --file "$out/$name.tar.new" .
  mv "$out/$name.tar.new" "$out/$name.tar"
fi
rm -rf "$stage"
echo "$name" > "$out/RELEASE"
echo "$name"
